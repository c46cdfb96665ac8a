"""Forms that browsers upload: multipart/form-data, read as it comes. The file is the last field that counts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from . import model

MOST_FIELDS = 20_000
"""Bytes before the file: "POST Object" in the API Reference."""
_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_NAME = re.compile(r'[;\s]name="([^"]*)"')
_FILE = re.compile(r'filename="((?:[^"\\]|\\.)*)"')


def boundary(content_type: str) -> bytes:
    found = _BOUNDARY.match(content_type)
    if found is None:
        text = "Bucket POST must be of the enclosure-type multipart/form-data"
        raise model.error("PreconditionFailed", Condition=text)
    return (found[1] or found[2]).encode("latin-1", "replace")


def _malformed() -> Exception:
    return model.error("MalformedPOSTRequest")


class Form:
    """Call `fields`, then iterate over `file` if there is one."""

    def __init__(self, pieces: AsyncIterator[bytes], boundary: bytes) -> None:
        self._pieces = pieces
        self._edge = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")
        self._ended = False
        self.filename = ""
        self.file_type = ""
        """What the browser says that the file is."""
        self.has_file = False

    async def _more(self) -> bool:
        async for piece in self._pieces:
            self._buffer += piece
            return True
        self._ended = True
        return False

    async def _until(self, mark: bytes) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            if len(self._buffer) > MOST_FIELDS:
                raise model.error("MaxPostPreDataLengthExceededError")
            if not await self._more():
                raise _malformed()
        found = bytes(self._buffer[:at])
        del self._buffer[: at + len(mark)]
        return found

    async def fields(self) -> dict[str, str]:
        """Those before the file, by name in lower case."""
        found: dict[str, str] = {}
        size = 0
        if (await self._until(self._edge)).strip():
            raise _malformed()
        while await self._next():
            lines = (await self._until(b"\r\n\r\n")).decode("utf-8", "replace").split("\r\n")
            head = {name.strip().lower(): value for name, _, value in (one.partition(":") for one in lines)}
            disposition = head.get("content-disposition", "")
            named = _NAME.search(disposition)
            if named is None:
                raise _malformed()
            if named[1].lower() == "file":
                file = _FILE.search(disposition)
                self.filename = re.split(r"[/\\]", file[1])[-1] if file is not None else ""
                self.file_type = head.get("content-type", "").strip()
                self.has_file = True
                break
            value = await self._until(self._edge)
            size += len(value)
            if size > MOST_FIELDS:
                raise model.error("MaxPostPreDataLengthExceededError")
            found[named[1].lower()] = value.decode("utf-8", "replace")
        return found

    async def _next(self) -> bool:
        """Past what follows a boundary; False if it was the last."""
        while len(self._buffer) < 2:
            if not await self._more():
                raise _malformed()
        mark = bytes(self._buffer[:2])
        del self._buffer[:2]
        if mark == b"--":
            return False
        if mark != b"\r\n":
            raise _malformed()
        return True

    async def file(self) -> AsyncIterator[bytes]:
        kept = len(self._edge) - 1
        while (at := self._buffer.find(self._edge)) < 0:
            if len(self._buffer) > kept:
                piece = bytes(self._buffer[:-kept])
                del self._buffer[:-kept]
                yield piece
            if not await self._more():
                raise _malformed()
        if at:
            yield bytes(self._buffer[:at])
        self._buffer.clear()
        async for _ in self._pieces:  # what follows the file is ignored, and read so that it can be answered
            pass
