"""The syntax trees of expressions. Names and values are still placeholders in them: a tree belongs to its text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Path:
    """`a.#b[0]` is ("a", "#b", 0): text is a name, or an alias if it begins with "#"; a number is an index."""

    parts: tuple[str | int, ...]


@dataclass(slots=True, frozen=True)
class ValueRef:
    """`:v`, with its colon."""

    name: str


@dataclass(slots=True, frozen=True)
class Call:
    name: str
    args: tuple[Operand, ...]


@dataclass(slots=True, frozen=True)
class Arithmetic:
    """`+` or `-`, in an update."""

    sign: str
    left: Operand
    right: Operand


@dataclass(slots=True, frozen=True)
class Truth:
    """A condition as an operand, which only PartiQL has: its value is a BOOL."""

    condition: Node


Operand = Path | ValueRef | Call | Arithmetic | Truth


@dataclass(slots=True, frozen=True)
class Compare:
    sign: str
    left: Operand
    right: Operand


@dataclass(slots=True, frozen=True)
class Between:
    subject: Operand
    low: Operand
    high: Operand


@dataclass(slots=True, frozen=True)
class In:
    subject: Operand
    options: tuple[Operand, ...]


@dataclass(slots=True, frozen=True)
class Not:
    inner: Node


@dataclass(slots=True, frozen=True)
class And:
    left: Node
    right: Node


@dataclass(slots=True, frozen=True)
class Or:
    left: Node
    right: Node


Node = Compare | Between | In | Not | And | Or | Call


@dataclass(slots=True, frozen=True)
class Action:
    """One change of an update: `kind` is SET, REMOVE, ADD or DELETE."""

    kind: str
    path: Path
    operand: Operand | None = None
