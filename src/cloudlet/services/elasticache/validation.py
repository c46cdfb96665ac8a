"""What can be told of a request without looking at anything else."""

from __future__ import annotations

import re
from typing import Any

from . import model

_NAME = re.compile(r"[a-zA-Z](?:-?[a-zA-Z0-9])*")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
Request = dict[str, Any]


def identifier(request: Request, member: str, longest: int) -> None:
    """Names are kept in lower case."""
    name = request.get(member)
    if name is None:
        return
    if not _NAME.fullmatch(name) or len(name) > longest:
        raise model.bad_identifier(member)
    request[member] = name.lower()


def engine(request: Request) -> None:
    if "Engine" not in request:
        return
    name = request["Engine"].lower()
    if name == "memcached":
        raise model.no_memcached()
    if name not in model.ENGINES:
        raise model.invalid(f"Invalid engine: {request['Engine']}. Valid engines: valkey, redis, memcached.")
    request["Engine"] = name


def tags(request: Request) -> None:
    given = request.get("Tags", [])
    if len(given) > model.MAX_TAGS:
        raise model.too_many_tags()
    for tag in given:
        key = tag.get("Key", "")
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:") or len(tag.get("Value") or "") > 256:
            raise model.invalid(f"Invalid tag: {key}")


def retention(request: Request) -> None:
    low, high = model.RETENTION_DAYS
    if not low <= request.get("SnapshotRetentionLimit", low) <= high:
        raise model.invalid(f"SnapshotRetentionLimit must be between {low} and {high}.")


def create_serverless_cache(request: Request) -> Request:
    _serverless(request)
    if "Engine" not in request:
        raise model.invalid("The parameter Engine must be provided.")
    if len(request.get("SnapshotArnsToRestore", [])) > 1:
        raise model.invalid("Only one snapshot can be restored into a serverless cache.")
    return request


def modify_serverless_cache(request: Request) -> Request:
    _serverless(request)
    if request.get("RemoveUserGroup") and request.get("UserGroupId"):
        raise model.combination("RemoveUserGroup and UserGroupId can't be used together.")
    return request


def delete_serverless_cache(request: Request) -> Request:
    identifier(request, "ServerlessCacheName", model.NAME_LENGTH["serverless"])
    identifier(request, "FinalSnapshotName", 255)
    return request


def describe_serverless_caches(request: Request) -> Request:
    identifier(request, "ServerlessCacheName", 255)
    return request


def _serverless(request: Request) -> None:
    identifier(request, "ServerlessCacheName", model.NAME_LENGTH["serverless"])
    engine(request)
    tags(request)
    retention(request)
    major = request.get("MajorEngineVersion")
    majors = model.MAJORS[request.get("Engine", "valkey")]
    if major is not None and major not in majors:
        raise model.invalid(
            f"Invalid MajorEngineVersion: {major}. Valid versions: {', '.join(sorted(majors))}."
        )
    if not _TIME.fullmatch(request.get("DailySnapshotTime", "00:00")):
        raise model.invalid("DailySnapshotTime must be in the format hh:mm, in UTC.")
    _limits(request.get("CacheUsageLimits", {}))


def _limits(limits: dict[str, Any]) -> None:
    for name, (low, high) in (("DataStorage", model.DATA_GB), ("ECPUPerSecond", model.ECPU)):
        given = limits.get(name, {})
        for bound in ("Minimum", "Maximum"):
            if not low <= given.get(bound, low) <= high:
                raise model.invalid(f"{name} {bound} must be between {low} and {high}.")
        if given.get("Minimum", low) > given.get("Maximum", high):
            raise model.combination(f"{name} Minimum must not be greater than its Maximum.")
