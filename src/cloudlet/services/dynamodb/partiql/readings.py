"""How a SELECT reads. Its condition is spread over each OR and IN that names a key: every alternative, a *branch*, says
of the keys what one read can do. If each branch has one hash key, the statement is these reads, else it is a scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import reduce
from typing import Any

from .. import numbers
from ..attributes import Item, Value, kind_of
from ..expressions import Condition
from ..expressions.binding import Parts, read
from ..expressions.nodes import And, Between, Call, Compare, In, Node, Not, Or, Path, ValueRef
from ..model import invalid_parameters, validation_error
from ..table import Index, Table
from .plans import Bound, Request, compiled, is_whole, keyed, simple
from .statements import Select

MOST_READS = 50
_MOST_BRANCHES = 10_000
_OPERATORS = {"=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"}
_MIRRORED = {"=": "EQ", "<": "GT", "<=": "GE", ">": "LT", ">=": "LE"}
_TOO_MANY = "Too many decomposed read operations for a given query."


@dataclass(slots=True, frozen=True)
class KeyTest:
    name: str
    operator: str
    references: tuple[str, ...]
    node: Node


@dataclass(slots=True, frozen=True)
class Branch:
    tests: tuple[KeyTest, ...] = ()
    rest: tuple[Node, ...] = ()


@dataclass(slots=True)
class Read:
    hash: Value
    operator: str
    operands: list[Value]
    filter: Condition | None
    begin: bytes
    """Where it begins among the reads of its hash key."""


@dataclass(slots=True)
class Reading:
    reads: list[Read] | None
    """One after the other; none is a scan."""
    filter: Condition | None
    """Of the scan."""
    selection: Selection | None
    reverse: bool


class Selection:
    """What a SELECT gives of each item: its paths, each under its last name."""

    def __init__(self, paths: Sequence[Path], names: Sequence[tuple[str, str]]) -> None:
        known = dict(names)
        self._parts: dict[str, Parts] = {}
        for path in paths:
            parts = tuple(known[part] if isinstance(part, str) else part for part in path.parts)
            label = _label(parts)
            if label in self._parts:
                raise validation_error(f"Duplicate identifiers in select clause: {label}")
            self._parts[label] = parts
        self.heads = {str(parts[0]): None for parts in self._parts.values()}.keys()
        self.nested = frozenset(str(parts[0]) for parts in self._parts.values() if len(parts) > 1)

    def apply(self, item: Item) -> Item:
        found = {label: read(item, parts) for label, parts in self._parts.items()}
        return {label: value for label, value in found.items() if value is not None}


def _label(parts: Parts) -> str:
    last = max(place for place, part in enumerate(parts) if isinstance(part, str))
    return str(parts[last]) + "".join(f"[{index}]" for index in parts[last + 1 :])


def reading_of(source: Table | Index, bound: Bound) -> Reading:
    statement = bound.statement
    assert isinstance(statement, Select)
    branches = _spread(statement.where, source)
    _check_types(source, branches, bound)
    selection = Selection(statement.paths, statement.names) if statement.paths else None
    hashes = _hashes(source, branches, bound)
    if hashes is None:
        _check_order(source, statement, 0)
        condition = (
            None if statement.where is None else compiled(statement.where, statement.names, bound.values)
        )
        return Reading(None, condition, selection, False)
    doubles = _check_reads(source, branches, hashes, bound)
    _check_projected(source, branches, hashes)
    reads = [
        _read(source, branch, value, bound, others)
        for branch, value, others in zip(branches, hashes, doubles, strict=True)
    ]
    distinct = {_ordered(source.hash_type, value) for value in hashes}
    _check_order(source, statement, len(distinct))
    return Reading(reads, None, selection, _sort(source, statement, reads))


def check_single_keys(index: Index | None) -> None:
    if index is not None and index.composite:
        raise validation_error(
            "PartiQL statements cannot be executed on tables with multi-attribute HASH keys "
            "or multi-attribute RANGE keys."
        )


def get_of(table: Table, bound: Bound, operation: str) -> Request:
    """A SELECT of one item by its key, as Get."""
    statement = bound.statement
    assert isinstance(statement, Select)
    refusal = f"Select statements within {operation} must specify the primary key in the where clause."
    if statement.index is not None:
        if operation != "BatchExecuteStatement":
            raise validation_error("Reads on indices are not supported within transactions.")
        check_single_keys(table.index.get(statement.index))
        raise validation_error(refusal)
    branches = _spread(statement.where, table)
    hashes = _hashes(table, branches, bound)
    if hashes is not None:
        _check_reads(table, branches, hashes, bound)
    found = keyed(table, bound, options=True)
    if found.rest or not is_whole(table, found):
        raise validation_error(refusal)
    get: Request = {"TableName": statement.table, "Key": found.key, "_values": bound.values}
    if statement.paths:
        get["_projection"] = Selection(statement.paths, statement.names)
    return get


# --- branches


def _spread(node: Node | None, source: Table | Index) -> list[Branch]:
    if node is None:
        return [Branch()]
    if isinstance(node, And):
        left, right = _spread(node.left, source), _spread(node.right, source)
        if len(left) * len(right) > _MOST_BRANCHES:
            raise validation_error(_TOO_MANY)
        return [Branch(a.tests + b.tests, a.rest + b.rest) for a in left for b in right]
    if isinstance(node, Or) and _names_key(node, source):
        return _spread(node.left, source) + _spread(node.right, source)
    tests = _tests(node, source)
    return [Branch((test,)) for test in tests] if tests else [Branch(rest=(node,))]


def _names_key(node: Node, source: Table | Index) -> bool:
    if isinstance(node, And | Or):
        return _names_key(node.left, source) or _names_key(node.right, source)
    return bool(_tests(node, source))


def _tests(node: Node, source: Table | Index) -> list[KeyTest]:
    """What a condition says of a key; the values of an IN are alternatives."""
    if isinstance(node, In):
        name = simple(node.subject)
        options = [option for option in node.options if isinstance(option, ValueRef)]
        if name not in source.keys or len(options) < len(node.options):
            return []
        return [KeyTest(name, "EQ", (option.name,), Compare("=", node.subject, option)) for option in options]
    if isinstance(node, Compare) and node.sign in _OPERATORS:
        for path, value, signs in ((node.left, node.right, _OPERATORS), (node.right, node.left, _MIRRORED)):
            name, operator = simple(path), signs[node.sign]
            if isinstance(value, ValueRef) and _may_test(source, name, operator):
                return [KeyTest(name, operator, (value.name,), node)]
    if isinstance(node, Between) and _may_test(source, name := simple(node.subject), "BETWEEN"):
        low, high = node.low, node.high
        if isinstance(low, ValueRef) and isinstance(high, ValueRef):
            return [KeyTest(name, "BETWEEN", (low.name, high.name), node)]
    if isinstance(node, Call) and node.name == "begins_with" and source.range_type != "N":
        name, prefix = simple(node.args[0]), node.args[1]
        if isinstance(prefix, ValueRef) and _may_test(source, name, "BEGINS_WITH"):
            return [KeyTest(name, "BEGINS_WITH", (prefix.name,), node)]
    return []


def _may_test(source: Table | Index, name: str, operator: str) -> bool:
    return bool(name) and (name == source.range_name or (name == source.hash_name and operator == "EQ"))


def _hashes(source: Table | Index, branches: list[Branch], bound: Bound) -> list[Value] | None:
    """The hash key of each branch, or None if one of them has none, or two."""
    found: list[Value] = []
    for branch in branches:
        values: list[Value] = []
        for test in branch.tests:
            value = bound.values[test.references[0]]
            if test.name == source.hash_name and value not in values:
                values.append(value)
        if len(values) != 1:
            return None
        found += values
    return found


# --- checks


def _check_types(source: Table | Index, branches: list[Branch], bound: Bound) -> None:
    for branch in branches:
        for test in branch.tests:
            wanted = source.hash_type if test.name == source.hash_name else source.range_type
            for reference in test.references:
                kind = kind_of(bound.values[reference])
                if kind not in ("S", "N", "B"):
                    raise validation_error(
                        f"Key value must be of type S, N, or B. Key name: {test.name}, Key type: {kind}"
                    )
                if kind != wanted:
                    raise validation_error(
                        f"Key attribute's data type should match its data type in table's schema: Key {test.name}"
                    )


def _check_reads(
    source: Table | Index, branches: list[Branch], hashes: list[Value], bound: Bound
) -> list[list[Branch]]:
    """They may not be too many, nor overlap, unless one of two says what its range key is not: then the later of them
    leaves out what the earlier reads. For each branch, these earlier ones."""
    groups: dict[bytes, list[tuple[_Span, Branch]]] = {}
    for branch, value in zip(branches, hashes, strict=True):
        of_one = groups.setdefault(_ordered(kind_of(value), value), [])
        of_one.append((_span(source, branch, bound), branch))
    for of_one in groups.values():
        if _overlap(span for span, branch in of_one if not _excludes(source, branch)):
            raise validation_error("Overlapping conditions with range keys are not supported in where clause")
    if len(branches) > MOST_READS:
        raise validation_error(_TOO_MANY)
    doubles: dict[int, list[Branch]] = {}
    for of_one in groups.values():
        for place, (span, branch) in enumerate(of_one):
            doubles[id(branch)] = [other for before, other in of_one[:place] if span.overlaps(before)]
    return [doubles[id(branch)] for branch in branches]


def _overlap(spans: Iterable[_Span]) -> bool:
    end: bytes | None = b""
    for span in sorted((span for span in spans if span), key=lambda span: span.begin):
        if end is None or span.begin < end:
            return True
        end = span.end
    return False


def _excludes(source: Table | Index, branch: Branch) -> bool:
    return any(
        (isinstance(node, Not) or (isinstance(node, Compare) and node.sign == "<>"))
        and (source.range_name or "") in _heads(node)
        for node in branch.rest
    )


def _check_projected(source: Table | Index, branches: list[Branch], hashes: list[Value]) -> None:
    """A read whose filter the index holds lets all of them pass; else the one of the greatest hash key is told."""
    if not isinstance(source, Index) or source.attributes is None:
        return
    projected = source.attributes.heads
    found = [
        (_ordered(source.hash_type, value), [name for name in _heads(branch.rest) if name not in projected])
        for branch, value in zip(branches, hashes, strict=True)
    ]
    if all(names for _, names in found):
        names = _as_told(max(found, key=lambda one: one[0])[1])
        raise invalid_parameters(
            f"Secondary index {source.name} does not project one or more filter attributes: [{', '.join(names)}]"
        )


def _heads(node: object) -> Iterator[str]:
    if isinstance(node, Path):
        yield str(node.parts[0])[1:]
    elif isinstance(node, tuple):
        for part in node:
            yield from _heads(part)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _heads(getattr(node, field.name))


def _as_told(names: Iterable[str]) -> list[str]:
    """In the order of the service's hash sets: by the low bits of a hash of 32 bits."""

    def place(name: str) -> int:
        hashed = 0
        for char in name:
            hashed = (31 * hashed + ord(char)) & 0xFFFFFFFF
        return (hashed ^ hashed >> 16) & 15

    return sorted(dict.fromkeys(names), key=place)


