"""Answers to viewers: an entry whole, in part or not modified; CloudFront's own pages; the headers of all of them."""

from __future__ import annotations

import random
from binascii import b2a_base64
from html import escape
from typing import TYPE_CHECKING

from ...net.head import header_block
from ...net.messages import Request, Response
from . import cache, model
from .cache import Entry

if TYPE_CHECKING:
    from .behaviors import Behavior
    from .distributions import Distribution

Headers = list[tuple[str, str]]

HOP = frozenset((
    "connection", "content-length", "date", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "x-amz-id-2", "x-amz-request-id", "x-cache", "x-amz-cf-id", "x-amz-cf-pop",
))  # fmt: skip
"""What an origin says for its own connection or request, not for the object."""
CONDITIONS = ("range", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since")
HEADS = 8
NOT_IN_304 = frozenset(
    ("content-type", "content-encoding", "content-language", "content-range", "accept-ranges")
)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_id = random.Random()  # ids need to be unique, not secret


def request_id() -> str:
    return b2a_base64(_id.getrandbits(320).to_bytes(40, "big"), newline=False).translate(_URL_SAFE).decode()


def headers_of(response: Response) -> Headers:
    """All headers of an origin's answer, those that it has as finished bytes, too."""
    found = list(response.headers)
    if response.head:
        for line in response.head.decode("latin-1").splitlines():
            name, _, value = line.partition(": ")
            found.append((name, value))
    return found


def cleaned(headers: Headers) -> Headers:
    """The headers that belong to the object."""
    dropped = set(HOP)
    for name, value in headers:
        if name.lower() == "connection":
            dropped |= {one.strip().lower() for one in value.split(",")}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def dressed(
    distribution: Distribution, behavior: Behavior | None, headers: Headers, request: Request, result: str
) -> Headers:
    """The headers as the viewer gets them."""
    via = [value for name, value in headers if name.lower() == "via" and value != distribution.via]
    left = [(name, value) for name, value in headers if name.lower() != "via"]
    if behavior is not None and behavior.dressing is not None:
        left = behavior.dressing.apply(left, request, result)
    return [
        *left,
        ("X-Cache", f"{result} from cloudfront"),
        ("Via", ", ".join([*via, distribution.via])),
        ("X-Amz-Cf-Pop", model.POP),
        ("X-Amz-Cf-Id", request_id()),
    ]


def hit(
    distribution: Distribution,
    behavior: Behavior,
    entry: Entry,
    request: Request,
    now: float,
    result: str = "Hit",
) -> Response:
    """An answer from the cache. The usual one is prebuilt but for its age and id."""
    asked = request.headers
    if (
        "range" in asked
        or "if-none-match" in asked
        or "if-modified-since" in asked
        or "if-match" in asked
        or "if-unmodified-since" in asked
    ) and entry.status == 200:
        return conditional(distribution, behavior, entry, request, result, now)
    dressing = behavior.dressing
    if result != "Hit" or (dressing is not None and dressing.varies(request)):
        return _whole(distribution, behavior, entry, request, result, now)
    head = entry.heads.get(behavior)
    if head is None:
        if len(entry.heads) >= HEADS:
            entry.heads.clear()  # of behaviors that a change has replaced
        head = entry.heads[behavior] = _prebuilt(distribution, behavior, entry, request)
    id = b2a_base64(_id.getrandbits(320).to_bytes(40, "big"), newline=False).translate(_URL_SAFE)
    return Response(
        entry.status, (), entry.body, b"%bAge: %d\r\nX-Amz-Cf-Id: %b\r\n" % (head, now - entry.born, id)
    )


def _prebuilt(distribution: Distribution, behavior: Behavior, entry: Entry, request: Request) -> bytes:
    result = "Error" if entry.error else "Hit"
    headers = dressed(distribution, behavior, entry.headers, request, result)
    return header_block([one for one in headers if one[0] != "X-Amz-Cf-Id"])


def fresh(
    distribution: Distribution, behavior: Behavior, entry: Entry, request: Request, result: str, now: float
) -> Response:
    """An answer from an entry that has just been fetched or refreshed."""
    if entry.status == 200 and any(name in request.headers for name in CONDITIONS):
        return conditional(distribution, behavior, entry, request, result, now)
    return _whole(distribution, behavior, entry, request, result, now)


def _whole(
    distribution: Distribution, behavior: Behavior, entry: Entry, request: Request, result: str, now: float
) -> Response:
    headers = _described(distribution, behavior, entry, request, result, now)
    return Response(entry.status, headers, entry.body)


def _described(
    distribution: Distribution, behavior: Behavior, entry: Entry, request: Request, result: str, now: float
) -> Headers:
    headers = dressed(distribution, behavior, entry.headers, request, "Error" if entry.error else result)
    if result != "Miss":
        headers.append(("Age", str(int(now - entry.born))))
    return headers


def conditional(
    distribution: Distribution, behavior: Behavior, entry: Entry, request: Request, result: str, now: float
) -> Response:
    """304, 412, 206 or 416 where the request asks for it, else the whole."""
    asked = request.headers
    headers = _described(distribution, behavior, entry, request, result, now)
    modified = cache.moment(entry.modified) if entry.modified else -1.0
    if "if-match" in asked:
        if entry.etag and not cache.same_tag(asked["if-match"], entry.etag):
            return Response(412, headers)
    elif "if-unmodified-since" in asked and modified > cache.moment(asked["if-unmodified-since"]) >= 0:
        return Response(412, headers)
    if "if-none-match" in asked:
        unmodified = bool(entry.etag) and cache.same_tag(asked["if-none-match"], entry.etag)
    else:
        since = cache.moment(asked["if-modified-since"]) if "if-modified-since" in asked else -1.0
        unmodified = 0 <= modified <= since
    if unmodified:
        return Response(304, [one for one in headers if one[0].lower() not in NOT_IN_304])
    return _part(entry, request, headers, modified) or Response(entry.status, headers, entry.body)


def _part(entry: Entry, request: Request, headers: Headers, modified: float) -> Response | None:
    wanted, condition = request.headers.get("range"), request.headers.get("if-range")
    if wanted is None or request.method != "GET":
        return None
    if condition is not None:
        same = condition == entry.etag if '"' in condition else cache.moment(condition) == modified >= 0
        if not same:
            return None
    found = cache.spans(wanted, len(entry.body))
    if found is None:
        return None
    if len(found) > 1:
        return _parts(entry, headers, found)
    begin, end = found[0]
    if begin == end:
        return Response(416, [*headers, ("Content-Range", f"bytes */{len(entry.body)}")])
    return Response(
        206,
        [*headers, ("Content-Range", f"bytes {begin}-{end - 1}/{len(entry.body)}")],
        entry.body[begin:end],
    )


def _parts(entry: Entry, headers: Headers, found: list[tuple[int, int]]) -> Response:
    """Several ranges in one body, each with a head of its own."""
    edge = f"CloudFront:{_id.getrandbits(128):032X}"
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    typed = f"Content-Type: {kind}\r\n" if kind else ""
    body = bytearray()
    for begin, end in found:
        body += f"\r\n--{edge}\r\n{typed}Content-Range: bytes {begin}-{end - 1}/{len(entry.body)}\r\n\r\n".encode()
        body += entry.body[begin:end]
    body += f"\r\n--{edge}--\r\n".encode()
    left = [one for one in headers if one[0].lower() != "content-type"]
    return Response(206, [*left, ("Content-Type", f"multipart/byteranges; boundary={edge}")], bytes(body))


# --- CloudFront's own answers ------------------------------------------------------------

REASONS = {
    "method": "This distribution is not configured to allow the HTTP request method that was used for this request. "
    "The distribution supports only cachable requests.",
    "body": "Bad request: a GET request must not have a body.",
    "https": "The distribution answers over HTTPS only.",
    "unknown": "No distribution has this name. Check the id, or the distribution's alternate domain names.",
    "disabled": "The distribution is disabled.",
    "loop": "The request came back to the distribution that had sent it to its origin.",
    "connect": "CloudFront wasn't able to connect to the origin.",
    "resolve": "CloudFront wasn't able to resolve the origin domain name.",
    "long": "The request's address is too long.",
    "large": "The request's body is larger than this origin takes it here.",
    "slow": "The origin did not answer in time.",
    "broken": "The origin closed the connection.",
    "tls": "CloudFront could not make a TLS connection to the origin: its certificate isn't trusted or doesn't fit.",
}


def page(via: str, status: int, reason: str) -> Response:
    """The page with which CloudFront says that it can't satisfy a request."""
    id = request_id()
    text = escape(REASONS[reason])
    body = (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">\n'
        '<HTML><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=iso-8859-1">\n'
        "<TITLE>ERROR: The request could not be satisfied</TITLE>\n</HEAD><BODY>\n"
        f"<H1>{status} ERROR</H1>\n<H2>The request could not be satisfied.</H2>\n"
        f'<HR noshade size="1px">\n{text}\n<BR clear="all">\n<HR noshade size="1px">\n'
        f"<PRE>\nGenerated by cloudfront (CloudFront)\nRequest ID: {id}\n</PRE>\n</BODY></HTML>"
    )
    headers = [
        ("Server", "CloudFront"),
        ("Content-Type", "text/html"),
        ("X-Cache", "Error from cloudfront"),
        ("Via", via),
        ("X-Amz-Cf-Pop", model.POP),
        ("X-Amz-Cf-Id", id),
    ]
    return Response(status, headers, body.encode())


def to_https(distribution: Distribution, behavior: Behavior, request: Request) -> Response:
    """301 for GET and HEAD, 307 for the methods that have a body to repeat."""
    target = f"https://{request.host}{request.path}" + (f"?{request.query}" if request.query else "")
    status = 301 if request.method in ("GET", "HEAD") else 307
    title = "301 Moved Permanently" if status == 301 else "307 Temporary Redirect"
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>CloudFront</center>\r\n</body>\r\n</html>\r\n"
    )
    headers = [("Server", "CloudFront"), ("Content-Type", "text/html"), ("Location", target)]
    return Response(status, dressed(distribution, behavior, headers, request, "Redirect"), body.encode())
