"""A statement with its values, and a table: which items it is about, and the requests that other operations take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

from ..attributes import Item, Value, check_item
from ..expressions import Condition, ExpressionError, compile_actions
from ..expressions.binding import Parts, read
from ..expressions.nodes import And, Between, Call, Compare, In, Node, Path, ValueRef
from ..model import MAX_ITEM_SIZE, invalid_parameters, validation_error
from ..table import Index, Table
from .statements import Delete, Exists, Insert, Select, Statement, Update, value_of

Values = dict[str, Value]
Request = dict[str, Any]

INCOMPLETE = "Where clause does not contain a mandatory equality on all key attributes"
_OPERATORS = {"=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"}
_MIRRORED = {"=": "EQ", "<": "GT", "<=": "GE", ">": "LT", ">=": "LE"}


@dataclass(slots=True, frozen=True)
class Bound:
    """A statement and its request's values."""

    statement: Statement
    parameters: Sequence[Value]
    values: Values


def bind(statement: Statement, parameters: Sequence[Value]) -> Bound:
    """Check what can be checked without the table."""
    values = statement.values(parameters)
    if statement.where is not None:
        _compiled(statement.where, statement.names, values)
    return Bound(statement, parameters, values)


def _compiled(node: Node, names: tuple[tuple[str, str], ...], values: Values) -> Condition:
    try:
        condition = _condition(node, names)
        condition.check(values)
    except ExpressionError as error:
        raise validation_error(str(error)) from error
    return condition


@lru_cache(maxsize=1024)
def _condition(node: Node, names: tuple[tuple[str, str], ...]) -> Condition:
    return Condition(node, names)


def _conjuncts(node: Node | None) -> list[Node]:
    if node is None:
        return []
    if isinstance(node, And):
        return _conjuncts(node.left) + _conjuncts(node.right)
    return [node]


def _simple(operand: object) -> str:
    """The name of a path that is one attribute, else nothing."""
    return str(operand.parts[0])[1:] if isinstance(operand, Path) and len(operand.parts) == 1 else ""


def _equality(node: Node, names: Sequence[str]) -> tuple[str, str] | None:
    """Attribute and reference of `name = value`, either way round."""
    if isinstance(node, Compare) and node.sign == "=":
        for path, value in ((node.left, node.right), (node.right, node.left)):
            if isinstance(value, ValueRef) and _simple(path) in names:
                return _simple(path), value.name
    return None


def named(bound: Bound) -> list[Request]:
    """What a statement names, in the form of requests: attributes, and values that attributes must have."""
    statement, values = bound.statement, bound.values
    parts: list[Request] = [{"AttributesToGet": list(dict(statement.names).values())}]
    if isinstance(statement, Insert):
        parts.append({"Item": value_of(statement.item, bound.parameters).get("M", {})})
    for node in _conjuncts(statement.where):
        every = list(dict(statement.names).values())
        found = _equality(node, every)
        if found is not None:
            parts.append({"Key": {found[0]: values[found[1]]}})
        elif isinstance(node, In):
            references = [option.name for option in node.options if isinstance(option, ValueRef)]
            parts += [{"Key": {_simple(node.subject): values[reference]}} for reference in references]
    return parts


# --- statements about one item


def key_of(table: Table, bound: Bound) -> tuple[Item, Condition | None]:
    """The item's key, which the condition names by equalities, and what else it says."""
    key: Item = {}
    rest: list[Node] = []
    for node in _conjuncts(bound.statement.where):
        found = _equality(node, table.keys)
        if found is None:
            rest.append(node)
            continue
        name, reference = found
        if name in key:
            raise validation_error(
                f"Multiple conditions on same key {name}. Only single item Update/Insert/Delete are supported"
            )
        key[name] = bound.values[reference]
    if len(key) != len(table.keys):
        raise validation_error(INCOMPLETE)
    if not rest:
        return key, None
    return key, _compiled(reduce(And, rest), bound.statement.names, bound.values)


def write_of(table: Table, bound: Bound) -> tuple[str, Request]:
    """The action and its parameters, as transactions have them."""
    statement = bound.statement
    if isinstance(statement, Insert):
        return "Put", _insertion(table, statement, bound)
    key, condition = key_of(table, bound)
    request: Request = {"TableName": statement.table, "Key": key, "_values": bound.values}
    if condition is not None:
        request["_condition"] = condition
    if isinstance(statement, Exists):
        if condition is None:
            raise validation_error("EXISTS() must contain a single item read with additional condition")
        return "ConditionCheck", request
    if isinstance(statement, Delete):
        request["ReturnValues"] = statement.returning or "NONE"
        return "Delete", request
    assert isinstance(statement, Update)
    try:
        request["_update"] = compile_actions(statement.actions, statement.names)
        request["_update"].check(bound.values)
    except ExpressionError as error:
        raise validation_error(str(error)) from error
    exists: Node = Call("attribute_exists", (Path((f"#{table.hash_name}",)),))
    nodes = [node for node in _conjuncts(statement.where) if _equality(node, table.keys) is None]
    names = {**dict(statement.names), f"#{table.hash_name}": table.hash_name}
    request["_condition"] = _compiled(reduce(And, nodes, exists), tuple(names.items()), bound.values)
    request["ReturnValues"] = statement.returning or "NONE"
    return "Update", request


