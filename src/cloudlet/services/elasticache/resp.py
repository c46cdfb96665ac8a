"""RESP, as much of it as the node needs to tell its own servers something: commands and answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

ADMIN = "cloudlet.node"
"""The node's own user at its servers; a name that no user of ElastiCache can have."""


class RespError(Exception):
    """The server answered with an error."""


def command(*words: str | bytes) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        raw = word.encode() if isinstance(word, str) else word
        parts.append(b"$%d\r\n%s\r\n" % (len(raw), raw))
    return b"".join(parts)


async def answer(reader: asyncio.StreamReader) -> Any:
    """One answer; an error answer is raised."""
    line = (await reader.readuntil(b"\r\n"))[:-2]
    kind, rest = line[:1], line[1:]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        raise RespError(rest.decode(errors="replace"))
    if kind == b":":
        return int(rest)
    if kind == b"$":
        size = int(rest)
        return None if size < 0 else (await reader.readexactly(size + 2))[:-2].decode(errors="replace")
    if kind == b"*":
        return [await answer(reader) for _ in range(int(rest))]
    raise RespError(f"an answer of an unknown kind: {line!r}")


async def ask(socket: Path, password: str, *commands: tuple[str, ...]) -> list[Any]:
    """Run the commands, one after the other, as the node's own user; the first error ends it."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        answers = []
        for words in (("AUTH", ADMIN, password), *commands):
            writer.write(command(*words))
            answers.append(await answer(reader))
        return answers[1:]
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the server hung up") from error
    finally:
        writer.close()
