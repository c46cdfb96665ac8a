"""Ranges and conditions, answered from the cache and on the way into it."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.cloudfront.cache import span, spans
from tests.services.cloudfront.conftest import DISABLED, Cdn, Reply, Seen, Web, custom

Deploy = Callable[..., Cdn]
BODY = bytes(range(100))
MODIFIED = formatdate(1_600_000_000, usegmt=True)
LATER = formatdate(1_600_000_100, usegmt=True)


@pytest.fixture
def cdn(web: Web, deploy: Deploy) -> Cdn:
    web.replies["/page"] = Reply(
        BODY, headers={"ETag": '"1"', "Last-Modified": MODIFIED, "Content-Type": "x/y"}
    )
    return deploy(custom(web.port))


class TestARange:
    @pytest.mark.parametrize(
        ("text", "begin", "end"), [("bytes=0-9", 0, 10), ("bytes=90-", 90, 100), ("bytes=-5", 95, 100)]
    )
    def test_is_a_part(self, text: str, begin: int, end: int, cdn: Cdn, web: Web) -> None:
        for result in ("Miss", "Hit"):
            view = cdn.get(range=text)
            assert (view.status, view.result, view.body) == (206, result, BODY[begin:end])
            assert view.headers["content-range"] == f"bytes {begin}-{end - 1}/100"
        assert len(web.seen) == 1

    def test_beyond_the_end_is_416(self, cdn: Cdn) -> None:
        view = cdn.get(range="bytes=100-")
        assert (view.status, view.headers["content-range"]) == (416, "bytes */100")

    def test_of_another_version_is_the_whole(self, cdn: Cdn) -> None:
        assert cdn.get(range="bytes=0-9", if_range='"1"').status == 206
        assert cdn.get(range="bytes=0-9", if_range='"2"').status == 200
        assert cdn.get(range="bytes=0-9", if_range=MODIFIED).status == 206

    def test_may_be_several(self, cdn: Cdn, web: Web) -> None:
        for result in ("Miss", "Hit"):
            view = cdn.get(range="bytes=0-1, 10-11,-2")
            assert (view.status, view.result) == (206, result)
            kind, _, edge = view.headers["content-type"].partition("; boundary=")
            assert kind == "multipart/byteranges"
            assert "content-range" not in view.headers
            parts = [part.strip(b"\r\n") for part in view.body.split(f"--{edge}".encode())]
            assert (parts[0], parts[-1]) == (b"", b"--")
            for part, (begin, end) in zip(parts[1:-1], ((0, 2), (10, 12), (98, 100)), strict=True):
                head = f"Content-Type: x/y\r\nContent-Range: bytes {begin}-{end - 1}/100\r\n\r\n"
                assert part == head.encode() + BODY[begin:end]

    @pytest.mark.parametrize("text", ["bytes=10-20,0-5", "bytes=0-10,5-20", "bytes=0-5,-", "bytes=0-5,9-6"])
    def test_that_is_out_of_order_is_the_whole(self, text: str, cdn: Cdn) -> None:
        view = cdn.get(range=text)
        assert (view.status, view.body) == (200, BODY)

    @given(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=4),
        st.integers(1, 20),
    )
    def test_several_are_in_order_and_apart(self, pairs: list[tuple[int, int]], size: int) -> None:
        found = spans("bytes=" + ", ".join(f"{first}-{last}" for first, last in pairs), size)
        valid = all(first <= last for first, last in pairs)
        inside = [(first, min(last + 1, size)) for first, last in pairs if first < size]
        apart = all(before[1] <= after[0] for before, after in pairwise(inside))
        assert found == ((inside or [(0, 0)]) if valid and apart else None)

    def test_goes_to_the_origin_where_nothing_is_kept(self, web: Web, deploy: Deploy) -> None:
        def reply(seen: Seen) -> Reply:
            assert seen.headers["range"] == "bytes=0-4"
            return Reply(BODY[:5], 206, {"Content-Range": "bytes 0-4/100"})

        web.replies["/page"] = reply
        view = deploy(custom(web.port), behavior={"CachePolicyId": DISABLED}).get(range="bytes=0-4")
        assert (view.status, view.body, view.headers["content-range"]) == (206, BODY[:5], "bytes 0-4/100")

    @given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20))
    def test_never_leaves_the_object(self, first: int, last: int, size: int) -> None:
        whole = bytes(range(size))
        found = span(f"bytes={first}-{last}", size)
        if last < first:
            assert found is None
        elif first >= size:
            assert found == (0, 0)
        else:
            assert found is not None
            assert whole[slice(*found)] == whole[first : last + 1]


class TestAnObjectTooLargeToBeKept:
    def test_passes_through_and_its_ranges_go_to_the_origin(self, web: Web, deploy: Deploy) -> None:
        body = bytes(17 * 1024 * 1024)

        def reply(seen: Seen) -> Reply:
            if seen.headers.get("range") == "bytes=0-9":
                return Reply(body[:10], 206, {"Content-Range": f"bytes 0-9/{len(body)}"})
            return Reply(body)

        web.replies["/big"] = reply
        cdn = deploy(custom(web.port))
        assert [(view.result, len(view.body)) for view in (cdn.get("/big"), cdn.get("/big"))] == [
            ("Miss", len(body))
        ] * 2
        assert (cdn.get("/big", range="bytes=0-9").body, web.seen[-1].headers["range"]) == (
            body[:10],
            "bytes=0-9",
        )

    def test_without_a_length_passes_whole(self, web: Web, deploy: Deploy) -> None:
        size = 17 * 1024 * 1024
        chunk = b"%x\r\n%b\r\n" % (size, bytes(size))
        web.replies["/big"] = Reply(chunk + b"0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})
        cdn = deploy(custom(web.port))
        assert len(cdn.get("/big").body) == size
        assert cdn.get("/big").result == "Miss"


class TestAConditionalRequest:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"if_none_match": '"1"'}, 304),
            ({"if_none_match": 'W/"1", "x"'}, 304),
            ({"if_none_match": '"2"'}, 200),
            ({"if_modified_since": LATER}, 304),
            ({"if_modified_since": formatdate(1_500_000_000, usegmt=True)}, 200),
            ({"if_none_match": '"2"', "if_modified_since": LATER}, 200),
            ({"if_match": '"2"'}, 412),
            ({"if_match": '"1"'}, 200),
            ({"if_unmodified_since": formatdate(1_500_000_000, usegmt=True)}, 412),
        ],
    )
    def test_is_answered_here(self, headers: dict[str, Any], status: int, cdn: Cdn, web: Web) -> None:
        for result in ("Miss", "Hit"):
            view = cdn.get(**headers)
            assert (view.status, view.result) == (status, result)
        assert len(web.seen) == 1
        assert "if-none-match" not in web.seen[0].headers

    def test_wants_nothing_of_what_has_no_tag(self, web: Web, deploy: Deploy) -> None:
        cdn = deploy(custom(web.port))
        for _ in range(2):
            assert cdn.get("/plain", if_match='"1"').status == 200

    def test_not_modified_says_what_it_is(self, cdn: Cdn) -> None:
        view = cdn.get(if_none_match='"1"')
        assert (view.body, view.headers["etag"], view.headers["last-modified"]) == (b"", '"1"', MODIFIED)
        assert "content-type" not in view.headers
