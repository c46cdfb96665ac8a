"""CloudFront's CloudFormation types.

A template's lists are plain where the API has a Quantity and Items; a few members have other names or other places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...names import request_id
from ...resources import Call, Params, Resource, View

Config = dict[str, Any]

RENAMED = {
    "AcmCertificateArn": "ACMCertificateArn",
    "IPV6Enabled": "IsIPV6Enabled",
    "IamCertificateId": "IAMCertificateId",
    "OriginCustomHeaders": "CustomHeaders",
    "OriginSSLProtocols": "OriginSslProtocols",
    "SslSupportMethod": "SSLSupportMethod",
}


def _wrapped(value: Any) -> Any:
    """A template's value in the form of the API."""
    if isinstance(value, list):
        made = [_wrapped(item) for item in value]
        return {"Quantity": len(made), **({"Items": made} if made else {})}
    if not isinstance(value, dict):
        return value
    if "Items" in value and value.keys() <= {"Items", "Quantity"}:
        return _wrapped(value.get("Items", []))
    return {RENAMED.get(name, name): _wrapped(item) for name, item in value.items()}


def _behavior(given: Config) -> Config:
    behavior: Config = _wrapped(given)
    cached = behavior.pop("CachedMethods", None)
    if "AllowedMethods" in behavior or cached is not None:
        allowed = behavior.setdefault("AllowedMethods", {"Quantity": 2, "Items": ["HEAD", "GET"]})
        if cached is not None:
            allowed["CachedMethods"] = cached
    for name in ("TrustedSigners", "TrustedKeyGroups"):
        if name in behavior:
            behavior[name] = {"Enabled": behavior[name]["Quantity"] > 0, **behavior[name]}
    if "ForwardedValues" in behavior:
        behavior["ForwardedValues"].setdefault("Cookies", {"Forward": "none"})
        behavior.setdefault("MinTTL", 0)
    return behavior


def _config(given: Config, reference: str) -> Config:
    rest = {
        name: value
        for name, value in given.items()
        if name not in ("CacheBehaviors", "CNAMEs", "DefaultCacheBehavior", "Logging", "Restrictions")
    }
    config: Config = {"Comment": "", "CallerReference": reference, **_wrapped(rest)}
    config["DefaultCacheBehavior"] = _behavior(given["DefaultCacheBehavior"])
    behaviors = [_behavior(one) for one in given.get("CacheBehaviors") or []]
    config["CacheBehaviors"] = {"Quantity": len(behaviors), **({"Items": behaviors} if behaviors else {})}
    if given.get("CNAMEs"):
        config["Aliases"] = _wrapped(given["CNAMEs"])
    for origin in config.get("Origins", {}).get("Items", []):
        custom = origin.get("CustomOriginConfig")
        if custom is not None:
            custom.update({"HTTPPort": 80, "HTTPSPort": 443, **custom})
        elif "VpcOriginConfig" not in origin:
            origin["S3OriginConfig"] = {"OriginAccessIdentity": "", **origin.get("S3OriginConfig", {})}
    if given.get("Logging"):
        config["Logging"] = {"Enabled": True, "IncludeCookies": False, "Prefix": "", **given["Logging"]}
    if given.get("Restrictions"):
        geography = given["Restrictions"]["GeoRestriction"]
        places = _wrapped(geography.get("Locations") or [])
        config["Restrictions"] = {
            "GeoRestriction": {"RestrictionType": geography["RestrictionType"], **places}
        }
    return config


def _create(view: View) -> Params:
    return {
        "DistributionConfigWithTags": {
            "DistributionConfig": _config(view.new["DistributionConfig"], request_id()),
            "Tags": {"Items": view.new.get("Tags") or []},
        }
    }


def _id(view: View) -> Params:
    return {"Id": view.id}


def _versioned(view: View) -> Params:
    return {"Id": view.id, "IfMatch": view.made.get("ETag", "")}


def _update(view: View) -> Params:
    reference = view.made["DistributionConfig"]["CallerReference"]
    return {**_versioned(view), "DistributionConfig": _config(view.new["DistributionConfig"], reference)}


