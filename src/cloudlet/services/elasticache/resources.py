"""ElastiCache's CloudFormation types."""

from __future__ import annotations

from collections.abc import Sequence

from ...resources import Call, Params, Resource, View

_NO_SERVERLESS = frozenset({"ServerlessCacheNotFoundFault"})


def _serverless_name(view: View) -> Params:
    return {"ServerlessCacheName": view.id or view.new["ServerlessCacheName"]}


def _create_serverless(view: View) -> Params:
    return {name: value for name, value in view.new.items() if name != "FinalSnapshotName"}


_SERVERLESS_SETTINGS = (
    "CacheUsageLimits", "DailySnapshotTime", "Description", "Engine", "MajorEngineVersion", "SecurityGroupIds",
    "SnapshotRetentionLimit", "UserGroupId",
)  # fmt: skip


def _modify_serverless(view: View) -> Sequence[Params]:
    changed = {
        name: view.new[name] for name in _SERVERLESS_SETTINGS if name in view.new and view.changed(name)
    }
    if "UserGroupId" in view.old and "UserGroupId" not in view.new:
        changed["RemoveUserGroup"] = True
    return [{"ServerlessCacheName": view.id, **changed}] if changed else []


def _delete_serverless(view: View) -> Params:
    final = view.new.get("FinalSnapshotName")
    return {"ServerlessCacheName": view.id} | ({"FinalSnapshotName": final} if final else {})


RESOURCES: dict[str, Resource] = {
    "AWS::ElastiCache::ServerlessCache": Resource(
        name="ServerlessCacheName",
        name_max=40,
        lower_case=True,
        required={"Engine"},
        create=[
            Call("elasticache", "CreateServerlessCache", _create_serverless, result="ServerlessCache"),
            Call("elasticache", "DescribeServerlessCaches", _serverless_name),
        ],
        update=[
            Call("elasticache", "ModifyServerlessCache", _modify_serverless, when=set(_SERVERLESS_SETTINGS)),
            Call("elasticache", "DescribeServerlessCaches", _serverless_name),
        ],
        delete=[
            Call("elasticache", "DeleteServerlessCache", _delete_serverless, gone=_NO_SERVERLESS),
            Call("elasticache", "DescribeServerlessCaches", _serverless_name, gone=_NO_SERVERLESS),
        ],
        id="{ServerlessCacheName}",
        attributes={
            "ARN": "{ARN}",
            "CreateTime": "{CreateTime}",
            "Endpoint.Address": "{Endpoint.Address}",
            "Endpoint.Port": "{Endpoint.Port}",
            "FullEngineVersion": "{FullEngineVersion}",
            "ReaderEndpoint.Address": "{ReaderEndpoint.Address}",
            "ReaderEndpoint.Port": "{ReaderEndpoint.Port}",
            "Status": "available",
        },
        replace={
            "ServerlessCacheName",
            "KmsKeyId",
            "SnapshotArnsToRestore",
            "SubnetIds",
            "NetworkType",
        },
    ),
}
