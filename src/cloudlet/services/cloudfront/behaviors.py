"""Cache behaviors compiled: which paths, what makes two requests the same, what of a request reaches the origin.

A cache policy says what is in the key, and what is in the key also goes to the origin; an origin request policy adds to
that. The older ForwardedValues are both at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...net.messages import Request
from . import viewers
from .dressing import Dressing

Config = Mapping[str, Any]

NEVER_FORWARDED = frozenset((
    "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
    "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "via",
    "x-amz-cf-id", "x-cache", "x-forwarded-for", "x-forwarded-proto", "x-real-ip",
))  # fmt: skip
"""Set by CloudFront itself, or dropped: "HTTP request headers and CloudFront behavior"."""
ALWAYS_FORWARDED = frozenset((
    "cache-control", "content-encoding", "content-language", "content-md5", "content-type", "date", "from",
    "max-forwards", "pragma", "warning", "x-amz-content-sha256",
))  # fmt: skip
LEGACY_DROPPED = frozenset((
    "accept", "accept-charset", "accept-language", "authorization", "cookie", "origin", "referer", "user-agent",
    "x-http-method-override",
))  # fmt: skip
"""What a behavior with ForwardedValues drops unless it is named; other headers go to custom origins."""
CONDITIONS = frozenset((
    "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range",
))  # fmt: skip


@dataclass(slots=True, frozen=True)
class Selection:
    """Some of the names: `none`, `whitelist`, `allExcept` or `all`."""

    mode: str = "none"
    names: frozenset[str] = frozenset()
    patterns: tuple[re.Pattern[str], ...] = ()
    """Names of cookies may have wildcards."""

    def takes(self, name: str) -> bool:
        if self.mode == "whitelist":
            return self._named(name)
        return self.mode == "all" or (self.mode == "allExcept" and not self._named(name))

    def _named(self, name: str) -> bool:
        return name in self.names or any(one.fullmatch(name) for one in self.patterns)

    @staticmethod
    def of(mode: str, part: Any) -> Selection:
        return Selection(mode, frozenset((part or {}).get("Items") or ()))

    @staticmethod
    def of_cookies(mode: str, part: Any) -> Selection:
        names = (part or {}).get("Items") or ()
        wild = [name for name in names if "*" in name or "?" in name]
        return Selection(mode, frozenset(names) - set(wild), tuple(_wildcards(name) for name in wild))


@dataclass(slots=True, frozen=True)
class Caching:
    """What is in the key, and how long an object is kept."""

    least: float
    default: float
    most: float
    gzip: bool
    brotli: bool
    headers: tuple[str, ...]
    """Lower case."""
    cookies: Selection
    queries: Selection
    legacy: bool = False

    @property
    def on(self) -> bool:
        """Without a TTL there is no cache, except that the older settings revalidate."""
        return self.most > 0 or self.legacy

    @staticmethod
    def of(policy: Config) -> Caching:
        keys = policy["ParametersInCacheKeyAndForwardedToOrigin"]
        return Caching(
            policy["MinTTL"],
            policy["DefaultTTL"],
            policy["MaxTTL"],
            keys["EnableAcceptEncodingGzip"],
            keys.get("EnableAcceptEncodingBrotli", False),
            _lower(keys["HeadersConfig"].get("Headers")),
            Selection.of_cookies(
                keys["CookiesConfig"]["CookieBehavior"], keys["CookiesConfig"].get("Cookies")
            ),
            Selection.of(
                keys["QueryStringsConfig"]["QueryStringBehavior"],
                keys["QueryStringsConfig"].get("QueryStrings"),
            ),
        )

    @staticmethod
    def legacy_of(behavior: Config) -> Caching:
        values = behavior["ForwardedValues"]
        named = values.get("QueryStringCacheKeys")
        queries = Selection.of("whitelist", named) if (named or {}).get("Items") else Selection("all")
        headers = _lower(values.get("Headers"))
        return Caching(
            behavior["MinTTL"],
            behavior["DefaultTTL"],
            0 if "*" in headers else behavior["MaxTTL"],
            True,
            False,
            () if "*" in headers else headers,
            Selection.of_cookies(values["Cookies"]["Forward"], values["Cookies"].get("WhitelistedNames")),
            queries if values["QueryString"] else Selection(),
            legacy="*" not in headers,
        )


@dataclass(slots=True, frozen=True)
class Forwarding:
    """What reaches the origin beside what is in the key."""

    headers: Selection = Selection()
    cookies: Selection = Selection()
    queries: Selection = Selection()
    cloudfront: tuple[str, ...] = ()
    """CloudFront's own headers that it wants, lower case."""
    rest: bool = False
    """Headers that nobody names go, too."""

    @staticmethod
    def of(policy: Config) -> Forwarding:
        part = policy["HeadersConfig"]
        mode, named = part["HeaderBehavior"], _lower(part.get("Headers"))
        headers = Selection("whitelist", frozenset(named))
        if mode in ("allViewer", "allViewerAndWhitelistCloudFront"):
            headers = Selection("all")
        elif mode == "allExcept":
            headers = Selection("allExcept", frozenset(named))
        elif mode == "none":
            headers = Selection()
        return Forwarding(
            headers,
            Selection.of_cookies(
                policy["CookiesConfig"]["CookieBehavior"], policy["CookiesConfig"].get("Cookies")
            ),
            Selection.of(
                policy["QueryStringsConfig"]["QueryStringBehavior"],
                policy["QueryStringsConfig"].get("QueryStrings"),
            ),
            tuple(name for name in named if name.startswith("cloudfront-")) if mode != "allExcept" else (),
        )

    @staticmethod
    def legacy_of(behavior: Config) -> Forwarding:
        values = behavior["ForwardedValues"]
        named = _lower(values.get("Headers"))
        return Forwarding(
            Selection("all") if "*" in named else Selection("whitelist", frozenset(named)),
            queries=Selection("all") if values["QueryString"] else Selection(),
            cloudfront=tuple(name for name in named if name.startswith("cloudfront-")),
            rest=True,
        )


