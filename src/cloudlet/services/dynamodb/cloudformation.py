"""AWS::DynamoDB::Table as CloudFormation sees it: which operations its properties become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...resources import Call, Resource, View

_NOT_CREATE = frozenset(
    (
        "ContributorInsightsSpecification",
        "ImportSourceSpecification",
        "KinesisStreamSpecification",
        "PointInTimeRecoverySpecification",
        "ResourcePolicy",
        "TimeToLiveSpecification",
    )
)
_NOT_INDEX = frozenset(
    (
        "ContributorInsightsSpecification",
        "ReadOnDemandThroughputSettings",
        "ReadProvisionedThroughputSettings",
    )
)
_ALONE = frozenset(("DeletionProtectionEnabled", "SSESpecification", "TableClass", "WarmThroughput"))
_WHOLE = frozenset(("SSESpecification",))

_Params = dict[str, Any]

_WITHOUT: _Params = {
    "BillingMode": "PROVISIONED",
    "DeletionProtectionEnabled": False,
    "TableClass": "STANDARD",
}
"""What a property is set to when a template no longer has it."""


def _stream(properties: Mapping[str, Any]) -> _Params:
    specification = properties.get("StreamSpecification")
    if not specification:
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": specification["StreamViewType"]}


def _encryption(properties: Mapping[str, Any]) -> _Params:
    specification = dict(properties.get("SSESpecification") or {})
    return {"Enabled": specification.pop("SSEEnabled", False), **specification}


def _indexes(properties: Mapping[str, Any]) -> list[_Params]:
    return [
        {name: value for name, value in index.items() if name not in _NOT_INDEX}
        for index in properties.get("GlobalSecondaryIndexes") or ()
    ]


def _create(view: View) -> _Params:
    params = {name: value for name, value in view.new.items() if name not in _NOT_CREATE}
    if "StreamSpecification" in params:
        params["StreamSpecification"] = _stream(view.new)
    if "SSESpecification" in params:
        params["SSESpecification"] = _encryption(view.new)
    if "GlobalSecondaryIndexes" in params:
        params["GlobalSecondaryIndexes"] = _indexes(view.new)
    return params


def _ttl(view: View) -> list[_Params]:
    """TTL is an operation of its own, also when it is taken away."""
    new, old = view.new.get("TimeToLiveSpecification"), view.old.get("TimeToLiveSpecification")
    if new == old or not (new or old):
        return []
    specification = dict(new) if new else {**(old or {}), "Enabled": False}
    if not _on(specification.get("Enabled")) and not (old and _on(old.get("Enabled"))):
        return []
    return [{"TableName": view.id or view.new["TableName"], "TimeToLiveSpecification": specification}]


def _on(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _recovery(view: View) -> list[_Params]:
    if not view.changed("PointInTimeRecoverySpecification"):
        return []
    specification = view.new.get("PointInTimeRecoverySpecification") or {"PointInTimeRecoveryEnabled": False}
    return [
        {
            "TableName": view.id or view.new["TableName"],
            "PointInTimeRecoverySpecification": specification,
        }
    ]


def _policy(view: View) -> list[_Params]:
    """The document is given as a value, and stored as text."""
    if not view.changed("ResourcePolicy") or not view.new.get("ResourcePolicy"):
        return []
    document = orjson.dumps(view.new["ResourcePolicy"]["PolicyDocument"]).decode()
    return [{"ResourceArn": view.made["TableArn"], "Policy": document}]


def _gone_policy(view: View) -> list[_Params]:
    gone = view.old.get("ResourcePolicy") and not view.new.get("ResourcePolicy")
    return [{"ResourceArn": view.made["TableArn"]}] if gone else []


def _update(view: View) -> list[_Params]:
    """The service changes throughput, stream, encryption and so on each by itself, and one index at a time."""
    calls = _stream_changes(view)
    old = {index["IndexName"]: index for index in _indexes(view.old)}
    new = {index["IndexName"]: index for index in _indexes(view.new)}
    remade = {
        name
        for name, index in new.items()
        if name in old and _without_throughput(old[name]) != _without_throughput(index)
    }
    calls += [
        _index_update("Delete", {"IndexName": name}) for name in old if name not in new or name in remade
    ]
    calls += _throughput_changes(view, old, {name: new[name] for name in new if name not in remade})
    calls += [
        _index_update("Create", index) for name, index in new.items() if name not in old or name in remade
    ]
    for name in sorted(_ALONE):
        if view.changed(name) and (name in view.new or name in _WITHOUT or name in _WHOLE):
            value = _encryption(view.new) if name in _WHOLE else view.new.get(name, _WITHOUT.get(name))
            calls.append({name: value})
    definitions = view.new["AttributeDefinitions"]
    return [{"TableName": view.id, "AttributeDefinitions": definitions, **call} for call in calls]


def _stream_changes(view: View) -> list[_Params]:
    """A stream of another view is a new one: the old one ends first."""
    old, new = _stream(view.old), _stream(view.new)
    if old == new:
        return []
    off: _Params = {"StreamEnabled": False}
    steps = [off] * old["StreamEnabled"] + [new] * new["StreamEnabled"]
    return [{"StreamSpecification": step} for step in steps]


def _throughput_changes(view: View, old: Mapping[str, _Params], new: Mapping[str, _Params]) -> list[_Params]:
    """Billing and throughput of the table and of the indexes that stay, in one call."""
    change: _Params = {
        name: view.new.get(name, _WITHOUT.get(name))
        for name in ("BillingMode", "OnDemandThroughput", "ProvisionedThroughput")
        if view.changed(name) and (name in view.new or name in _WITHOUT)
    }
    if change.get("BillingMode") == "PROVISIONED" and "ProvisionedThroughput" in view.new:
        change["ProvisionedThroughput"] = view.new["ProvisionedThroughput"]
    updates = [
        {"Update": {"IndexName": name, "ProvisionedThroughput": index["ProvisionedThroughput"]}}
        for name, index in new.items()
        if name in old
        and index.get("ProvisionedThroughput")
        and index["ProvisionedThroughput"] != old[name].get("ProvisionedThroughput")
    ]
    if updates:
        change["GlobalSecondaryIndexUpdates"] = updates
    return [change] if change else []


def _without_throughput(index: _Params) -> _Params:
    return {name: value for name, value in index.items() if name != "ProvisionedThroughput"}


def _index_update(action: str, index: Mapping[str, Any]) -> _Params:
    return {"GlobalSecondaryIndexUpdates": [{action: index}]}


def _tags(view: View) -> list[_Params]:
    if not view.changed("Tags") or not view.new.get("Tags"):
        return []
    return [{"ResourceArn": view.made["TableArn"], "Tags": view.new["Tags"]}]


def _gone_tags(view: View) -> list[_Params]:
    kept = {tag["Key"] for tag in view.new.get("Tags") or ()}
    gone = [tag["Key"] for tag in view.old.get("Tags") or () if tag["Key"] not in kept]
    return [{"ResourceArn": view.made["TableArn"], "TagKeys": gone}] if gone else []


RESOURCES = {
    "AWS::DynamoDB::Table": Resource(
        name="TableName",
        create=[
            Call("dynamodb", "CreateTable", _create, result="TableDescription"),
            Call("dynamodb", "UpdateTimeToLive", _ttl, result="TimeToLiveSpecification"),
            Call("dynamodb", "UpdateContinuousBackups", _recovery, result="ContinuousBackupsDescription"),
            Call("dynamodb", "PutResourcePolicy", _policy),
        ],
        update=[
            Call("dynamodb", "UpdateTable", _update, result="TableDescription"),
            Call("dynamodb", "UpdateTimeToLive", _ttl, result="TimeToLiveSpecification"),
            Call("dynamodb", "UpdateContinuousBackups", _recovery, result="ContinuousBackupsDescription"),
            Call("dynamodb", "TagResource", _tags),
            Call("dynamodb", "UntagResource", _gone_tags),
            Call("dynamodb", "PutResourcePolicy", _policy),
            Call("dynamodb", "DeleteResourcePolicy", _gone_policy),
        ],
        delete=[
            Call(
                "dynamodb",
                "DeleteTable",
                lambda view: {"TableName": view.id},
                gone={"ResourceNotFoundException"},
            )
        ],
        id="{TableName}",
        attributes={"Arn": "{TableArn}", "StreamArn": "{LatestStreamArn}"},
        replace={"TableName", "KeySchema", "LocalSecondaryIndexes", "ImportSourceSpecification"},
        required={"KeySchema"},
        ignore={
            "ContributorInsightsSpecification",
            "ImportSourceSpecification",
            "KinesisStreamSpecification",
        },
    )
}
