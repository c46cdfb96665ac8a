"""Compressing at the edge."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable

import brotli
import pytest

from tests.harness import Node
from tests.services.cloudfront.conftest import OPTIMIZED, Cdn, Reply, Web, custom

Deploy = Callable[..., Cdn]
BODY = b"a page of text. " * 200
ON = {"Compress": True, "CachePolicyId": OPTIMIZED}


class TestCompress:
    @pytest.mark.parametrize(
        ("accepted", "encoding"), [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br", "br")]
    )
    def test_is_by_what_the_viewer_accepts(
        self, accepted: str, encoding: str, web: Web, deploy: Deploy
    ) -> None:
        web.replies["/page"] = Reply(
            BODY, headers={"Content-Type": "text/html; charset=utf-8", "ETag": '"1"'}
        )
        cdn = deploy(custom(web.port), behavior=ON)
        for result in ("Miss", "Hit"):
            view = cdn.get(accept_encoding=accepted)
            unpack = brotli.decompress if encoding == "br" else gzip.decompress
            assert (view.result, view.headers["content-encoding"]) == (result, encoding)
            assert unpack(view.body) == BODY
            assert view.headers["etag"] == 'W/"1"'
            assert view.headers["vary"] == "Accept-Encoding"
        assert cdn.get(accept_encoding=accepted, if_none_match='"1"').status == 304

    def test_is_not_for_who_accepts_nothing(self, web: Web, deploy: Deploy) -> None:
        web.replies["/page"] = Reply(BODY, headers={"Content-Type": "text/html"})
        cdn = deploy(custom(web.port), behavior=ON)
        cdn.get(accept_encoding="gzip")
        view = cdn.get(accept_encoding="identity")
        assert (view.result, view.body) == ("Miss", BODY)
        assert "content-encoding" not in view.headers

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            (BODY, {"Content-Type": "image/png"}),
            (b"a" * 999, {"Content-Type": "text/html"}),
            (b"a" * 10_000_001, {"Content-Type": "text/html"}),
            (BODY, {"Content-Type": "text/html", "Content-Encoding": "x-own"}),
            (BODY, {"Content-Type": "text/html", "Cache-Control": "no-transform"}),
            (BODY, {}),
        ],
        ids=["type", "too small", "too large", "encoded", "no-transform", "no type"],
    )
    def test_is_only_of_what_is_worth_it(
        self, body: bytes, headers: dict[str, str], web: Web, deploy: Deploy
    ) -> None:
        web.replies["/page"] = Reply(body, headers=headers)
        view = deploy(custom(web.port), behavior=ON).get(accept_encoding="gzip, br")
        assert view.body == body
        assert view.headers.get("content-encoding") == headers.get("Content-Encoding")

    def test_tells_the_origin_what_the_viewer_accepts(self, web: Web, deploy: Deploy) -> None:
        deploy(custom(web.port), behavior=ON).get(accept_encoding="deflate, br, gzip;q=0.5")
        assert web.seen[0].headers["accept-encoding"] == "br,gzip"

    def test_leaves_out_a_tag_that_is_none(self, web: Web, deploy: Deploy) -> None:
        web.replies["/page"] = Reply(BODY, headers={"Content-Type": "text/html", "ETag": "bare"})
        view = deploy(custom(web.port), behavior=ON).get(accept_encoding="gzip")
        assert (view.headers["content-encoding"], "etag" in view.headers) == ("gzip", False)

    def test_is_not_for_viewers_of_1996(self, web: Web, deploy: Deploy, node: Node) -> None:
        web.replies["/page"] = Reply(BODY, headers={"Content-Type": "text/html"})
        cdn = deploy(custom(web.port), behavior=ON)
        with socket.create_connection(("127.0.0.1", node.port)) as viewer:
            viewer.sendall(
                f"GET /page HTTP/1.0\r\nHost: {cdn.host}\r\nAccept-Encoding: gzip\r\n\r\n".encode()
            )
            answer = b"".join(iter(lambda: viewer.recv(65536), b""))
        assert answer.endswith(BODY)
        assert "accept-encoding" not in web.seen[0].headers

    def test_off_leaves_the_body(self, web: Web, deploy: Deploy) -> None:
        web.replies["/page"] = Reply(BODY, headers={"Content-Type": "text/html"})
        assert deploy(custom(web.port)).get(accept_encoding="gzip").body == BODY

    def test_revalidates_with_the_origins_own_tag(self, web: Web, deploy: Deploy, node: object) -> None:
        web.replies["/page"] = Reply(
            BODY, headers={"Content-Type": "text/css", "ETag": '"1"', "Cache-Control": "max-age=5"}
        )
        cdn = deploy(custom(web.port), behavior=ON)
        packed = cdn.get(accept_encoding="gzip")
        web.replies["/page"] = Reply(b"", 304, {"ETag": '"1"', "Cache-Control": "max-age=5"})
        node.advance(6)  # type: ignore[attr-defined]
        again = cdn.get(accept_encoding="gzip")
        assert web.seen[-1].headers["if-none-match"] == '"1"'
        assert (again.result, again.body, again.headers["etag"]) == ("RefreshHit", packed.body, 'W/"1"')
        assert again.headers["content-encoding"] == "gzip"
