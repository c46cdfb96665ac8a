"""The checksums of objects: each algorithm as something to feed, and how those of parts become one of the whole.

CRC32C, CRC64NVME and the XXHASHes come from AWS's own C library, which is loaded when first needed.
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from . import model

SIZES = {
    "CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32, "SHA512": 64, "MD5": 16, "XXHASH64": 8,
    "XXHASH3": 8, "XXHASH128": 16,
}  # fmt: skip
DEFAULT = "CRC64NVME"
LINEAR = ("CRC32", "CRC32C", "CRC64NVME")
MEMBERS = {f"Checksum{name}": name for name in SIZES}
_XX = {"XXHASH64": "new_xxhash64", "XXHASH3": "new_xxhash3_64", "XXHASH128": "new_xxhash3_128"}
_GIVEN = frozenset(MEMBERS)


class Sum(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class Crc:
    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class XxHash:
    def __init__(self, algorithm: str) -> None:
        self._hash = getattr(_library().XXHash, _XX[algorithm])()
        self.update = self._hash.update

    def digest(self) -> bytes:
        return bytes(self._hash.finalize())


@lru_cache(maxsize=1)
def _library() -> Any:
    from awscrt import checksums  # type: ignore[import-untyped]  # heavy: 0.1 s and 7 MB

    return checksums


@lru_cache(maxsize=8)
def _crc(algorithm: str) -> Callable[[bytes, int], int]:
    if algorithm == "CRC32":
        return zlib.crc32
    found: Callable[[bytes, int], int] = getattr(_library(), algorithm.lower())
    return found


def new(algorithm: str) -> Sum:
    if algorithm in LINEAR:
        return Crc(_crc(algorithm), SIZES[algorithm])
    if algorithm in _XX:
        return XxHash(algorithm)
    return hashlib.new(algorithm.lower(), usedforsecurity=False)


def text(sum: Sum) -> str:
    return b64encode(sum.digest()).decode()


def of(algorithm: str, data: bytes) -> str:
    """The checksum of what is all here."""
    if algorithm in LINEAR:
        return b64encode(_crc(algorithm)(data, 0).to_bytes(SIZES[algorithm], "big")).decode()
    one = new(algorithm)
    one.update(data)
    return text(one)


def checked(algorithm: str, value: str) -> str:
    """A checksum as a client gives it, if it can be one."""
    try:
        raw = b64decode(value, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != SIZES[algorithm]:
        raise model.error(
            "InvalidRequest", f"Value for x-amz-checksum-{algorithm.lower()} header is invalid."
        )
    return value


def named(algorithm: str) -> str:
    """An algorithm that a request names."""
    if algorithm.upper() not in SIZES:
        raise model.error(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(SIZES)}]",
        )
    return algorithm.upper()


def given(request: dict[str, Any]) -> dict[str, str]:
    """The checksums that a request gives; no more than one may be."""
    if _GIVEN.isdisjoint(request):
        return {}
    found = {
        algorithm: checked(algorithm, request[member])
        for member, algorithm in MEMBERS.items()
        if request.get(member)
    }
    if len(found) > 1:
        raise model.error(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    return found


def composite(algorithm: str, parts: Sequence[str]) -> str:
    """The checksum of the parts' checksums."""
    whole = new(algorithm)
    for part in parts:
        whole.update(b64decode(part))
    return f"{text(whole)}-{len(parts)}"


def combined(algorithm: str, parts: Sequence[tuple[str, int]]) -> str:
    """The checksum of the whole from those of its parts and their sizes."""
    combine = getattr(_library(), f"combine_{algorithm.lower()}")
    value = 0
    for checksum, size in parts:
        value = combine(value, int.from_bytes(b64decode(checksum), "big"), size)
    return b64encode(value.to_bytes(SIZES[algorithm], "big")).decode()


def wrong_digest(expected: str, calculated: str) -> Exception:
    """Content-MD5 was another; both in hex."""
    told = {"ExpectedDigest": expected, "CalculatedDigest": calculated}
    return model.error(
        "BadDigest", **{name: b64encode(bytes.fromhex(value)).decode() for name, value in told.items()}
    )


def mismatch(algorithm: str) -> Exception:
    return model.error("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
