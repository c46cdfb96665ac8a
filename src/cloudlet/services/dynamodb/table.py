"""A table as operations see it: its record, decoded once and kept by the store until it is written again."""

from __future__ import annotations

from typing import Any

from ...store.keys import Subspace
from .expressions import Projection, project_attributes
from .model import MAX_HASH_KEY_SIZE, MAX_RANGE_KEY_SIZE

Record = dict[str, Any]
"""What is stored of a table:

    name, id, created         its name, its id (a new one for each creation), seconds
    attributes                {name: type}, as defined
    keys                      [hash] or [hash, range]
    indexes                   [{name, id, local, keys, hashes, projection, attributes, status, throughput}];
                              `hashes`, of a global index with several key attributes: how many are of the hash key
    billing, throughput       PROVISIONED or PAY_PER_REQUEST; {read, write, increased, decreased}
    status                    ACTIVE or UPDATING
    and what is only remembered: protected, class, stream, stream_label, sse, tags, ttl, on_demand, recovery
"""


class Stream:
    """The stream that a table's writes are noted in: where, and which images."""

    __slots__ = ("changes", "new", "old", "view")

    def __init__(self, view: str, changes: Subspace) -> None:
        self.view = view
        self.new = view.startswith("NEW")
        self.old = view.endswith(("OLD_IMAGE", "OLD_IMAGES"))
        self.changes = changes


class Index:
    __slots__ = (
        "attributes", "backfilling", "composite", "entries", "hash_count", "hash_name", "hash_type", "id", "keys",
        "local", "name", "projection", "range_name", "range_type", "schema", "start_names",
    )  # fmt: skip

    def __init__(self, record: Record, described: Record, entries: Subspace) -> None:
        types: dict[str, str] = record["attributes"]
        self.name: str = described["name"]
        self.id: str = described["id"]
        self.local: bool = described["local"]
        self.keys: list[str] = described["keys"]
        self.hash_name = self.keys[0]
        self.hash_type = types[self.hash_name]
        self.hash_count: int = described.get("hashes", 1)
        self.composite = self.hash_count > 1 or len(self.keys) > 2
        """Whether one of its keys is more than one attribute."""
        limits = [MAX_HASH_KEY_SIZE] * self.hash_count + [MAX_RANGE_KEY_SIZE] * len(self.keys)
        self.schema = [(name, types[name], limit) for name, limit in zip(self.keys, limits, strict=False)]
        """Its key attributes with type and greatest size."""
        ranges = self.keys[self.hash_count :]
        self.range_name: str | None = ranges[0] if ranges else None
        self.range_type = types[self.range_name] if self.range_name is not None else ""
        self.backfilling: bool = described["status"] == "CREATING"
        self.projection: str = described["projection"]
        self.start_names = [*record["keys"], *(name for name in self.keys if name not in record["keys"])]
        self.attributes: Projection | None = None
        """What entries hold; None is everything."""
        if self.projection != "ALL":
            names = dict.fromkeys((*self.start_names, *described.get("attributes", ())))
            self.attributes = project_attributes(tuple(names))
        self.entries = entries
        """Where they lie."""


class Table:
    __slots__ = (
        "arn",
        "hash_name",
        "hash_type",
        "id",
        "index",
        "indexes",
        "indexes_by_name",
        "items",
        "key_types",
        "keys",
        "local_indexes",
        "looks",
        "name",
        "range_name",
        "range_type",
        "record",
        "remembers",
        "scope",
        "stream",
        "ttl",
    )  # fmt: skip

    def __init__(self, record: Record, items: Subspace, entries: Subspace, changes: Subspace) -> None:
        """The subspaces are where all tables have theirs; see `storage`."""
        types: dict[str, str] = record["attributes"]
        self.record = record
        self.name: str = record["name"]
        self.id: str = record["id"]
        self.arn: str = record["arn"]
        _, _, _, region, account, _ = self.arn.split(":", 5)
        self.keys: list[str] = record["keys"]
        self.hash_name = self.keys[0]
        self.hash_type = types[self.hash_name]
        self.range_name: str | None = self.keys[1] if len(self.keys) > 1 else None
        self.range_type = types[self.range_name] if self.range_name is not None else ""
        self.key_types = [(name, types[name]) for name in self.keys]
        self.scope = (account, region, self.id)
        self.items = items.sub(*self.scope)
        self.indexes = [
            Index(record, described, entries.sub(*self.scope, described["id"]))
            for described in record["indexes"]
        ]
        self.indexes_by_name = sorted(self.indexes, key=lambda index: (index.local, index.name))
        """The global ones first."""
        self.index = {index.name: index for index in self.indexes}
        self.stream: Stream | None = None
        if record.get("stream"):
            view = record["stream"]["StreamViewType"]
            self.stream = Stream(view, changes.sub(*self.scope, record["stream_label"]))
        self.remembers = bool(record.get("recovery"))
        """Whether what writes replace is kept."""
        self.looks = bool(self.indexes) or self.stream is not None or self.remembers
        """Whether a write has to know the item that was there."""
        self.ttl: str | None = record.get("ttl")
        """The attribute that says when an item goes."""
        self.local_indexes = any(index.local for index in self.indexes)
