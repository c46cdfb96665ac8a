"""XML as the query, ec2 and rest-xml protocols write it: a shape's members as elements.

Members that travel elsewhere (in headers, in the status) are left out; those that the model calls attributes become
some, with the namespace that their prefix needs.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .model import Member, Shape
from .shapes import to_text

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;"}
_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]')


def escape(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], "\ufffd"), text)


def write_members(shape: Shape, value: dict[str, Any], parts: list[str]) -> None:
    for member in _elements(shape):
        item = value.get(member.name)
        if item is not None:
            _write(member, member.wire, item, parts)


@lru_cache(maxsize=4096)
def _elements(shape: Shape) -> tuple[Member, ...]:
    return tuple(member for member in shape.members.values() if not member.location and not member.attribute)


@lru_cache(maxsize=4096)
def _attributes(shape: Shape) -> tuple[Member, ...]:
    return tuple(member for member in shape.members.values() if member.attribute)


def _write(member: Member, tag: str, value: Any, parts: list[str]) -> None:
    shape = member.shape
    if shape.type == "list":
        inner = shape.member
        assert inner is not None
        if member.flattened:
            for item in value:
                _write(inner, inner.wire if inner.named else tag, item, parts)
            return
        parts.append(f"<{tag}>")
        for item in value:
            _write(inner, inner.wire if inner.named else "member", item, parts)
    elif shape.type == "structure":
        attributes = _attributes(shape)
        parts.append(f"<{tag}{_written(attributes, value)}>" if attributes else f"<{tag}>")
        write_members(shape, value, parts)
    elif shape.type == "map":
        _write_map(member, tag, value, parts)
        return
    else:
        parts.append(f"<{tag}>{escape(to_text(member, value))}")
    parts.append(f"</{tag}>")


def _write_map(member: Member, tag: str, value: dict[str, Any], parts: list[str]) -> None:
    key, content = member.shape.key, member.shape.value
    assert key is not None
    assert content is not None
    entry = tag if member.flattened else "entry"
    if not member.flattened:
        parts.append(f"<{tag}>")
    for name, item in value.items():
        parts.append(f"<{entry}><{key.wire}>{escape(name)}</{key.wire}>")
        _write(content, content.wire, item, parts)
        parts.append(f"</{entry}>")
    if not member.flattened:
        parts.append(f"</{tag}>")


def _written(attributes: tuple[Member, ...], value: dict[str, Any]) -> str:
    made = ""
    for member in attributes:
        item = value.get(member.name)
        if item is not None:
            prefix = member.wire.partition(":")[0]
            made += f' xmlns:{prefix}="{SCHEMA}" {member.wire}="{escape(str(item))}"'
    return made