def _lower(part: Any) -> tuple[str, ...]:
    return tuple(sorted(name.lower() for name in (part or {}).get("Items") or ()))


class Behavior:
    __slots__ = (
        "allowed", "cached", "caching", "compress", "dressing", "failover", "forwarding", "is_default", "origins",
        "pattern", "plain", "protocol",
    )  # fmt: skip

    def __init__(
        self,
        config: Config,
        policies: Mapping[str, Config],
        groups: Mapping[str, tuple[tuple[str, ...], frozenset[int]]],
    ) -> None:
        """`policies` by id; `groups` are the origin groups: their members, and the statuses that fail over."""
        self.pattern = pattern(config["PathPattern"]) if "PathPattern" in config else None
        self.origins, self.failover = groups.get(
            config["TargetOriginId"], ((config["TargetOriginId"],), frozenset())
        )
        self.protocol: str = config["ViewerProtocolPolicy"]
        self.allowed = frozenset(config["AllowedMethods"]["Items"])
        self.cached = frozenset(config["AllowedMethods"]["CachedMethods"]["Items"])
        self.compress: bool = config["Compress"]
        if config.get("CachePolicyId"):
            self.caching = Caching.of(policies[config["CachePolicyId"]])
            extra = config.get("OriginRequestPolicyId")
            self.forwarding = Forwarding.of(policies[extra]) if extra else Forwarding()
        else:
            self.caching = Caching.legacy_of(config)
            self.forwarding = Forwarding.legacy_of(config)
        dress = config.get("ResponseHeadersPolicyId")
        self.dressing = Dressing.of(policies[dress]) if dress else None
        caching = self.caching
        self.plain = not caching.headers and caching.cookies.mode == caching.queries.mode == "none"
        """Nothing but the path and the encoding is in the key."""

    def key(self, request: Request, path: str, encoding: str) -> tuple[Any, ...]:
        """What makes two requests the same. The path comes first, then the query string that belongs to it."""
        method = "OPTIONS" if request.method == "OPTIONS" else ""
        if self.plain:
            return path, "", encoding, method
        caching = self.caching
        headers = tuple(viewers.header(request, name) for name in caching.headers)
        cookies = chosen_cookies(request.headers.get("cookie", ""), caching.cookies)
        return path, chosen_query(request.query, caching.queries), encoding, method, headers, cookies

    def encoding(self, request: Request) -> str:
        accepted = request.headers.get("accept-encoding")
        if accepted is None or request.http_version == "1.0":
            return ""
        return encodings(accepted, self.caching.gzip, self.caching.brotli)

    def query(self, request: Request) -> str:
        return chosen_query(request.query, self.caching.queries, self.forwarding.queries)

    def headers(
        self, request: Request, encoding: str, *, conditions: bool, rest: bool
    ) -> list[tuple[str, str]]:
        """The headers of an origin request but those that CloudFront sets. `conditions`: also those that make the
        answer a partial or an empty one; `rest`: the origin is a custom one."""
        forwarding, in_key = self.forwarding, self.caching.headers
        sent = []
        for name, value in request.raw_headers:
            lower = name.lower()
            if lower in CONDITIONS:
                wanted = conditions
            elif (
                lower == "cookie" or lower.startswith(("cloudfront-", "x-edge-")) or lower in NEVER_FORWARDED
            ):
                wanted = False
            else:
                wanted = (
                    lower in ALWAYS_FORWARDED
                    or lower in in_key
                    or forwarding.headers.takes(lower)
                    or (rest and forwarding.rest and lower not in LEGACY_DROPPED)
                    or (lower == "authorization" and request.method not in ("GET", "HEAD", "OPTIONS"))
                )
            if wanted:
                sent.append((name, value))
        names = dict.fromkeys((*forwarding.cloudfront, *(n for n in in_key if n.startswith("cloudfront-"))))
        sent += [(viewers.spelt(n), value) for n in names if (value := viewers.header(request, n))]
        cookies = chosen_cookies(request.headers.get("cookie", ""), self.caching.cookies, forwarding.cookies)
        if cookies:
            sent.append(("Cookie", cookies))
        if encoding:
            sent.append(("Accept-Encoding", encoding))
        elif "accept-encoding" in in_key or (
            forwarding.headers.takes("accept-encoding") and not (self.caching.gzip or self.caching.brotli)
        ):
            sent += [(n, v) for n, v in request.raw_headers if n.lower() == "accept-encoding"]
        return sent

    def object_headers(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Where the older settings forward no cookies, none are set either: "Cache content based on cookies".
        Vary names only what the origin may see."""
        silent = self.caching.legacy and self.caching.cookies.mode == "none"
        kept = []
        for name, value in headers:
            lower = name.lower()
            if lower == "set-cookie" and silent:
                continue
            if lower == "vary":
                value = ", ".join(
                    one for one in map(str.strip, value.split(",")) if self._varies(one.lower())
                )
                if not value:
                    continue
            kept.append((name, value))
        return kept

    def _varies(self, name: str) -> bool:
        devices = any(one.startswith("cloudfront-is-") for one in self.caching.headers)
        return (
            name in ("*", "accept-encoding", "cookie")
            or name in self.caching.headers
            or self.forwarding.headers.takes(name)
            or (name == "user-agent" and devices)
        )

    def keeps_host(self) -> bool:
        """Whether the origin sees the viewer's Host."""
        return "host" in self.caching.headers or self.forwarding.headers.takes("host")


def pattern(text: str) -> re.Pattern[str]:
    """A path pattern: `*` is any characters, `?` exactly one; case counts, a leading slash doesn't."""
    return re.compile("/" + _wildcards(text.removeprefix("/")).pattern, re.DOTALL)


def _wildcards(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))


