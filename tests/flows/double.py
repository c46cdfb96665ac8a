"""A back end in memory for tests of a page, in a thread of its own: the page's files over HTTP, and its socket."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.harness import eventually


class Server(ABC):
    """`refuse`: nobody gets a socket."""

    web: Path
    index: str

    def __init__(self) -> None:
        self.refuse = False
        self.socket = "/production"
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve(started)))
        self._thread.start()
        started.wait()

    async def _serve(self, started: threading.Event) -> None:
        self._stopped = asyncio.Event()
        async with serve(self._session, "127.0.0.1", 0, process_request=self._http, max_size=None) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            started.set()
            await self._stopped.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._loop.close()

    @abstractmethod
    async def _session(self, socket: ServerConnection) -> None:
        """One who is connected."""

    @abstractmethod
    def connected(self) -> Iterable[ServerConnection]: ...

    def file(self, path: str, headers: Headers) -> bytes | None:
        """What there is beside the page's own files."""
        return None

    def cut(self) -> None:
        """Every connection breaks, as when a network goes."""
        for socket in list(self.connected()):
            self._loop.call_soon_threadsafe(socket.transport.abort)
        eventually(lambda: not self.connected())

    def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path == "/production":
            return Response(503, "No", Headers()) if self.refuse else None
        headers = Headers({"Connection": "close"})
        body = self._body(path, headers)
        if body is None:
            return Response(404, "Not Found", headers, b"")
        headers["Content-Type"] = mimetypes.guess_type(path)[0] or "text/html"
        headers["Content-Length"] = str(len(body))
        return Response(200, "OK", headers, body)

    def _body(self, path: str, headers: Headers) -> bytes | None:
        if path == "/config.json":
            return json.dumps({"socket": self.socket}).encode()
        file = self.web / (path[1:] or self.index)
        return file.read_bytes() if file.is_file() else self.file(path, headers)

    async def _say(self, socket: ServerConnection, frame: Any) -> None:
        await socket.send(frame if isinstance(frame, str) else json.dumps(frame))
