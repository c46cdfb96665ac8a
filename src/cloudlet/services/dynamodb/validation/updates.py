"""Validation of UpdateTable: what may be changed together, and what is said of an index without the table."""

from __future__ import annotations

from ..model import invalid_parameters, limit_exceeded, validation_error
from .common import Request, check_table_name
from .tables import check_bounds, check_keys, check_projection, check_settings

_CHANGES = frozenset(
    (
        "BillingMode", "DeletionProtectionEnabled", "OnDemandThroughput", "ProvisionedThroughput", "ReplicaUpdates",
        "SSESpecification", "StreamSpecification", "TableClass", "VectorIndexUpdates", "WarmThroughput",
    )
)  # fmt: skip
_INDEXES = "GlobalSecondaryIndexUpdates"
_ALONE = {
    "SSESpecification": ("Server-Side Encryption modification must be the only operation in the request", ()),
    "TableClass": ("TableClass modification must be the only operation in the request", ()),
    "DeletionProtectionEnabled": (
        "DeletionProtection modification must be the only operation in the request",
        (),
    ),
    "WarmThroughput": ("WarmThroughput must be the only operation in the request", (_INDEXES,)),
    "OnDemandThroughput": (
        "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
        ("BillingMode", _INDEXES),
    ),
}  # fmt: skip
"""By member: what is said when it is changed with others, and with which it may be."""


def update_table(request: Request) -> Request:
    check_table_name(request["TableName"])
    updates = request.get(_INDEXES)
    changes = [name for name in request if name in _CHANGES] + [_INDEXES] * bool(updates)
    if not changes:
        raise validation_error(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, "
            "SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, "
            "MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass "
            "is required"
        )
    if "ReplicaUpdates" in request:
        raise validation_error("Replicas are not supported: a node has no other regions to replicate to")
    if "VectorIndexUpdates" in request:
        raise validation_error("Vector indexes are not supported")
    check_settings(request)
    for name, (told, allowed) in _ALONE.items():
        if name in changes and not {name, *allowed}.issuperset(changes):
            raise invalid_parameters(told)
    if "ProvisionedThroughput" in request:
        check_bounds(request["ProvisionedThroughput"])
    elif request.get("BillingMode") == "PROVISIONED":
        raise invalid_parameters("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
    _check_stream(request)
    seen: set[str] = set()
    for update in updates or ():
        _check_index_update(request, update, seen)
    _check_together(request)
    return request


def _check_stream(request: Request) -> None:
    stream = request.get("StreamSpecification")
    if stream is None:
        return
    if stream["StreamEnabled"] and "StreamViewType" not in stream:
        raise invalid_parameters("If stream is being enabled then UpdateViewType is required")
    if not stream["StreamEnabled"] and "StreamViewType" in stream:
        raise invalid_parameters("If stream is being disabled, then UpdateViewType must not be specified")


def _check_together(request: Request) -> None:
    """Throughput, the stream and the making of indexes are each changed by themselves, and one index at a time."""
    moved = sum("Create" in update or "Delete" in update for update in request.get(_INDEXES, ()))
    if "ProvisionedThroughput" in request and "StreamSpecification" in request:
        raise invalid_parameters("You cannot modify stream status while updating table IOPS")
    if "ProvisionedThroughput" in request and moved:
        raise invalid_parameters("You cannot create or delete index while updating table IOPS")
    if "StreamSpecification" in request and moved:
        raise invalid_parameters("You cannot create or delete index while changing stream status")
    if moved > 1:
        raise limit_exceeded(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
        )


def _check_index_update(request: Request, update: Request, seen: set[str]) -> None:
    actions = [update[name] for name in ("Update", "Create", "Delete") if name in update]
    if not actions:
        raise invalid_parameters(
            "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
            "GlobalSecondaryIndexUpdate.Delete must not be null"
        )
    if len(actions) > 1:
        raise invalid_parameters(
            "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object"
        )
    name = actions[0]["IndexName"]
    if name in seen:
        raise invalid_parameters(
            f"Only one global secondary index update per index is allowed simultaneously. Index: {name}"
        )
    seen.add(name)
    if "ProvisionedThroughput" in actions[0]:
        check_bounds(actions[0]["ProvisionedThroughput"], name)
    if "Create" in update:
        if not request.get("AttributeDefinitions"):
            raise invalid_parameters(f"AttributeDefinitions is not specified for index: {name}")
        keys = [element["AttributeName"] for element in update["Create"]["KeySchema"]]
        check_keys(update["Create"]["KeySchema"], keys, composite=True)
        check_projection(update["Create"])
