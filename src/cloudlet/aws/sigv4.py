"""Signature version 4, read: who signed, for which day, region and service, over which headers.

It reads the Authorization header and presigned query strings, and words what is malformed as AWS does. The signature
itself is not verified here.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from ..errors import AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
ALGORITHM_ASYMMETRIC = "AWS4-ECDSA-P256-SHA256"


@dataclass(slots=True, frozen=True)
class Signature:
    """What a request says of its signature. Of an unsigned request everything is ""."""

    access_key: str = ""
    date: str = ""
    region: str = ""
    service: str = ""
    signed_headers: tuple[str, ...] = ()
    signature: str = ""
    token: str = ""
    """The session token, when it is part of a presigned query string; else it is the header X-Amz-Security-Token."""


UNSIGNED = Signature()


class Unauthenticated(AwsError):
    """Who asks can't be told. `kind` names the failure; each service's protocol has its own code for it."""

    def __init__(self, kind: str, message: str, status: int) -> None:
        super().__init__(kind, message, status=status)
        self.kind = kind


def incomplete(message: str) -> Unauthenticated:
    return Unauthenticated("incomplete_signature", message, 400)


def missing_token() -> Unauthenticated:
    return Unauthenticated("missing_token", "Request is missing Authentication Token", 403)


def read_header(authorization: str, has_date: bool) -> Signature:
    """Read an Authorization header."""
    algorithm, _, rest = authorization.strip().partition(" ")
    if not algorithm.startswith("AWS4-"):
        raise missing_token()
    parts: dict[str, str] = {}
    for piece in rest.replace(" ", ",").split(","):
        if not piece:
            continue
        name, equals, value = piece.partition("=")
        if not equals:
            raise incomplete(
                f"'{piece}' not a valid key=value pair (missing equal-sign) in Authorization header: '{authorization}'."
            )
        parts[name] = value
    lacking = [
        f"Authorization header requires '{name}' parameter. "
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    if not has_date:
        lacking.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        )
    if lacking:
        raise incomplete(f"{''.join(lacking)}Authorization={algorithm}")
    if algorithm == ALGORITHM_ASYMMETRIC:
        return _asymmetric(parts)
    if algorithm != ALGORITHM:
        raise incomplete(f"Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). ")
    return _signature(parts["Credential"], parts["SignedHeaders"], parts["Signature"])


def read_query(query: str) -> Signature:
    """Read a presigned query string, one that has X-Amz-Algorithm or X-Amz-Credential."""
    parts = dict(parse_qsl(query, keep_blank_values=True))
    names = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    lacking = [
        f"AWS query-string parameters must include '{name}'. " for name in names if not parts.get(name)
    ]
    if lacking:
        raise incomplete(f"{''.join(lacking)}Re-examine the query-string parameters.")
    if parts["X-Amz-Algorithm"] != ALGORITHM:
        raise incomplete(
            f"Unsupported AWS 'algorithm': '{parts['X-Amz-Algorithm']}' (only AWS4-HMAC-SHA256 for now). "
        )
    return _signature(
        parts["X-Amz-Credential"],
        parts["X-Amz-SignedHeaders"],
        parts["X-Amz-Signature"],
        parts.get("X-Amz-Security-Token", ""),
    )


def _signature(credential: str, headers: str, signature: str, token: str = "") -> Signature:
    elements = credential.rstrip("/").rsplit("/", 4)
    if len(elements) != 5:
        raise incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term,"
            f" got '{credential}'"
        )
    access_key, date, region, service, terminator = elements
    if terminator != "aws4_request":
        raise incomplete(
            f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "
        )
    return Signature(access_key, date, region, service, tuple(headers.split(";")), signature, token)


def _asymmetric(parts: dict[str, str]) -> Signature:
    """SigV4a: the scope has no region."""
    elements = parts["Credential"].rsplit("/", 3)
    if len(elements) != 4:
        raise incomplete(
            "Credential must have exactly 4 slash-delimited elements, e.g. keyid/date/service/term,"
            f" got '{parts['Credential']}'"
        )
    access_key, date, service, _ = elements
    return Signature(
        access_key, date, "", service, tuple(parts["SignedHeaders"].split(";")), parts["Signature"]
    )
