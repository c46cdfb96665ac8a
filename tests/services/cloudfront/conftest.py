"""Distributions of a test's own, an origin that does what the test says, and a viewer that doesn't hide anything."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.harness import Node

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
EVERY_METHOD = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]


@dataclass
class Seen:
    """A request as it reached the origin."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    body: bytes = b"hello"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Close the connection afterwards, whatever was announced."""


class Web:
    """A web server; `replies` by path, or a function of the request."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.replies: dict[str, Reply | Callable[[Seen], Reply]] = {}
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                size = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, self.path, headers, self.rfile.read(size))
                web.seen.append(seen)
                found = web.replies.get(self.path.partition("?")[0], Reply())
                reply = found(seen) if callable(found) else found
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if not {"Content-Length", "Transfer-Encoding"} & reply.headers.keys():
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if self.command != "HEAD" and reply.status != 304:
                    self.wfile.write(reply.body)
                self.close_connection |= reply.cut

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer

            def log_message(self, format: str, *args: Any) -> None: ...

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that leaves early is no failure."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def serve_tls(self, context: ssl.SSLContext) -> None:
        """Speak HTTPS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def paths(self) -> list[str]:
        return [seen.path for seen in self.seen]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class View:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def result(self) -> str:
        """Hit, Miss, RefreshHit, Error, Redirect."""
        return self.headers["x-cache"].partition(" ")[0]


@dataclass
class Cdn:
    """One distribution, as a viewer sees it."""

    port: int
    id: str
    etag: str
    arn: str

    @property
    def host(self) -> str:
        return f"{self.id.lower()}.cloudfront.localhost"

    def get(
        self, path: str = "/page", method: str = "GET", body: bytes | None = None, **headers: str
    ) -> View:
        """`get("/page", if_none_match='"1"')`"""
        named = {"host": self.host} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return View(answer.status, found, answer.read())
        finally:
            connection.close()


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.stop()


@pytest.fixture
def cf(client: Callable[..., Any]) -> Any:
    return client("cloudfront")


@pytest.fixture
def after(cf: Any) -> Iterator[list[Callable[[], Any]]]:
    """What is to be taken away after the test, the last first."""
    calls: list[Callable[[], Any]] = []
    yield calls
    for call in reversed(calls):
        call()


@pytest.fixture
def deploy(
    node: Node, cf: Any, unique: Callable[[str], str], after: list[Callable[[], Any]]
) -> Callable[..., Cdn]:
    """`deploy(custom(web.port), DefaultRootObject="index.html")`: makes a distribution."""

    def make(*origins: dict[str, Any], behavior: dict[str, Any] | None = None, **config: Any) -> Cdn:
        made = cf.create_distribution(
            DistributionConfig=configuration(unique("reference"), *origins, behavior=behavior, **config)
        )
        shown = made["Distribution"]
        after.append(lambda: remove(cf, shown["Id"]))
        return Cdn(node.port, shown["Id"], made["ETag"], shown["ARN"])

    return make


def remove(cf: Any, id: str) -> None:
    """Disable a distribution, then delete it; nothing if it is gone."""
    try:
        found = cf.get_distribution_config(Id=id)
    except cf.exceptions.NoSuchDistribution:
        return
    config = {**found["DistributionConfig"], "Enabled": False}
    disabled = cf.update_distribution(Id=id, IfMatch=found["ETag"], DistributionConfig=config)
    cf.delete_distribution(Id=id, IfMatch=disabled["ETag"])


def configuration(
    reference: str, *origins: dict[str, Any], behavior: dict[str, Any] | None = None, **config: Any
) -> dict[str, Any]:
    default = {
        "TargetOriginId": origins[0]["Id"], "ViewerProtocolPolicy": "allow-all", "CachePolicyId": OPTIMIZED,
    }  # fmt: skip
    return {
        "CallerReference": reference,
        "Comment": "",
        "Enabled": True,
        "Origins": listed(*origins),
        "DefaultCacheBehavior": {**default, **(behavior or {})},
        **config,
    }


def listed(*items: Any) -> dict[str, Any]:
    return {"Quantity": len(items), **({"Items": list(items)} if items else {})}


