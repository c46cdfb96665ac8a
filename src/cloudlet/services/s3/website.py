"""A bucket's website as its configuration has it: what is checked, which document a path means, who is redirected.

See "Hosting a static website using Amazon S3" in the User Guide.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from . import model

Config = dict[str, Any]
Rule = dict[str, Any]

HOST = re.compile(
    r"(.+)\.s3-website(?:[.-][a-z]{2}(?:-[a-z]+)+-[0-9])?\.(?:localhost(?:\.localstack\.cloud)?|amazonaws\.com(?:\.cn)?)"
)
PREFIX = "/_aws/s3-website/"
_DASHED = frozenset((
    "us-east-1", "us-west-1", "us-west-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-west-1",
    "sa-east-1", "us-gov-west-1",
))  # fmt: skip
"""The regions whose website host names have a dash before the region; the younger ones have a dot."""
_HOST_NAME = re.compile(r"[^\s/?#@]+")
_KEY_SAFE = "/~!$&'()*+,;=:@"


def url(bucket: str, region: str) -> str:
    return f"http://{bucket}.s3-website{'-' if region in _DASHED else '.'}{region}.amazonaws.com"


# --- what PutBucketWebsite asks of a configuration ------------------------------------------------------------


def check(config: Config) -> None:
    if "RedirectAllRequestsTo" in config:
        _check_redirect_all(config)
        return
    if "IndexDocument" not in config:
        text = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"
        raise model.invalid("IndexDocument", "null", text)
    suffix = config["IndexDocument"].get("Suffix", "")
    if not suffix or "/" in suffix:
        raise model.invalid("IndexDocument", suffix, "The IndexDocument Suffix is not well formed")
    if "ErrorDocument" in config and not config["ErrorDocument"].get("Key"):
        raise model.error("MalformedXML")
    rules = config.get("RoutingRules")
    if rules is not None and not 1 <= len(rules) <= model.MAX_ROUTING_RULES:
        text = (
            f"{len(rules)} routing rules provided, the number of routing rules in a website configuration is "
        )
        raise model.error(
            "InvalidRequest" if rules else "MalformedXML", f"{text}limited to 50." if rules else ""
        )
    for rule in rules or ():
        _check_rule(rule)


def _check_redirect_all(config: Config) -> None:
    if len(config) > 1:
        text = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
        raise model.invalid("RedirectAllRequestsTo", "not null", text)
    if not config["RedirectAllRequestsTo"].get("HostName"):
        raise model.error("MalformedXML")
    _check_target(config["RedirectAllRequestsTo"])


def _check_target(redirect: Rule) -> None:
    if not _HOST_NAME.fullmatch(redirect.get("HostName", "x")):
        raise model.error("InvalidRequest", "The provided host name is not valid.")
    if redirect.get("Protocol", "http") not in ("http", "https"):
        text = (
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected "
            "automatically."
        )
        raise model.error("InvalidRequest", text)


def _check_rule(rule: Rule) -> None:
    redirect = rule.get("Redirect")
    if not redirect:
        raise model.error("MalformedXML")
    _check_target(redirect)
    if "ReplaceKeyWith" in redirect and "ReplaceKeyPrefixWith" in redirect:
        text = "You can only define ReplaceKeyPrefix or ReplaceKey but not both."
        raise model.error("InvalidRequest", text)
    code = redirect.get("HttpRedirectCode", "301")
    if not re.fullmatch(r"30[1-9]|3[1-9][0-9]", code):
        text = f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300."
        raise model.error("InvalidRequest", text)
    if "Condition" not in rule:
        return
    condition = rule["Condition"]
    if not condition:
        text = (
            "Condition cannot be empty. To redirect all requests without a condition, the condition element "
            "shouldn't be present."
        )
        raise model.error("InvalidRequest", text)
    status = condition.get("HttpErrorCodeReturnedEquals", "404")
    if not re.fullmatch(r"[45][0-9][0-9]", status):
        text = f"The provided HTTP error code ({status}) is not valid. Valid codes are 4XX or 5XX."
        raise model.error("InvalidRequest", text)


# --- what a request means ------------------------------------------------------------


def document(config: Config, key: str) -> str:
    """The object that a path means: of a folder its index."""
    suffix: str = config["IndexDocument"]["Suffix"]
    return key + suffix if not key or key.endswith("/") else key


def rule_for(config: Config, key: str, status: int) -> Rule | None:
    """The first rule that fits: before the object is looked for (`status` 0) those that name no error."""
    for rule in config.get("RoutingRules", ()):
        condition = rule.get("Condition", {})
        if not key.startswith(condition.get("KeyPrefixEquals", "")):
            continue
        wanted = condition.get("HttpErrorCodeReturnedEquals")
        if wanted == str(status) or (wanted is None and not status):
            found: Rule = rule
            return found
    return None


def redirected_key(rule: Rule, key: str) -> str:
    redirect = rule["Redirect"]
    if "ReplaceKeyWith" in redirect:
        return str(redirect["ReplaceKeyWith"])
    if "ReplaceKeyPrefixWith" in redirect:
        prefix = rule.get("Condition", {}).get("KeyPrefixEquals", "")
        return str(redirect["ReplaceKeyPrefixWith"]) + key[len(prefix) :]
    return key


def quoted(key: str) -> str:
    """A key as it stands in a Location."""
    return quote(key, safe=_KEY_SAFE)
