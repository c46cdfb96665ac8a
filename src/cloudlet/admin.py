"""The node's own pages, `/_cloudlet/…`: health, live events, the clock, the outbox, artifacts, an application's page.

They are for the person at the machine and the command line, and speak JSON. A browser page of another origin may not
change anything through them.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import orjson

from . import __version__
from .net.messages import Request, Response

if TYPE_CHECKING:
    from .app import CloudletNode

JSON = (("content-type", "application/json"),)
TEXT = (("content-type", "text/plain; charset=utf-8"),)
ECHO_HEAD = b"content-type: application/json\r\n"
ARTIFACT = re.compile(r"[0-9a-f]{64}\.(zip|template)")
CLOCK_LAST = 253_402_300_799
"""The end of the year 9999: what lies beyond has no date."""
CLOCK_RANGE = b"The clock goes from 1970 to the end of the year 9999.\n"
CLOCK_WISHES = b'Say {"advance": seconds}, {"set": seconds since 1970} or {"reset": true}.\n'
OPEN = ("_localstack", "apps", "health")
"""What a node that listens beyond this machine shows to others."""
LOCAL = {"localhost", "127.0.0.1", "::1"}


class Admin:
    paths = ("/_cloudlet/", "/_localstack/")

    def __init__(self, node: CloudletNode) -> None:
        self._node = node
        self._pages: dict[str, Path] = {}

    def claims(self, host: str, path: str) -> bool:
        return path.startswith(self.paths) and not path.startswith("/_cloudlet/lambda/")

    async def handle(self, request: Request) -> Response:
        path = request.path.removeprefix("/_cloudlet")
        if not request.from_here and path.split("/")[1] not in OPEN:
            return Response(403, TEXT, b"Only from the machine that the node runs on.\n")
        if request.method not in ("GET", "HEAD") and _foreign(request):
            return Response(403, TEXT, b"Pages of another origin can't change this node.\n")
        match request.method, path.split("/")[1:]:
            case "GET" | "HEAD" | "POST", ["echo"]:
                return Response(200, (), b'{"ok":true}', ECHO_HEAD)
            case "GET" | "HEAD", ["health"] | ["_localstack", "health"]:
                return _json(self._health())
            case "GET", ["events"]:
                return Response(200, (("content-type", "application/x-ndjson"),), self._events())
            case "GET", ["tasks", "dead"]:
                return _json([_dead(task) for task in await self._node.tasks.dead()])
            case "GET", ["outbox"]:
                return _json(await self._node.runtimes["sns"].outbox())
            case "GET" | "POST", ["clock"]:
                return await self._clock(request)
            case "HEAD" | "PUT", ["artifacts", name]:
                return await self._artifact(request, name)
            case "PUT", ["apps", name]:
                return self._mount(name, request)
            case "GET" | "HEAD", ["apps", name, *rest]:
                return await asyncio.to_thread(self._page, name, rest)
        return Response(404, TEXT, b"Nothing here. /_cloudlet/health says what runs.\n")

    def _health(self) -> dict[str, object]:
        services = dict.fromkeys(sorted(self._node.services), "running")
        return {
            "services": services,
            "version": __version__,
            "edition": "cloudlet",
            "data": str(self._node.data.resolve()),
        }

    async def _events(self) -> AsyncIterator[bytes]:
        listener = self._node.events.listen()
        try:
            yield b'{"kind":"listening"}\n'
            async for event in listener:
                yield orjson.dumps(event, default=str, option=orjson.OPT_APPEND_NEWLINE)
        finally:
            listener.close()

    async def _clock(self, request: Request) -> Response:
        clock = self._node.clock
        if request.method == "POST":
            match _object(request.body) or {}:
                case {"advance": int() | float() as seconds}:
                    by = seconds
                case {"set": int() | float() as when}:
                    by = when - clock.now()
                case {"reset": True}:
                    by = -clock.offset
                case _:
                    return Response(400, TEXT, CLOCK_WISHES)
            if not 0 <= clock.now() + by <= CLOCK_LAST:
                return Response(400, TEXT, CLOCK_RANGE)
            await self._node.timekeeper.move(by)
        return _json({"now": clock.now(), "ahead": clock.offset})

    async def _artifact(self, request: Request, name: str) -> Response:
        """A deployment's zips and templates, named by their SHA-256, where services read them from."""
        if not ARTIFACT.fullmatch(name):
            return Response(400, TEXT, b"An artifact is named <sha256>.zip or <sha256>.template.\n")
        path = self._node.data / "artifacts" / name
        if request.method == "HEAD":
            return Response(200 if path.exists() else 404)
        if hashlib.sha256(request.body).hexdigest() != name[:64]:
            return Response(400, TEXT, b"The content doesn't have the SHA-256 of its name.\n")
        await asyncio.to_thread(_write, path, request.body)
        return Response(201)

    def _mount(self, name: str, request: Request) -> Response:
        wish = _object(request.body) or {}
        folder = Path(str(wish.get("web", "")))
        if not folder.is_absolute() or not folder.is_dir():
            return Response(400, TEXT, b'Say {"web": "/absolute/folder"}.\n')
        self._pages[name] = folder.resolve()
        return _json({"url": f"http://{self._node.config.home}/_cloudlet/apps/{name}/"})

    def _page(self, name: str, rest: list[str]) -> Response:
        folder = self._pages.get(name)
        if folder is None:
            return Response(404, TEXT, f"No application {name} is up.\n".encode())
        if not rest:
            return Response(301, (("location", f"/_cloudlet/apps/{name}/"),))
        path = (folder / unquote("/".join(rest) or "index.html")).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            return Response(404, TEXT, b"Not found.\n")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Response(200, (("content-type", kind), ("cache-control", "no-cache")), path.read_bytes())


def _json(value: object) -> Response:
    return Response(200, JSON, orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))


def _object(body: bytes) -> dict[str, object] | None:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _foreign(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        return False
    host = urlsplit(origin).hostname or ""
    return host not in LOCAL and not host.endswith(".localhost")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)


def _dead(task: object) -> dict[str, object]:
    return {
        "kind": getattr(task, "kind", ""),
        "attempt": getattr(task, "attempt", 0),
        "created": getattr(task, "created", 0.0),
        "error": getattr(task, "error", ""),
    }
