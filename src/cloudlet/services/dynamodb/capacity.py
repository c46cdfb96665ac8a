"""What an operation consumed, as the service counts it: 4 KB to a read unit, half that price if it may be stale; 1 KB
to a write unit, the larger of what was and what is; each index its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .attributes import Item
from .model import READ_UNIT, WRITE_UNIT
from .table import Table

Report = dict[str, Any]


def read_units(size: int, consistent: bool | None) -> float:
    units = max(1, -(-size // READ_UNIT))
    return float(units) if consistent else units / 2


def write_units(old_size: int, new_size: int) -> float:
    return float(max(1, -(-max(old_size, new_size) // WRITE_UNIT)))


def report(wanted: str, called: str, table: Table, units: float, index_units: Mapping[str, float]) -> Report:
    """A ConsumedCapacity. `wanted` is TOTAL or INDEXES; index units are by index name. The table is told of as the
    request called it, by its name or its ARN."""
    result: Report = {"TableName": called, "CapacityUnits": units + sum(index_units.values())}
    if wanted == "INDEXES":
        result["Table"] = {"CapacityUnits": units}
        for local, member in ((True, "LocalSecondaryIndexes"), (False, "GlobalSecondaryIndexes")):
            told = {
                name: {"CapacityUnits": spent}
                for name, spent in index_units.items()
                if table.index[name].local is local
            }
            if told:
                result[member] = told
    return result


def wants(request: Mapping[str, Any]) -> str:
    """TOTAL, INDEXES or nothing."""
    wanted: str = request.get("ReturnConsumedCapacity", "NONE")
    return "" if wanted == "NONE" else wanted


def add(into: Report, more: Report) -> None:
    """Add one operation's capacity to a batch's for the same table."""
    into["CapacityUnits"] += more["CapacityUnits"]
    for member in ("Table", "LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        if member == "Table":
            if member in more:
                into[member]["CapacityUnits"] += more[member]["CapacityUnits"]
            continue
        for name, spent in more.get(member, {}).items():
            held = into.setdefault(member, {}).setdefault(name, {"CapacityUnits": 0.0})
            held["CapacityUnits"] += spent["CapacityUnits"]


class Total:
    """What a transaction consumed, table by table. It says of each part whether it was read or written (`member`)."""

    def __init__(self, wanted: str, member: str) -> None:
        self._wanted = wanted
        self._member = member
        self._reports: dict[str, Report] = {}

    def add(self, called: str, table: Table, units: float, index_units: Mapping[str, float]) -> None:
        more = report(self._wanted, called, table, units, index_units)
        if called in self._reports:
            add(self._reports[called], more)
        else:
            self._reports[called] = more

    def told(self) -> list[Report]:
        for told in self._reports.values():
            indexes = [told.get(member, {}) for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")]
            parts = [told, *(spent for of_kind in indexes for spent in of_kind.values())]
            for part in [*parts, told["Table"]] if "Table" in told else parts:
                part[self._member] = part["CapacityUnits"]
        return list(self._reports.values())


def collection_metrics(table: Table, item: Item) -> Report:
    """Tables with local indexes have item collections, whose size the service estimates in whole gigabytes."""
    return {
        "ItemCollectionKey": {table.hash_name: item[table.hash_name]},
        "SizeEstimateRangeGB": [0.0, 1.0],
    }
