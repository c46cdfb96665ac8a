"""The opening handshake of a WebSocket (RFC 6455, section 4.2): what is refused, and the answer that accepts."""

from __future__ import annotations

import base64
import binascii
import hashlib

from .head import header_block, plain
from .messages import Request, Response, Upgrade

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def refusal(request: Request) -> Response | None:
    """The answer to a handshake that can't succeed; None if it can."""
    headers = request.headers
    if request.method != "GET" or request.http_version != "1.1":
        return plain(400, "A WebSocket is opened by GET in HTTP/1.1")
    if not any(token.strip().lower() == "upgrade" for token in headers.get("connection", "").split(",")):
        return plain(400, "Connection must name the upgrade")
    if headers.get("sec-websocket-version") != "13":
        answer = plain(426, "WebSocket version 13 is spoken here")
        answer.headers = (*answer.headers, ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"))
        return answer
    key = headers.get("sec-websocket-key", "")
    try:
        valid = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        valid = False
    return None if valid else plain(400, "Sec-WebSocket-Key must be 16 bytes in base64")


def acceptance(request: Request, upgrade: Upgrade) -> bytes:
    """The 101, whole."""
    key = request.headers["sec-websocket-key"].encode("ascii")
    accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    headers = list(upgrade.headers)
    if upgrade.subprotocol is not None:
        headers.append(("Sec-WebSocket-Protocol", upgrade.subprotocol))
    return b"".join(
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
            accept,
            b"\r\n",
            header_block(headers),
            b"\r\n",
        )
    )
