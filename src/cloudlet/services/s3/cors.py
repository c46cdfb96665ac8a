"""CORS: which rule of a bucket fits a request, and the headers that it brings, on preflights and on real answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ...context import Node
from ...net.messages import Request, Response
from . import model, storage

Rule = dict[str, Any]
METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


@lru_cache(maxsize=1024)
def _pattern(text: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*"), re.IGNORECASE if ignore_case else 0)


def fitting(rules: list[Rule], origin: str, method: str, headers: list[str]) -> tuple[Rule, str] | None:
    """The first rule that fits, and the origin as its answer has it."""
    for rule in rules:
        allowed = next((o for o in rule["AllowedOrigins"] if _pattern(o, False).fullmatch(origin)), None)
        if allowed is None or method not in rule["AllowedMethods"]:
            continue
        patterns = rule.get("AllowedHeaders", [])
        if all(any(_pattern(p, True).fullmatch(header) for p in patterns) for header in headers):
            return rule, "*" if allowed == "*" else origin
    return None


def answer(rule: Rule, origin: str, headers: list[str]) -> dict[str, str]:
    """Members of an answer to a preflight."""
    made = {"AllowOrigin": origin, "AllowMethods": ", ".join(rule["AllowedMethods"]), "Vary": VARY}
    if headers:
        made["AllowHeaders"] = ", ".join(headers)
    if rule.get("ExposeHeaders"):
        made["ExposeHeaders"] = ", ".join(rule["ExposeHeaders"])
    if "MaxAgeSeconds" in rule:
        made["MaxAge"] = str(rule["MaxAgeSeconds"])
    if origin != "*":
        made["AllowCredentials"] = "true"
    return made


def check(rules: list[Rule]) -> None:
    if not 1 <= len(rules) <= 100:
        raise model.error("MalformedXML")
    for rule in rules:
        if not rule.get("AllowedMethods") or not rule.get("AllowedOrigins"):
            raise model.error("MalformedXML")
        for method in rule["AllowedMethods"]:
            if method not in METHODS:
                text = f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                raise model.error("InvalidRequest", text)
        for origin in rule["AllowedOrigins"]:
            if origin.count("*") > 1:
                raise model.error(
                    "InvalidRequest", f'AllowedOrigin "{origin}" can not have more than one wildcard.'
                )
        for header in rule.get("AllowedHeaders", []):
            if header.count("*") > 1:
                raise model.error(
                    "InvalidRequest", f'AllowedHeader "{header}" can not have more than one wildcard.'
                )
        for header in rule.get("ExposeHeaders", []):
            if "*" in header:
                text = (
                    f'ExposeHeader "{header}" contains wildcard. We currently do not support wildcard for '
                    "ExposeHeader."
                )
                raise model.error("InvalidRequest", text)


async def dress(node: Node, request: Request, labels: Mapping[str, str], response: Response) -> None:
    """Add to the answer of a request with an Origin what the bucket's rules say."""
    origin = request.headers.get("origin")
    name = labels.get("Bucket")
    if origin is None or name is None or request.method == "OPTIONS":
        return
    bucket = await node.store.read(lambda tx: storage.bucket(tx, name))
    found = fitting(bucket.get("cors", []), origin, request.method, []) if bucket is not None else None
    if found is None:
        return
    rule, allowed = found
    made = answer(rule, allowed, [])
    headers = [
        ("Access-Control-Allow-Origin", made["AllowOrigin"]),
        ("Access-Control-Allow-Methods", made["AllowMethods"]),
        ("Vary", made["Vary"]),
    ]
    if "ExposeHeaders" in made:
        headers.append(("Access-Control-Expose-Headers", made["ExposeHeaders"]))
    if "MaxAge" in made:
        headers.append(("Access-Control-Max-Age", made["MaxAge"]))
    if "AllowCredentials" in made:
        headers.append(("Access-Control-Allow-Credentials", "true"))
    response.headers = [*response.headers, *headers]
