"""What makes two requests the same, and what of a request reaches the origin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.cloudfront.behaviors import Selection, chosen_cookies, chosen_query, encodings, pattern
from tests.services.cloudfront.conftest import (
    ALL_VIEWER_BUT_HOST,
    DISABLED,
    EVERY_METHOD,
    Cdn,
    Web,
    custom,
    keys,
    listed,
    methods,
)

Deploy = Callable[..., Cdn]
Policy = Callable[..., str]


class TestTheKey:
    def test_has_the_query_strings_that_are_named(self, web: Web, deploy: Deploy, policy: Policy) -> None:
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy(given=keys(queries=("v",)))})
        assert cdn.get("/page?v=1&x=1").result == "Miss"
        assert cdn.get("/page?x=2&v=1").result == "Hit"
        assert cdn.get("/page?v=2").result == "Miss"
        assert web.paths == ["/page?v=1", "/page?v=2"]

    def test_has_all_query_strings_but_some(self, web: Web, deploy: Deploy, policy: Policy) -> None:
        given = keys(queries=("utm",), query_mode="allExcept")
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy(given=given)})
        cdn.get("/page?a=1&utm=x")
        assert cdn.get("/page?a=1&utm=y").result == "Hit"
        assert cdn.get("/page?a=2").result == "Miss"

    def test_has_the_headers_that_are_named(self, web: Web, deploy: Deploy, policy: Policy) -> None:
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy(given=keys(headers=("X-Kind",)))})
        cdn.get(x_kind="a", x_other="1")
        assert cdn.get(x_kind="a", x_other="2").result == "Hit"
        assert cdn.get(x_kind="b").result == "Miss"
        assert web.seen[0].headers["x-kind"] == "a"
        assert "x-other" not in web.seen[0].headers

    def test_has_the_cookies_that_are_named(self, web: Web, deploy: Deploy, policy: Policy) -> None:
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy(given=keys(cookies=("lang",)))})
        cdn.get(cookie="lang=de; session=1")
        assert cdn.get(cookie="session=2; lang=de").result == "Hit"
        assert cdn.get(cookie="lang=en").result == "Miss"
        assert web.seen[0].headers["cookie"] == "lang=de"

    def test_may_have_cookies_by_a_pattern(self, web: Web, deploy: Deploy, policy: Policy) -> None:
        made = policy(given=keys(cookies=("user*", "a?c")))
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": made})
        cdn.get(cookie="userid=1; abc=2; abbc=3; other=4")
        assert web.seen[0].headers["cookie"] == "abc=2; userid=1"
        assert cdn.get(cookie="userid=1; abc=2; other=5").result == "Hit"
        assert cdn.get(cookie="userid=1; abc=3").result == "Miss"

    def test_may_have_the_kind_of_device(self, web: Web, deploy: Deploy, policy: Policy) -> None:
        given = keys(headers=("CloudFront-Is-Mobile-Viewer",))
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy(given=given)})
        phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"
        cdn.get(user_agent=phone)
        assert cdn.get(user_agent="Mozilla/5.0 (X11; Linux x86_64)").result == "Miss"
        assert cdn.get(user_agent=f"{phone} Safari").result == "Hit"
        assert [seen.headers["cloudfront-is-mobile-viewer"] for seen in web.seen] == ["true", "false"]

    def test_has_nothing_but_the_path_otherwise(self, web: Web, deploy: Deploy) -> None:
        cdn = deploy(custom(web.port))
        cdn.get("/page?a=1", cookie="a=1", x_any="1")
        assert cdn.get("/page").result == "Hit"
        assert web.paths == ["/page"]

    def test_of_the_older_settings(self, web: Web, deploy: Deploy) -> None:
        older = {
            "CachePolicyId": "", "MinTTL": 0,
            "ForwardedValues": {
                "QueryString": True, "QueryStringCacheKeys": listed("v"), "Headers": listed("X-Kind"),
                "Cookies": {"Forward": "whitelist", "WhitelistedNames": listed("lang")},
            },
        }  # fmt: skip
        cdn = deploy(custom(web.port), behavior=older)
        cdn.get("/page?v=1&x=1", x_kind="a", cookie="lang=de; b=1")
        assert cdn.get("/page?v=1&x=2", x_kind="a", cookie="lang=de; b=2").result == "Hit"
        assert web.paths == ["/page?v=1&x=1"]


class TestTheOrigin:
    def test_sees_cloudfronts_own_headers(self, web: Web, deploy: Deploy) -> None:
        deploy(custom(web.port)).get(
            user_agent="curl", referer="http://x", authorization="secret", accept="a/b"
        )
        headers = web.seen[0].headers
        assert headers["user-agent"] == "Amazon CloudFront"
        assert headers["host"] == "localhost"
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert headers["via"].endswith("(CloudFront)")
        assert len(headers["x-amz-cf-id"]) == 56
        assert not {"referer", "authorization", "accept"} & headers.keys()

    def test_sees_what_the_origin_request_policy_adds(
        self, web: Web, deploy: Deploy, request_policy: Callable[..., str]
    ) -> None:
        added = request_policy(
            {
                "HeaderBehavior": "whitelist",
                "Headers": listed("Referer", "CloudFront-Forwarded-Proto", "User-Agent"),
            },
            "all",
            "all",
        )
        cdn = deploy(custom(web.port), behavior={"OriginRequestPolicyId": added})
        cdn.get("/page?a=1", referer="http://x", cookie="a=1", user_agent="curl")
        seen = web.seen[0]
        assert seen.path == "/page?a=1"
        assert seen.headers["referer"] == "http://x"
        assert seen.headers["cookie"] == "a=1"
        assert seen.headers["user-agent"] == "curl"
        assert seen.headers["cloudfront-forwarded-proto"] == "http"
        assert cdn.get("/page?a=2").result == "Hit"

    def test_sees_everything_but_the_host_of_a_viewer(self, web: Web, deploy: Deploy) -> None:
        behavior = {
            "CachePolicyId": DISABLED, "OriginRequestPolicyId": ALL_VIEWER_BUT_HOST,
            "AllowedMethods": methods(*EVERY_METHOD),
        }  # fmt: skip
        cdn = deploy(custom(web.port), behavior=behavior)
        cdn.get("/api?x=1", "POST", b"body", authorization="Bearer 1", content_type="text/plain", x_any="y")
        seen = web.seen[0]
        assert (seen.method, seen.path, seen.body) == ("POST", "/api?x=1", b"body")
        assert seen.headers["authorization"] == "Bearer 1"
        assert seen.headers["content-type"] == "text/plain"
        assert seen.headers["x-any"] == "y"
        assert seen.headers["host"] == "localhost"

    def test_gets_its_path_and_its_custom_headers(self, web: Web, deploy: Deploy) -> None:
        own = listed({"HeaderName": "X-Secret", "HeaderValue": "1"})
        cdn = deploy(custom(web.port, OriginPath="/site", CustomHeaders=own), DefaultRootObject="index.html")
        cdn.get("/")
        assert web.paths == ["/site/index.html"]
        assert web.seen[0].headers["x-secret"] == "1"


class TestBehaviors:
    def test_are_chosen_by_the_first_pattern_that_fits(self, web: Web, deploy: Deploy) -> None:
        def behavior(path: str, target: str) -> dict[str, Any]:
            return {
                "PathPattern": path, "TargetOriginId": target, "ViewerProtocolPolicy": "allow-all",
                "CachePolicyId": DISABLED,
            }  # fmt: skip

        one, two, three = (custom(web.port, id, OriginPath=f"/{id}") for id in ("one", "two", "three"))
        cdn = deploy(
            one, two, three, CacheBehaviors=listed(behavior("/img/*.jp?g", "two"), behavior("img/*", "three"))
        )
        for path in ("/img/a/b.jpeg", "/img/b.jpg", "/IMG/c", "/other"):
            cdn.get(path)
        assert web.paths == ["/two/img/a/b.jpeg", "/three/img/b.jpg", "/one/IMG/c", "/one/other"]


names = st.text("abc", min_size=1, max_size=2)
pairs = st.lists(st.tuples(names, names), max_size=6)


class TestChoosing:
    @given(pairs, st.frozensets(names))
    def test_a_whitelist_and_its_exception_share_everything(
        self, given_pairs: list[tuple[str, str]], some: frozenset[str]
    ) -> None:
        query = "&".join(f"{name}={value}" for name, value in given_pairs)
        taken = chosen_query(query, Selection("whitelist", some))
        left = chosen_query(query, Selection("allExcept", some))
        parts = [part for part in (*taken.split("&"), *left.split("&")) if part]
        assert sorted(parts) == sorted(part for part in query.split("&") if part)
        assert chosen_query(query, Selection("whitelist", some), Selection("allExcept", some)) == query

    @given(pairs)
    def test_cookies_are_sorted_by_name(self, given_pairs: list[tuple[str, str]]) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in given_pairs)
        ordered = "; ".join(
            f"{name}={value}" for name, value in sorted(given_pairs, key=lambda pair: pair[0])
        )
        assert chosen_cookies(cookies, Selection("allExcept")) == ordered
        assert chosen_cookies(cookies, Selection("all")) == ordered
        assert chosen_cookies(cookies, Selection()) == ""

    def test_encodings_are_normalized(self) -> None:
        assert encodings("gzip, deflate, br", True, True) == "br,gzip"
        assert encodings("br;q=1.0, gzip;q=0", True, True) == "br"
        assert encodings("*", True, True) == "gzip"
        assert encodings("gzip, br", True, False) == "gzip"
        assert encodings("identity", True, True) == ""

    def test_a_pattern_has_two_wildcards(self) -> None:
        assert pattern("/a?c/*").fullmatch("/abc/d/e")
        assert pattern("a*").fullmatch("/a.b")
        assert not pattern("/a?c").fullmatch("/ac")
        assert not pattern("a.b").fullmatch("/aXb")
