"""A statement with its values, and a table: which item it is about, and the request that another operation takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

from ..attributes import Item, Value, check_item
from ..expressions import Condition, ExpressionError, compile_actions
from ..expressions.nodes import And, Call, Compare, In, Node, Path, ValueRef
from ..model import MAX_ITEM_SIZE, validation_error
from ..table import Table
from .parser import parse
from .statements import Delete, Exists, Insert, Statement, Update, check_value, in_older_words, value_of

Values = dict[str, Value]
Request = dict[str, Any]

INCOMPLETE = "Where clause does not contain a mandatory equality on all key attributes"


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
        compiled(statement.where, statement.names, values)
    return Bound(statement, parameters, values)


def prepare(asked: Request) -> Bound:
    """What a request, or a part of one, says in `Statement` and `Parameters`."""
    parameters = asked.get("Parameters", ())
    check_parameters(asked)
    return bind(parse(asked["Statement"]), parameters)


def refuse_exists(bound: Bound) -> None:
    if isinstance(bound.statement, Exists):
        raise validation_error("EXISTS can only be used in ExecuteTransaction write requests.")


def check_parameters(asked: Request) -> None:
    """Told before anything of the statement."""
    for value in asked.get("Parameters", ()):
        check_value(value)


def compiled(node: Node, names: tuple[tuple[str, str], ...], values: Values) -> Condition:
    try:
        condition = condition_of(node, names)
        condition.check(values)
    except ExpressionError as error:
        raise validation_error(str(error)) from error
    return condition


@lru_cache(maxsize=1024)
def condition_of(node: Node, names: tuple[tuple[str, str], ...]) -> Condition:
    return Condition(node, names)


def conjuncts(node: Node | None) -> list[Node]:
    if node is None:
        return []
    if isinstance(node, And):
        return conjuncts(node.left) + conjuncts(node.right)
    return [node]


def simple(operand: object) -> str:
    """The name of a path that is one attribute, else nothing."""
    return str(operand.parts[0])[1:] if isinstance(operand, Path) and len(operand.parts) == 1 else ""


def equality(node: Node, names: Sequence[str]) -> tuple[str, str] | None:
    """Attribute and reference of `name = value`, either way round."""
    if isinstance(node, Compare) and node.sign == "=":
        for path, value in ((node.left, node.right), (node.right, node.left)):
            if isinstance(value, ValueRef) and simple(path) in names:
                return simple(path), value.name
    return None


def named(bound: Bound) -> list[Request]:
    """What a statement names, in the form of requests: attributes, and values that attributes must have."""
    statement, values = bound.statement, bound.values
    parts: list[Request] = [{"AttributesToGet": list(dict(statement.names).values())}]
    if isinstance(statement, Insert):
        parts.append({"Item": value_of(statement.item, bound.parameters).get("M", {})})
    for node in conjuncts(statement.where):
        every = list(dict(statement.names).values())
        found = equality(node, every)
        if found is not None:
            parts.append({"Key": {found[0]: values[found[1]]}})
        elif isinstance(node, In):
            references = [option.name for option in node.options if isinstance(option, ValueRef)]
            parts += [{"Key": {simple(node.subject): values[reference]}} for reference in references]
    return parts


# --- statements about one item


@dataclass(slots=True)
class Keyed:
    """What a condition says of one item's key, by equalities."""

    key: Item
    """As far as it is named; of two values the first."""
    twice: str
    """An attribute that has two values."""
    rest: list[Node]
    """What else the condition says."""


def keyed(table: Table, bound: Bound, options: bool = False) -> Keyed:
    """With `options` an IN of one value is an equality."""
    found = Keyed({}, "", [])
    for node in conjuncts(bound.statement.where):
        if options and isinstance(node, In) and len(node.options) == 1:
            node = Compare("=", node.subject, node.options[0])
        named_value = equality(node, table.keys)
        if named_value is None:
            found.rest.append(node)
            continue
        name, value = named_value[0], bound.values[named_value[1]]
        if name not in found.key:
            found.key[name] = value
        elif found.key[name] != value:
            found.twice = found.twice or name
            found.rest.append(node)
    return found


def is_whole(table: Table, found: Keyed) -> bool:
    return len(found.key) == len(table.keys)


def write_of(table: Table, bound: Bound) -> tuple[str, Request]:
    """The action and its parameters, as transactions have them."""
    statement = bound.statement
    if isinstance(statement, Insert):
        return "Put", _insertion(table, statement, bound)
    found = keyed(table, bound)
    request: Request = {"TableName": statement.table, "Key": found.key, "_values": bound.values}
    if found.rest:
        request["_condition"] = compiled(reduce(And, found.rest), statement.names, bound.values)
    if isinstance(statement, Exists):
        if not found.rest or not is_whole(table, found):
            raise validation_error("EXISTS() must contain a single item read with additional condition")
        return "ConditionCheck", request
    if found.twice:
        raise validation_error(
            f"Multiple conditions on same key {found.twice}. Only single item Update/Insert/Delete are supported"
        )
    if not is_whole(table, found):
        raise validation_error(INCOMPLETE)
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
    names = {**dict(statement.names), f"#{table.hash_name}": table.hash_name}
    request["_condition"] = compiled(reduce(And, found.rest, exists), tuple(names.items()), bound.values)
    request["ReturnValues"] = statement.returning or "NONE"
    return "Update", request


def _insertion(table: Table, statement: Insert, bound: Bound) -> Request:
    item = value_of(statement.item, bound.parameters).get("M")
    if item is None:
        raise validation_error(
            "Unsupported format in item expression. Please use struct format {...} to express item values "
            "for insert statement."
        )
    size = in_older_words(check_item, item)
    if size > MAX_ITEM_SIZE:
        raise validation_error("Item size has exceeded the maximum allowed size")
    absent = Call("attribute_not_exists", (Path(("#k",)),))
    condition = condition_of(absent, (("#k", table.hash_name),))
    return {
        "TableName": statement.table, "Item": item, "_size": size, "_condition": condition, "_values": {}
    }  # fmt: skip
