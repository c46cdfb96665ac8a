"""Bodies that come in pieces: the framing `aws-chunked`, its trailers, and the signed hash of a body.

    <size in hex>[;chunk-signature=…] CRLF <bytes> CRLF … 0[;…] CRLF [name:value CRLF]… CRLF

Chunks that a known key signed are verified as they end: what was given out of one before that is worth nothing if the
reading then fails. The hash in `X-Amz-Content-SHA256` is verified by who reads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

from ..errors import AwsError
from ..net.messages import Chunks, Request
from .model import Model
from .sigv4 import MISMATCH

STREAMING = "STREAMING-"
LINE_LIMIT = 16 * 1024
HEX = frozenset("0123456789abcdefABCDEF")


class Broken(Exception):
    """The framing is not what it has to be."""


class Forged(Exception):
    """A chunk or the trailer has another signature than the key's owner makes."""


SIGNATURE = "chunk-signature="
TRAILER_SIGNATURE = "x-amz-trailer-signature"


class Unframer:
    """Takes framed bytes, gives the bytes inside; `trailers` are there once it is `done`."""

    def __init__(self, chunks: Chunks | None = None) -> None:
        self._chunks = chunks
        self._digest = sha256()
        self._signature = ""
        self.trailers: dict[str, str] = {}
        self.done = False
        self._rest = bytearray()
        self._left = 0  # of the chunk, its CRLF included
        self._in_trailers = False

    def feed(self, data: bytes) -> list[bytes]:
        self._rest += data
        out: list[bytes] = []
        rest, at = self._rest, 0
        while not self.done:
            if self._left > 2:
                with memoryview(rest) as view:
                    piece = bytes(view[at : at + self._left - 2])
                if not piece:
                    break
                out.append(piece)
                if self._chunks is not None:
                    self._digest.update(piece)
                at += len(piece)
                self._left -= len(piece)
            elif self._left:
                if len(rest) - at < 2:
                    break
                if rest[at : at + 2] != b"\r\n":
                    raise Broken("a chunk is longer than it says")
                at += 2
                self._left = 0
                self._verify()
            else:
                end = rest.find(b"\r\n", at)
                if end < 0:
                    if len(rest) - at > LINE_LIMIT:
                        raise Broken("a line is too long")
                    break
                line = rest[at:end].decode("latin-1")
                at = end + 2
                self._line(line)
        del rest[:at]
        return out

    def _line(self, line: str) -> None:
        if self._in_trailers:
            name, colon, value = line.partition(":")
            if colon:
                self.trailers[name.strip().lower()] = value.strip()
            elif not line:
                self._finish()
            return
        size, _, extension = line.partition(";")
        size = size.strip()
        self._signature = extension.strip().removeprefix(SIGNATURE)
        if not size or not set(size) <= HEX or len(size) > 12:
            raise Broken("a chunk has no size")
        length = int(size, 16)
        if length:
            self._left = length + 2
        else:
            self._in_trailers = True
            self._verify()

    def _verify(self) -> None:
        if self._chunks is not None:
            if not self._chunks.fits(self._digest.hexdigest(), self._signature):
                raise Forged
            self._digest = sha256()

    def _finish(self) -> None:
        if self.done:
            return
        self.done = True
        given = self.trailers.pop(TRAILER_SIGNATURE, "")
        signed = self._chunks is not None and (self.trailers or given)
        if (
            signed
            and self._chunks is not None
            and not self._chunks.trailer_fits(self.trailers.items(), given)
        ):
            raise Forged

    def close(self) -> None:
        """The end of the input. Clients of the signed form may leave out the last empty line."""
        if not self._in_trailers or self._left:
            raise Broken("the body ends before its last chunk")
        self._finish()


class Payload:
    """A body that is read once: iterate, then look at `trailers`. `length` is what was declared, None if nothing was.

    `sha256` is the hash that was signed with the request, "" if none was.
    """

    def __init__(self, model: Model, request: Request) -> None:
        headers = request.headers
        framed = is_framed(request)
        signed = headers.get("x-amz-content-sha256", "")
        declared = headers.get("x-amz-decoded-content-length" if framed else "content-length", "")
        self._model = model
        self._stream: AsyncIterator[bytes] | None = request.stream
        self._body = request.body
        self._framing = Unframer(request.chunks) if framed else None
        self.length = int(declared) if declared.isdigit() else None
        self.sha256 = signed.lower() if len(signed) == 64 else ""
        self.trailer = headers.get("x-amz-trailer", "").lower()
        self.trailers: dict[str, str] = {}

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            if self._stream is None:
                for piece in self._unframe(self._body):
                    yield piece
            else:
                async for data in self._stream:
                    for piece in self._unframe(data):
                        yield piece
            if self._framing is not None:
                self._framing.close()
                self.trailers = self._framing.trailers
        except (Broken, Forged) as error:
            raise self._failed(error) from error

    def whole(self) -> bytes | None:
        """The body, if it is here already; None if it has to be awaited."""
        if self._stream is not None:
            return None
        if self._framing is None:
            return self._body
        try:
            body = b"".join(self._framing.feed(self._body))
            self._framing.close()
        except (Broken, Forged) as error:
            raise self._failed(error) from error
        self.trailers = self._framing.trailers
        self._framing = None
        self._body = body
        return body

    def _failed(self, error: Broken | Forged) -> AwsError:
        if isinstance(error, Forged):
            return self._model.failure("signature_mismatch", MISMATCH, status=403)
        return self._model.failure("broken_framing", f"The chunked body is malformed: {error}")

    def _unframe(self, data: bytes) -> list[bytes]:
        return [data] if self._framing is None else self._framing.feed(data)


def is_framed(request: Request) -> bool:
    return request.headers.get("x-amz-content-sha256", "").startswith(STREAMING) or (
        "aws-chunked" in request.headers.get("content-encoding", "")
    )


def decoded_length(request: Request) -> int | None:
    length = request.headers.get("x-amz-decoded-content-length", "")
    return int(length) if length.isdigit() and is_framed(request) else None


def payload_of(model: Model, request: Request) -> Payload:
    return Payload(model, request)


def without_framing(model: Model, request: Request) -> bytes:
    return (Payload(model, request).whole() or b"") if is_framed(request) else request.body
