"""Where buckets' websites are reached: by their host names, and by a plain path for clients that can't resolve those.

{bucket}.s3-website-{region}.amazonaws.com    {bucket}.s3-website.localhost    (any port)
/_aws/s3-website/{bucket}/…

Whoever comes is anonymous. Unlike the API, a website says of an object that isn't there that it isn't (404), whether or
not the bucket may be listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from ...context import Context, Node, Principal
from ...errors import AwsError
from ...net.messages import Request, Response
from . import cors, model, storage, website
from .operations import reading

Config = dict[str, Any]
Headers = list[tuple[str, str]]
ANONYMOUS = Principal("anonymous", "", "")
HTML = ("Content-Type", "text/html; charset=utf-8")
SHOWN = {
    "AcceptRanges": "Accept-Ranges", "CacheControl": "Cache-Control", "ContentDisposition": "Content-Disposition",
    "ContentEncoding": "Content-Encoding", "ContentLanguage": "Content-Language", "ContentRange": "Content-Range",
    "ContentType": "Content-Type", "ETag": "ETag", "Expires": "Expires", "VersionId": "x-amz-version-id",
}  # fmt: skip
ASKED = {"if-match": "IfMatch", "if-none-match": "IfNoneMatch", "range": "Range"}
ASKED_DATES = {"if-modified-since": "IfModifiedSince", "if-unmodified-since": "IfUnmodifiedSince"}


class WebsiteEdge:
    paths = (website.PREFIX,)

    def __init__(self, node: Node) -> None:
        self._node = node

    def claims(self, host: str, path: str) -> bool:
        return path.startswith(website.PREFIX) or (
            ".s3-website" in host and website.HOST.fullmatch(host) is not None
        )

    async def handle(self, request: Request) -> Response:
        if request.path.startswith(website.PREFIX):
            bucket, slash, rest = request.path[len(website.PREFIX) :].partition("/")
            base, path = f"{website.PREFIX}{bucket}", slash + rest
        else:
            found = website.HOST.fullmatch(request.host.lower().partition(":")[0])
            assert found is not None
            bucket, base, path = found[1], "", request.path
        bucket = unquote(bucket)
        visit = Visit(self._node, request, bucket, base, path)
        response = await visit.answer()
        await cors.dress(self._node, request, {"Bucket": bucket}, response)
        return response


class Visit:
    """One request to a website. `base` is what stands before the website's own paths."""

    def __init__(self, node: Node, request: Request, bucket: str, base: str, path: str) -> None:
        self._request = request
        self._bucket = bucket
        self._base = base
        self._path = path
        self._key = unquote(path.removeprefix("/"))
        self._ctx = node.context(ANONYMOUS)
        self._ctx.request = request

    async def answer(self) -> Response:
        try:
            if self._request.method not in ("GET", "HEAD"):
                named = {"Method": self._request.method, "ResourceType": "OBJECT"}
                raise model.error("MethodNotAllowed", **named)
            config = await self._config()
        except AwsError as error:
            return self._page(error)
        if "RedirectAllRequestsTo" in config:
            return self._moved(301, self._path.removeprefix("/"), config["RedirectAllRequestsTo"])
        rule = website.rule_for(config, self._key, 0)
        if rule is not None:
            return self._ruled(rule)
        if not self._path:  # the plain path without its slash: relative links would miss the website
            return self._moved(302, "")
        try:
            return await self._object(website.document(config, self._key), self._asked())
        except AwsError as error:
            return await self._failed(config, error)

    async def _config(self) -> Config:
        bucket = await self._ctx.store.read(lambda tx: storage.bucket(tx, self._bucket))
        if bucket is None:
            raise model.error("NoSuchBucket", BucketName=self._bucket)
        if "website" not in bucket:
            raise model.error("NoSuchWebsiteConfiguration", BucketName=self._bucket)
        config: Config = bucket["website"]
        return config

    def _asked(self) -> Config:
        """The conditions and the range that the client asks for."""
        headers = self._request.headers
        asked: Config = {member: headers[name] for name, member in ASKED.items() if name in headers}
        for name, member in ASKED_DATES.items():
            try:
                moment = parsedate_to_datetime(headers.get(name, ""))
            except ValueError:
                continue
            asked[member] = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
        return asked

    async def _object(self, key: str, asked: Config, status: int = 0) -> Response:
        """The object as the answer, or the redirect that it stands for. Raises what is wrong with it."""
        wanted = {"Bucket": self._bucket, "Key": key, **asked}
        silent = self._request.method == "HEAD"
        try:
            found = await (reading.head_object if silent else reading.get_object)(self._ctx, wanted)
        except AwsError as error:
            if error.code == "AccessDenied" and not await _exists(self._ctx, self._bucket, key):
                raise model.error("NoSuchKey", Key=key) from None
            raise
        target = found.get("WebsiteRedirectLocation")
        if target and not status:
            return Response(
                301, [("Location", self._base + target if target[0] == "/" else target)], b"", self._head()
            )
        headers: Headers = [(header, str(found[name])) for name, header in SHOWN.items() if name in found]
        headers += [(f"x-amz-meta-{name}", value) for name, value in found.get("Metadata", {}).items()]
        headers += [
            ("Last-Modified", formatdate(found["LastModified"], usegmt=True)),
            ("Content-Length", str(found["ContentLength"])),
        ]
        if not status:
            status = 206 if "ContentRange" in found else 200
        return Response(status, headers, found.get("Body", b""), self._head())

    async def _failed(self, config: Config, error: AwsError) -> Response:
        """A folder without its slash, a rule for this error, the website's own page for it, or the plain one."""
        status = error.status or 500
        if status == 304:
            return Response(
                304, [(name, str(value)) for name, value in error.fields.items()], b"", self._head()
            )
        key = self._key
        if status == 404 and key and not key.endswith("/"):
            index = website.document(config, f"{key}/")
            if await _exists(self._ctx, self._bucket, index):
                return Response(
                    302, [("Location", f"{self._base}/{website.quoted(key)}/")], b"", self._head()
                )
        rule = website.rule_for(config, key, status)
        if rule is not None:
            return self._ruled(rule)
        if "ErrorDocument" not in config or status >= 500:
            return self._page(error)
        try:
            return await self._object(config["ErrorDocument"]["Key"], {}, status)
        except AwsError as second:
            return self._page(error, second)

    def _ruled(self, rule: Config) -> Response:
        redirect = rule["Redirect"]
        key = website.quoted(website.redirected_key(rule, self._key))
        return self._moved(int(redirect.get("HttpRedirectCode", "301")), key, redirect)

    def _moved(self, status: int, key: str, to: Config | None = None) -> Response:
        """To a key, quoted already, of this website or of another host, with the same query."""
        to = to or {}
        base = "" if "HostName" in to else self._base
        host = to.get("HostName") or self._request.host
        query = f"?{self._request.query}" if self._request.query else ""
        location = f"{to.get('Protocol') or self._request.scheme}://{host}{base}/{key}{query}"
        return Response(status, [("Location", location)], b"", self._head())

    def _page(self, error: AwsError, second: AwsError | None = None) -> Response:
        """S3's own page. `second` is what went wrong with the website's page for the error."""
        status = error.status or 500
        title = f"{status} {HTTPStatus(status).phrase}"
        lines = [f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n"]
        short = self._ctx.request_id.replace("-", "")
        ids = (("RequestId", short[:16].upper()), ("HostId", f"{short}{short[::-1]}"))
        lines += _items((*_told(error), *ids))
        lines.append("</ul>\n")
        if second is not None:
            lines.append(
                "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n"
            )
            lines += [*_items(_told(second)), "</ul>\n"]
        lines.append("<hr/>\n</body>\n</html>\n")
        headers = [HTML, ("x-amz-error-code", error.code), ("x-amz-error-message", error.message)]
        headers += [(f"x-amz-error-detail-{name}", website.quoted(value)) for name, value in _details(error)]
        return Response(status, headers, "".join(lines).encode(), self._head())

    def _head(self) -> bytes:
        short = self._ctx.request_id.replace("-", "")
        return f"x-amz-request-id: {short[:16].upper()}\r\nx-amz-id-2: {short}{short[::-1]}\r\n".encode()


async def _exists(ctx: Context, name: str, key: str) -> bool:
    async def body(tx: Any) -> bool:
        bucket = await storage.bucket(tx, name)
        newest = await storage.current(tx, bucket["uid"], key) if bucket is not None else None
        return newest is not None and not newest.get("marker")

    return await ctx.store.read(body)


def _details(error: AwsError) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in error.fields.items() if "-" not in name]


def _told(error: AwsError) -> Sequence[tuple[str, str]]:
    return (("Code", error.code), ("Message", error.message), *_details(error))


def _items(rows: Sequence[tuple[str, str]]) -> list[str]:
    return [f"<li>{escape(name)}: {escape(value)}</li>\n" for name, value in rows]
