"""What clients of our applications without a page have in common, and a wait for what only asking can show."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.harness import ROOT

Frame = dict[str, Any]


class SocketClient(ABC):
    """One window: takes each frame as it comes, and can be waited for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._changed = asyncio.Event()
        self._socket: Any = None
        self._reader: asyncio.Task[None]

    @abstractmethod
    def take(self, frame: Frame) -> None: ...

    @abstractmethod
    def state(self) -> str:
        """In words, for whoever waited in vain."""

    @abstractmethod
    def lost(self) -> None:
        """The connection is gone."""

    async def connect(self, query: str = "") -> None:
        self._socket = await connect(self.url + query, compression=None, max_size=None)
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            await self._reader

    @property
    def is_open(self) -> bool:
        return self._socket is not None and not self._reader.done()

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                self.take(json.loads(text))
                self._changed.set()
        except ConnectionClosed:
            pass
        self.lost()
        self._changed.set()

    async def say(self, text: str) -> None:
        await self._socket.send(text)

    async def until(self, probe: Callable[[], Any], within: float = 20.0) -> Any:
        """The first truthy answer of the probe, looked at after each frame."""

        async def look() -> Any:
            while not (answer := probe()):
                self._changed.clear()
                await self._changed.wait()
            return answer

        try:
            return await asyncio.wait_for(look(), within)
        except TimeoutError:
            raise AssertionError(f"not within {within} s; {self.state()}") from None


async def eventually(probe: Callable[[], Awaitable[Any]], within: float = 20.0) -> Any:
    """The first truthy answer of an asynchronous probe."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    while not (answer := await probe()):
        assert loop.time() < until, f"not within {within} s: {probe}"
        await asyncio.sleep(0.01)
    return answer


def deploy(node: Any, path: str, *parameters: str, stack: str = "") -> None:
    command = [sys.executable, "-m", "cloudlet", "deploy", path, "--endpoint", node.endpoint]
    if stack:
        command += ["--stack", stack]
    for parameter in parameters:
        command += ["--parameter", parameter]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def outputs_of(node: Any, stack: str) -> dict[str, str]:
    found = node.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
