"""How long things are kept: the policy's TTLs against what the origin says, revalidation, stale objects."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.cloudfront.cache import OVERHEAD, Cache, Entry
from tests.harness import Node, eventually
from tests.services.cloudfront.conftest import DISABLED, Cdn, Reply, Seen, Web, configuration, custom, keys

Deploy = Callable[..., Cdn]
Policy = Callable[..., str]
MODIFIED = formatdate(1_600_000_000, usegmt=True)


class TestAHit:
    def test_comes_from_the_cache_and_says_how_old_it_is(self, web: Web, deploy: Deploy, node: Node) -> None:
        cdn = deploy(custom(web.port))
        first = cdn.get()
        node.advance(30)
        second = cdn.get()
        assert (first.result, second.result) == ("Miss", "Hit")
        assert "age" not in first.headers
        assert 30 <= int(second.headers["age"]) <= 32
        assert second.body == b"hello"
        assert web.paths == ["/page"]

    def test_lives_no_longer_when_time_is_set_back(self, web: Web, deploy: Deploy, node: Node) -> None:
        web.replies["/page"] = Reply(headers={"Cache-Control": "max-age=60"})
        cdn = deploy(custom(web.port))
        node.advance(86_400)
        cdn.get()
        node.advance(30)
        node.advance(-86_400)
        hit = cdn.get()
        assert hit.result == "Hit"
        assert 30 <= int(hit.headers["age"]) <= 40
        node.advance(30)
        assert cdn.get().result != "Hit"

    def test_has_the_headers_of_cloudfront(self, web: Web, deploy: Deploy) -> None:
        cdn = deploy(custom(web.port))
        one, two = cdn.get(), cdn.get()
        assert one.headers["via"] == two.headers["via"]
        assert two.headers["via"].endswith(".cloudfront.net (CloudFront)")
        assert len(two.headers["x-amz-cf-id"]) == 56
        assert one.headers["x-amz-cf-id"] != two.headers["x-amz-cf-id"]
        assert two.headers["x-amz-cf-pop"]

    def test_answers_head_from_a_get(self, web: Web, deploy: Deploy) -> None:
        cdn = deploy(custom(web.port))
        cdn.get()
        head = cdn.get(method="HEAD")
        assert (head.result, head.body, head.headers["content-length"]) == ("Hit", b"", "5")

    def test_is_per_distribution(self, web: Web, deploy: Deploy) -> None:
        deploy(custom(web.port)).get()
        assert deploy(custom(web.port)).get().result == "Miss"

    def test_keeps_headers_of_the_object_only(self, web: Web, deploy: Deploy) -> None:
        web.replies["/page"] = Reply(
            headers={"X-Own": "1", "Connection": "x-hop", "X-Hop": "2", "Server": "mine"}
        )
        cdn = deploy(custom(web.port))
        cdn.get()
        hit = cdn.get()
        assert hit.headers["x-own"] == "1"
        assert hit.headers["server"] == "mine"
        assert "x-hop" not in hit.headers


class TestTimeToLive:
    @pytest.mark.parametrize(
        ("ttls", "control", "seconds"),
        [
            ((0, 60, 600), "", 60),
            ((0, 60, 600), "max-age=100", 100),
            ((0, 60, 600), "max-age=100, s-maxage=20", 20),
            ((0, 60, 600), "max-age=5000", 600),
            ((90, 90, 600), "max-age=10", 90),
            ((90, 90, 600), "no-cache", 90),
            ((90, 90, 600), "no-store", 90),
            ((90, 90, 600), "private", 90),
        ],
    )
    def test_of_a_cache_control(
        self, ttls: tuple[int, int, int], control: str, seconds: int, web: Web, deploy: Deploy, policy: Policy,
        node: Node,
    ) -> None:  # fmt: skip
        web.replies["/page"] = Reply(headers={"Cache-Control": control} if control else {})
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy(ttls)})
        cdn.get()
        node.advance(seconds - 4)
        assert cdn.get().result == "Hit"
        node.advance(8)
        assert cdn.get().result == "Miss"

    @pytest.mark.parametrize("control", ["no-cache", "no-store", "private", "max-age=0"])
    def test_is_nothing_if_the_origin_forbids_it_and_there_is_no_minimum(
        self, control: str, web: Web, deploy: Deploy, policy: Policy
    ) -> None:
        web.replies["/page"] = Reply(headers={"Cache-Control": control})
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((0, 60, 600))})
        assert [cdn.get().result, cdn.get().result] == ["Miss", "Miss"]

    def test_of_an_expires(self, web: Web, deploy: Deploy, policy: Policy, node: Node) -> None:
        def reply(seen: Seen) -> Reply:
            now = node.get("/_cloudlet/clock")["now"]
            return Reply(headers={"Expires": formatdate(now + 120, usegmt=True)})

        web.replies["/page"] = reply
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((0, 10, 600))})
        cdn.get()
        node.advance(100)
        assert cdn.get().result == "Hit"
        node.advance(30)
        assert cdn.get().result == "Miss"

    def test_is_not_there_with_caching_disabled(self, web: Web, deploy: Deploy) -> None:
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": DISABLED})
        assert [cdn.get().result, cdn.get().result] == ["Miss", "Miss"]
        assert len(web.seen) == 2

    def test_of_the_older_settings(self, web: Web, deploy: Deploy, node: Node) -> None:
        older = {
            "CachePolicyId": "", "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            "MinTTL": 0, "DefaultTTL": 50, "MaxTTL": 100,
        }  # fmt: skip
        cdn = deploy(custom(web.port), behavior=older)
        cdn.get("/page?a=1")
        assert cdn.get("/page?a=2").result == "Hit"
        node.advance(51)
        assert cdn.get().result == "Miss"
        assert web.paths == ["/page", "/page"]


class TestVary:
    def test_tells_what_is_in_the_key_or_forwarded(self, web: Web, deploy: Deploy, policy: Policy) -> None:
        web.replies["/page"] = Reply(headers={"Vary": "Accept-Encoding, X-Kind, X-Other, cookie"})
        plain = deploy(custom(web.port))
        assert [plain.get().headers["vary"] for _ in range(2)] == ["Accept-Encoding, cookie"] * 2
        keyed = deploy(custom(web.port), behavior={"CachePolicyId": policy(given=keys(headers=("X-Kind",)))})
        assert keyed.get().headers["vary"] == "Accept-Encoding, X-Kind, cookie"
        web.replies["/page"] = Reply(headers={"Vary": "X-Other"})
        assert "vary" not in deploy(custom(web.port)).get().headers

    def test_by_everything_is_asked_for_each_time(self, web: Web, deploy: Deploy, policy: Policy) -> None:
        web.replies["/page"] = Reply(headers={"Vary": "*", "ETag": '"1"'})
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((0, 60, 600))})
        assert [cdn.get().result for _ in range(2)] == ["Miss", "Miss"]
        assert "if-none-match" not in web.seen[1].headers


class TestCookies:
    def test_are_not_set_where_the_older_settings_forward_none(self, web: Web, deploy: Deploy) -> None:
        web.replies["/page"] = Reply(headers={"Set-Cookie": "a=1"})
        for forward in ("none", "all"):
            older = {
                "CachePolicyId": "", "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": forward}},
            }  # fmt: skip
            view = deploy(custom(web.port), behavior=older).get()
            assert view.headers.get("set-cookie") == (None if forward == "none" else "a=1")


class TestTheBound:
    def test_lets_go_what_was_used_least_recently(self) -> None:
        cache = Cache(limit=10 * (OVERHEAD + 100))
        for n in range(10):
            cache.put(Entry(("d", (f"/{n}", "")), 200, [], bytes(100)))
        cache.get(("d", ("/0", "")))
        cache.put(Entry(("d", ("/new", "")), 200, [], bytes(100)))
        held = {path for path in map(str, range(10)) if cache.get(("d", (f"/{path}", ""))) is not None}
        assert held == set("023456789")

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3000)), max_size=40))
    def test_is_kept_whatever_comes(self, puts: list[tuple[int, int]]) -> None:
        cache = Cache(limit=8000)
        for name, size in puts:
            cache.put(Entry(("d", (str(name), "")), 200, [], bytes(size)))
            found = [cache.get(("d", (str(n), ""))) for n in range(6)]
            assert sum(entry.size for entry in found if entry is not None) <= 8000
            assert cache.get(("d", (str(name), ""))) is not None


class TestRevalidation:
    def test_asks_with_what_the_origin_gave(
        self, web: Web, deploy: Deploy, policy: Policy, node: Node
    ) -> None:
        def reply(seen: Seen) -> Reply:
            if seen.headers.get("if-none-match") == '"one"':
                return Reply(b"", 304, {"ETag": '"one"', "X-New": "yes"})
            return Reply(headers={"ETag": '"one"', "Last-Modified": MODIFIED})

        web.replies["/page"] = reply
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((1, 60, 600))})
        cdn.get()
        node.advance(61)
        refreshed = cdn.get()
        assert (refreshed.status, refreshed.result, refreshed.body) == (200, "RefreshHit", b"hello")
        assert refreshed.headers["x-new"] == "yes"
        assert web.seen[-1].headers["if-modified-since"] == MODIFIED
        assert cdn.get().result == "Hit"

    def test_takes_the_new_object_if_it_changed(
        self, web: Web, deploy: Deploy, policy: Policy, node: Node
    ) -> None:
        web.replies["/page"] = Reply(headers={"ETag": '"one"'})
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((1, 60, 600))})
        cdn.get()
        web.replies["/page"] = Reply(b"other", headers={"ETag": '"two"'})
        node.advance(61)
        changed = cdn.get()
        assert (changed.result, changed.body) == ("Miss", b"other")

    def test_happens_every_time_with_max_age_0(self, web: Web, deploy: Deploy, policy: Policy) -> None:
        def reply(seen: Seen) -> Reply:
            headers = {"ETag": '"one"', "Cache-Control": "max-age=0"}
            return Reply(b"", 304, headers) if "if-none-match" in seen.headers else Reply(headers=headers)

        web.replies["/page"] = reply
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((0, 60, 600))})
        assert [cdn.get().result for _ in range(3)] == ["Miss", "RefreshHit", "RefreshHit"]


class TestStaleObjects:
    def test_are_given_while_they_are_revalidated(
        self, web: Web, deploy: Deploy, policy: Policy, node: Node
    ) -> None:
        web.replies["/page"] = Reply(headers={"Cache-Control": "max-age=60, stale-while-revalidate=300"})
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((0, 60, 6000))})
        cdn.get()
        web.replies["/page"] = Reply(b"newer", headers={"Cache-Control": "max-age=60"})
        node.advance(61)
        assert cdn.get().body == b"hello"
        assert eventually(lambda: cdn.get().body == b"newer")

    def test_stand_in_for_an_origin_that_fails(
        self, web: Web, deploy: Deploy, policy: Policy, node: Node
    ) -> None:
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((1, 60, 600))})
        cdn.get()
        web.replies["/page"] = Reply(b"broken", 503)
        node.advance(61)
        stale = cdn.get()
        assert (stale.status, stale.body) == (200, b"hello")

    @pytest.mark.parametrize("directive", ["must-revalidate", "stale-if-error=5"])
    def test_do_not_if_the_origin_forbade_it(
        self, directive: str, web: Web, deploy: Deploy, policy: Policy, node: Node
    ) -> None:
        web.replies["/page"] = Reply(headers={"Cache-Control": f"max-age=60, {directive}"})
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((1, 60, 600))})
        cdn.get()
        web.replies["/page"] = Reply(b"broken", 503)
        node.advance(70)
        assert cdn.get().status == 503


class TestARestart:
    @pytest.mark.slow
    @pytest.mark.node_only
    def test_keeps_distributions_and_forgets_objects(self, web: Web, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()
        made = node.client("cloudfront").create_distribution(
            DistributionConfig=configuration("one", custom(web.port))
        )["Distribution"]
        cdn = Cdn(node.port, made["Id"], "", made["ARN"])
        cdn.get()
        node.kill()
        node.restart()
        assert [cdn.get().result, cdn.get().result] == ["Miss", "Hit"]
