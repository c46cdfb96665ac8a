"""What can be told of a request without looking at anything else. Configurations leave it whole, with defaults."""

from __future__ import annotations

import copy
import re
from typing import Any

from . import model

Request = dict[str, Any]
Config = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
_ALIAS = re.compile(r"(?=.{1,253}$)(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_S3_HOST = re.compile(r".+\.s3(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?")
_LEGACY = ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")


def is_bucket(host: str) -> bool:
    return _S3_HOST.fullmatch(host) is not None


def items(part: Any) -> list[Any]:
    """The Items of a list in CloudFront's form."""
    found: list[Any] = (part or {}).get("Items") or []
    return found


def _check_quantities(value: Any) -> None:
    if isinstance(value, dict):
        if "Quantity" in value and value["Quantity"] != len(value.get("Items") or ()):
            raise model.error("InconsistentQuantities")
        for inner in value.values():
            _check_quantities(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_quantities(inner)


def _check_count(part: Any, most: int, code: str) -> list[Any]:
    found = items(part)
    if len(found) > most:
        raise model.error(code)
    return found


# --- distributions ------------------------------------------------------------


def create_distribution(request: Request) -> Request:
    return {**request, "DistributionConfig": distribution(request["DistributionConfig"])}


def create_distribution_with_tags(request: Request) -> Request:
    both = request["DistributionConfigWithTags"]
    return {
        "DistributionConfig": distribution(both["DistributionConfig"]),
        "Tags": tags(both["Tags"].get("Items") or []),
    }


def update_distribution(request: Request) -> Request:
    return {**request, "DistributionConfig": distribution(request["DistributionConfig"])}


def distribution(given: Config) -> Config:
    _check_quantities(given)
    config = {**copy.deepcopy(model.DEFAULTS), **copy.deepcopy(given)}
    _check_built(config)
    root = config["DefaultRootObject"]
    if root.startswith("/") or len(root) > 255:
        raise model.error("InvalidDefaultRootObject")
    config["Origins"]["Items"] = [_origin(origin) for origin in items(config["Origins"])]
    _check_origins(config)
    names = [
        name.lower()
        for name in _check_count(config["Aliases"], model.MAX_ALIASES, "TooManyDistributionCNAMEs")
    ]
    if any(not _ALIAS.fullmatch(name) for name in names):
        raise model.invalid("The parameter CNAME contains an alternate domain name that is not valid.")
    if names:
        config["Aliases"]["Items"] = names
    _certificate(config, names)
    behaviors = _check_count(config["CacheBehaviors"], model.MAX_BEHAVIORS, "TooManyCacheBehaviors")
    patterns = [behavior["PathPattern"] for behavior in behaviors]
    if len(set(patterns)) < len(patterns):
        raise model.invalid("The parameter PathPattern contains the same pattern twice.")
    targets = {one["Id"] for part in ("Origins", "OriginGroups") for one in items(config[part])}
    config["DefaultCacheBehavior"] = _behavior(config["DefaultCacheBehavior"], targets)
    if behaviors:
        config["CacheBehaviors"]["Items"] = [_behavior(behavior, targets) for behavior in behaviors]
    for response in items(config["CustomErrorResponses"]):
        _check_error_response(response)
    return config


def _check_built(config: Config) -> None:
    if config.get("ContinuousDeploymentPolicyId") or config.get("Staging"):
        raise model.not_here("continuous deployment")
    if config.get("TenantConfig") or config.get("ConnectionMode") == "tenant-only":
        raise model.not_here("multi-tenant distributions")
    if config.get("AnycastIpListId"):
        raise model.not_here("anycast addresses")
    if config.get("ViewerMtlsConfig") or config.get("ConnectionFunctionAssociation"):
        raise model.not_here("certificates of viewers")


def _origin(origin: Config) -> Config:
    host = origin["DomainName"]
    if not origin["Id"]:
        raise model.invalid("The parameter Origin Id is required.")
    if "://" in host or ":" in host:
        raise model.invalid("The parameter origin name cannot contain a colon.")
    if not _HOST.fullmatch(host):
        raise model.error("InvalidOrigin")
    if origin.get("VpcOriginConfig"):
        raise model.not_here("VPC origins")
    if ("S3OriginConfig" in origin) == ("CustomOriginConfig" in origin):
        raise model.invalid(
            "Exactly one of CustomOriginConfig, VpcOriginConfig and S3OriginConfig must be specified"
        )
    if "S3OriginConfig" in origin:
        if not is_bucket(host):
            raise model.invalid("The parameter Origin DomainName does not refer to a valid S3 bucket.")
        if origin["S3OriginConfig"].get("OriginAccessIdentity") and origin.get("OriginAccessControlId"):
            raise model.error("IllegalOriginAccessConfiguration")
    else:
        _custom(origin["CustomOriginConfig"])
    path = origin.setdefault("OriginPath", "")
    if path and (not path.startswith("/") or path.endswith("/") or len(path) > 255):
        raise model.invalid("The parameter OriginPath must begin with a slash and must not end with one.")
    origin.setdefault("CustomHeaders", {"Quantity": 0})
    _check_count(origin["CustomHeaders"], model.MAX_CUSTOM_HEADERS, "TooManyOriginCustomHeaders")
    _check_range(origin, "ConnectionAttempts", 1, 3, 3)
    _check_range(origin, "ConnectionTimeout", 1, 10, 10)
    origin.setdefault("OriginShield", {"Enabled": False})
    origin.setdefault("OriginAccessControlId", "")
    return origin


def _custom(custom: Config) -> None:
    for name in ("HTTPPort", "HTTPSPort"):
        port = custom[name]
        if port not in (80, 443) and not 1024 <= port <= 65535:
            raise model.invalid(f"The parameter {name} must be 80, 443 or in the range 1024 to 65535.")
    custom.setdefault("OriginSslProtocols", {"Quantity": 3, "Items": ["TLSv1", "TLSv1.1", "TLSv1.2"]})
    _check_range(custom, "OriginReadTimeout", 1, 120, 30)
    _check_range(custom, "OriginKeepaliveTimeout", 1, 120, 5)


def _check_range(part: Config, name: str, least: int, most: int, default: int) -> None:
    if not least <= part.setdefault(name, default) <= most:
        raise model.invalid(f"The parameter {name} must be in the range {least} to {most}.")


def _check_origins(config: Config) -> None:
    origins = _check_count(config["Origins"], model.MAX_ORIGINS, "TooManyOrigins")
    groups = _check_count(
        config["OriginGroups"], model.MAX_ORIGIN_GROUPS, "TooManyOriginGroupsPerDistribution"
    )
    if not origins:
        raise model.invalid("The parameter Origins must have at least one origin.")
    ids = [one["Id"] for one in (*origins, *groups)]
    if len(set(ids)) < len(ids):
        raise model.invalid("The parameter Id of origins and origin groups must be unique.")
    known = {origin["Id"] for origin in origins}
    for group in groups:
        members = items(group["Members"])
        if len(members) != 2:
            raise model.invalid("The parameter OriginGroup must have exactly two members.")
        if any(member["OriginId"] not in known for member in members):
            raise model.error("NoSuchOrigin")


def _certificate(config: Config, names: list[str]) -> None:
    certificate = config["ViewerCertificate"]
    own = certificate.get("ACMCertificateArn") or certificate.get("IAMCertificateId")
    if names and not own:
        raise model.error("InvalidViewerCertificate")
    if not own:
        config["ViewerCertificate"] = dict(model.DEFAULTS["ViewerCertificate"])
    else:
        source = "acm" if certificate.get("ACMCertificateArn") else "iam"
        config["ViewerCertificate"] = {
            "CloudFrontDefaultCertificate": False,
            "MinimumProtocolVersion": "TLSv1",
            "CertificateSource": source,
            "Certificate": own,
            **certificate,
        }


def _behavior(behavior: Config, targets: set[str]) -> Config:
    if behavior["TargetOriginId"] not in targets:
        raise model.error("NoSuchOrigin")
    for name, what in (
        ("LambdaFunctionAssociations", "Lambda@Edge"),
        ("FunctionAssociations", "CloudFront Functions"),
    ):
        if items(behavior.get(name)):
            raise model.not_here(what)
        behavior.setdefault(name, {"Quantity": 0})
    for name in ("TrustedSigners", "TrustedKeyGroups"):
        if behavior.get(name, {}).get("Enabled"):
            raise model.not_here("signed URLs and cookies")
        behavior.setdefault(name, {"Enabled": False, "Quantity": 0})
    if behavior.setdefault("FieldLevelEncryptionId", ""):
        raise model.not_here("field-level encryption")
    if behavior.get("RealtimeLogConfigArn"):
        raise model.not_here("real-time logs")
    behavior.setdefault("SmoothStreaming", False)
    behavior.setdefault("Compress", False)
    _methods(behavior)
    _caching(behavior)
    return behavior


def _methods(behavior: Config) -> None:
    allowed = behavior.setdefault("AllowedMethods", {"Quantity": 2, "Items": ["HEAD", "GET"]})
    if frozenset(items(allowed)) not in model.METHODS:
        raise model.invalid("The parameter AllowedMethods contains an invalid set of methods.")
    cached = allowed.setdefault("CachedMethods", {"Quantity": 2, "Items": ["HEAD", "GET"]})
    if frozenset(items(cached)) not in model.METHODS[:2] or not set(items(cached)) <= set(items(allowed)):
        raise model.invalid("The parameter CachedMethods contains an invalid set of methods.")


def _caching(behavior: Config) -> None:
    if behavior.get("CachePolicyId"):
        used = next((name for name in _LEGACY if name in behavior), None)
        if used is not None:
            raise model.invalid(
                f"The parameter {used} cannot be used when a cache policy is associated to the cache behavior."
            )
        return
    values = behavior.get("ForwardedValues")
    if values is None:
        raise model.invalid("The parameter ForwardedValues is required.")
    if behavior.get("OriginRequestPolicyId"):
        raise model.invalid("The parameter OriginRequestPolicyId needs a cache policy.")
    if "MinTTL" not in behavior:
        raise model.invalid("The parameter MinTTL is required.")
    _ttls(behavior)
    values.setdefault("Headers", {"Quantity": 0})
    values.setdefault("QueryStringCacheKeys", {"Quantity": 0})
    _check_count(values["Headers"], model.MAX_FORWARDED_HEADERS, "TooManyHeadersInForwardedValues")
    _check_count(values["QueryStringCacheKeys"], model.MAX_QUERY_STRINGS, "TooManyQueryStringParameters")
    _check_count(
        values["Cookies"].get("WhitelistedNames"), model.MAX_COOKIES, "TooManyCookieNamesInWhiteList"
    )


def _ttls(part: Config) -> None:
    least = part["MinTTL"]
    default = part.setdefault("DefaultTTL", max(86_400, least))
    most = part.setdefault("MaxTTL", max(31_536_000, default))
    if not 0 <= least <= default <= most:
        raise model.error("InvalidTTLOrder")


def _check_error_response(response: Config) -> None:
    if response["ErrorCode"] not in model.CUSTOM_ERROR_CODES:
        raise model.error("InvalidErrorCode")
    page, code = response.get("ResponsePagePath", ""), response.get("ResponseCode", "")
    if bool(page) != bool(code):
        raise model.invalid("The parameters ResponsePagePath and ResponseCode must be specified together.")
    if page and not page.startswith("/"):
        raise model.invalid("The parameter ResponsePagePath must begin with a slash.")
    if code and (not code.isdecimal() or int(code) not in model.RESPONSE_CODES):
        raise model.error("InvalidResponseCode")
    response.setdefault("ResponsePagePath", "")
    response.setdefault("ResponseCode", "")
    response.setdefault("ErrorCachingMinTTL", model.ERROR_TTL)
    if response["ErrorCachingMinTTL"] < 0:
        raise model.invalid("The parameter ErrorCachingMinTTL must not be negative.")


def copy_distribution(request: Request) -> Request:
    if request.get("Staging"):
        raise model.not_here("continuous deployment")
    return request


# --- policies ------------------------------------------------------------


def _name(config: Config) -> None:
    if len(config["Name"]) > model.MAX_NAME or not _NAME.fullmatch(config["Name"]):
        raise model.invalid("The parameter Name contains characters that are not valid, or is too long.")
    if len(config.setdefault("Comment", "")) > 128:
        raise model.invalid("The parameter Comment is too long.")


def _named(part: Config, behavior: str, member: str, most: int, code: str) -> None:
    """Names go with the behaviors that need them, and with no other."""
    names = _check_count(part.get(member), most, code)
    if part[behavior] in ("whitelist", "allExcept", "allViewerAndWhitelistCloudFront"):
        if not names:
            raise model.invalid(f"The parameter {member} is required for {behavior} {part[behavior]}.")
    elif names:
        raise model.invalid(f"The parameter {member} cannot be used with {behavior} {part[behavior]}.")


def cache_policy(request: Request) -> Request:
    _check_quantities(request)
    config = copy.deepcopy(request["CachePolicyConfig"])
    _name(config)
    _ttls(config)
    keys = config.setdefault(
        "ParametersInCacheKeyAndForwardedToOrigin",
        {
            "EnableAcceptEncodingGzip": False,
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    )
    keys.setdefault("EnableAcceptEncodingBrotli", False)
    parts = (
        ("HeadersConfig", "HeaderBehavior", "Headers", model.MAX_FORWARDED_HEADERS, "TooManyHeadersInCachePolicy"),
        ("CookiesConfig", "CookieBehavior", "Cookies", model.MAX_COOKIES, "TooManyCookiesInCachePolicy"),
        ("QueryStringsConfig", "QueryStringBehavior", "QueryStrings", model.MAX_QUERY_STRINGS,
         "TooManyQueryStringsInCachePolicy"),
    )  # fmt: skip
    for name, behavior, member, most, code in parts:
        _named(keys[name], behavior, member, most, code)
        if config["MaxTTL"] == 0 and keys[name][behavior] != "none":
            raise model.invalid(f"The parameter {behavior} is invalid for policy with caching disabled.")
    if config["MaxTTL"] == 0 and (keys["EnableAcceptEncodingGzip"] or keys["EnableAcceptEncodingBrotli"]):
        raise model.invalid(
            "The parameter EnableAcceptEncodingGzip is invalid for policy with caching disabled."
        )
    return {**request, "CachePolicyConfig": config}


def origin_request_policy(request: Request) -> Request:
    _check_quantities(request)
    config = copy.deepcopy(request["OriginRequestPolicyConfig"])
    _name(config)
    _named(config["HeadersConfig"], "HeaderBehavior", "Headers", model.MAX_FORWARDED_HEADERS,
           "TooManyHeadersInOriginRequestPolicy")  # fmt: skip
    _named(config["CookiesConfig"], "CookieBehavior", "Cookies", model.MAX_COOKIES,
           "TooManyCookiesInOriginRequestPolicy")  # fmt: skip
    _named(config["QueryStringsConfig"], "QueryStringBehavior", "QueryStrings", model.MAX_QUERY_STRINGS,
           "TooManyQueryStringsInOriginRequestPolicy")  # fmt: skip
    return {**request, "OriginRequestPolicyConfig": config}


def response_headers_policy(request: Request) -> Request:
    _check_quantities(request)
    config = copy.deepcopy(request["ResponseHeadersPolicyConfig"])
    _name(config)
    _check_count(config.get("CustomHeadersConfig"), model.MAX_RESPONSE_HEADERS,
                 "TooManyCustomHeadersInResponseHeadersPolicy")  # fmt: skip
    _check_count(config.get("RemoveHeadersConfig"), model.MAX_RESPONSE_HEADERS,
                 "TooManyRemoveHeadersInResponseHeadersPolicy")  # fmt: skip
    csp = config.get("SecurityHeadersConfig", {}).get("ContentSecurityPolicy", {})
    if len(csp.get("ContentSecurityPolicy", "")) > model.MAX_CSP:
        raise model.error("TooLongCSPInResponseHeadersPolicy")
    for header in items(config.get("CustomHeadersConfig")):
        if not _NAME.fullmatch(header["Header"]) or re.search(r"[\r\n\0]", header["Value"]):
            raise model.invalid("The parameter Header or Value of a custom header is not valid.")
    return {**request, "ResponseHeadersPolicyConfig": config}


create_cache_policy = update_cache_policy = cache_policy
create_origin_request_policy = update_origin_request_policy = origin_request_policy
create_response_headers_policy = update_response_headers_policy = response_headers_policy


def origin_access_control(request: Request) -> Request:
    config = dict(request["OriginAccessControlConfig"])
    if not 1 <= len(config["Name"]) <= 64:
        raise model.invalid("The parameter Name must have 1 to 64 characters.")
    if config["OriginAccessControlOriginType"] not in ("s3", "lambda"):
        raise model.not_here(f"origin access controls for {config['OriginAccessControlOriginType']} origins")
    config.setdefault("Description", "")
    return {**request, "OriginAccessControlConfig": config}


create_origin_access_control = update_origin_access_control = origin_access_control


# --- invalidations and tags ------------------------------------------------------------


def create_invalidation(request: Request) -> Request:
    batch = request["InvalidationBatch"]
    _check_quantities(batch)
    paths = items(batch["Paths"])
    if not paths:
        raise model.invalid("Your request does not contain any path to invalidate.")
    if len(paths) > model.MAX_PATHS:
        raise model.error("BatchTooLarge")
    if any(not path.startswith("/") or len(path) > 4000 or "*" in path[:-1] for path in paths):
        raise model.invalid("Your request contains one or more invalid invalidation paths.")
    return request


def tags(given: list[dict[str, str]]) -> dict[str, str]:
    found = {tag["Key"]: tag.get("Value", "") for tag in given}
    if len(found) < len(given) or len(found) > model.MAX_TAGS or any(key.startswith("aws:") for key in found):
        raise model.error("InvalidTagging")
    return found
