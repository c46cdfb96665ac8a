"""What can be told of a request without looking at anything else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import access, model

_NAME = re.compile(r"[a-zA-Z](?:-?[a-zA-Z0-9])*")
_LOGIN = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,119}")
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
_DAILY = re.compile(_TIME)
_WINDOW = re.compile(f"({_TIME})-({_TIME})")
_DAY = "(?:sun|mon|tue|wed|thu|fri|sat)"
_MAINTENANCE = re.compile(f"({_DAY}):({_TIME})-({_DAY}):({_TIME})")
_TOKEN = re.compile(r"[0-9A-Za-z!&#$^<>-]+")
Request = dict[str, Any]


def identifier(request: Request, member: str, longest: int = 255) -> None:
    """Names are kept in lower case."""
    name = request.get(member)
    if name is None:
        return
    if not _NAME.fullmatch(name) or len(name) > longest:
        raise model.bad_identifier(member)
    request[member] = name.lower()


def _lowered(*members: str) -> Callable[[Request], Request]:
    """A validator for names of what is there: one that is wrong is just not found."""

    def check(request: Request) -> Request:
        for member in members:
            if member in request:
                request[member] = request[member].lower()
        return request

    return check


def engine(request: Request) -> None:
    if "Engine" not in request:
        return
    name = request["Engine"].lower()
    if name == "memcached":
        raise model.no_memcached()
    if name not in model.ENGINES:
        raise model.invalid(f"Invalid engine: {request['Engine']}. Valid engines: valkey, redis, memcached.")
    request["Engine"] = name


def tags(request: Request) -> Request:
    given = request.get("Tags", [])
    if len(given) > model.MAX_TAGS:
        raise model.too_many_tags()
    for tag in given:
        key = tag.get("Key", "")
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:") or len(tag.get("Value") or "") > 256:
            raise model.invalid(f"Invalid tag: {key}")
    return request


add_tags_to_resource = tags


def retention(request: Request) -> None:
    low, high = model.RETENTION_DAYS
    if not low <= request.get("SnapshotRetentionLimit", low) <= high:
        raise model.invalid(f"SnapshotRetentionLimit must be between {low} and {high}.")
    window = _WINDOW.fullmatch(request.get("SnapshotWindow", model.SNAPSHOT_WINDOW))
    if window is None or (_minutes(window[2]) - _minutes(window[1])) % (24 * 60) < model.WINDOW_MINUTES:
        raise model.invalid(
            f"SnapshotWindow must be in the format hh:mm-hh:mm, in UTC, and {model.WINDOW_MINUTES} minutes at least."
        )


def _minutes(time: str, day: str = "sun") -> int:
    hours, minutes = time.split(":")
    return (model.DAYS.index(day) * 24 + int(hours)) * 60 + int(minutes)


def _maintenance(request: Request) -> None:
    window = _MAINTENANCE.fullmatch(
        request.get("PreferredMaintenanceWindow", model.MAINTENANCE_WINDOW).lower()
    )
    if window is not None:
        length = (_minutes(window[4], window[3]) - _minutes(window[2], window[1])) % (7 * 24 * 60)
    if window is None or length < model.WINDOW_MINUTES:
        raise model.invalid(
            "PreferredMaintenanceWindow must be in the format ddd:hh:mm-ddd:hh:mm, in UTC, and "
            f"{model.WINDOW_MINUTES} minutes at least."
        )


def records(request: Request) -> Request:
    """The size of a page."""
    if not model.RECORDS_MIN <= request.get("MaxRecords", model.MAX_RECORDS) <= model.MAX_RECORDS:
        raise model.invalid(
            f"MaxRecords must be between {model.RECORDS_MIN} and {model.MAX_RECORDS} inclusive."
        )
    return _names(request)


_names = _lowered(
    "CacheClusterId", "ReplicationGroupId", "UserId", "UserGroupId", "SnapshotName", "CacheSubnetGroupName",
    "CacheParameterGroupName", "ServerlessCacheName", "ServerlessCacheSnapshotName",
)  # fmt: skip


describe_cache_clusters = describe_replication_groups = describe_users = describe_user_groups = records
describe_cache_subnet_groups = describe_cache_parameter_groups = records
describe_cache_parameters = describe_engine_default_parameters = describe_events = records
describe_cache_engine_versions = records


# --- serverless caches


def create_serverless_cache(request: Request) -> Request:
    _serverless(request)
    if request.get("ConnectionType") == "public" or request.get("Integrations"):
        raise model.invalid("Cloudlet's caches have neither public addresses nor integrations.")
    if len(request.get("SnapshotArnsToRestore", [])) > 1:
        raise model.invalid("Only one snapshot can be restored into a serverless cache.")
    return request


def modify_serverless_cache(request: Request) -> Request:
    _serverless(request)
    if request.get("RemoveUserGroup") and request.get("UserGroupId"):
        raise model.combination("RemoveUserGroup and UserGroupId can't be used together.")
    return request


def delete_serverless_cache(request: Request) -> Request:
    identifier(request, "FinalSnapshotName")
    return describe_serverless_caches(request)


def describe_serverless_caches(request: Request) -> Request:
    _results(request)
    return _names(request)


def _results(request: Request) -> None:
    if not 1 <= request.get("MaxResults", model.MAX_RESULTS) <= model.MAX_RESULTS:
        raise model.invalid(f"MaxResults must be between 1 and {model.MAX_RESULTS} inclusive.")


def _serverless(request: Request) -> None:
    identifier(request, "ServerlessCacheName", 40)
    engine(request)
    tags(request)
    retention(request)
    if "UserGroupId" in request:
        request["UserGroupId"] = request["UserGroupId"].lower()
    major = request.get("MajorEngineVersion")
    majors = model.MAJORS[request.get("Engine", "valkey")]
    if major is not None and major not in majors:
        raise model.invalid(
            f"Invalid MajorEngineVersion: {major}. Valid versions: {', '.join(sorted(majors))}."
        )
    if not _DAILY.fullmatch(request.get("DailySnapshotTime", model.DAILY_TIME)):
        raise model.invalid("DailySnapshotTime must be in the format hh:mm, in UTC.")
    if len(request.get("Description", "")) > model.MAX_DESCRIPTION:
        raise model.invalid(f"Description must have at most {model.MAX_DESCRIPTION} characters.")
    _limits(request.get("CacheUsageLimits", {}))


def _limits(limits: dict[str, Any]) -> None:
    for name, (low, high) in (("DataStorage", model.DATA_GB), ("ECPUPerSecond", model.ECPU)):
        given = limits.get(name, {})
        for bound in ("Minimum", "Maximum"):
            if not low <= given.get(bound, low) <= high:
                raise model.invalid(f"{name} {bound} must be between {low} and {high}.")
        if given.get("Minimum", low) > given.get("Maximum", high):
            raise model.combination(f"{name} Minimum must not be greater than its Maximum.")


# --- nodes


def create_cache_cluster(request: Request) -> Request:
    identifier(request, "CacheClusterId", 50)
    _nodes(request)
    if request.get("NumCacheNodes", 1) != 1:
        raise model.invalid(
            "A cluster of the engines valkey and redis has one node: NumCacheNodes must be 1."
        )
    return request


def modify_cache_cluster(request: Request) -> Request:
    _nodes(request)
    return _cluster(request)


def create_replication_group(request: Request) -> Request:
    identifier(request, "ReplicationGroupId", 40)
    _nodes(request)
    return request


def modify_replication_group(request: Request) -> Request:
    _nodes(request)
    return _group(request)


_cluster = _lowered("CacheClusterId")
increase_replica_count = decrease_replica_count = _group = _lowered("ReplicationGroupId")
list_allowed_node_type_modifications = _lowered("ReplicationGroupId", "CacheClusterId")
reboot_cache_cluster = _cluster


def delete_cache_cluster(request: Request) -> Request:
    identifier(request, "FinalSnapshotIdentifier")
    return _cluster(request)


def delete_replication_group(request: Request) -> Request:
    identifier(request, "FinalSnapshotIdentifier")
    return _group(request)


def _nodes(request: Request) -> None:
    engine(request)
    tags(request)
    retention(request)
    _maintenance(request)
    for member in ("CacheSubnetGroupName", "CacheParameterGroupName"):
        if member in request:
            request[member] = request[member].lower()
    if not 1150 <= request.get("Port", 6379) <= 65535:
        raise model.invalid("The port must be between 1150 and 65535.")
    token = request.get("AuthToken")
    low, high = model.PASSWORD_LENGTH
    if token is not None and not (low <= len(token) <= high and _TOKEN.fullmatch(token)):
        raise model.invalid(
            f"Invalid AuthToken: {low} to {high} letters, digits and the characters !, &, #, $, ^, <, >, and -."
        )


# --- groups of subnets and parameters


def create_cache_subnet_group(request: Request) -> Request:
    identifier(request, "CacheSubnetGroupName")
    subnets = request["SubnetIds"]
    if not 1 <= len(subnets) <= model.MAX_SUBNETS_IN_GROUP:
        raise model.invalid(f"A subnet group has 1 to {model.MAX_SUBNETS_IN_GROUP} subnets.")
    return tags(request)


modify_cache_subnet_group = delete_cache_subnet_group = _lowered("CacheSubnetGroupName")


def create_cache_parameter_group(request: Request) -> Request:
    identifier(request, "CacheParameterGroupName")
    return tags(request)


def modify_cache_parameter_group(request: Request) -> Request:
    if not 1 <= len(request["ParameterNameValues"]) <= model.MAX_PARAMETERS_AT_ONCE:
        raise model.invalid(f"1 to {model.MAX_PARAMETERS_AT_ONCE} parameters can be modified at once.")
    return reset_cache_parameter_group(request)


def reset_cache_parameter_group(request: Request) -> Request:
    if any("ParameterName" not in each for each in request.get("ParameterNameValues", [])):
        raise model.invalid("Each of ParameterNameValues needs a ParameterName.")
    return delete_cache_parameter_group(request)


delete_cache_parameter_group = _lowered("CacheParameterGroupName")


# --- users


def create_user(request: Request) -> Request:
    identifier(request, "UserId", 40)
    if not _LOGIN.fullmatch(request["UserName"]):
        raise model.bad_identifier("UserName")
    engine(request)
    access.check_form(request["AccessString"])
    tags(request)
    return _passwords(request)


def modify_user(request: Request) -> Request:
    request["UserId"] = request["UserId"].lower()
    for member in ("AccessString", "AppendAccessString"):
        if member in request:
            access.check_form(request[member])
    engine(request)
    return _passwords(request)


delete_user = _lowered("UserId")


def _passwords(request: Request) -> Request:
    mode = request.get("AuthenticationMode", {})
    if mode.get("Type") == "iam":
        raise model.no_iam()
    passwords = request.get("Passwords") or mode.get("Passwords") or []
    if passwords and (request.get("NoPasswordRequired") or mode.get("Type") == "no-password-required"):
        raise model.combination("A user has passwords or needs none, not both.")
    if len(passwords) > model.MAX_PASSWORDS:
        raise model.invalid(f"A user has at most {model.MAX_PASSWORDS} passwords.")
    low, high = model.PASSWORD_LENGTH
    if any(not low <= len(password) <= high for password in passwords):
        raise model.invalid(f"Passwords length must be between {low}-{high} characters.")
    return request


def create_user_group(request: Request) -> Request:
    identifier(request, "UserGroupId", 40)
    engine(request)
    return tags(request)


def modify_user_group(request: Request) -> Request:
    engine(request)
    return delete_user_group(request)


delete_user_group = _lowered("UserGroupId")


# --- snapshots


def create_serverless_cache_snapshot(request: Request) -> Request:
    identifier(request, "ServerlessCacheSnapshotName")
    tags(request)
    return describe_serverless_caches(request)


def copy_serverless_cache_snapshot(request: Request) -> Request:
    identifier(request, "TargetServerlessCacheSnapshotName")
    member = "SourceServerlessCacheSnapshotName"
    request[member] = request[member].lower()
    return tags(request)


delete_serverless_cache_snapshot = _lowered("ServerlessCacheSnapshotName")


describe_serverless_cache_snapshots = describe_serverless_caches


def describe_snapshots(request: Request) -> Request:
    if request.get("MaxRecords", model.RECORDS_MIN) > model.MAX_RESULTS:
        raise model.invalid(
            f"MaxRecords must be between {model.RECORDS_MIN} and {model.MAX_RESULTS} inclusive."
        )
    return records(request)


def create_snapshot(request: Request) -> Request:
    identifier(request, "SnapshotName")
    tags(request)
    return _names(request)


def copy_snapshot(request: Request) -> Request:
    identifier(request, "TargetSnapshotName")
    request["SourceSnapshotName"] = request["SourceSnapshotName"].lower()
    return tags(request)


delete_snapshot = _lowered("SnapshotName")
