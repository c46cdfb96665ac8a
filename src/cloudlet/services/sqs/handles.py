"""Receipt handles: which message, and for the how manieth time it was received. Opaque to clients."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from typing import NamedTuple

from . import model
from .storage import Id, Queue

_form = struct.Struct(">QIQ10sI")
_check = struct.Struct(">I")


class Handle(NamedTuple):
    generation: int
    id: Id
    receives: int


def make(queue: Queue, id: Id, receives: int) -> str:
    raw = _form.pack(queue.uid, queue.generation, id.sent, id.stamp, receives)
    return "AQEB" + base64.b64encode(raw + _check.pack(zlib.crc32(raw))).decode()


def read(queue: Queue, text: str) -> Handle:
    """What a handle says. Raises ReceiptHandleIsInvalid for what is none, or another queue's."""
    try:
        raw = base64.b64decode(text.removeprefix("AQEB"), validate=True)
        body, check = raw[: _form.size], raw[_form.size :]
        if not text.startswith("AQEB") or check != _check.pack(zlib.crc32(body)):
            raise model.bad_handle(text)
        uid, generation, sent, stamp, receives = _form.unpack(body)
    except (binascii.Error, ValueError, struct.error) as error:
        raise model.bad_handle(text) from error
    if uid != queue.uid:
        raise model.bad_handle(text)
    return Handle(generation, Id(sent, stamp), receives)
