"""What ElastiCache's operations need: "Actions, resources, and condition keys for Amazon ElastiCache".

Every resource that a request names has to be allowed; where it names none, all of the operation's kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...names import arn
from . import model

MEMBERS = {
    "ServerlessCacheName": "serverless",
    "ServerlessCacheSnapshotName": "serverlesssnapshot",
    "SourceServerlessCacheSnapshotName": "serverlesssnapshot",
    "TargetServerlessCacheSnapshotName": "serverlesssnapshot",
    "ReplicationGroupId": "group",
    "CacheClusterId": "cluster",
    "SnapshotName": "snapshot",
    "SourceSnapshotName": "snapshot",
    "TargetSnapshotName": "snapshot",
    "CacheSubnetGroupName": "subnetgroup",
    "CacheParameterGroupName": "parametergroup",
    "UserGroupId": "usergroup",
    "UserId": "user",
}
"""Members that name a resource, and its kind."""
NOUNS = (
    ("ServerlessCacheSnapshot", "serverlesssnapshot"), ("ServerlessCache", "serverless"), ("Snapshot", "snapshot"),
    ("ReplicationGroup", "group"), ("CacheCluster", "cluster"), ("CacheSubnetGroup", "subnetgroup"),
    ("CacheParameter", "parametergroup"), ("UserGroup", "usergroup"), ("User", "user"),
)  # fmt: skip
"""What an operation is about, told by its name; the longer names first."""


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    action = f"elasticache:{operation}"
    if "ResourceName" in request:
        return (Need(action, request["ResourceName"]),)
    named = [
        Need(action, _arn(ctx, kind, request[member].lower()))
        for member, kind in MEMBERS.items()
        if request.get(member)
    ]
    if named:
        return named
    kind = next((kind for noun, kind in NOUNS if noun in operation), None)
    return (Need(action, _arn(ctx, kind, "*") if kind is not None else "*"),)


def _arn(ctx: Context, kind: str, name: str) -> str:
    return arn("elasticache", ctx.region, ctx.account, f"{model.ARN_TYPES[kind]}:{name}")