def custom(port: int, id: str = "web", **more: Any) -> dict[str, Any]:
    how = {"HTTPPort": port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    return {"Id": id, "DomainName": "localhost", "CustomOriginConfig": how, **more}


def bucket(name: str, id: str = "s3", **more: Any) -> dict[str, Any]:
    domain = f"{name}.s3.us-east-1.amazonaws.com"
    return {"Id": id, "DomainName": domain, "S3OriginConfig": {"OriginAccessIdentity": ""}, **more}


def methods(*allowed: str, cached: tuple[str, ...] = ("GET", "HEAD")) -> dict[str, Any]:
    return {**listed(*allowed), "CachedMethods": listed(*cached)}


def keys(
    headers: tuple[str, ...] = (),
    cookies: tuple[str, ...] = (),
    queries: tuple[str, ...] = (),
    *,
    compress: bool = False,
    query_mode: str = "whitelist",
    cookie_mode: str = "whitelist",
) -> dict[str, Any]:
    """A cache policy's ParametersInCacheKeyAndForwardedToOrigin."""
    parts: dict[str, Any] = {
        "EnableAcceptEncodingGzip": compress,
        "EnableAcceptEncodingBrotli": compress,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    if headers:
        parts["HeadersConfig"] = {"HeaderBehavior": "whitelist", "Headers": listed(*headers)}
    if cookies or cookie_mode == "all":
        parts["CookiesConfig"] = {"CookieBehavior": cookie_mode}
        if cookies:
            parts["CookiesConfig"]["Cookies"] = listed(*cookies)
    if queries or query_mode == "all":
        parts["QueryStringsConfig"] = {"QueryStringBehavior": query_mode}
        if queries:
            parts["QueryStringsConfig"]["QueryStrings"] = listed(*queries)
    return parts


@pytest.fixture
def policy(cf: Any, unique: Callable[[str], str], after: list[Callable[[], Any]]) -> Callable[..., str]:
    """`policy((0, 60, 600), keys(queries=("v",)))`: the id of a cache policy with these TTLs."""

    def make(ttls: tuple[int, int, int] = (1, 60, 600), given: dict[str, Any] | None = None) -> str:
        made = cf.create_cache_policy(
            CachePolicyConfig={
                "Name": unique("policy"),
                "MinTTL": ttls[0],
                "DefaultTTL": ttls[1],
                "MaxTTL": ttls[2],
                "ParametersInCacheKeyAndForwardedToOrigin": given or keys(),
            }
        )
        id, etag = made["CachePolicy"]["Id"], made["ETag"]
        after.append(lambda: cf.delete_cache_policy(Id=id, IfMatch=etag))
        return str(id)

    return make


@pytest.fixture
def response_policy(
    cf: Any, unique: Callable[[str], str], after: list[Callable[[], Any]]
) -> Callable[..., str]:
    """The id of a response headers policy with these parts."""

    def make(**parts: Any) -> str:
        made = cf.create_response_headers_policy(
            ResponseHeadersPolicyConfig={"Name": unique("headers"), **parts}
        )
        id, etag = made["ResponseHeadersPolicy"]["Id"], made["ETag"]
        after.append(lambda: cf.delete_response_headers_policy(Id=id, IfMatch=etag))
        return str(id)

    return make


@pytest.fixture
def request_policy(
    cf: Any, unique: Callable[[str], str], after: list[Callable[[], Any]]
) -> Callable[..., str]:
    """The id of an origin request policy that adds headers, cookies and query strings of these modes."""

    def make(headers: dict[str, Any], cookies: str = "none", queries: str = "none") -> str:
        made = cf.create_origin_request_policy(
            OriginRequestPolicyConfig={
                "Name": unique("request"),
                "HeadersConfig": headers,
                "CookiesConfig": {"CookieBehavior": cookies},
                "QueryStringsConfig": {"QueryStringBehavior": queries},
            }
        )
        id, etag = made["OriginRequestPolicy"]["Id"], made["ETag"]
        after.append(lambda: cf.delete_origin_request_policy(Id=id, IfMatch=etag))
        return str(id)

    return make
