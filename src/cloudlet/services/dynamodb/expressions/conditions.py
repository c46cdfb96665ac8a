"""Condition and filter expressions, compiled to a function of the item and the request's values.

An attribute that isn't there makes a comparison false, except `<>`, and the service's two kinds of checks differ: what
values say about the expression itself is checked first (`check`), what the item has only decides true or false.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ..attributes import KINDS, Item, Value, compare, equal, kind_of, shown
from .binding import Binder, Getter, Names, Values, defined, getter, path_text, value_kind
from .errors import ExpressionError
from .nodes import And, Arithmetic, Between, Call, Compare, In, Node, Not, Operand, Or, Path, Truth, ValueRef
from .parser import parse_condition

Test = Callable[[Item, Values], bool]
Check = Callable[[Values], None]

_OPERANDS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
_MOST_OPTIONS = 100
_TYPE_NAMES = "{" + ",".join(("B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M")) + "}"


class Condition:
    """`matches(item, values)` once `check(values)` found nothing."""

    __slots__ = ("_checks", "aliases", "heads", "matches", "nested", "values")

    def __init__(self, node: Node, names: Names) -> None:
        compiler = _Compiler(names)
        self.matches: Test = compiler.test(node)
        self._checks = tuple(compiler.checks)
        self.aliases = frozenset(compiler.binder.aliases)
        self.values = frozenset(compiler.binder.values)
        self.heads = frozenset(compiler.binder.heads)
        self.nested = frozenset(compiler.binder.nested)

    def check(self, values: Values) -> None:
        for check in self._checks:
            check(values)


@lru_cache(maxsize=2048)
def compile_condition(text: str, names: Names) -> Condition:
    return Condition(parse_condition(text), names)


class _Compiler:
    def __init__(self, names: Names) -> None:
        self.binder = Binder(names)
        self.checks: list[Check] = []

    def test(self, node: Node) -> Test:
        if isinstance(node, And | Or):
            left, right = self.test(node.left), self.test(node.right)
            if isinstance(node, And):
                return lambda item, values: left(item, values) and right(item, values)
            return lambda item, values: left(item, values) or right(item, values)
        if isinstance(node, Not):
            inner = self.test(node.inner)
            return lambda item, values: not inner(item, values)
        return self.leaf(node)

    def leaf(self, node: Compare | Between | In | Call) -> Test:
        """One comparison or function. Its mistakes are told in the order: undefined, counts, sameness, types."""
        operands = _operands(node)
        references = tuple(_references(operands))
        self.binder.values.update(references)
        getters = [self.operand(operand) for operand in operands]
        self.checks.append(lambda values: defined(references, values))
        for call in _calls(node):
            self.checks.append(_count_check(call))
        self.distinct(node, operands)
        for call in _calls(node):
            self.checks.append(_type_check(call))
        if isinstance(node, Compare) and node.sign not in ("=", "<>"):
            self.checks.append(_order_check(node))
        if isinstance(node, Between):
            self.checks.append(_bounds_check(node))
        if isinstance(node, In) and len(node.options) > _MOST_OPTIONS:
            self.checks.append(
                _refusal(
                    f"The IN operator is provided with too many operands; number of operands: {len(node.options)}"
                )
            )
        if isinstance(node, Compare):
            return _comparison(node.sign, getters[0], getters[1])
        if isinstance(node, Between):
            return _between(*getters)
        if isinstance(node, In):
            return _in(getters[0], getters[1:])
        return _function(node.name, getters)

    def operand(self, operand: Operand) -> Getter:
        if isinstance(operand, Path):
            return getter(self.binder.path(operand))
        if isinstance(operand, ValueRef):
            name = operand.name
            return lambda item, values: values[name]
        if isinstance(operand, Truth):
            test = self.test(operand.condition)
            return lambda item, values: {"BOOL": test(item, values)}
        assert isinstance(operand, Call)
        inner = next(self.operand(arg) for arg in operand.args)
        return lambda item, values: _size(inner(item, values))

    def distinct(self, node: Compare | Between | In | Call, operands: list[Operand]) -> None:
        name = node.sign if isinstance(node, Compare) else node.name if isinstance(node, Call) else ""
        if not name or len(operands) != 2:
            return
        first, second = operands
        if not isinstance(first, Path) or not isinstance(second, Path):
            return
        parts = self.binder.path(first)
        if parts == self.binder.path(second):
            self.checks.append(
                _refusal(
                    "The first operand must be distinct from the remaining operands for this operator or function; "
                    f"operator: {name}, first operand: {path_text(parts)}"
                )
            )


def _operands(node: Compare | Between | In | Call) -> list[Operand]:
    if isinstance(node, Compare):
        return [node.left, node.right]
    if isinstance(node, Between):
        return [node.subject, node.low, node.high]
    if isinstance(node, In):
        return [node.subject, *node.options]
    return list(node.args)


def _references(operands: list[Operand]) -> list[str]:
    names: list[str] = []
    for operand in operands:
        if isinstance(operand, ValueRef):
            names.append(operand.name)
        elif isinstance(operand, Call):
            names.extend(_references(list(operand.args)))
    return names


def _calls(node: Compare | Between | In | Call) -> list[Call]:
    calls = [operand for operand in _operands(node) if isinstance(operand, Call)]
    return [*calls, node] if isinstance(node, Call) else calls


def _refusal(message: str) -> Check:
    def refuse(values: Values) -> None:
        raise ExpressionError(message)

    return refuse


def _count_check(call: Call) -> Check:
    if len(call.args) == _OPERANDS[call.name]:
        return lambda values: None
    return _refusal(
        "Incorrect number of operands for operator or function; "
        f"operator or function: {call.name}, number of operands: {len(call.args)}"
    )


def wrong_type(name: str, kind: str) -> ExpressionError:
    return ExpressionError(
        f"Incorrect operand type for operator or function; operator or function: {name}, operand type: {kind}"
    )


def _type_check(call: Call) -> Check:
    name, args = call.name, call.args
    if name in ("attribute_exists", "attribute_not_exists") and not isinstance(args[0], Path):
        return _refusal(f"Operator or function requires a document path; operator or function: {name}")

    def check(values: Values) -> None:
        kinds = ["N" if isinstance(arg, Call | Arithmetic) else value_kind(arg, values) for arg in args]
        if name == "begins_with":
            for kind in kinds:
                if kind and kind not in ("S", "B"):
                    raise wrong_type(name, kind)
        elif name == "size" and kinds[0] in ("N", "BOOL", "NULL"):
            raise wrong_type(name, str(kinds[0]))
        elif name == "attribute_type":
            second = args[1]
            if kinds[1] != "S" or not isinstance(second, ValueRef):
                raise wrong_type(name, kinds[1] or "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
            wanted = values[second.name]["S"]
            if wanted not in KINDS:
                raise ExpressionError(
                    f"Invalid attribute type name found; type: {wanted}, valid types: {_TYPE_NAMES}"
                )

    return check


def _order_check(node: Compare) -> Check:
    def check(values: Values) -> None:
        for operand in (node.left, node.right):
            kind = value_kind(operand, values)
            if kind and kind not in ("S", "N", "B"):
                raise wrong_type(node.sign, kind)

    return check


def _bounds_check(node: Between) -> Check:
    def check(values: Values) -> None:
        for operand in (node.subject, node.low, node.high):
            kind = value_kind(operand, values)
            if kind and kind not in ("S", "N", "B"):
                raise wrong_type("BETWEEN", kind)
        if value_kind(node.low, values) and value_kind(node.high, values):
            assert isinstance(node.low, ValueRef) and isinstance(node.high, ValueRef)
            check_bounds(values[node.low.name], values[node.high.name])

    return check


def check_bounds(low: Value, high: Value) -> None:
    """Of BETWEEN, in conditions and key conditions."""
    told = f"lower bound operand: AttributeValue: {shown(low)}, upper bound operand: AttributeValue: {shown(high)}"
    if low.keys() != high.keys():
        raise ExpressionError(
            f"The BETWEEN operator requires same data type for lower and upper bounds; {told}"
        )
    if compare(low, high) == 1:
        raise ExpressionError(
            f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {told}"
        )


def _comparison(sign: str, left: Getter, right: Getter) -> Test:
    if sign in ("=", "<>"):
        wanted = sign == "="

        def same(item: Item, values: Values) -> bool:
            a, b = left(item, values), right(item, values)
            if a is None or b is None:
                return not wanted and (a is not None or b is not None)
            return equal(a, b) is wanted

        return same

    orders = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}[sign]

    def ordered(item: Item, values: Values) -> bool:
        a, b = left(item, values), right(item, values)
        return a is not None and b is not None and compare(a, b) in orders

    return ordered


def _between(subject: Getter, low: Getter, high: Getter) -> Test:
    def test(item: Item, values: Values) -> bool:
        value, first, last = subject(item, values), low(item, values), high(item, values)
        if value is None or first is None or last is None:
            return False
        return compare(value, first) in (0, 1) and compare(value, last) in (-1, 0)

    return test


def _in(subject: Getter, options: list[Getter]) -> Test:
    def test(item: Item, values: Values) -> bool:
        value = subject(item, values)
        if value is None:
            return False
        for option in options:
            other = option(item, values)
            if other is not None and equal(value, other):
                return True
        return False

    return test


def _function(name: str, args: list[Getter]) -> Test:
    first = args[0]
    if name == "attribute_exists":
        return lambda item, values: first(item, values) is not None
    if name == "attribute_not_exists":
        return lambda item, values: first(item, values) is None
    second = args[-1]
    test = {"begins_with": begins_with, "contains": contains, "attribute_type": _is_type}.get(name)
    if test is None:
        return lambda item, values: False

    def run(item: Item, values: Values) -> bool:
        a, b = first(item, values), second(item, values)
        return a is not None and b is not None and test(a, b)

    return run


def _is_type(value: Value, wanted: Value) -> bool:
    return kind_of(value) == wanted.get("S")


def begins_with(value: Value, prefix: Value) -> bool:
    kind = kind_of(value)
    return kind in ("S", "B") and kind == kind_of(prefix) and value[kind].startswith(prefix[kind])


def contains(value: Value, wanted: Value) -> bool:
    """A substring of text or binary, a member of a set, an element of a list."""
    kind, kind_wanted = kind_of(value), kind_of(wanted)
    if kind in ("S", "B"):
        return kind == kind_wanted and wanted[kind] in value[kind]
    if kind in ("SS", "NS", "BS"):
        return kind[0] == kind_wanted and wanted[kind_wanted] in value[kind]
    return kind == "L" and any(equal(member, wanted) for member in value["L"])


def _size(value: Value | None) -> Value | None:
    if value is None:
        return None
    kind, content = next(iter(value.items()))
    return None if kind in ("N", "BOOL", "NULL") else {"N": str(len(content))}