@lru_cache(maxsize=1024)
def encodings(accepted: str, gzip: bool, brotli: bool) -> str:
    """Accept-Encoding as CloudFront normalizes it: "br,gzip", "br", "gzip" or ""."""
    offered = set()
    for part in accepted.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=")
        if quality and quality.strip("0.") == "":
            continue
        offered.add(name.strip())
    wanted = (("br", brotli and "br" in offered), ("gzip", gzip and ("gzip" in offered or "*" in offered)))
    return ",".join(name for name, there in wanted if there)


def chosen_query(query: str, *selections: Selection) -> str:
    if not query or any(selection.mode == "all" for selection in selections):
        return query
    taking = [selection for selection in selections if selection.mode != "none"]
    if not taking:
        return ""
    parts = query.split("&")
    return "&".join(_chosen(parts, taking))


def chosen_cookies(cookies: str, *selections: Selection) -> str:
    """In order of their names, as CloudFront sorts them."""
    taking = [selection for selection in selections if selection.mode != "none"]
    if not cookies or not taking:
        return ""
    chosen = _chosen((part.strip() for part in cookies.split(";")), taking)
    return "; ".join(sorted(chosen, key=lambda part: part.partition("=")[0]))


def _chosen(parts: Iterable[str], taking: list[Selection]) -> list[str]:
    return [part for part in parts if any(one.takes(part.partition("=")[0]) for one in taking)]