def _check_order(source: Table | Index, statement: Select, hashes: int) -> None:
    for name, _ in statement.order:
        if name not in source.keys:
            raise validation_error(f"Attribute {name} in ORDER BY clause must be part of the primary key")
    if statement.order and not hashes:
        raise validation_error(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
        )
    if statement.order and hashes > 1 and source.hash_name not in dict(statement.order):
        raise validation_error(
            "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause."
        )


# --- reads


def _read(source: Table | Index, branch: Branch, value: Value, bound: Bound, doubles: list[Branch]) -> Read:
    operator, operands = "", list[Value]()
    rest = list(branch.rest)
    rest += [Not(reduce(And, [*(test.node for test in other.tests), *other.rest])) for other in doubles]
    for test in branch.tests:
        if test.name == source.hash_name:
            continue
        if operator:
            rest.append(test.node)
        else:
            operator, operands = test.operator, [bound.values[name] for name in test.references]
    names = bound.statement.names
    condition = compiled(reduce(And, rest), names, bound.values) if rest else None
    return Read(value, operator, operands, condition, _span(source, branch, bound).begin)


def _sort(source: Table | Index, statement: Select, reads: list[Read]) -> bool:
    """Put the reads into the order that is asked for; whether each is read from its end. A range key that ORDER BY
    doesn't name descends."""
    order = dict(statement.order)
    if not order:
        return False
    reverse = order.get(source.range_name or "", True)
    reads.sort(key=lambda one: one.begin, reverse=reverse)
    descends = order.get(source.hash_name, False)
    reads.sort(key=lambda one: _ordered(source.hash_type, one.hash), reverse=descends)
    return reverse


