"""Keys: tuples as bytes that sort as the tuples do. The system of record for the type codes.

    code        part                  bytes after the code                                     sorts
    00          end of bytes, str or a nested tuple; never a code, so that the shorter sorts first
    05          None                  -                                                        None first
    08, 09      False, True           -
    0f          int <= -(2**64)       length (4 bytes, inverted), magnitude inverted           all ints
    10 .. 17    int of 8 .. 1 bytes   magnitude inverted, big-endian                           by value
    18          0                     -
    19 .. 20    int of 1 .. 8 bytes   big-endian
    21          int >= 2**64          length (4 bytes), big-endian
    28          float                 IEEE 754, sign bit flipped (all bits if negative)        by value, apart from ints
    30          bytes                 the bytes, 00 written as 00 ff, then 00                  byte by byte
    38          str                   UTF-8, 00 written as 00 ff, then 00                      by code point
    40          tuple                 the parts, then 00                                       part by part

Codes are added, never changed or reused. Rules: a key is unpacked to equal parts of equal types; for parts of
one type `a < b` holds exactly if `pack(a) < pack(b)`; every key that continues `pack(*parts)` by further parts lies in
`range(*parts)`, and no other does. -0.0 sorts before 0.0, and a NaN at either end.
"""

from __future__ import annotations

import struct
from typing import Any

_float = struct.Struct(">d")
_length = struct.Struct(">I")
_POSITIVE = tuple(bytes((0x18 + size,)) for size in range(9))
"""The code of a positive int by its size."""


class Subspace:
    """All keys that begin with some parts. A service has one; its `storage.py` hangs everything under it."""

    __slots__ = ("prefix",)

    def __init__(self, *parts: Any, prefix: bytes = b"") -> None:
        self.prefix = prefix + encode(parts)

    def __repr__(self) -> str:
        return f"Subspace{decode(self.prefix)}"

    def pack(self, *parts: Any) -> bytes:
        return self.prefix + encode(parts)

    def unpack(self, key: bytes) -> tuple[Any, ...]:
        """The parts after the subspace's own."""
        if not key.startswith(self.prefix):
            raise ValueError(f"key {key!r} is not under {self!r}")
        return decode(key, len(self.prefix))

    def range(self, *parts: Any) -> tuple[bytes, bytes]:
        """Begin and end of the keys that begin with these parts (the key of exactly these parts included)."""
        prefix = self.prefix + encode(parts)
        return prefix, prefix + b"\xff"

    def sub(self, *parts: Any) -> Subspace:
        return Subspace(*parts, prefix=self.prefix)


def successor(key: bytes) -> bytes:
    """The first key after `key`: the begin of a range that leaves it out, the end of one that has it."""
    return key + b"\x00"


def prefix_range(prefix: bytes) -> tuple[bytes, bytes]:
    """Begin and end of all keys that start with these bytes (for a prefix that ends within a part)."""
    stem = prefix.rstrip(b"\xff")
    if not stem:
        raise ValueError("a prefix of nothing but ff bytes has no end")
    return prefix, stem[:-1] + bytes((stem[-1] + 1,))


def encode(parts: tuple[Any, ...]) -> bytes:
    out = []
    for part in parts:
        kind = type(part)
        if kind is str:
            text = part.encode()
            if b"\x00" in text:
                text = text.replace(b"\x00", b"\x00\xff")
            out.append(b"\x38%b\x00" % text)
        elif kind is int:
            if part > 0 and (size := (part.bit_length() + 7) >> 3) <= 8:
                out.append(_POSITIVE[size] + part.to_bytes(size, "big"))
            else:
                out.append(_encode_int(part))
        elif kind is bytes:
            if b"\x00" in part:
                part = part.replace(b"\x00", b"\x00\xff")
            out.append(b"\x30%b\x00" % part)
        elif part is None:
            out.append(b"\x05")
        elif kind is bool:
            out.append(b"\x09" if part else b"\x08")
        elif kind is float:
            out.append(_encode_float(part))
        elif kind is tuple:
            out.append(b"\x40%b\x00" % encode(part))
        else:
            raise TypeError(f"a key has no part of type {kind.__name__}: {part!r}")
    return b"".join(out)


