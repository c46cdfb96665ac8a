"""What statements say. Conditions and operands are the trees of expressions, their names all aliases (`#name`); values
stand in a list, which `values` makes of them once the parameters are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..attributes import Value, check
from ..expressions.nodes import Action, Node, Path
from ..model import ValueRefused, invalid_parameters, validation_error


@dataclass(slots=True, frozen=True)
class Parameter:
    """`?`, by its place."""

    place: int


@dataclass(slots=True, frozen=True)
class Struct:
    members: tuple[tuple[str, Literal], ...]


@dataclass(slots=True, frozen=True)
class Sequenced:
    """A list, or (`bag`) a set."""

    members: tuple[Literal, ...]
    bag: bool


@dataclass(slots=True, frozen=True)
class Constant:
    kind: str
    content: Any
    text: str = ""
    """A number as it was written."""


Literal = Parameter | Struct | Sequenced | Constant
_SETS = {"S": "SS", "N": "NS", "B": "BS"}


def value_of(literal: Literal, parameters: Sequence[Value]) -> Value:
    if isinstance(literal, Parameter):
        return parameters[literal.place]
    if isinstance(literal, Constant):
        return {literal.kind: literal.content}
    if isinstance(literal, Struct):
        return {"M": {name: value_of(member, parameters) for name, member in literal.members}}
    members = [value_of(member, parameters) for member in literal.members]
    if not literal.bag:
        return {"L": members}
    if not members:
        raise validation_error("Empty bags are not supported")
    (kind, *others) = {next(iter(member)) for member in members}
    if others or kind not in _SETS:
        raise validation_error(
            "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
        )
    content = [member[kind] for member in members]
    if kind == "N" and len(set(content)) != len(content):
        written = ", ".join(member.text for member in literal.members if isinstance(member, Constant))
        raise invalid_parameters(f"Input collection [{written}] contains duplicates! under root")
    return {_SETS[kind]: content}


def check_value(value: Value) -> None:
    in_older_words(check, value)


def in_older_words(check: Callable[[Any], int], checked: Any) -> int:
    """A size; statements tell of values that are none as the service did before 2026."""
    try:
        return check(checked)
    except ValueRefused as error:
        raise validation_error(error.older) from error


@dataclass(frozen=True, kw_only=True)
class Statement:
    table: str
    literals: tuple[Literal, ...] = ()
    """Values, in the order of their references `:0`, `:1`, …"""
    names: tuple[tuple[str, str], ...] = ()
    """What aliases stand for."""
    parameters: int = 0
    """How many it needs."""
    where: Node | None = None

    def values(self, parameters: Sequence[Value]) -> dict[str, Value]:
        """The request's values, checked and in their normal form."""
        if len(parameters) != self.parameters:
            raise validation_error("Number of parameters in request and statement don't match.")
        values = {f":{place}": value_of(literal, parameters) for place, literal in enumerate(self.literals)}
        for value in values.values():
            check_value(value)
        return values


@dataclass(frozen=True, kw_only=True)
class Select(Statement):
    index: str | None = None
    paths: tuple[Path, ...] = ()
    """Nothing is all."""
    order: tuple[tuple[str, bool], ...] = ()
    """Attributes, and whether they descend."""


@dataclass(frozen=True, kw_only=True)
class Exists(Statement):
    """`EXISTS(SELECT …)`, a transaction's condition."""


@dataclass(frozen=True, kw_only=True)
class Insert(Statement):
    item: Literal = field(default=Constant("NULL", True))


@dataclass(frozen=True, kw_only=True)
class Delete(Statement):
    returning: str = ""


@dataclass(frozen=True, kw_only=True)
class Update(Statement):
    actions: tuple[Action, ...] = ()
    returning: str = ""
