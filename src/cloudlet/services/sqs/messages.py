"""A message before it is stored and after it is received: what is checked, its size, its checksums, what is shown."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import md5
from typing import Any

from . import model

Record = dict[str, Any]

MAX_NAME = 256
MAX_DIGITS = 38
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = bytes((9, 10, 13, *range(32, 128)))
"""What most bodies have no other than; looking for others among bytes is five times as fast as by `_INVALID`."""
_NAME = re.compile(r"[A-Za-z0-9_\-.]+")
_GROUP = re.compile(r"[!-~]{1,128}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?")
_length = struct.Struct(">I")


def checked_body(body: str | None) -> bytes:
    """A body that can be sent, as its bytes."""
    if not body:
        raise model.missing("MessageBody")
    if body.isascii() and not (raw := body.encode()).translate(None, _PLAIN):
        return raw
    if _INVALID.search(body):
        raise model.bad_contents()
    return body.encode()


def check_delay(seconds: int | None) -> None:
    if seconds is not None and not 0 <= seconds <= model.MAX_DELAY:
        raise model.invalid_value(
            seconds, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {model.MAX_DELAY}."
        )


def check_group(group: str | None) -> None:
    if group is not None and not _GROUP.fullmatch(group):
        raise model.invalid_value(
            group,
            "MessageGroupId",
            "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        )


def check_attributes(attributes: Mapping[str, Record]) -> None:
    if len(attributes) > model.MAX_ATTRIBUTES:
        raise model.invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{model.MAX_ATTRIBUTES}]."
        )
    for name, attribute in attributes.items():
        _check_name(name)
        _check_attribute(name, attribute)


def _check_name(name: str) -> None:
    if not name:
        raise model.invalid("The request must contain non-empty message (user) attribute names.")
    if len(name) >= MAX_NAME:
        raise model.invalid(f"Message (user) attribute name must be shorter than {MAX_NAME} bytes.")
    wrong = next((character for character in name if not _NAME.fullmatch(character)), None)
    if wrong is not None:
        raise model.invalid(
            f"Invalid non-alphanumeric character '#x{ord(wrong):X}' was found in the message attribute name. Can only "
            "include alphanumeric characters, hyphens, underscores, or dots."
        )
    if name.lower().startswith(("aws.", "amazon.")):
        raise model.invalid(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for "
            "internal use."
        )
    for is_wrong, what in (
        (name.startswith("."), "begin with character '.'"),
        (name.endswith("."), "end with character '.'"),
        (".." in name, "have successive '.' characters"),
    ):
        if is_wrong:
            raise model.invalid(f"Message (user) attribute name must not {what}.")


def _check_attribute(name: str, attribute: Record) -> None:
    kind = attribute.get("DataType")
    if not kind:
        raise model.invalid(
            f"The message (user) attribute '{name}' must contain a non-empty message attribute type."
        )
    base = kind.partition(".")[0]
    if base not in ("String", "Number", "Binary"):
        raise model.invalid(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the following supported type "
            "prefixes: Binary, Number, String."
        )
    if len(kind) >= MAX_NAME:
        raise model.invalid(f"Message (user) attribute type must be shorter than {MAX_NAME} bytes.")
    if attribute.get("StringListValues") or attribute.get("BinaryListValues"):
        raise model.invalid("Message attribute list values in SendMessage operation are not supported.")
    field, other = ("BinaryValue", "StringValue") if base == "Binary" else ("StringValue", "BinaryValue")
    value = attribute.get(field)
    if value and attribute.get(other):
        raise model.invalid(f"Message (user) attribute '{name}' must have a single value.")
    if not value and attribute.get(other):
        raise model.invalid(
            f"Message (user) attribute '{name}' with type '{kind}' must use field '{field.removesuffix('Value')}'."
        )
    if not value:
        raise model.invalid(
            f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
        )
    if base != "Binary" and _INVALID.search(value):
        raise model.invalid(model.bad_contents().message)
    if base == "Number" and not _is_number(value):
        raise model.invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")


def _is_number(text: str) -> bool:
    """Up to 38 digits, between 10^-128 and 10^126 either side of zero."""
    if not _NUMBER.fullmatch(text):
        return False
    number = Decimal(text)
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return not number or (len(digits) <= MAX_DIGITS and -128 <= number.adjusted() < 126 + (digits == "1"))


def check_system_attributes(attributes: Mapping[str, Record]) -> None:
    for name, attribute in attributes.items():
        if name != "AWSTraceHeader":
            raise model.invalid(f"Message system attribute name '{name}' is invalid.")
        if attribute.get("DataType") != "String" or not attribute.get("StringValue"):
            raise model.invalid(
                f"The message system attribute '{name}' must contain a non-empty value of type 'String'."
            )


def size_of(body: bytes, attributes: Mapping[str, Record]) -> int:
    """What counts for the limits: the body, and names, types and values of attributes."""
    return len(body) + sum(
        len(name) + len(attribute.get("DataType") or "") + len(_value(attribute))
        for name, attribute in attributes.items()
    )


def _value(attribute: Record) -> bytes:
    binary = attribute.get("BinaryValue")
    if binary is not None:
        return bytes(binary)
    return (attribute.get("StringValue") or "").encode()


def digest(attributes: Mapping[str, Record]) -> str:
    """MD5 of attributes as the SDKs check it: in order of names, each part with its length, the value with its kind."""
    parts: list[bytes] = []
    for name in sorted(attributes):
        attribute = attributes[name]
        for text in (name, attribute["DataType"]):
            raw = text.encode()
            parts += (_length.pack(len(raw)), raw)
        value = _value(attribute)
        parts += (b"\x02" if "BinaryValue" in attribute else b"\x01", _length.pack(len(value)), value)
    return md5(b"".join(parts), usedforsecurity=False).hexdigest()


def body_digest(body: bytes) -> str:
    return md5(body, usedforsecurity=False).hexdigest()


def packed(attributes: Mapping[str, Record]) -> Record:
    """Attributes as JSON can have them."""
    return {
        name: {**attribute, "BinaryValue": base64.b64encode(attribute["BinaryValue"]).decode()}
        if "BinaryValue" in attribute
        else attribute
        for name, attribute in attributes.items()
    }


def unpacked(attributes: Mapping[str, Record]) -> Record:
    return {
        name: {**attribute, "BinaryValue": base64.b64decode(attribute["BinaryValue"])}
        if "BinaryValue" in attribute
        else attribute
        for name, attribute in attributes.items()
    }


def selected(attributes: Mapping[str, Record], wanted: Iterable[str]) -> dict[str, Record]:
    """The attributes that a receive asked for: by name, by `prefix.*`, or all."""
    patterns = list(wanted)
    if "All" in patterns or ".*" in patterns:
        return dict(attributes)
    prefixes = tuple(pattern[:-1] for pattern in patterns if pattern.endswith(".*"))
    return {
        name: value
        for name, value in attributes.items()
        if name in patterns or (prefixes and name.startswith(prefixes))
    }
