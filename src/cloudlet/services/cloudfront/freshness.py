"""How long an object is kept: Cache-Control and Expires between a behavior's minimum and maximum.

As "Manage how long content stays in the cache" in the Developer Guide tells it: `s-maxage` before `max-age` before
`Expires`; without any of them the default; `no-cache`, `no-store` and `private` count only if the minimum is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache

from .behaviors import Caching

UNCACHED = frozenset(("no-cache", "no-store", "private"))


@dataclass(slots=True, frozen=True)
class Lifetime:
    """In seconds from now."""

    ttl: float
    keep: bool
    """Whether it may be kept at all; with a TTL of 0 it is asked for again each time, conditionally."""
    while_revalidating: float = 0.0
    if_error: float | None = None
    """For how long after its end it may stand in for an origin that fails; None: the origin doesn't say."""


@lru_cache(maxsize=4096)
def directives(text: str) -> dict[str, str]:
    """Cache-Control's parts, lower case; shared, not to be changed."""
    found = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        found[name.strip().lower()] = value.strip().strip('"')
    return found


def lifetime(caching: Caching, headers: dict[str, str], now: float) -> Lifetime:
    """Of a good answer with these headers (lower-case names)."""
    control = directives(headers.get("cache-control", ""))
    if UNCACHED & control.keys() or "*" in headers.get("vary", ""):
        return Lifetime(caching.least, caching.least > 0)
    said = stated(headers, now)
    if said is None:
        ttl = max(caching.least, caching.default)
    else:
        ttl = max(caching.least, min(said, caching.most))
    stale = seconds(control, "stale-while-revalidate")
    error = seconds(control, "stale-if-error")
    if "must-revalidate" in control or "proxy-revalidate" in control:
        error = 0.0
    return Lifetime(ttl, caching.on, min(stale or 0.0, max(caching.most - ttl, 0.0)), error)


def stated(headers: dict[str, str], now: float) -> float | None:
    """What the origin says, None if it says nothing."""
    given = aged(headers)
    if given is not None:
        return given
    expires = headers.get("expires")
    if expires is None:
        return None
    try:
        return max(0.0, parsedate_to_datetime(expires).timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0


def aged(headers: dict[str, str]) -> float | None:
    """What Cache-Control says, None if it says nothing. Of an error nothing else counts."""
    control = directives(headers.get("cache-control", ""))
    for name in ("s-maxage", "max-age"):
        given = seconds(control, name)
        if given is not None:
            return given
    return None


def error_lifetime(minimum: float, headers: dict[str, str]) -> float:
    """Of an error: what the origin says, but not less than the error caching minimum."""
    return max(minimum, aged(headers) or 0.0)


def seconds(control: dict[str, str], name: str) -> float | None:
    value = control.get(name, "")
    return float(value) if value.isdecimal() else None
