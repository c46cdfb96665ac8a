"""Connection, request and message ids as API Gateway makes them: bytes in URL-safe base64.

A connection id is 11 bytes: 8 at random, then 2 that name the node which holds the socket, then 1 at random.
Whoever has the id knows whom to ask.
"""

from __future__ import annotations

import random
import re
import secrets
from base64 import urlsafe_b64encode

_FORM = re.compile(r"[A-Za-z0-9_-]{15}=")
_fast = random.Random(secrets.randbits(128))  # request ids need to be unique, not secret


def connection_id(node: int) -> str:
    return urlsafe_b64encode(
        secrets.token_bytes(8) + node.to_bytes(2, "big") + secrets.token_bytes(1)
    ).decode()


def well_formed(id: str) -> bool:
    return _FORM.fullmatch(id) is not None


def request_id() -> str:
    return urlsafe_b64encode(_fast.randbytes(11)).decode()
