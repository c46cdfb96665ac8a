"""The edge's mind: from a viewer's request to an answer, from the cache or from an origin.

    behavior -> protocol and method -> cache -> (one origin request per key) -> keep, dress, answer

A hit is answered without waiting for anything. Misses of one key are one request to the origin; whoever comes
meanwhile waits for it and looks again. What the origin forbids to keep, every viewer asks for himself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from ...context import Node
from ...net.messages import Request, Response, Tunnel, Upgrade
from ...store.interface import Transaction
from . import answers, compression, fills, freshness, managed, model, storage
from .behaviors import Behavior
from .cache import Cache, Entry, Key, Paths
from .client import OriginFailed
from .distributions import Distribution
from .fills import Fill, Flight
from .freshness import Lifetime

ERROR_BYTES = 1024 * 1024
"""A larger error page passes through without being kept."""
POLICIES = (
    (model.CACHE_POLICY.key, managed.CACHE),
    (model.ORIGIN_REQUEST_POLICY.key, managed.ORIGIN_REQUEST),
    (model.RESPONSE_HEADERS_POLICY.key, managed.RESPONSE_HEADERS),
)
Answer = Response | Upgrade | Tunnel


class Cdn:
    """CloudFront's runtime."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._clock = node.clock
        self._cache = Cache()
        self._flights: dict[Key, Flight] = {}
        self._large: dict[Key, float] = {}
        """Objects that were too large to be kept, and until when to believe it."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._reloading = asyncio.Lock()
        self._compiled: dict[str, tuple[Any, Distribution]] = {}
        self.distributions: dict[str, Distribution] = {}
        """By id in lower case."""
        self.hosts: dict[str, Distribution] = {}
        """By every name that one has."""
        self.wild: dict[str, Distribution] = {}
        """By what follows the `*.` of an alternate domain name."""

    async def start(self) -> None:
        self._clock.when_set_back(self._rewind)
        await self.reload()

    def _rewind(self, seconds: float) -> None:
        self._cache.rewind(seconds)
        self._large.clear()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # --- what is served ------------------------------------------------------------

    async def reload(self) -> None:
        """Serve what the store says from now on."""
        async with self._reloading:
            records, policies, controls = await self._node.store.read(_everything)
            known: dict[str, tuple[Any, Distribution]] = {}
            for record in records:
                sign = (record["etag"], policies, controls)
                before = self._compiled.get(record["id"])
                if before is not None and before[0] == sign:
                    known[record["id"]] = before
                else:
                    known[record["id"]] = sign, Distribution(self._node, record, policies, controls)
            for id in self._compiled.keys() - known.keys():
                self._cache.forget(id.lower())
            self._compiled = known
            self.distributions = {one.key: one for _, one in known.values()}
            self.hosts, self.wild = {}, {}
            for one in self.distributions.values():
                names = (f"{one.key}.cloudfront.localhost", f"{one.key}.cloudfront.net", *one.aliases)
                self.hosts.update(dict.fromkeys(names, one))
                self.wild.update({name[2:]: one for name in one.aliases if name.startswith("*.")})

    def invalidate(self, id: str, patterns: list[str]) -> None:
        """Forget what the paths name, and don't keep what is on its way."""
        distribution = self.distributions[id.lower()]
        paths = Paths(patterns, distribution.root)
        self._cache.forget(distribution.key, paths)
        for key, flight in self._flights.items():
            if key[0] == distribution.key and paths.name(flight.url):
                flight.void = True

    # --- requests ------------------------------------------------------------

    async def serve(self, distribution: Distribution, request: Request, path: str) -> Answer:
        """`path`: the viewer's, without what leads to the distribution."""
        if path == "/" and distribution.root:
            path = f"/{distribution.root}"
        behavior = distribution.behavior(path)
        if request.scheme != "https" and behavior.protocol != "allow-all":
            if behavior.protocol == "https-only":
                return answers.page(distribution.via, 403, "https")
            return answers.to_https(distribution, behavior, request)
        method = request.method
        if method not in behavior.allowed:
            return answers.page(distribution.via, 403, "method")
        if not distribution.enabled:
            return answers.page(distribution.via, 403, "disabled")
        headers = request.headers
        if method == "GET" and (headers.get("content-length", "0") != "0" or "transfer-encoding" in headers):
            return answers.page(distribution.via, 403, "body")
        if len(request.path) + len(request.query) > model.MAX_URL:
            return answers.page(distribution.via, 413, "long")
        if "via" in headers and distribution.via in headers["via"]:
            return answers.page(distribution.via, 403, "loop")
        socket = "upgrade" in headers and request.wants_websocket
        if socket or method not in behavior.cached or not behavior.caching.on:
            return await self._pass(distribution, behavior, request, path)
        key: Key = (distribution.key, behavior.key(request, path, behavior.encoding(request)))
        entry = self._cache.get(key)
        if entry is not None and (now := self._clock.now()) < entry.until + entry.while_revalidating:
            if now >= entry.until and key not in self._flights:
                self._spawn(self._refresh(distribution, behavior, request, key))
            return answers.hit(distribution, behavior, entry, request, now)
        return await self._miss(distribution, behavior, request, path, key)

    async def _pass(
        self, distribution: Distribution, behavior: Behavior, request: Request, path: str
    ) -> Answer:
        """Without the cache: other methods, behaviors that keep nothing, WebSockets."""
        try:
            answer = await self._ask(distribution, behavior, request, path, [], conditions=True)
        except OriginFailed as failure:
            answer = answers.page(distribution.via, failure.status, failure.reason)
        if not isinstance(answer, Response):
            return answer
        if answer.status >= 400:
            return await self._failed(distribution, behavior, request, path, answer, None)
        return self._through(distribution, behavior, request, answer)

    def _through(
        self, distribution: Distribution, behavior: Behavior, request: Request, answer: Response
    ) -> Response:
        """The origin's answer as it is, its body as it comes."""
        given = answers.headers_of(answer)
        result = "Error" if answer.status >= 400 else "Miss"
        headers = answers.dressed(
            distribution, behavior, behavior.object_headers(answers.cleaned(given)), request, result
        )
        headers += [(name, value) for name, value in given if name.lower() == "content-length"]
        return Response(answer.status, headers, answer.body)

    async def _ask(
        self,
        distribution: Distribution,
        behavior: Behavior,
        request: Request,
        path: str,
        extra: list[tuple[str, str]],
        *,
        conditions: bool,
    ) -> Answer:
        """The behavior's origin, or the second one of its group if the first fails. Raises `OriginFailed`."""
        encoding = behavior.encoding(request)
        last = len(behavior.origins) - 1
        for number, id in enumerate(behavior.origins):
            fails_over = number < last and request.method in ("GET", "HEAD", "OPTIONS")
            try:
                answer = await distribution.origins[id].ask(
                    distribution, behavior, request, path, extra, conditions=conditions, encoding=encoding
                )
            except OriginFailed:
                if fails_over:
                    continue
                raise
            if not (fails_over and isinstance(answer, Response) and answer.status in behavior.failover):
                break
            await fills.discard(answer.body)
        return answer

    # --- misses ------------------------------------------------------------

    async def _miss(
        self, distribution: Distribution, behavior: Behavior, request: Request, path: str, key: Key
    ) -> Answer:
        flight: Flight | None = None
        waited = self._flights.get(key)
        if waited is not None:
            await waited.wait()
            entry = self._cache.get(key)
            now = self._clock.now()
            if entry is not None and now < entry.until:
                return answers.hit(distribution, behavior, entry, request, now)
        else:
            flight = self._flights[key] = Flight(_url(key))
        try:
            return await self._fetch(distribution, behavior, request, path, key, flight)
        except OriginFailed as failure:  # in the middle of its answer
            return answers.page(distribution.via, failure.status, failure.reason)

    async def _fetch(
        self,
        distribution: Distribution,
        behavior: Behavior,
        request: Request,
        path: str,
        key: Key,
        flight: Flight | None,
    ) -> Answer:
        """`flight`: what others wait for; it has landed when this returns, or when the body that it returns is read."""
        flying = False
        try:
            entry = self._cache.get(key)
            extra = _validators(entry) if entry is not None and entry.can_revalidate else []
            large = self._large.get(key, 0.0) > self._clock.now()
            try:
                answer = await self._ask(
                    distribution, behavior, request, path, [] if large else extra, conditions=large
                )
            except OriginFailed as failure:
                answer = answers.page(distribution.via, failure.status, failure.reason)
            if not isinstance(answer, Response):
                return answer
            now = self._clock.now()
            if answer.status == 304 and entry is not None and extra and not large:
                await fills.discard(answer.body)
                return self._refreshed(distribution, behavior, request, entry, answer, now)
            if answer.status >= 500 and entry is not None and entry.may_replace_error(now):
                await fills.discard(answer.body)
                entry.until = now + distribution.error_minimum(answer.status)
                return answers.fresh(distribution, behavior, entry, request, "Hit", now)
            if answer.status >= 400:
                return await self._failed(distribution, behavior, request, path, answer, (key, flight))
            if large:
                return self._through(distribution, behavior, request, answer)
            kept = await self._keep(distribution, behavior, request, path, answer, key, flight)
            flying = kept[1]
            return kept[0]
        finally:
            if not flying:
                self._land(key, flight)

    def _land(self, key: Key, flight: Flight | None) -> None:
        if flight is not None:
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.land()

    def _refreshed(
        self,
        distribution: Distribution,
        behavior: Behavior,
        request: Request,
        entry: Entry,
        answer: Response,
        now: float,
    ) -> Response:
        """304: the object is as it was, and lives anew."""
        news = {name.lower(): (name, value) for name, value in answers.cleaned(answers.headers_of(answer))}
        kept_tag = entry.etag != entry.origin_etag
        for name in ("content-type", "content-encoding", "etag") if kept_tag else ("content-type",):
            news.pop(name, None)
        merged = [one for one in entry.headers if one[0].lower() not in news] + list(news.values())
        entry.describe(merged, entry.origin_etag if kept_tag else "")
        entry.live(now, freshness.lifetime(behavior.caching, _lower(merged), now))
        return answers.fresh(distribution, behavior, entry, request, "RefreshHit", now)

    async def _refresh(
        self, distribution: Distribution, behavior: Behavior, request: Request, key: Key
    ) -> None:
        """Behind the viewer's back: he has had the stale object already."""
        flight = self._flights[key] = Flight(_url(key))
        answer = await self._fetch(distribution, behavior, request, key[1][0], key, flight)
        if isinstance(answer, Response) and not isinstance(answer.body, bytes):
            await fills.collected(answer.body, model.OBJECT_BYTES)

    async def _keep(
        self,
        distribution: Distribution,
        behavior: Behavior,
        request: Request,
        path: str,
        answer: Response,
        key: Key,
        flight: Flight | None,
    ) -> tuple[Answer, bool]:
        """A good answer: into the cache if it may, and to the viewer. True: the flight lands later."""
        now = self._clock.now()
        given = answers.headers_of(answer)
        headers = behavior.object_headers(answers.cleaned(given))
        lower = _lower(headers)
        life = freshness.lifetime(behavior.caching, lower, now)
        keeps = life.keep and (life.ttl > 0 or "etag" in lower or "last-modified" in lower)
        declared = _declared(given)
        body = answer.body
        size = len(body) if isinstance(body, bytes) else declared
        if request.method == "HEAD" or answer.status in (206, 304) or not keeps:
            return self._through(distribution, behavior, request, answer), False
        if size is not None and size > model.OBJECT_BYTES:
            return await self._too_large(distribution, behavior, request, path, answer, key, life), False
        encoding = behavior.encoding(request) if behavior.compress else ""
        squeeze = size is not None and compression.wanted(answer.status, lower, size, encoding)
        partial = any(name in request.headers for name in answers.CONDITIONS)
        if isinstance(body, bytes) or squeeze or (partial and size is not None):
            whole = await _whole(body, size)
            entry = await self._entry(key, answer.status, headers, whole, encoding if squeeze else "")
            self._put(entry, flight, life, _age(lower))
            return answers.fresh(distribution, behavior, entry, request, "Miss", now), False

        def arrived(whole: bytes | None) -> None:
            if whole is not None and declared in (None, len(whole)):
                self._put(Entry(key, answer.status, headers, whole), flight, life, _age(lower))
            self._land(key, flight)

        fill = Fill(body, model.OBJECT_BYTES, arrived)
        self._spawn(fill.run())
        return self._through(
            distribution, behavior, request, Response(answer.status, given, fill.pieces())
        ), True

    async def _too_large(
        self,
        distribution: Distribution,
        behavior: Behavior,
        request: Request,
        path: str,
        answer: Response,
        key: Key,
        life: Lifetime,
    ) -> Answer:
        """It passes through; a range of it is asked for again, so that the rest isn't sent for nothing."""
        if len(self._large) >= 4096:
            self._large.clear()
        self._large[key] = self._clock.now() + max(life.ttl, 1.0)
        if not any(name in request.headers for name in answers.CONDITIONS):
            return self._through(distribution, behavior, request, answer)
        await fills.discard(answer.body)
        return await self._pass(distribution, behavior, request, path)

    async def _entry(
        self, key: Key, status: int, headers: list[tuple[str, str]], body: bytes, encoding: str
    ) -> Entry:
        if not encoding:
            return Entry(key, status, headers, body)
        packed, name = await compression.compressed(body, encoding)
        etag = next((value for header, value in headers if header.lower() == "etag"), "")
        changed = [one for one in headers if one[0].lower() not in ("etag", "accept-ranges")]
        if etag.startswith(('"', "W/")):
            changed.append(("ETag", etag if etag.startswith("W/") else f"W/{etag}"))
        changed += [("Content-Encoding", name), ("Vary", "Accept-Encoding")]
        return Entry(key, status, changed, packed, origin_etag=etag)

    def _put(self, entry: Entry, flight: Flight | None, life: Lifetime, age: float = 0.0) -> None:
        entry.live(self._clock.now(), life, age)
        if flight is None or not flight.void:
            self._cache.put(entry)

    # --- errors ------------------------------------------------------------

    async def _failed(
        self,
        distribution: Distribution,
        behavior: Behavior,
        request: Request,
        path: str,
        answer: Response,
        keeping: tuple[Key, Flight | None] | None,
    ) -> Answer:
        """An error of the origin: the distribution's own page for it, if it has one; kept for a while."""
        rule = distribution.errors.get(answer.status)
        given = answers.headers_of(answer)
        whole = (
            await fills.collected(answer.body, ERROR_BYTES)
            if (_declared(given) or 0) <= ERROR_BYTES
            else None
        )
        if whole is None:
            return self._through(distribution, behavior, request, answer)
        headers, status = answers.cleaned(given), answer.status
        lower = _lower(headers)
        if rule is not None and rule["ResponsePagePath"]:
            found = await self._error_page(distribution, request, rule["ResponsePagePath"])
            if found is not None:
                headers, whole, status = found[0], found[1], int(rule["ResponseCode"])
        now = self._clock.now()
        kept = answer.status in model.ALWAYS_CACHED_ERRORS or (
            answer.status in model.SOMETIMES_CACHED_ERRORS
            and (rule is not None or freshness.aged(lower) is not None)
        )
        key, flight = keeping if keeping is not None else (("", (path, "")), None)
        entry = Entry(key, status, headers, whole)
        entry.error = True
        if keeping is not None and kept and request.method != "HEAD":
            ttl = freshness.error_lifetime(distribution.error_minimum(answer.status), lower)
            if ttl > 0:
                self._put(entry, flight, Lifetime(ttl, keep=True))
        made = answers.fresh(distribution, behavior, entry, request, "Miss", now)
        if request.method == "HEAD" and not whole:
            made.headers = [*made.headers, ("Content-Length", str(_declared(given) or 0))]
        return made

    async def _error_page(
        self, distribution: Distribution, request: Request, path: str
    ) -> tuple[list[tuple[str, str]], bytes] | None:
        """Headers and body of a custom error page, fetched as if the viewer had asked for it; None if that fails."""
        behavior = distribution.behavior(path)
        asking = Request()
        asking.method, asking.path = "GET", path
        asking.scheme, asking.peer = request.scheme, request.peer
        dropped = {*answers.CONDITIONS, "if-range", "content-length", "content-type", "transfer-encoding"}
        asking.headers = {name: value for name, value in request.headers.items() if name not in dropped}
        asking.raw_headers = [one for one in request.raw_headers if one[0].lower() not in dropped]
        key: Key = (distribution.key, behavior.key(asking, path, behavior.encoding(asking)))
        entry = self._cache.get(key)
        if entry is None or entry.error or self._clock.now() >= entry.until:
            try:
                answer = await self._ask(distribution, behavior, asking, path, [], conditions=False)
            except OriginFailed:
                return None
            if not isinstance(answer, Response):
                return None
            if answer.status != 200:
                await fills.discard(answer.body)
                return None
            answer, _ = await self._keep(distribution, behavior, asking, path, answer, key, None)
            assert isinstance(answer, Response)
            whole = await fills.collected(answer.body, model.OBJECT_BYTES)
            mine = {"x-cache", "x-amz-cf-id", "x-amz-cf-pop", "via"}
            found = [one for one in answers.cleaned(list(answer.headers)) if one[0].lower() not in mine]
            return (found, whole) if whole is not None else None
        return entry.headers, entry.body

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._node.log.error("refreshing an object of a distribution failed", exc_info=error)