def _ordered(kind: str, value: Value) -> bytes:
    """Bytes that sort as keys do."""
    content: Any = value[kind]
    if kind == "S":
        return str(content).encode("utf-8", "surrogatepass")
    return numbers.encode(content) if kind == "N" else bytes(content)


@dataclass(slots=True, frozen=True)
class _Span:
    """Range keys from `begin` on, and before `end` if there is one."""

    begin: bytes = b""
    end: bytes | None = None

    def within(self, other: _Span) -> _Span:
        ends = [end for end in (self.end, other.end) if end is not None]
        return _Span(max(self.begin, other.begin), min(ends) if ends else None)

    def __bool__(self) -> bool:
        return self.end is None or self.begin < self.end

    def overlaps(self, other: _Span) -> bool:
        return bool(self.within(other))


def _span(source: Table | Index, branch: Branch, bound: Bound) -> _Span:
    span = _Span()
    for test in branch.tests:
        if test.name == source.hash_name:
            continue
        values = [bound.values[name] for name in test.references]
        if all(source.range_type in value for value in values):
            span = span.within(_span_of(test.operator, [_ordered(source.range_type, one) for one in values]))
    return span


def _span_of(operator: str, keys: list[bytes]) -> _Span:
    first = keys[0]
    after = first + b"\x00"
    if operator == "BEGINS_WITH":
        stem = first.rstrip(b"\xff")
        return _Span(first, stem[:-1] + bytes([stem[-1] + 1]) if stem else None)
    return {
        "EQ": _Span(first, after),
        "LT": _Span(end=first),
        "LE": _Span(end=after),
        "GT": _Span(after),
        "GE": _Span(first),
        "BETWEEN": _Span(first, keys[-1] + b"\x00"),
    }[operator]
