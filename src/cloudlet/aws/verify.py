"""Signatures, verified: what the client signed with its secret is made again here and compared.

Version 4 in the header and in presigned queries, the chunks of a streamed body, and S3's presigned queries of
version 2.
Clocks are not compared: a node's clock may be moved while its clients' stand still.
See "Create a signed AWS API request" in the IAM User Guide and "Authenticating Requests" in the S3 API Reference.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote

from ..errors import AwsError
from ..net.messages import Request
from .sigv4 import ALGORITHM, OLD_QUERY_SERVICE, Signature

UNSIGNED_HEADERS = "There were headers present in the request which were not signed"
EMPTY = sha256(b"").hexdigest()
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
CHUNK_ALGORITHM = "AWS4-HMAC-SHA256-PAYLOAD"
TRAILER_ALGORITHM = "AWS4-HMAC-SHA256-TRAILER"
_SAFE = "-_.~"
_SENT_BY_OTHERS = ("x-amz-cf-id", "x-amz-content-sha256")
"""Headers of S3's that CloudFront adds on the way, or that the signature holds in its own place."""
_OLD_RESOURCES = frozenset({
    "acl", "cors", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy",
    "requestPayment", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions",
    "website", "restore", "response-content-type", "response-content-language", "response-expires",
    "response-cache-control", "response-content-disposition", "response-content-encoding",
})  # fmt: skip
"""The sub-resources that version 2 signs, by "Signing and Authenticating REST Requests"."""


class Mismatch(Exception):
    """The signature isn't what the secret makes of the request; what was expected, for the service's message."""

    def __init__(self, canonical: str, to_sign: str) -> None:
        super().__init__(to_sign)
        self.canonical = canonical
        self.to_sign = to_sign


def check(request: Request, signature: Signature, secret: str, given: str = "") -> None:
    """Raises `Mismatch`. A body that is hashed must be whole; one that streams is told by its header.

    `given` is the signature itself, where `signature` is what many requests say of theirs.
    """
    if signature.service == OLD_QUERY_SERVICE and not signature.date:
        _check_old(request, signature, secret)
        return
    presigned = "authorization" not in request.headers
    canonical = _canonical(request, signature, presigned)
    to_sign = "\n".join(
        (
            ALGORITHM,
            _date_of(request, presigned),
            f"{signature.date}/{signature.region}/{signature.service}/aws4_request",
            sha256(canonical.encode()).hexdigest(),
        )
    )
    if signature.service == OLD_QUERY_SERVICE:
        _check_signed(request, signature)
    key = signing_key(secret, signature.date, signature.region, signature.service)
    if not hmac.compare_digest(_sign(key, to_sign), given or signature.signature):
        raise Mismatch(canonical, to_sign)


def _check_signed(request: Request, signature: Signature) -> None:
    """S3 heeds none of its headers that nobody signed."""
    signed = signature.signed_headers
    left = [
        name
        for name in request.headers
        if name.startswith("x-amz-") and name not in signed and name not in _SENT_BY_OTHERS
    ]
    if left:
        raise AwsError(
            "AccessDenied", UNSIGNED_HEADERS, status=403, fields={"HeadersNotSigned": ", ".join(left)}
        )


@lru_cache(maxsize=4096)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Of one day, region and service; made once."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class Chunks:
    """The signatures of a streamed body's chunks, each made over the one before."""

    def __init__(self, request: Request, signature: Signature, secret: str, given: str = "") -> None:
        self._key = signing_key(secret, signature.date, signature.region, signature.service)
        self._scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
        self._date = _date_of(request, False)
        self._last = given or signature.signature

    def fits(self, digest: str, given: str) -> bool:
        """Whether the next chunk, whose SHA-256 is `digest`, has the signature it must have."""
        return self._follows((CHUNK_ALGORITHM, self._date, self._scope, self._last, EMPTY, digest), given)

    def trailer_fits(self, trailers: Iterable[tuple[str, str]], given: str) -> bool:
        text = "".join(f"{name}:{value}\n" for name, value in trailers)
        digest = sha256(text.encode()).hexdigest()
        return self._follows((TRAILER_ALGORITHM, self._date, self._scope, self._last, digest), given)

    def _follows(self, lines: tuple[str, ...], given: str) -> bool:
        self._last = _sign(self._key, "\n".join(lines))
        return hmac.compare_digest(self._last, given)


def _sign(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def _date_of(request: Request, presigned: bool) -> str:
    if presigned:
        return next((value for name, value in parse_qsl(request.query) if name == "X-Amz-Date"), "")
    return request.headers.get("x-amz-date") or request.headers.get("date", "")


def _canonical(request: Request, signature: Signature, presigned: bool) -> str:
    headers = request.headers
    names = signature.signed_headers
    lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names)
    path = request.path
    if path != "/" and signature.service != "s3":
        path = quote(path, safe=f"/{_SAFE}")
    return "\n".join(
        (
            request.method,
            path or "/",
            _query(request.query, presigned) if request.query else "",
            lines,
            ";".join(names),
            _payload(request, signature, presigned),
        )
    )


def _query(query: str, presigned: bool) -> str:
    pairs = []
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        if piece and not (presigned and name == "X-Amz-Signature"):
            pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(text: str) -> str:
    return quote(unquote(text), safe=_SAFE)


def _payload(request: Request, signature: Signature, presigned: bool) -> str:
    given = request.headers.get("x-amz-content-sha256")
    if given is not None:
        return given
    if presigned and signature.service == "s3":
        return UNSIGNED_PAYLOAD
    return sha256(request.body).hexdigest() if request.body else EMPTY


def _check_old(request: Request, signature: Signature, secret: str) -> None:
    headers = request.headers
    amz = {name: value for name, value in headers.items() if name.startswith("x-amz-")}
    if signature.token:
        amz["x-amz-security-token"] = signature.token
    bucket, dot, _ = request.host.partition(".s3")
    resource = f"/{bucket}{request.path}" if dot and bucket else request.path
    pairs = parse_qsl(request.query, keep_blank_values=True)
    named = [f"{name}={value}" if value else name for name, value in sorted(pairs) if name in _OLD_RESOURCES]
    to_sign = "\n".join(
        (
            request.method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            str(int(signature.expires)),
            "".join(f"{name}:{amz[name]}\n" for name in sorted(amz))
            + resource
            + ("?" + "&".join(named) if named else ""),
        )
    )
    made = base64.b64encode(hmac.digest(secret.encode(), to_sign.encode(), "sha1")).decode()
    if not hmac.compare_digest(made, signature.signature):
        raise Mismatch("", to_sign)
