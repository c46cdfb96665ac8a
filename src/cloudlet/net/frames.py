"""The grammar of WebSocket frames (RFC 6455, section 5), as pure functions and numbers."""

from __future__ import annotations

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

NORMAL, GOING_AWAY, PROTOCOL_ERROR, NO_CODE, BROKEN = 1000, 1001, 1002, 1005, 1006
INVALID_TEXT, TOO_BIG, INTERNAL_ERROR = 1007, 1009, 1011

MAX_CONTROL = 125


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole, unmasked frame, as a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65536:
        return b"%c\x7e%b%b" % (0x80 | opcode, size.to_bytes(2, "big"), payload)
    return b"%c\x7f%b%b" % (0x80 | opcode, size.to_bytes(8, "big"), payload)


def unmask(payload: bytes, key: bytes) -> bytes:
    """XOR with the repeated key, as one operation on two large integers."""
    size = len(payload)
    pad = (key * ((size >> 2) + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")


def close_frame(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut where it would be too long, between two characters."""
    if code in (NO_CODE, BROKEN):
        return frame(CLOSE, b"")
    text = reason.encode("utf-8")[: MAX_CONTROL - 2].decode("utf-8", "ignore").encode("utf-8")
    return frame(CLOSE, code.to_bytes(2, "big") + text)


def may_be_sent(code: int) -> bool:
    """Whether a close frame may carry this code (RFC 6455, 7.4, and the IANA registry)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