def _disable(view: View) -> Sequence[Params]:
    config = view.made.get("DistributionConfig", {})
    if not config.get("Enabled"):
        return []
    return [{**_versioned(view), "DistributionConfig": {**config, "Enabled": False}}]


def _arn(view: View) -> str:
    return f"arn:{view.env['partition']}:cloudfront::{view.env['account']}:distribution/{view.id}"


def _tag(view: View) -> Sequence[Params]:
    tags = view.new.get("Tags")
    return [{"Resource": _arn(view), "Tags": {"Items": tags}}] if tags else []


def _untag(view: View) -> Sequence[Params]:
    kept = {tag["Key"] for tag in view.new.get("Tags") or ()}
    gone = sorted({tag["Key"] for tag in view.old.get("Tags") or ()} - kept)
    return [{"Resource": _arn(view), "TagKeys": {"Items": gone}}] if gone else []


_GONE = frozenset({"NoSuchDistribution"})
_TYPE = "AWS::CloudFront::"


def _kept(noun: str, gone: str, *, unique: str = "Name", **attributes: str) -> Resource:
    """A type that is a configuration under an id, with a version."""
    config = f"{noun}Config"

    def given(view: View) -> Config:
        made: Config = {name: _wrapped(value) for name, value in view.new[config].items()}
        return {unique: request_id(), **made} if unique == "CallerReference" else made

    def create(view: View) -> Params:
        return {config: given(view)}

    def update(view: View) -> Params:
        kept = {unique: view.made[config][unique]} if unique == "CallerReference" else {}
        return {**_versioned(view), config: {**given(view), **kept}}

    look = Call("cloudfront", f"Get{noun}Config", _id, gone={gone})
    return Resource(
        required={config},
        create=[Call("cloudfront", f"Create{noun}", create, result=noun)],
        update=[
            Call("cloudfront", f"Get{noun}Config", _id),
            Call("cloudfront", f"Update{noun}", update, when={config}),
        ],
        delete=[look, Call("cloudfront", f"Delete{noun}", _versioned, gone={gone})],
        id="{Id}",
        attributes={"Id": "{Id}", **attributes},
    )


RESOURCES: dict[str, Resource] = {
    f"{_TYPE}Distribution": Resource(
        required={"DistributionConfig"},
        create=[Call("cloudfront", "CreateDistributionWithTags", _create, result="Distribution")],
        update=[
            Call("cloudfront", "GetDistributionConfig", _id, when={"DistributionConfig"}),
            Call("cloudfront", "UpdateDistribution", _update, when={"DistributionConfig"}),
            Call("cloudfront", "UntagResource", _untag, when={"Tags"}),
            Call("cloudfront", "TagResource", _tag, when={"Tags"}),
        ],
        delete=[
            Call("cloudfront", "GetDistributionConfig", _id, gone=_GONE),
            Call("cloudfront", "UpdateDistribution", _disable, gone=_GONE),
            Call("cloudfront", "DeleteDistribution", _versioned, gone=_GONE),
        ],
        id="{Id}",
        attributes={"Arn": "{ARN}", "DomainName": "{DomainName}", "Id": "{Id}"},
    ),
    f"{_TYPE}CachePolicy": _kept("CachePolicy", "NoSuchCachePolicy", LastModifiedTime="{LastModifiedTime}"),
    f"{_TYPE}OriginRequestPolicy": _kept(
        "OriginRequestPolicy", "NoSuchOriginRequestPolicy", LastModifiedTime="{LastModifiedTime}"
    ),
    f"{_TYPE}ResponseHeadersPolicy": _kept(
        "ResponseHeadersPolicy", "NoSuchResponseHeadersPolicy", LastModifiedTime="{LastModifiedTime}"
    ),
    f"{_TYPE}OriginAccessControl": _kept("OriginAccessControl", "NoSuchOriginAccessControl"),
    f"{_TYPE}CloudFrontOriginAccessIdentity": _kept(
        "CloudFrontOriginAccessIdentity",
        "NoSuchCloudFrontOriginAccessIdentity",
        unique="CallerReference",
        S3CanonicalUserId="{S3CanonicalUserId}",
    ),
}
