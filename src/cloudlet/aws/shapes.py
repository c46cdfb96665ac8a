"""Values and their JSON: from the wire into boto3's form and back, by the shapes of the model.

boto3's form: structures and maps are dicts by member name, blobs bytes, timestamps float seconds, absent is absent.

- `from_json` is the exact way: it words a wrong type as AWS's own deserializer does, drops null members and ignores
  members that the shape doesn't have.
- `decoder` is the fast way: a msgspec type built from the shape, constraints included, so that one pass in C parses and
  checks. It refuses more than AWS does (null, say); what it refuses goes the exact way.
- `to_json` is needed only for shapes that aren't `plain`; the others leave through orjson as they are.
"""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import orjson

from .model import Member, Shape

INTEGERS = {
    "integer": "Integer",
    "long": "Long",
    "short": "Short",
    "byte": "Byte",
    "bigInteger": "BigInteger",
}
FLOATS = {"float": "Float", "double": "Double", "bigDecimal": "BigDecimal"}
JAVA = {
    **INTEGERS,
    **FLOATS,
    "string": "String",
    "boolean": "Boolean",
    "timestamp": "Date",
    "blob": "ByteBuffer",
}


MISPLACED = "Start of structure or map found where not expected"


class Unreadable(Exception):
    """The value's type is not the shape's; the text is AWS's."""


# --- from JSON ------------------------------------------------------------


def from_json(shape: Shape, value: Any, timestamp: str = "", *, element: bool = False) -> Any:
    """A parsed JSON value in boto3's form. `element`: it stands in a list or map, not in a structure."""
    kind = shape.type
    if kind == "string":
        if isinstance(value, str):
            return value
        raise _mismatch(shape, value)
    if kind == "structure":
        return _structure(shape, value, element)
    if kind == "map":
        if not isinstance(value, dict):
            raise _collection(shape, value, element)
        member = _member(shape.value)
        return {
            key: from_json(member.shape, item, member.timestamp, element=True)
            for key, item in value.items()
            if item is not None
        }
    if kind == "list":
        if not isinstance(value, list):
            raise _collection(shape, value, element)
        member = _member(shape.member)
        return [
            from_json(member.shape, item, member.timestamp, element=True)
            for item in value
            if item is not None
        ]
    if kind == "blob":
        return _blob(value)
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        raise _mismatch(shape, value)
    if kind == "timestamp":
        if isinstance(value, bool | list | dict):
            raise _mismatch(shape, value)
        return parse_timestamp(value)
    return _number(shape, value)


def _structure(shape: Shape, value: Any, element: bool) -> Any:
    if shape.document:
        return value
    if not isinstance(value, dict):
        raise _collection(shape, value, element)
    result = {}
    for member in shape.members.values():
        item = value.get(member.wire)
        if item is not None:
            result[member.name] = from_json(member.shape, item, member.timestamp)
    return result


def _member(member: Member | None) -> Member:
    assert member is not None  # lists and maps of a model always have it
    return member