def decode(key: bytes, start: int = 0) -> tuple[Any, ...]:
    parts, end = _decode_parts(key, start)
    if end != len(key):
        raise ValueError(f"key {key!r} has an end of a tuple at {end} but no begin")
    return parts


def _encode_int(value: int) -> bytes:
    if value == 0:
        return b"\x18"
    size = (value.bit_length() + 7) >> 3
    if value > 0:
        if size <= 8:
            return _POSITIVE[size] + value.to_bytes(size, "big")
        return b"\x21" + _length.pack(size) + value.to_bytes(size, "big")
    inverted = ((1 << 8 * size) - 1 + value).to_bytes(size, "big")
    if size <= 8:
        return bytes((0x18 - size,)) + inverted
    return b"\x0f" + _length.pack(0xFFFFFFFF - size) + inverted


def _encode_float(value: float) -> bytes:
    raw = _float.pack(value)
    if raw[0] & 0x80:
        return b"\x28" + bytes(0xFF - byte for byte in raw)
    return b"\x28" + bytes((raw[0] | 0x80,)) + raw[1:]


def _decode_parts(key: bytes, at: int) -> tuple[tuple[Any, ...], int]:
    """The parts from `at` to the end of the key or of the tuple, and where that is."""
    parts: list[Any] = []
    size = len(key)
    while at < size:
        code = key[at]
        if code == 0x38 or code == 0x30:
            raw, at = _decode_bytes(key, at + 1)
            parts.append(raw.decode() if code == 0x38 else raw)
        elif 0x10 <= code <= 0x20:
            length = abs(code - 0x18)
            parts.append(_decode_int(key[at + 1 : at + 1 + length], length, code < 0x18))
            at += 1 + length
        elif code == 0x05:
            parts.append(None)
            at += 1
        elif code == 0x08 or code == 0x09:
            parts.append(code == 0x09)
            at += 1
        elif code == 0x28:
            parts.append(_decode_float(key[at + 1 : at + 9]))
            at += 9
        elif code == 0x40:
            nested, at = _decode_parts(key, at + 1)
            if at >= size:
                raise ValueError(f"key {key!r} ends within a tuple")
            parts.append(nested)
            at += 1
        elif code == 0x21 or code == 0x0F:
            (length,) = _length.unpack_from(key, at + 1)
            length = length if code == 0x21 else 0xFFFFFFFF - length
            parts.append(_decode_int(key[at + 5 : at + 5 + length], length, code == 0x0F))
            at += 5 + length
        elif code == 0x00:
            break
        else:
            raise ValueError(f"key {key!r} has an unknown type code {code:#04x} at {at}")
    return tuple(parts), at


def _decode_bytes(key: bytes, at: int) -> tuple[bytes, int]:
    end = key.find(b"\x00", at)
    if key[end + 1 : end + 2] != b"\xff":
        if end < 0:
            raise ValueError(f"key {key!r} ends within a part")
        return key[at:end], end + 1
    while key[end + 1 : end + 2] == b"\xff":
        end = key.find(b"\x00", end + 2)
        if end < 0:
            raise ValueError(f"key {key!r} ends within a part")
    return key[at:end].replace(b"\x00\xff", b"\x00"), end + 1


def _decode_int(raw: bytes, size: int, negative: bool) -> int:
    if len(raw) != size:
        raise ValueError("a key ends within an int")
    value = int.from_bytes(raw, "big")
    return value - (1 << 8 * size) + 1 if negative else value


def _decode_float(raw: bytes) -> float:
    if len(raw) != 8:
        raise ValueError("a key ends within a float")
    if raw[0] & 0x80:
        raw = bytes((raw[0] & 0x7F,)) + raw[1:]
    else:
        raw = bytes(0xFF - byte for byte in raw)
    value: float = _float.unpack(raw)[0]
    return value
