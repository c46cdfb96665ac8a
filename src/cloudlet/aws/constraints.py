"""The model's constraints on a request, in the words in which AWS's services say them.

All violations are collected and told in one message:
    2 validation errors detected: Value '' at 'tableName' failed to satisfy constraint: Member must have length greater
    than or equal to 3; Value null at 'keySchema' failed to satisfy constraint: Member must not be null
Paths are in the services' own spelling: first letter lower, list elements `.1.member`, map values `.key.member`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .model import Member, Shape
from .shapes import FLOATS, INTEGERS, pattern

MOST = 10
"""More than so many violations are not told."""


def check(shape: Shape, value: dict[str, Any]) -> str | None:
    """The message about what is wrong with a structure, or None."""
    if not is_constrained(shape):
        return None
    for name, words in shape.wording.items():
        given = value.get(name)
        told = None if given else words.get("missing" if given is None else "empty")
        if told:
            return told
    found: list[str] = []
    _structure(shape, value, "", found)
    if not found:
        return None
    del found[MOST:]
    noun = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {noun} detected: {'; '.join(found)}"


def is_constrained(shape: Shape) -> bool:
    """Whether the shape, or any inside it, has a constraint at all."""
    if shape.constrained is None:
        shape.constrained = any(
            inner.required or inner.enum or inner.pattern or inner.min is not None or inner.max is not None
            for inner in shape.reachable()
        )
    return shape.constrained


def _structure(shape: Shape, value: dict[str, Any], path: str, found: list[str]) -> None:
    for name in shape.required:
        if value.get(name) is None:
            found.append(_told("null", path + lower_first(name), "Member must not be null"))
    for member in _checked(shape):
        item = value.get(member.name)
        if item is not None:
            _value(member.shape, item, path + lower_first(member.name), found)


@lru_cache(maxsize=4096)
def _checked(shape: Shape) -> tuple[Member, ...]:
    """The members that have constraints: of S3's sixty headers hardly any."""
    return tuple(member for member in shape.members.values() if is_constrained(member.shape))


def _value(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    for rule in broken_rules(shape, value):
        found.append(_told(f"'{'***' if shape.sensitive else java(shape, value)}'", path, rule))
    if shape.type == "structure":
        if not shape.document:
            _structure(shape, value, f"{path}.", found)
    elif shape.type == "list":
        _list(shape, value, path, found)
    elif shape.type == "map":
        _map(shape, value, path, found)


def _list(shape: Shape, value: list[Any], path: str, found: list[str]) -> None:
    assert shape.member is not None
    inner = shape.member.shape
    if _nests(inner):
        for number, item in enumerate(value, 1):
            _value(inner, item, f"{path}.{number}.member", found)
    elif is_constrained(inner) and any(broken_rules(inner, item) for item in value):
        rules = ", ".join(all_rules(inner))
        found.append(_told(f"'{java(shape, value)}'", path, f"Member must satisfy constraint: [{rules}]"))


def _map(shape: Shape, value: dict[str, Any], path: str, found: list[str]) -> None:
    assert shape.key is not None
    assert shape.value is not None
    keys, inner = shape.key.shape, shape.value.shape
    if is_constrained(keys) and any(broken_rules(keys, key) for key in value):
        rules = ", ".join(all_rules(keys))
        found.append(_told(f"'{java(shape, value)}'", path, f"Map keys must satisfy constraint: [{rules}]"))
    if (
        inner.type != "structure"
        and is_constrained(inner)
        and any(broken_rules(inner, v) for v in value.values())
    ):
        rules = ", ".join(all_rules(inner))
        found.append(_told(f"'{java(shape, value)}'", path, f"Map value must satisfy constraint: [{rules}]"))
    if _nests(inner):
        for key, item in value.items():
            if inner.type == "structure":
                _structure(inner, item, f"{path}.{key}.member.", found)
            elif inner.type == "list":
                _list(inner, item, f"{path}.{key}.member", found)
            else:
                _map(inner, item, f"{path}.{key}.member", found)


def _nests(shape: Shape) -> bool:
    return shape.type in ("structure", "list", "map") and is_constrained(shape)


def broken_rules(shape: Shape, value: Any) -> list[str]:
    """The rules that a value breaks, of its own shape alone."""
    broken: list[str] = []
    kind = shape.type
    if kind in INTEGERS or kind in FLOATS:
        if shape.min is not None and value < shape.min:
            broken.append(_at_least("value", shape.min))
        if shape.max is not None and value > shape.max:
            broken.append(_at_most("value", shape.max))
    elif kind in ("string", "list", "map", "blob"):
        if shape.enum and value not in shape.enum:
            broken.append(_one_of(shape))
        if shape.max is not None and len(value) > shape.max:
            broken.append(_at_most("length", shape.max))
        if shape.min is not None and len(value) < shape.min:
            broken.append(_at_least("length", shape.min))
        compiled = pattern(shape.pattern) if shape.pattern and kind == "string" else None
        if compiled is not None and not compiled.match(value):
            broken.append(_matches(shape))
    return broken


def all_rules(shape: Shape) -> list[str]:
    """Every rule of the shape, as AWS lists them when one element of a collection breaks one."""
    measure = "value" if shape.type in INTEGERS or shape.type in FLOATS else "length"
    rules = []
    if shape.enum:
        rules.append(_one_of(shape))
    if shape.max is not None:
        rules.append(_at_most(measure, shape.max))
    if shape.min is not None:
        rules.append(_at_least(measure, shape.min))
    if shape.pattern:
        rules.append(_matches(shape))
    return rules


def _told(value: str, path: str, rule: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {rule}"


def _at_least(measure: str, limit: float) -> str:
    return f"Member must have {measure} greater than or equal to {_figure(limit)}"


def _at_most(measure: str, limit: float) -> str:
    return f"Member must have {measure} less than or equal to {_figure(limit)}"


def _one_of(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def _matches(shape: Shape) -> str:
    return f"Member must satisfy regular expression pattern: {shape.pattern}"


def _figure(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)


def lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


def java(shape: Shape, value: Any) -> str:
    """A value as the services' own language prints it."""
    if shape.type == "list":
        assert shape.member is not None
        inner = shape.member.shape
        return f"[{', '.join(java(inner, item) for item in value)}]"
    if shape.type == "map":
        assert shape.value is not None
        inner = shape.value.shape
        return f"{{{', '.join(f'{key}={java(inner, item)}' for key, item in value.items())}}}"
    if shape.type == "structure" and not shape.document:
        members = (
            f"{lower_first(name)}={java(member.shape, value[name]) if value.get(name) is not None else 'null'}"
            for name, member in shape.members.items()
        )
        return f"{shape.name}({', '.join(members)})"
    if shape.type == "blob":
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