async def _everything(tx: Transaction) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """All distributions, all policies and all access controls; the latter two by id."""
    policies: dict[str, Any] = {}
    for noun, given in POLICIES:
        policies |= given
        policies |= {record["id"]: record["config"] for record in await storage.every_record(tx, noun)}
    controls = {
        record["id"]: record["config"] for record in await storage.every_record(tx, model.ACCESS_CONTROL.key)
    }
    return await storage.every_distribution(tx), policies, controls


async def _whole(body: bytes | AsyncIterator[bytes], size: int | None) -> bytes:
    whole = await fills.collected(body, model.OBJECT_BYTES)
    if whole is None or (size is not None and len(whole) != size):
        raise OriginFailed(502, "broken")
    return whole


def _url(key: Key) -> str:
    path, query = key[1][:2]
    return f"{path}?{query}" if query else str(path)


def _lower(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def _declared(headers: list[tuple[str, str]]) -> int | None:
    return next((int(v) for n, v in headers if n.lower() == "content-length" and v.isdecimal()), None)


def _age(headers: dict[str, str]) -> float:
    age = headers.get("age", "")
    return float(age) if age.isdecimal() else 0.0


def _validators(entry: Entry) -> list[tuple[str, str]]:
    found = [("If-None-Match", entry.origin_etag)] if entry.origin_etag else []
    return found + ([("If-Modified-Since", entry.modified)] if entry.modified else [])
