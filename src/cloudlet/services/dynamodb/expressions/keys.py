"""Key conditions: which range a query reads. The grammar is that of conditions; most of it is refused here."""

from __future__ import annotations

from functools import lru_cache

from .binding import Binder, Names, Values, defined
from .conditions import check_bounds, wrong_type
from .errors import ExpressionError
from .nodes import And, Between, Call, Compare, In, Node, Not, Or, Path, ValueRef
from .parser import parse_condition

_OPERATORS = {"=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"}
_OPERANDS: dict[str, tuple[str, ...]] = {"=": (), "begins_with": ("S", "B")}
"""Types that may stand after a word, where these aren't the three that have an order; none is any."""
_MIRRORED = {"=": "EQ", "<": "GT", "<=": "GE", ">": "LT", ">=": "LE"}


class KeyConditionError(ValueError):
    """A message that stands for itself, without "Invalid KeyConditionExpression: " before it."""


class KeyCondition:
    """`conditions` are (attribute, operator as KeyConditions has it, names of values)."""

    __slots__ = ("_clauses", "_twice", "aliases", "conditions", "values")

    def __init__(self, node: Node, names: Names) -> None:
        binder = Binder(names)
        self.conditions: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._clauses: list[tuple[str, tuple[str, ...]]] = []
        self._twice = False
        self._add(node, binder)
        self.aliases = frozenset(binder.aliases)
        self.values = frozenset(binder.values)

    def check(self, values: Values) -> None:
        for word, references in self._clauses:
            defined(references, values)
            allowed = _OPERANDS.get(word, ("S", "N", "B"))
            for reference in references:
                kind = next(iter(values[reference]))
                if allowed and kind not in allowed:
                    raise wrong_type(word, kind)
            if word == "BETWEEN":
                check_bounds(values[references[0]], values[references[1]])
        if self._twice:
            raise ExpressionError("KeyConditionExpressions must only contain one condition per key")

    def _add(self, node: Node, binder: Binder) -> None:
        if isinstance(node, And):
            self._add(node.left, binder)
            self._add(node.right, binder)
            return
        operator, word, operands = _parts(node)
        paths = [operand for operand in operands if isinstance(operand, Path)]
        references = tuple(operand.name for operand in operands if isinstance(operand, ValueRef))
        binder.values.update(references)
        resolved = [binder.path(path) for path in paths]
        if any(len(parts) > 1 for parts in resolved):
            raise KeyConditionError("KeyConditionExpressions cannot have conditions on nested attributes")
        if len(resolved) > 1:
            raise KeyConditionError(
                "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
            )
        if not resolved:
            raise KeyConditionError("Invalid condition in KeyConditionExpression: No key attribute specified")
        name = str(resolved[0][0])
        self._twice = self._twice or name in self.conditions
        self.conditions[name] = (operator, references)
        self._clauses.append((word, references))


@lru_cache(maxsize=2048)
def compile_key_condition(text: str, names: Names) -> KeyCondition:
    return KeyCondition(parse_condition(text), names)


def _parts(node: Node) -> tuple[str, str, list[object]]:
    """Operator, its word in the text, and operands of one condition, with the attribute's side turned to the left."""
    if isinstance(node, Or | Not | In) or (isinstance(node, Compare) and node.sign == "<>"):
        word = node.sign if isinstance(node, Compare) else type(node).__name__.upper()
        raise KeyConditionError(f"Invalid operator used in KeyConditionExpression: {word}")
    operands: list[object]
    if isinstance(node, Compare):
        operands = [node.left, node.right]
        mirrored = not isinstance(node.left, Path)
        operator, word = (_MIRRORED if mirrored else _OPERATORS)[node.sign], node.sign
    elif isinstance(node, Between):
        operands, operator, word = [node.subject, node.low, node.high], "BETWEEN", "BETWEEN"
    else:
        assert isinstance(node, Call)
        if node.name != "begins_with":
            raise KeyConditionError(f"Invalid operator used in KeyConditionExpression: {node.name}")
        if len(node.args) != 2:
            raise ExpressionError(
                "Incorrect number of operands for operator or function; "
                f"operator or function: {node.name}, number of operands: {len(node.args)}"
            )
        operands, operator, word = list(node.args), "BEGINS_WITH", node.name
    if any(isinstance(operand, Call) for operand in operands):
        raise KeyConditionError("KeyConditionExpressions cannot contain nested operations")
    if operator in ("BETWEEN", "BEGINS_WITH") and not isinstance(operands[0], Path):
        raise KeyConditionError(
            f"Invalid condition in KeyConditionExpression: {word} operator must have the key attribute "
            "as its first operand"
        )
    return operator, word, operands
