"""Errors of origins: kept for a while, replaced by pages of one's own."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable

import pytest

from tests.harness import Node
from tests.services.cloudfront.conftest import (
    EVERY_METHOD,
    OPTIMIZED,
    Cdn,
    Reply,
    Web,
    custom,
    keys,
    listed,
    methods,
)

Deploy = Callable[..., Cdn]


def page(code: int, path: str = "/sorry", as_code: str = "200", seconds: int = 300) -> dict[str, object]:
    return {
        "ErrorCode": code, "ResponsePagePath": path, "ResponseCode": as_code, "ErrorCachingMinTTL": seconds,
    }  # fmt: skip


class TestAnError:
    @pytest.mark.parametrize("status", [404, 500, 503])
    def test_is_kept_for_ten_seconds(self, status: int, web: Web, deploy: Deploy, node: Node) -> None:
        web.replies["/page"] = Reply(b"no", status)
        cdn = deploy(custom(web.port))
        first = cdn.get()
        assert (first.status, first.result, first.body) == (status, "Error", b"no")
        web.replies["/page"] = Reply(b"yes")
        node.advance(7)
        assert (cdn.get().status, cdn.get().result) == (status, "Error")
        node.advance(5)
        assert cdn.get().body == b"yes"

    @pytest.mark.parametrize("status", [400, 403, 405])
    def test_of_some_kinds_is_kept_only_if_somebody_says_so(
        self, status: int, web: Web, deploy: Deploy
    ) -> None:
        cdn = deploy(custom(web.port))
        web.replies["/page"] = Reply(b"no", status)
        web.replies["/said"] = Reply(b"no", status, {"Cache-Control": "max-age=60"})
        web.replies["/until"] = Reply(b"no", status, {"Expires": "Thu, 01 Jan 2099 00:00:00 GMT"})
        for path in ("/page", "/page", "/said", "/said", "/until", "/until"):
            assert cdn.get(path).status == status
        assert web.paths == ["/page", "/page", "/said", "/until", "/until"]

    def test_may_be_kept_longer_or_not_at_all(self, web: Web, deploy: Deploy, node: Node) -> None:
        web.replies["/a"], web.replies["/b"] = Reply(status=404), Reply(status=500)
        rules = listed(
            {"ErrorCode": 404, "ErrorCachingMinTTL": 60}, {"ErrorCode": 500, "ErrorCachingMinTTL": 0}
        )
        cdn = deploy(custom(web.port), CustomErrorResponses=rules)
        for path in ("/a", "/a", "/b", "/b"):
            cdn.get(path)
        node.advance(50)
        cdn.get("/a")
        assert web.paths == ["/a", "/b", "/b"]


class TestACustomErrorResponse:
    def test_is_a_page_with_a_status(self, web: Web, deploy: Deploy) -> None:
        web.replies["/page"] = Reply(b"no", 404)
        web.replies["/sorry"] = Reply(b"sorry", headers={"Content-Type": "text/html"})
        cdn = deploy(custom(web.port), CustomErrorResponses=listed(page(404)))
        for _ in range(2):
            view = cdn.get()
            assert (view.status, view.body, view.headers["content-type"]) == (200, b"sorry", "text/html")
            assert view.result == "Error"
        assert web.paths == ["/page", "/sorry"]
        assert cdn.get("/sorry").result == "Hit"

    def test_is_for_other_methods_too(self, web: Web, deploy: Deploy) -> None:
        web.replies["/page"] = Reply(b"", 404)
        web.replies["/sorry"] = Reply(b"sorry")
        cdn = deploy(custom(web.port), CustomErrorResponses=listed(page(404, as_code="404")))
        head = cdn.get(method="HEAD")
        assert (head.status, head.headers["content-length"]) == (404, "5")

    def test_that_fails_itself_gives_way_to_the_first_error(self, web: Web, deploy: Deploy) -> None:
        web.replies["/page"], web.replies["/sorry"] = Reply(b"no", 404), Reply(b"worse", 500)
        cdn = deploy(custom(web.port), CustomErrorResponses=listed(page(404)))
        view = cdn.get()
        assert (view.status, view.body) == (404, b"no")

    def test_is_compressed_like_any_page(self, web: Web, deploy: Deploy, policy: Callable[..., str]) -> None:
        web.replies["/page"] = Reply(b"no", 404)
        web.replies["/sorry"] = Reply(b"sorry " * 400, headers={"Content-Type": "text/html"})
        cdn = deploy(
            custom(web.port),
            behavior={"Compress": True, "CachePolicyId": policy(given=keys(compress=True))},
            CustomErrorResponses=listed(page(404)),
        )
        assert cdn.get(accept_encoding="gzip").headers["content-encoding"] == "gzip"
        assert cdn.get().body == b"sorry " * 400


def accepted(listener: socket.socket) -> int:
    """How many connections were made."""
    listener.setblocking(False)
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


class TestAnOriginThatIsNotThere:
    def test_is_502(self, deploy: Deploy) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            view = deploy(custom(free.getsockname()[1])).get()
        assert (view.status, view.result) == (502, "Error")
        assert b"Generated by cloudfront" in view.body

    def test_has_no_address_is_502(self, deploy: Deploy) -> None:
        origin = {**custom(80), "DomainName": "nowhere.invalid"}
        assert deploy(origin).get().status == 502

    @pytest.mark.slow
    def test_that_says_nothing_is_504(self, deploy: Deploy) -> None:
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", 0))
            mute.listen()
            origin = custom(mute.getsockname()[1])
            origin["CustomOriginConfig"]["OriginReadTimeout"] = 1
            cdn = deploy(
                origin | {"ConnectionAttempts": 2}, behavior={"AllowedMethods": methods(*EVERY_METHOD)}
            )
            assert cdn.get().status == 504
            assert accepted(mute) == 2
            assert cdn.get(method="POST", body=b"x").status == 504
            assert accepted(mute) == 1

    def test_that_breaks_off_is_not_believed(self, web: Web, deploy: Deploy) -> None:
        """Neither is what came kept, nor does it look whole."""
        web.replies["/page"] = Reply(b"half", headers={"Content-Length": "1000"}, cut=True)
        cdn = deploy(custom(web.port))
        for _ in range(2):
            with pytest.raises(http.client.IncompleteRead):
                cdn.get()
        assert len(web.seen) == 2
        assert cdn.get(range="bytes=0-3").status == 502
        web.replies["/page"] = Reply(b"whole")
        assert cdn.get().body == b"whole"

    def test_may_have_a_page_too(self, web: Web, deploy: Deploy) -> None:
        web.replies["/sorry"] = Reply(b"sorry")
        pages = {
            "PathPattern": "/sorry", "TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": OPTIMIZED,
        }  # fmt: skip
        gone = {**custom(80, "gone"), "DomainName": "nowhere.invalid"}
        cdn = deploy(
            gone, custom(web.port), CacheBehaviors=listed(pages),
            CustomErrorResponses=listed(page(502, as_code="503")),
        )  # fmt: skip
        view = cdn.get()
        assert (view.status, view.body) == (503, b"sorry")
