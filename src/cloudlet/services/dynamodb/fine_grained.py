"""Condition keys about what is in a request: `dynamodb:LeadingKeys` and `dynamodb:Attributes`.

See "Using IAM policy conditions for fine-grained access control". They are worked out only for principals whose
policies ask for them, as the table's key has to be known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...context import Context
from ...policies.decision import Holdings
from . import storage
from .table import Index, Table

LEADING, ATTRIBUTES = "dynamodb:leadingkeys", "dynamodb:attributes"
KEYS = frozenset({LEADING, ATTRIBUTES})
ITEMS = ("Key", "Item", "AttributeUpdates", "Expected", "KeyConditions", "QueryFilter", "ScanFilter")
"""Members that are maps of attributes."""
EXPRESSIONS = (
    "ConditionExpression", "FilterExpression", "KeyConditionExpression", "ProjectionExpression", "UpdateExpression",
)  # fmt: skip
WORDS = frozenset({"add", "and", "between", "delete", "in", "not", "or", "remove", "set"})
NAME = re.compile(r"(?<![\w:#.])#?[A-Za-z_]\w*(?!\w|\s*\()")
EQUALS = re.compile(r"(#?[A-Za-z_]\w*)\s*=\s*(:\w+)")


def asked(holdings: Holdings | None) -> bool:
    if holdings is None:
        return False
    boundary = (holdings.boundary,) if holdings.boundary is not None else ()
    every = (*holdings.identity, *boundary, *(holdings.session or ()))
    return any(policy.keys & KEYS for policy in every)


async def facts(
    ctx: Context, name: str, parts: Sequence[Mapping[str, Any]], index: str = ""
) -> dict[str, Sequence[str]]:
    """Of the parts of a request that are about one table; nothing if there is no such table."""
    place = storage.arn_place(name) if name.startswith("arn:") else (ctx.account, ctx.region, name, "")
    if place is None:
        return {}
    table = await ctx.store.read(lambda tx: storage.find_table(tx, *place[:3]))
    if table is None:
        return {}
    leading = dict.fromkeys(_leading(_hash(table, index), parts))
    attributes = dict.fromkeys(attribute for part in parts for attribute in _attributes(part))
    found = {LEADING: tuple(leading), ATTRIBUTES: tuple(attributes)}
    return {key: values for key, values in found.items() if values}


def _hash(table: Table, index: str) -> str:
    source: Index | Table = table.index.get(index) or table
    name: str = source.hash_name
    return name


def _leading(name: str, parts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The values of the partition key."""
    for part in parts:
        for member in ("Key", "Item"):
            if name in part.get(member, {}):
                yield _text(part[member][name])
        legacy = part.get("KeyConditions", {}).get(name, {}).get("AttributeValueList", ())
        yield from map(_text, legacy)
        names, values = part.get("ExpressionAttributeNames", {}), part.get("ExpressionAttributeValues", {})
        for said, value in EQUALS.findall(part.get("KeyConditionExpression", "")):
            if names.get(said, said) == name and value in values:
                yield _text(values[value])


def _attributes(part: Mapping[str, Any]) -> Iterator[str]:
    """The names of the top-level attributes that are read, written or compared."""
    for member in ITEMS:
        yield from part.get(member, {})
    yield from part.get("AttributesToGet", ())
    names = part.get("ExpressionAttributeNames", {})
    for member in EXPRESSIONS:
        for said in NAME.findall(part.get(member, "")):
            if said.lower() not in WORDS:
                yield names.get(said, said)


def _text(value: Any) -> str:
    """An attribute value as conditions compare it."""
    (inner,) = value.values() if isinstance(value, dict) and len(value) == 1 else ("",)
    return inner.decode("latin-1") if isinstance(inner, bytes) else str(inner)
