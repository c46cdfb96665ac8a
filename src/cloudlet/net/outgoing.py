"""What a connection sends within a turn of the loop: gathered, and written in one piece at the turn's end.

A system call between two requests makes the processor forget what it knows of our code, which costs more than the call
itself. So all connections write one after the other, when the turn's requests are done; the hub calls `push`.
"""

from __future__ import annotations

import asyncio

from .hub import Hub


class Outgoing(asyncio.Protocol):
    """The part of a connection that writes."""

    __slots__ = ("_gathered", "_hub", "_transport")

    def __init__(self, hub: Hub, transport: asyncio.Transport) -> None:
        self._hub = hub
        self._transport = transport
        self._gathered = b""

    def _gather(self, data: bytes, most: int) -> None:
        """Have it written at the end of this turn. More than `most` bytes are written at once, so that the client's
        slowness is felt."""
        if self._gathered:
            self._gathered += data
        else:
            self._gathered = data
            self._hub.push_later(self)
        if len(self._gathered) > most:
            self.push()

    def push(self) -> None:
        """Write what was gathered."""
        gathered, self._gathered = self._gathered, b""
        if gathered and not self._transport.is_closing():
            self._transport.write(gathered)