def _number(shape: Shape, value: Any) -> int | float:
    """A fraction where an integer is meant is cut off."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        if shape.type in FLOATS and value in ("NaN", "Infinity", "-Infinity"):
            return float(value)
        raise _mismatch(shape, value)
    return int(value) if shape.type in INTEGERS else value


def _mismatch(shape: Shape, value: Any) -> Unreadable:
    """A scalar of the wrong kind, or a collection in its place."""
    wanted = JAVA[shape.type]
    if isinstance(value, list):
        return Unreadable(f"Unrecognized collection type class java.lang.{wanted}")
    if isinstance(value, dict):
        return Unreadable(MISPLACED)
    if shape.type == "boolean" and isinstance(value, str):
        return Unreadable("Unexpected token received from parser")
    if isinstance(value, bool):
        token = "TRUE" if value else "FALSE"
    else:
        token = {str: "STRING", int: "NUMBER", float: "DECIMAL"}[type(value)]
    return Unreadable(f"{token}_VALUE cannot be converted to {wanted}")


def _collection(shape: Shape, value: Any, element: bool) -> Unreadable:
    """Something else in the place of a collection."""
    if isinstance(value, dict):
        return Unreadable(MISPLACED)
    if isinstance(value, list):
        return Unreadable(f"Unrecognized collection type {_class(shape)}")
    if element and shape.type == "structure":
        return Unreadable("Unexpected value type in payload")
    return Unreadable("Unexpected field type")


def _class(shape: Shape) -> str:
    if shape.type != "map":
        return f"class {shape.java}"
    inner = _member(shape.value).shape
    return f"java.util.Map<java.lang.String, {'java.lang.String' if inner.type == 'string' else inner.java}>"


def _blob(value: Any) -> bytes:
    if isinstance(value, list):
        raise Unreadable("Unrecognized collection type class java.nio.ByteBuffer")
    if isinstance(value, dict):
        raise Unreadable(MISPLACED)
    if not isinstance(value, str):
        raise Unreadable("only base-64-encoded strings are convertible to bytes")
    return blob(value)


def blob(text: str) -> bytes:
    """Base64 as strictly as AWS reads it."""
    if len(text) % 4:
        raise Unreadable(f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(text)}")
    wrong = re.search(r"[^a-zA-Z0-9+/=]", text)
    if wrong:
        raise Unreadable(f"Invalid Base64 character: '{wrong[0]}'")
    invalid = Unreadable("Invalid last non-pad Base64 character dectected")  # AWS's spelling
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise invalid from error
    if base64.b64encode(decoded).decode() != text:
        raise invalid
    return decoded


def parse_timestamp(value: str | int | float) -> float:
    """Seconds from any of the three forms: numbers, ISO 8601, HTTP dates."""
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError as error:
            raise Unreadable(f"Unable to parse date: {value}") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


# --- to JSON and text ------------------------------------------------------------


def encode_default(value: Any) -> Any:
    """What orjson can't write by itself."""
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is not a value of a model")


def dumps(value: Any) -> bytes:
    return orjson.dumps(value, default=encode_default)


def is_plain(shape: Shape) -> bool:
    """Whether boto3's form and the JSON form are the same but for blobs."""
    if shape.plain is None:
        shape.plain = all(_plain(member) for inner in shape.reachable() for member in inner.children())
    return shape.plain


def _plain(member: Member) -> bool:
    if member.location or (
        member.shape.type == "timestamp" and member.timestamp not in ("", "unixTimestamp")
    ):
        return False
    return member.wire == member.name or member.name in ("member", "key", "value")


def to_json(shape: Shape, value: Any, timestamp: str = "") -> Any:
    """A value in boto3's form as JSON can have it; blobs are left to `dumps`."""
    kind = shape.type
    if kind == "structure" and not shape.document:
        result = {}
        for member in shape.members.values():
            item = value.get(member.name)
            if item is not None:
                result[member.wire] = to_json(member.shape, item, member.timestamp)
        return result
    if kind == "list":
        member = _member(shape.member)
        return [to_json(member.shape, item, member.timestamp) for item in value]
    if kind == "map":
        member = _member(shape.value)
        return {key: to_json(member.shape, item, member.timestamp) for key, item in value.items()}
    if kind == "timestamp" and timestamp not in ("", "unixTimestamp"):
        return format_timestamp(value, timestamp)
    return value