def _insertion(table: Table, statement: Insert, bound: Bound) -> Request:
    item = value_of(statement.item, bound.parameters).get("M")
    if item is None:
        raise validation_error(
            "Unsupported format in item expression. Please use struct format {...} to express item values "
            "for insert statement."
        )
    size = check_item(item)
    if size > MAX_ITEM_SIZE:
        raise validation_error("Item size has exceeded the maximum allowed size")
    absent = Call("attribute_not_exists", (Path(("#k",)),))
    condition = _condition(absent, (("#k", table.hash_name),))
    return {
        "TableName": statement.table, "Item": item, "_size": size, "_condition": condition, "_values": {}
    }  # fmt: skip


# --- selections


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
        self.heads = frozenset(str(parts[0]) for parts in self._parts.values())
        self.nested = frozenset(str(parts[0]) for parts in self._parts.values() if len(parts) > 1)

    def apply(self, item: Item) -> Item:
        found = {label: read(item, parts) for label, parts in self._parts.items()}
        return {label: value for label, value in found.items() if value is not None}


def _label(parts: Parts) -> str:
    last = max(place for place, part in enumerate(parts) if isinstance(part, str))
    return str(parts[last]) + "".join(f"[{index}]" for index in parts[last + 1 :])


@dataclass(slots=True)
class Reading:
    """How a SELECT reads: queries of some hash keys one after the other, or (none) a scan."""

    hashes: list[Value] | None
    operator: str
    operands: list[Value]
    filter: Condition | None
    selection: Selection | None
    reverse: bool


def reading_of(source: Table | Index, bound: Bound) -> Reading:
    statement = bound.statement
    assert isinstance(statement, Select)
    hashes: list[Value] | None = None
    operator, operands = "", list[Value]()
    rest: list[Node] = []
    for node in _conjuncts(statement.where):
        wanted = _hash_values(source, node)
        if wanted is not None:
            if hashes is not None:
                raise validation_error(
                    f"Only single equality condition should be present on hash key {source.hash_name}"
                )
            hashes = _distinct([bound.values[reference] for reference in wanted])
            continue
        found = _range_condition(source, node) if not operator else None
        if found is None:
            rest.append(node)
        else:
            operator, operands = found[0], [bound.values[reference] for reference in found[1]]
    if hashes is None:
        operator, operands, rest = "", [], _conjuncts(statement.where)
    _check_types(source, hashes or [], operands)
    compiled = _compiled(reduce(And, rest), statement.names, bound.values) if rest else None
    _check_projected(source, statement, bound)
    selection = Selection(statement.paths, statement.names) if statement.paths else None
    return Reading(hashes, operator, operands, compiled, selection, _reverse(source, statement, hashes))


def _hash_values(source: Table | Index, node: Node) -> list[str] | None:
    found = _equality(node, (source.hash_name,))
    if found is not None:
        return [found[1]]
    if isinstance(node, In) and _simple(node.subject) == source.hash_name:
        references = [option.name for option in node.options if isinstance(option, ValueRef)]
        return references if len(references) == len(node.options) else None
    return None


def _distinct(values: list[Value]) -> list[Value]:
    return [value for place, value in enumerate(values) if value not in values[:place]]


def _range_condition(source: Table | Index, node: Node) -> tuple[str, list[str]] | None:
    """Operator and references of a condition that a query can read by."""
    name = source.range_name
    if name is None:
        return None
    if isinstance(node, Compare) and node.sign in _OPERATORS:
        for path, value, signs in ((node.left, node.right, _OPERATORS), (node.right, node.left, _MIRRORED)):
            if _simple(path) == name and isinstance(value, ValueRef):
                return signs[node.sign], [value.name]
    if isinstance(node, Between) and _simple(node.subject) == name:
        low, high = node.low, node.high
        if isinstance(low, ValueRef) and isinstance(high, ValueRef):
            return "BETWEEN", [low.name, high.name]
    if isinstance(node, Call) and node.name == "begins_with" and _simple(node.args[0]) == name:
        prefix = node.args[1]
        if isinstance(prefix, ValueRef) and source.range_type != "N":
            return "BEGINS_WITH", [prefix.name]
    return None


def _check_types(source: Table | Index, hashes: list[Value], operands: list[Value]) -> None:
    mismatch = any(source.hash_type not in value for value in hashes)
    if mismatch or any(source.range_type not in value for value in operands):
        raise invalid_parameters("Condition parameter type does not match schema type")


def _check_projected(source: Table | Index, statement: Select, bound: Bound) -> None:
    if statement.where is None or not isinstance(source, Index) or source.attributes is None:
        return
    heads = _condition(statement.where, statement.names).heads
    missing = sorted(heads - source.attributes.heads)
    if missing:
        raise invalid_parameters(
            f"Secondary index {source.name} does not project one or more filter attributes: [{', '.join(missing)}]"
        )


def _reverse(source: Table | Index, statement: Select, hashes: list[Value] | None) -> bool:
    if not statement.order:
        return False
    if hashes is None:
        raise validation_error(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
        )
    for name, _ in statement.order:
        if name not in source.keys:
            raise validation_error(
                f"Variable reference {name} in ORDER BY clause must be part of the primary key"
            )
    if len(hashes) > 1:
        if statement.order[0][0] != source.hash_name:
            raise validation_error(
                "Must have hash key in ORDER BY clause when more than one hash key condition specified in "
                "WHERE clause."
            )
        hashes.sort(key=lambda value: _sortable(value, source.hash_type), reverse=statement.order[0][1])
    return any(descends for name, descends in statement.order if name == source.range_name)


def _sortable(value: Value, kind: str) -> Any:
    return float(value[kind]) if kind == "N" else value[kind]
