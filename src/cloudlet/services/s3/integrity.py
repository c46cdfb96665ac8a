"""Documents in requests (tags, policies, lists of what to delete), verified: Content-MD5, checksums, the signed hash.

Bodies of objects are verified while they are taken in: see `contents`.
"""

from __future__ import annotations

import hashlib

from ...aws.chunked import without_framing
from ...aws.model import Operation
from ...net.messages import Request
from . import checksums, model, validation

NEEDED = frozenset({"DeleteObjects"})
"""What isn't done without a checksum."""
PREFIX = "x-amz-checksum-"


def _is_of_object(operation: Operation, name: str) -> bool:
    """CompleteMultipartUpload gives the checksum of what becomes whole, not of the list that it sends."""
    return any(member.wire.lower() == name for member in operation.input.members.values())


def inspect(request: Request, operation: Operation) -> None:
    headers = request.headers
    given = {
        checksums.named(name.removeprefix(PREFIX)): value
        for name, value in headers.items()
        if name.startswith(PREFIX) and not _is_of_object(operation, name)
    }
    md5 = validation.md5({"ContentMD5": headers["content-md5"]} if "content-md5" in headers else {})
    if operation.name in NEEDED and not (given or md5 or "x-amz-trailer" in headers):
        text = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        raise model.error("InvalidRequest", text)
    hashed = headers.get("x-amz-content-sha256", "")
    if not (given or md5 or len(hashed) == 64):
        return
    body = without_framing(operation.model, request)
    if len(hashed) == 64 and hashed.lower() != hashlib.sha256(body).hexdigest():
        raise model.error("XAmzContentSHA256Mismatch")
    made = hashlib.md5(body, usedforsecurity=False).hexdigest()
    if md5 and md5 != made:
        raise checksums.wrong_digest(md5, made)
    for algorithm, value in given.items():
        if checksums.checked(algorithm, value) != checksums.of(algorithm, body):
            raise checksums.mismatch(algorithm)