def format_timestamp(value: float, form: str) -> str:
    """`form` is one of the models' three (iso8601, rfc822, unixTimestamp), or iso8601ms, which patches name."""
    if form == "unixTimestamp":
        return str(int(value)) if value == int(value) else str(value)
    if form == "rfc822":
        return _rfc822(int(value))
    moment = datetime.fromtimestamp(value, UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    millis = moment.microsecond // 1000
    return f"{text}.{millis:03d}Z" if millis or form == "iso8601ms" else f"{text}Z"


@lru_cache(maxsize=4096)
def _rfc822(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)


# --- values as text ------------------------------------------------------------


def from_text(shape: Shape, text: str) -> Any:
    """A value that stands as text in a form, a header or a path."""
    kind = shape.type
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            raise Unreadable(f"'{text}' can not be converted to Boolean")
        return text.lower() == "true"
    if kind == "blob":
        return blob(text)
    if kind == "timestamp":
        return parse_timestamp(text)
    try:
        if kind in INTEGERS:
            return int(text)
        if kind in FLOATS:
            return float(text)
    except ValueError as error:
        raise Unreadable(f"'{text}' can not be converted to {JAVA[kind]}") from error
    return text


def to_text(member: Member, value: Any, timestamp: str = "iso8601") -> str:
    """A scalar as text; `timestamp` is the protocol's form where the model names none."""
    kind = member.shape.type
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind == "timestamp":
        return format_timestamp(value, member.timestamp or timestamp)
    return str(value)


# --- compiled decoders ------------------------------------------------------------


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str] | None:
    """A model's pattern, matched against the whole value; None where Python's syntax differs from Java's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(rf"(?a:{text})\Z")
    except re.error:
        return None


def decoder(shape: Shape) -> Callable[[bytes], dict[str, Any]] | None:
    """A compiled decoder of the shape's JSON, or None if the wire's names differ from the members'."""
    for inner in shape.reachable():
        if inner.document or inner.event_stream or any(not _plain(member) for member in inner.children()):
            return None
    return msgspec.json.Decoder(_Types().type_of(shape)).decode


class _Types:
    """Builds msgspec types from shapes; a structure is a TypedDict whose members are filled in after it is known, so
    that recursive shapes refer to themselves."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def type_of(self, shape: Shape) -> Any:
        made = self._made.get(shape.name)
        if made is None:
            made = self._structure(shape) if shape.type == "structure" else self._simple(shape)
            self._made[shape.name] = made
        return made

    def _structure(self, shape: Shape) -> Any:
        made: Any = TypedDict(shape.name, {})  # type: ignore[misc]
        self._made[shape.name] = made
        made.__annotations__.update({m.name: self.type_of(m.shape) for m in shape.members.values()})
        made.__required_keys__ = frozenset(shape.required)
        made.__optional_keys__ = frozenset(shape.members) - made.__required_keys__
        return made

    def _simple(self, shape: Shape) -> Any:
        kind = shape.type
        if kind == "list":
            return _sized(list[self.type_of(_member(shape.member).shape)], shape)  # type: ignore[misc]
        if kind == "map":
            key, value = _member(shape.key).shape, _member(shape.value).shape
            return _sized(dict[self.type_of(key), self.type_of(value)], shape)  # type: ignore[misc]
        if kind == "string":
            return _string(shape)
        if kind == "blob":
            return _sized(bytes, shape)
        if kind == "boolean":
            return bool
        if kind == "timestamp":
            return float
        number = int if kind in INTEGERS else float
        meta: dict[str, Any] = {}
        if shape.min is not None:
            meta["ge"] = number(shape.min)
        if shape.max is not None:
            meta["le"] = number(shape.max)
        return Annotated[number, msgspec.Meta(**meta)] if meta else number


def _string(shape: Shape) -> Any:
    if shape.enum:
        return Literal[shape.enum]
    meta: dict[str, Any] = {}
    if shape.min:
        meta["min_length"] = int(shape.min)
    if shape.max is not None:
        meta["max_length"] = int(shape.max)
    compiled = pattern(shape.pattern) if shape.pattern else None
    if compiled is not None:
        meta["pattern"] = rf"\A{compiled.pattern}"
    return Annotated[str, msgspec.Meta(**meta)] if meta else str


def _sized(kind: Any, shape: Shape) -> Any:
    meta: dict[str, Any] = {}
    if shape.min:
        meta["min_length"] = int(shape.min)
    if shape.max is not None:
        meta["max_length"] = int(shape.max)
    return Annotated[kind, msgspec.Meta(**meta)] if meta else kind
