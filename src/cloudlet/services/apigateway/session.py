"""One client's connection: its states, its bounded outbox, the messages of it that are at work.

    accepted --on_open--> open --on_close--> closed

A session doesn't read further while `model.IN_FLIGHT` of its messages are at work. What waits to be written to a
client is bounded by `model.OUTBOX_BYTES`; a client that lets it grow beyond is cut off. There may be many thousands of
sessions: keep them small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...context import Principal
from ...net.messages import Socket
from . import events, model

if TYPE_CHECKING:
    from .gateway import Gateway
    from .serving import Stage


class Session:
    __slots__ = (
        "_closing", "_fragments", "authorizer", "connected_ms", "end", "gateway", "id", "in_flight", "last_active",
        "signer", "slot", "socket", "source_ip", "stage", "user_agent",
    )  # fmt: skip

    def __init__(self, gateway: Gateway, stage: Stage, id: str, source_ip: str, user_agent: str) -> None:
        self.gateway = gateway
        self.stage = stage
        self.id = id
        self.source_ip = source_ip
        self.user_agent = user_agent
        self.connected_ms = gateway.clock.now_ms()
        self.last_active = self.connected_ms / 1000
        self.end = self.last_active + model.CONNECTION_SECONDS
        self.authorizer: dict[str, Any] | None = None
        self.signer: Principal | None = None
        """Who signed the handshake, where the route asks for it."""
        self.socket: Socket | None = None
        self.slot = 0
        """Where the gateway's wheel has it."""
        self.in_flight = 0
        self._fragments: tuple[bytes, bytes] | None = None
        self._closing: tuple[int, str] | None = None

    @property
    def is_open(self) -> bool:
        return self.socket is not None and not self.socket.closed and self._closing is None

    @property
    def fragments(self) -> tuple[bytes, bytes]:
        """The connection's part of its messages' events; most connections never need it."""
        if self._fragments is None:
            self._fragments = events.session_fragments(self)
        return self._fragments

    def stage_changed(self) -> None:
        self._fragments = None

    def on_open(self, socket: Socket) -> None:
        self.socket = socket
        self.gateway.opened(self)

    def on_message(self, payload: bytes, text: bool) -> None:
        self.last_active = self.gateway.clock.now()
        if self._closing is not None:
            return
        if not text:
            # AWS: a binary frame from a client closes the connection with 1003
            self.close(*model.NO_BINARY)
            return
        self.in_flight += 1
        if self.in_flight == model.IN_FLIGHT and self.socket is not None:
            self.socket.pause_reading()
        self.gateway.message(self, payload)

    def done(self) -> None:
        """A message's integration has answered, or is waited for no longer."""
        self.in_flight -= 1
        if self.in_flight == model.IN_FLIGHT - 1 and self.socket is not None:
            self.socket.resume_reading()

    def on_ping(self, payload: bytes) -> None:
        self.last_active = self.gateway.clock.now()

    def on_drain(self) -> None:
        """Nothing waits for room: a write that would overflow the outbox ends the session instead."""

    def on_close(self, code: int, reason: str, clean: bool) -> None:
        if self._closing is not None:
            code, reason = self._closing
        elif not reason:
            reason = model.CLOSE_REASONS.get(code, "")
        self._closing = (code, reason)
        self.gateway.closed(self, code, reason)

    def send(self, data: bytes) -> bool:
        """Send a text frame if it is UTF-8, else a binary one. False: the client had not read what it got before,
        and has been cut off."""
        socket = self.socket
        if socket is None or self._closing is not None:
            return False
        if socket.buffered + len(data) > model.OUTBOX_BYTES:
            self._closing = model.NOT_READING
            socket.abort()
            return False
        if data.isascii() or _is_utf8(data):
            socket.send_text(data)
        else:
            socket.send_binary(data)
        self.last_active = self.gateway.clock.now()
        return True

    def close(self, code: int, reason: str) -> None:
        if self.socket is not None and self._closing is None:
            self._closing = (code, reason)
            self.socket.close(code, reason)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
