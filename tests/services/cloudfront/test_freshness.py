"""Lifetimes, whatever an origin says."""

from __future__ import annotations

from email.utils import formatdate

from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.cloudfront.behaviors import Caching, Selection
from cloudlet.services.cloudfront.cache import moment
from cloudlet.services.cloudfront.freshness import lifetime, stated

NOW = 1_700_000_000.0
seconds = st.integers(0, 1000)
latin = st.text(st.characters(max_codepoint=255), max_size=20)
directive = st.one_of(
    st.sampled_from(["no-cache", "no-store", "private", "public", "must-revalidate", "max-age", "immutable"]),
    st.builds("{}={}".format, st.sampled_from(["max-age", "s-maxage", "stale-while-revalidate"]), seconds),
    latin,
)
controls = st.lists(directive, max_size=4).map(", ".join)


def caching(least: int, default: int, most: int) -> Caching:
    return Caching(least, default, most, False, False, (), Selection(), Selection())


class TestLifetime:
    @given(st.lists(seconds, min_size=3, max_size=3).map(sorted), controls)
    def test_is_between_the_policys_bounds(self, ttls: list[int], control: str) -> None:
        least, default, most = ttls
        life = lifetime(caching(least, default, most), {"cache-control": control}, NOW)
        assert least <= life.ttl <= most
        assert life.ttl + life.while_revalidating <= max(most, life.ttl)
        names = {part.strip().partition("=")[0].strip().lower() for part in control.split(",")}
        if names & {"no-cache", "no-store", "private"}:
            assert (life.ttl, life.keep) == (least, least > 0)

    @given(seconds, seconds)
    def test_of_a_shared_cache_goes_before_that_of_all(self, shared: int, own: int) -> None:
        control = f"max-age={own}, s-maxage={shared}"
        assert stated({"cache-control": control, "expires": formatdate(NOW, usegmt=True)}, NOW) == shared

    @given(st.integers(-1000, 1000))
    def test_of_an_expires_is_never_negative(self, ahead: int) -> None:
        found = stated({"expires": formatdate(NOW + ahead, usegmt=True)}, NOW)
        assert found == max(0, ahead)

    @given(latin)
    def test_of_nonsense_is_none(self, text: str) -> None:
        assert (stated({"expires": text}, NOW) or 0.0) >= 0.0
        assert isinstance(moment(text), float)

    def test_of_digits_that_are_none(self) -> None:
        assert stated({"cache-control": "max-age=\u00b2"}, NOW) is None
        assert stated({"cache-control": f"max-age={'9' * 400}"}, NOW) == float("inf")
