"""The parameters of engine families: defaults and what a value may be; and how one becomes a server's setting."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from . import model

FAMILIES = ("redis6.x", "redis7", "valkey7", "valkey8", "valkey9")
CLUSTER_ON = ".cluster.on"


class Parameter(NamedTuple):
    """`allowed` as AWS writes it: words or ranges. `setting` is whether a server has it under the same name."""

    default: str
    type: str
    allowed: str
    modifiable: bool = True
    reboot: bool = False
    setting: bool = True


_YES_NO = "yes,no"
_COUNT = "0-2147483647"
_POLICIES = (
    "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction"
)

PARAMETERS: dict[str, Parameter] = {
    "acllog-max-len": Parameter("128", "integer", "1-10000"),
    "active-defrag-cycle-max": Parameter("75", "integer", "1-75", setting=False),
    "active-defrag-cycle-min": Parameter("5", "integer", "1-75", setting=False),
    "active-defrag-ignore-bytes": Parameter("104857600", "integer", "1048576-", setting=False),
    "active-defrag-max-scan-fields": Parameter("1000", "integer", "1-1000000", setting=False),
    "active-defrag-threshold-lower": Parameter("10", "integer", "1-100", setting=False),
    "active-defrag-threshold-upper": Parameter("100", "integer", "1-100", setting=False),
    "active-expire-effort": Parameter("1", "integer", "1-10"),
    "activedefrag": Parameter("no", "string", _YES_NO, setting=False),
    "activerehashing": Parameter("yes", "string", _YES_NO, reboot=True),
    "client-output-buffer-limit-normal-hard-limit": Parameter("0", "integer", "0-", setting=False),
    "client-output-buffer-limit-normal-soft-limit": Parameter("0", "integer", "0-", setting=False),
    "client-output-buffer-limit-normal-soft-seconds": Parameter("0", "integer", "0-", setting=False),
    "client-output-buffer-limit-pubsub-hard-limit": Parameter("33554432", "integer", "0-", setting=False),
    "client-output-buffer-limit-pubsub-soft-limit": Parameter("8388608", "integer", "0-", setting=False),
    "client-output-buffer-limit-pubsub-soft-seconds": Parameter("60", "integer", "0-", setting=False),
    "close-on-replica-write": Parameter("yes", "string", _YES_NO, setting=False),
    "cluster-allow-pubsubshard-when-down": Parameter("yes", "string", _YES_NO),
    "cluster-allow-reads-when-down": Parameter("no", "string", _YES_NO),
    "cluster-enabled": Parameter("no", "string", _YES_NO, reboot=True, setting=False),
    "cluster-require-full-coverage": Parameter("no", "string", _YES_NO, setting=False),
    "databases": Parameter("16", "integer", "1-1200000", reboot=True, setting=False),
    "hash-max-listpack-entries": Parameter("512", "integer", "0-"),
    "hash-max-listpack-value": Parameter("64", "integer", "0-"),
    "hll-sparse-max-bytes": Parameter("3000", "integer", "1-16000"),
    "latency-tracking": Parameter("no", "string", _YES_NO),
    "lazyfree-lazy-eviction": Parameter("yes", "string", _YES_NO),
    "lazyfree-lazy-expire": Parameter("yes", "string", _YES_NO),
    "lazyfree-lazy-server-del": Parameter("yes", "string", _YES_NO),
    "lazyfree-lazy-user-del": Parameter("yes", "string", _YES_NO),
    "lazyfree-lazy-user-flush": Parameter("yes", "string", _YES_NO),
    "lfu-decay-time": Parameter("1", "integer", "0-"),
    "lfu-log-factor": Parameter("10", "integer", "1-"),
    "list-compress-depth": Parameter("0", "integer", "0-"),
    "list-max-listpack-size": Parameter("-2", "integer", "-5--1,1-"),
    "maxclients": Parameter("65000", "integer", "1-65000", modifiable=False, setting=False),
    "maxmemory-policy": Parameter("volatile-lru", "string", _POLICIES),
    "maxmemory-samples": Parameter("3", "integer", "1-"),
    "min-replicas-max-lag": Parameter("10", "integer", "0-", setting=False),
    "min-replicas-to-write": Parameter("0", "integer", "0-", setting=False),
    "notify-keyspace-events": Parameter("", "string", "KEAg$lshzxentmd"),
    "proto-max-bulk-len": Parameter("536870912", "integer", "1048576-536870912"),
    "repl-backlog-size": Parameter("1048576", "integer", "16384-", setting=False),
    "repl-backlog-ttl": Parameter("3600", "integer", "0-", setting=False),
    "reserved-memory-percent": Parameter("25", "integer", "0-100", setting=False),
    "set-max-intset-entries": Parameter("512", "integer", "0-"),
    "set-max-listpack-entries": Parameter("128", "integer", "0-"),
    "set-max-listpack-value": Parameter("64", "integer", "0-"),
    "slowlog-log-slower-than": Parameter("10000", "integer", "-"),
    "slowlog-max-len": Parameter("128", "integer", "0-"),
    "stream-node-max-bytes": Parameter("4096", "integer", "0-"),
    "stream-node-max-entries": Parameter("100", "integer", "0-"),
    "tcp-keepalive": Parameter("300", "integer", "0-"),
    "timeout": Parameter("0", "integer", f"0,20-{2**31 - 1}"),
    "tracking-table-max-keys": Parameter("1000000", "integer", "1-100000000"),
    "zset-max-listpack-entries": Parameter("128", "integer", "0-"),
    "zset-max-listpack-value": Parameter("64", "integer", "0-"),
}
_RANGE = re.compile(r"(-?\d*)-(-?\d*)|(-?\d+)")


def default_groups() -> dict[str, str]:
    """The groups that are there without being made, with their families."""
    return {f"default.{family}{suffix}": family for family in FAMILIES for suffix in ("", CLUSTER_ON)}


def family_of(engine: str, version: str) -> str:
    major = version.partition(".")[0]
    return "redis6.x" if (engine, major) == ("redis", "6") else f"{engine}{major}"


def check(name: str, value: str) -> None:
    parameter = PARAMETERS.get(name)
    if parameter is None:
        raise model.invalid(f"The parameter {name} can't be found.")
    if not parameter.modifiable:
        raise model.invalid(f"The parameter {name} can't be modified.")
    if not _is_allowed(parameter, value):
        raise model.invalid(f"invalid parameter value, allowed values are:{parameter.allowed}")


def _is_allowed(parameter: Parameter, value: str) -> bool:
    if parameter.type == "string":
        if "," not in parameter.allowed:
            return set(value) <= set(parameter.allowed)
        return value in parameter.allowed.split(",")
    try:
        number = int(value)
    except ValueError:
        return False
    for part in parameter.allowed.split(","):
        match = _RANGE.fullmatch(part)
        low, high, one = match.groups() if match else ("", "", None)
        if one is not None and number == int(one):
            return True
        if one is None and (not low or number >= int(low)) and (not high or number <= int(high)):
            return True
    return False


def values(group: dict[str, Any]) -> dict[str, str]:
    """All parameters of a group, its own values over the defaults."""
    base = {name: parameter.default for name, parameter in PARAMETERS.items()}
    if group["name"].endswith(CLUSTER_ON):
        base["cluster-enabled"] = "yes"
    base.update(group["values"])
    return base


def settings(group: dict[str, Any]) -> dict[str, str]:
    """What a server is told."""
    return {name: value for name, value in values(group).items() if PARAMETERS[name].setting}


def databases(group: dict[str, Any]) -> int:
    return int(values(group)["databases"])


def is_cluster(group: dict[str, Any]) -> bool:
    return values(group)["cluster-enabled"] == "yes"


def memory(group: dict[str, Any], size: float) -> int:
    """Bytes for data on a node with `size` GiB."""
    reserved = int(values(group)["reserved-memory-percent"])
    return int(size * model.GB * (100 - reserved) / 100)
