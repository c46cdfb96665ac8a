"""Large objects over the wire, a megabyte at a time: sent in each of the forms that clients use, read and thrown away.

The body is one megabyte over and over, so that nothing here is slow but the node.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MB = 1024 * 1024
BLOCK = os.urandom(MB)
EMPTY = hashlib.sha256(b"").hexdigest()
FORMS = ("plain", "signed chunks", "unsigned trailer")
HASHES = {
    "plain": "UNSIGNED-PAYLOAD",
    "signed chunks": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "unsigned trailer": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
}


def put(node: Any, path: str, megabytes: int, form: str = "plain") -> dict[str, str]:
    """Upload; the headers of the answer, which must be 200."""
    headers = {"X-Amz-Content-SHA256": HASHES[form]}
    if form != "plain":
        headers |= {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(megabytes * MB)}
    if form == "unsigned trailer":
        headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
    request = _signed(node, "PUT", path, headers)
    pieces = {"plain": _plain, "signed chunks": _chunks, "unsigned trailer": _trailer}[form]
    length = sum(len(piece) for piece in pieces(request, 1)) - sum(len(piece) for piece in pieces(request, 0))
    length = length * megabytes + sum(len(piece) for piece in pieces(request, 0))
    status, answer, _ = _send(node, request, pieces(request, megabytes), length)
    assert status == 200, (status, answer)
    return answer


def get(node: Any, path: str) -> int:
    """Download; the number of bytes."""
    status, _, size = _send(node, _signed(node, "GET", path, {}), iter(()), 0)
    assert status == 200, status
    return size


def _signed(node: Any, method: str, path: str, headers: dict[str, str]) -> Any:
    request = AWSRequest(method, node.endpoint + path, headers)
    SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(request)
    return request


def _send(node: Any, request: Any, pieces: Iterator[bytes], length: int) -> tuple[int, dict[str, str], int]:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=110)
    try:
        connection.putrequest(request.method, request.url.removeprefix(node.endpoint), skip_host=True)
        for name, value in {"Host": node.endpoint.removeprefix("http://"), **request.headers}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        for piece in pieces:
            connection.send(piece)
        answer = connection.getresponse()
        size = 0
        while piece := answer.read(MB):
            size += len(piece)
        return answer.status, dict(answer.getheaders()), size
    finally:
        connection.close()


def _plain(request: Any, megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield BLOCK


def _chunks(request: Any, megabytes: int) -> Iterator[bytes]:
    """Each chunk is signed over the one before."""
    date, block = request.headers["X-Amz-Date"], hashlib.sha256(BLOCK).hexdigest()
    scope = f"{date[:8]}/us-east-1/s3/aws4_request"
    key = b"AWS4test"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    last = request.headers["Authorization"].rpartition("Signature=")[2]
    for size in [MB] * megabytes + [0]:
        text = "\n".join(("AWS4-HMAC-SHA256-PAYLOAD", date, scope, last, EMPTY, block if size else EMPTY))
        last = hmac.digest(key, text.encode(), "sha256").hex()
        yield b"%x;chunk-signature=%b\r\n" % (size, last.encode()) + BLOCK[:size] + b"\r\n"


def _trailer(request: Any, megabytes: int) -> Iterator[bytes]:
    value = 0
    for _ in range(megabytes):
        value = zlib.crc32(BLOCK, value)
        yield b"%x\r\n%b\r\n" % (MB, BLOCK)
    yield b"0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % b64encode(value.to_bytes(4, "big"))


class Memory:
    """How much more memory a process has ever had resident since this was made, in MB."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # forgets the peak so far
        self._before = self._peak()

    def _peak(self) -> float:
        return int(self._status.read_text().partition("VmHWM:")[2].split()[0]) / 1024

    def grown(self) -> float:
        return self._peak() - self._before
