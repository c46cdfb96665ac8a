"""Origins: where a distribution gets what it hasn't.

Hosts that live in this node (buckets, execute-api, websites, function URLs, other distributions, `*.localhost`) are
asked through `node.serve`, without a socket; all others over HTTP.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...context import Node, Principal
from ...net.messages import Request, Response, Tunnel, Upgrade
from . import answers, client, fills, model
from .client import OriginFailed, Target
from .relay import MAX_MESSAGE, Relay
from .validation import is_bucket, items

if TYPE_CHECKING:
    from .behaviors import Behavior
    from .distributions import Distribution

SERVICE = "cloudfront.amazonaws.com"
AGENT = "Amazon CloudFront"
_ANONYMOUS = Principal("anonymous", "", "")
_AWS_HOST = re.compile(
    r".+\.(execute-api\.[a-z0-9-]+\.amazonaws\.com|s3-website[.-][a-z0-9-]+\.amazonaws\.com"
    r"|lambda-url\.[a-z0-9-]+\.on\.aws|cloudfront\.net)"
)
_LOOPBACK = ("localhost", "127.0.0.1")
_HANDSHAKE = frozenset((
    "connection", "origin", "sec-websocket-extensions", "sec-websocket-key", "sec-websocket-protocol",
    "sec-websocket-version", "upgrade",
))  # fmt: skip


class Origin:
    def __init__(
        self, node: Node, config: Mapping[str, Any], account: str, arn: str, control: Mapping[str, Any] | None
    ) -> None:
        """`control`: the configuration of its origin access control, if it has one."""
        self._node = node
        self.host: str = config["DomainName"].lower()
        self._path: str = config["OriginPath"]
        self._added = [(one["HeaderName"], one["HeaderValue"]) for one in items(config["CustomHeaders"])]
        self._custom: Mapping[str, Any] = config.get("CustomOriginConfig") or {}
        self._attempts: int = config["ConnectionAttempts"]
        self._connect_seconds: float = config["ConnectionTimeout"]
        self.is_custom = bool(self._custom)
        self._tls: ssl.SSLContext | None = None
        self._signing = ""
        self._principal: Principal | None = None
        if is_bucket(self.host):
            self._principal = _ANONYMOUS
            identity = config.get("S3OriginConfig", {}).get("OriginAccessIdentity", "").rpartition("/")[2]
            if control is not None and control["SigningBehavior"] != "never":
                self._signing = control["SigningBehavior"]
                self._principal = Principal("service", account, SERVICE, arn)
            elif identity:
                name = f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {identity}"
                self._principal = Principal("identity", identity, name)

    async def ask(
        self,
        distribution: Distribution,
        behavior: Behavior,
        viewer: Request,
        path: str,
        extra: list[tuple[str, str]],
        *,
        conditions: bool,
        encoding: str,
    ) -> Response | Upgrade | Tunnel:
        """`conditions`: the viewer's own conditions and ranges go along. Raises `OriginFailed`."""
        headers = behavior.headers(viewer, encoding, conditions=conditions, rest=self.is_custom)
        headers += extra
        if viewer.wants_websocket:
            headers = _handshake(viewer, headers)
        request = Request()
        request.method = viewer.method
        request.path = self._path + path
        request.query = behavior.query(viewer)
        request.body = viewer.body
        request.peer = viewer.peer
        request.raw_headers = self._with_own(distribution, behavior, viewer, headers)
        for name, value in request.raw_headers:
            key = name.lower()
            request.headers[key] = f"{request.headers[key]}, {value}" if key in request.headers else value
        request.stream = viewer.stream
        length = str(len(request.body)) if viewer.stream is None else viewer.headers.get("content-length")
        if length is not None:
            request.headers["content-length"] = length
        port, request.scheme = self._place(viewer)
        if self._principal is not None:
            return await self._node.serve(request, self._identity(request))
        if not self._is_here(port):
            return await self._outside(request, port)
        if request.stream is not None:
            whole = await fills.collected(request.stream, model.BODY_BYTES)
            if whole is None:
                return answers.page(distribution.via, 413, "large")
            request.body, request.stream = whole, None
        return await self._node.serve(request)

    def _with_own(
        self, distribution: Distribution, behavior: Behavior, viewer: Request, headers: list[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """With the headers that CloudFront sets itself, and the origin's custom ones in place of the viewer's."""
        host = viewer.host if behavior.keeps_host() and not is_bucket(self.host) else self.host
        via, seen = viewer.headers.get("via"), viewer.headers.get("x-forwarded-for")
        own = [
            ("Host", host),
            ("X-Amz-Cf-Id", answers.request_id()),
            ("Via", f"{via}, {distribution.via}" if via else distribution.via),
            ("X-Forwarded-For", f"{seen}, {viewer.peer[0]}" if seen else viewer.peer[0]),
        ]
        if not any(name.lower() == "user-agent" for name, _ in headers):
            own.append(("User-Agent", AGENT))
        taken = {name.lower() for name, _ in self._added}
        return [*own, *(one for one in headers if one[0].lower() not in taken), *self._added]

    def _place(self, viewer: Request) -> tuple[int, str]:
        policy = self._custom.get("OriginProtocolPolicy", "match-viewer")
        tls = policy == "https-only" or (policy == "match-viewer" and viewer.scheme == "https")
        port: int = self._custom.get("HTTPSPort", 443) if tls else self._custom.get("HTTPPort", 80)
        return port, "https" if tls else "http"

    def _identity(self, request: Request) -> Principal | None:
        """As whom S3 is asked; a viewer's own signature counts where the access control says so, or where none is."""
        signed = "authorization" in request.headers
        if signed and (self._signing == "no-override" or self._principal is _ANONYMOUS):
            return None
        if signed:
            del request.headers["authorization"]
        return self._principal

    def _is_here(self, port: int) -> bool:
        own = self._node.config.port
        if self.host in _LOOPBACK:
            return port == own
        if self.host.endswith(".localhost"):
            return port in (80, 443, own)
        return _AWS_HOST.fullmatch(self.host) is not None

    async def _outside(self, request: Request, port: int) -> Response | Upgrade:
        if request.scheme == "https" and self._tls is None:
            self._tls = await asyncio.to_thread(_context, str(self._node.ca_bundle))
        target = Target(
            self.host,
            "127.0.0.1" if self.host.endswith(".localhost") else self.host,
            port,
            self._tls if request.scheme == "https" else None,
            self._connect_seconds,
            self._custom.get("OriginReadTimeout", 30),
            self._attempts,
        )
        path = request.path + (f"?{request.query}" if request.query else "")
        if any(c in text for text in (path, *(f"{n}{v}" for n, v in request.raw_headers)) for c in "\r\n"):
            raise OriginFailed(502, "broken")
        if request.wants_websocket:
            return await _socket(target, path, request.raw_headers)
        headers = request.raw_headers
        if request.stream is not None and "content-length" in request.headers:
            headers = [*headers, ("Content-Length", request.headers["content-length"])]
        body = request.stream or request.body
        attempt = 1
        while True:
            try:
                answer = await client.request(target, request.method, path, headers, body)
                return Response(answer.status, answer.headers, answer.body)
            except OriginFailed as failure:
                again = failure.reason == "slow" and request.method in ("GET", "HEAD")
                if not again or attempt >= self._attempts:
                    raise
            attempt += 1


async def _socket(target: Target, path: str, headers: list[tuple[str, str]]) -> Response | Upgrade:
    """Without extensions: the viewer's connection has none."""
    plain = [one for one in headers if one[0].lower() != "sec-websocket-extensions"]
    answer = await client.open_socket(target, path, plain)
    if isinstance(answer, client.Answer):
        return Response(answer.status, answer.headers, answer.body)
    said = {name.lower(): value for name, value in answer.headers}
    return Upgrade(
        Relay(answer.reader, answer.writer),
        subprotocol=said.get("sec-websocket-protocol"),
        max_message=MAX_MESSAGE,
        max_frame=MAX_MESSAGE,
    )


def _handshake(viewer: Request, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A WebSocket's own headers go to the origin without being named."""
    left = [one for one in headers if one[0].lower() not in _HANDSHAKE]
    return left + [one for one in viewer.raw_headers if one[0].lower() in _HANDSHAKE]


def _context(bundle: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=bundle)
