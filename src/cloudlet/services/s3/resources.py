"""S3's CloudFormation types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...resources import Call, Params, Resource, View

_GONE = frozenset({"NoSuchBucket"})
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
CANNED = {
    "Private": "private", "PublicRead": "public-read", "PublicReadWrite": "public-read-write",
    "AuthenticatedRead": "authenticated-read", "LogDeliveryWrite": "log-delivery-write",
    "AwsExecRead": "aws-exec-read", "BucketOwnerRead": "bucket-owner-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
}  # fmt: skip


def _name(view: View) -> str:
    return str(view.new.get("BucketName") or view.id)


def _create(view: View) -> Params:
    params: dict[str, Any] = {"Bucket": view.new["BucketName"]}
    if view.env["region"] != "us-east-1":
        params["CreateBucketConfiguration"] = {"LocationConstraint": view.env["region"]}
    rules = view.new.get("OwnershipControls", {}).get("Rules")
    if rules:
        params["ObjectOwnership"] = rules[0]["ObjectOwnership"]
    return params


def _block(view: View) -> Sequence[Params]:
    given = view.new.get("PublicAccessBlockConfiguration")
    if given is None and "PublicAccessBlockConfiguration" not in view.old:
        return []
    block = {name: str((given or {}).get(name, given is None)).lower() == "true" for name in BLOCKS}
    return [{"Bucket": _name(view), "PublicAccessBlockConfiguration": block}]


def _ownership(view: View) -> Sequence[Params]:
    controls = view.new.get("OwnershipControls") or {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    return [{"Bucket": _name(view), "OwnershipControls": controls}]


def _acl(view: View) -> Sequence[Params]:
    """A bucket that takes no ACLs is private as it is."""
    given, before = view.new.get("AccessControl", "Private"), view.old.get("AccessControl", "Private")
    rules = (view.new.get("OwnershipControls") or {}).get("Rules") or [{}]
    takes_none = rules[0].get("ObjectOwnership", "BucketOwnerEnforced") == "BucketOwnerEnforced"
    if given == "Private" and (before == "Private" or takes_none):
        return []
    return [{"Bucket": _name(view), "ACL": CANNED.get(given, str(given))}]


def _versioning(view: View) -> Sequence[Params]:
    given = view.new.get("VersioningConfiguration")
    if given is None and "VersioningConfiguration" not in view.old:
        return []
    return [{"Bucket": _name(view), "VersioningConfiguration": given or {"Status": "Suspended"}}]


def _tags(view: View) -> Sequence[Params]:
    given = view.new.get("Tags")
    return [{"Bucket": _name(view), "Tagging": {"TagSet": given}}] if given else []


def _untag(view: View) -> Sequence[Params]:
    return [{"Bucket": _name(view)}] if not view.new.get("Tags") else []


def _encryption(view: View) -> Sequence[Params]:
    given = (view.new.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration")
    if not given:
        return []
    rules = []
    for rule in given:
        made = {
            member: rule[name]
            for member, name in (
                ("ApplyServerSideEncryptionByDefault", "ServerSideEncryptionByDefault"),
                ("BlockedEncryptionTypes", "BlockedEncryptionTypes"),
            )
            if name in rule
        }
        if "BucketKeyEnabled" in rule:
            made["BucketKeyEnabled"] = str(rule["BucketKeyEnabled"]).lower() == "true"
        rules.append(made)
    return [{"Bucket": _name(view), "ServerSideEncryptionConfiguration": {"Rules": rules}}]


def _decrypt(view: View) -> Sequence[Params]:
    return [{"Bucket": _name(view)}] if not view.new.get("BucketEncryption") else []


def _cors(view: View) -> Sequence[Params]:
    rules = []
    for rule in (view.new.get("CorsConfiguration") or {}).get("CorsRules", []):
        made = {
            name: rule[name]
            for name in ("AllowedHeaders", "AllowedMethods", "AllowedOrigins")
            if name in rule
        }
        if "ExposedHeaders" in rule:
            made["ExposeHeaders"] = rule["ExposedHeaders"]
        if "MaxAge" in rule:
            made["MaxAgeSeconds"] = int(rule["MaxAge"])
        if "Id" in rule:
            made["ID"] = rule["Id"]
        rules.append(made)
    return [{"Bucket": _name(view), "CORSConfiguration": {"CORSRules": rules}}] if rules else []


def _uncors(view: View) -> Sequence[Params]:
    return [{"Bucket": _name(view)}] if not view.new.get("CorsConfiguration") else []


def _website(view: View) -> Sequence[Params]:
    """The template's form is a little flatter than the API's."""
    given = view.new.get("WebsiteConfiguration")
    if not given:
        return []
    config = (
        {"RedirectAllRequestsTo": given["RedirectAllRequestsTo"]} if "RedirectAllRequestsTo" in given else {}
    )
    if "IndexDocument" in given:
        config["IndexDocument"] = {"Suffix": given["IndexDocument"]}
    if "ErrorDocument" in given:
        config["ErrorDocument"] = {"Key": given["ErrorDocument"]}
    if "RoutingRules" in given:
        config["RoutingRules"] = [
            {
                name: rule[property]
                for name, property in (("Condition", "RoutingRuleCondition"), ("Redirect", "RedirectRule"))
                if property in rule
            }
            for rule in given["RoutingRules"]
        ]
    return [{"Bucket": _name(view), "WebsiteConfiguration": config}]


def _unwebsite(view: View) -> Sequence[Params]:
    return [{"Bucket": _name(view)}] if not view.new.get("WebsiteConfiguration") else []


def _unsupported(property: str) -> Callable[[View], Sequence[Params]]:
    """The operation is called without more than the bucket: it says itself that it is not built."""
    return lambda view: [{"Bucket": _name(view)}] if view.new.get(property) else []


def _policy(view: View) -> Params:
    document = view.new["PolicyDocument"]
    return {"Bucket": view.new["Bucket"], "Policy": document}


_NOT_BUILT = {
    "LoggingConfiguration": "PutBucketLogging",
    "NotificationConfiguration": "PutBucketNotificationConfiguration",
    "ObjectLockConfiguration": "PutObjectLockConfiguration",
    "ReplicationConfiguration": "PutBucketReplication",
}
"""What is refused rather than passed over: somebody counts on it."""
_SETTINGS = (
    ("OwnershipControls", "PutBucketOwnershipControls", _ownership),
    ("PublicAccessBlockConfiguration", "PutPublicAccessBlock", _block),
    ("AccessControl", "PutBucketAcl", _acl),
    ("VersioningConfiguration", "PutBucketVersioning", _versioning),
    ("Tags", "PutBucketTagging", _tags),
    ("CorsConfiguration", "PutBucketCors", _cors),
    ("BucketEncryption", "PutBucketEncryption", _encryption),
    ("WebsiteConfiguration", "PutBucketWebsite", _website),
    *((name, operation, _unsupported(name)) for name, operation in _NOT_BUILT.items()),
)

RESOURCES: dict[str, Resource] = {
    "AWS::S3::Bucket": Resource(
        name="BucketName",
        name_max=63,
        lower_case=True,
        create=[
            Call("s3", "CreateBucket", _create),
            *(Call("s3", name, params) for prop, name, params in _SETTINGS if prop != "OwnershipControls"),
        ],
        update=[
            *(Call("s3", name, params, when={prop}) for prop, name, params in _SETTINGS),
            Call("s3", "DeleteBucketTagging", _untag, when={"Tags"}),
            Call("s3", "DeleteBucketCors", _uncors, when={"CorsConfiguration"}),
            Call("s3", "DeleteBucketEncryption", _decrypt, when={"BucketEncryption"}),
            Call("s3", "DeleteBucketWebsite", _unwebsite, when={"WebsiteConfiguration"}),
        ],
        delete=[Call("s3", "DeleteBucket", lambda view: {"Bucket": view.id}, gone=_GONE)],
        id="{BucketName}",
        attributes={
            "Arn": "arn:{partition}:s3:::{BucketName}",
            "DomainName": "{BucketName}.s3.{url_suffix}",
            "RegionalDomainName": "{BucketName}.s3.{region}.{url_suffix}",
            "DualStackDomainName": "{BucketName}.s3.dualstack.{region}.{url_suffix}",
            "WebsiteURL": "{WebsiteURL}",
        },
        replace={"BucketName"},
        ignore={"LifecycleConfiguration"},
    ),
    "AWS::S3::BucketPolicy": Resource(
        required={"Bucket", "PolicyDocument"},
        create=[Call("s3", "PutBucketPolicy", _policy)],
        update=[Call("s3", "PutBucketPolicy", _policy)],
        delete=[Call("s3", "DeleteBucketPolicy", lambda view: {"Bucket": view.new["Bucket"]}, gone=_GONE)],
        id="{Bucket}",
        replace={"Bucket"},
    ),
}
