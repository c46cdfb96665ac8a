"""A client of the chat without a page, for tests, and the chat deployed to a node."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.harness import ROOT

Frame = dict[str, Any]


class Client:
    """One window: keeps every frame that came, the messages by their numbers, and the person's token."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.frames: list[Frame] = []
        self.messages: dict[int, Frame] = {}
        self.token: str | None = None
        self.you = ""
        self._changed = asyncio.Event()
        self._ref = 0
        self._socket: Any = None
        self._reader: asyncio.Task[None]

    async def open(self) -> None:
        self._socket = await connect(self.url, compression=None, max_size=None)
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            await self._reader

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                self.take(json.loads(text))
                self._changed.set()
        except ConnectionClosed:
            pass
        self._changed.set()

    def take(self, frame: Frame) -> None:
        self.frames.append(frame)
        match frame.get("type"):
            case "joined":
                self.token, self.you = frame["token"], frame["you"]
            case "message" | "history":
                self.messages |= {message["seq"]: message for message in frame["messages"]}
            case "changed":
                self.messages[frame["message"]["seq"]] = frame["message"]

    async def say(self, text: str) -> None:
        await self._socket.send(text)

    async def send(self, action: str, **request: Any) -> None:
        await self.say(json.dumps({"action": action} | request))

    async def ask(self, action: str, **request: Any) -> Frame:
        """The frame that answers."""
        self._ref += 1
        ref = self._ref
        await self.send(action, ref=ref, **request)
        answer: Frame = await self.until(lambda: self.answer_to(ref))
        return answer

    def answer_to(self, ref: Any) -> Frame | None:
        for frame in self.frames:
            if frame.get("ref") == ref:
                return frame
            for message in frame.get("messages", ()):
                if message.get("ref") == ref:
                    return dict(message)
        return None

    async def join(self, room: str, name: str, **more: Any) -> Frame:
        more = {"token": self.token} | more if self.token else more
        return await self.ask("updatedetails", room=room, name=name, **more)

    def of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.frames if frame.get("type") == kind]

    def texts(self) -> list[str]:
        """The messages' texts in their order."""
        return [message["text"] for _, message in sorted(self.messages.items())]

    def here(self) -> list[str]:
        """The names that were told last."""
        told = [frame["here"] for frame in self.frames if frame.get("type") in ("joined", "here")]
        return [person["name"] for person in told[-1]] if told else []

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
            raise AssertionError(f"not within {within} s; the last frames: {self.frames[-5:]}") from None


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


class Application:
    """The chat deployed to a node: its addresses from here, and its parts."""

    def __init__(self, node: Any, *parameters: str) -> None:
        self.node = node
        deploy(node, "apps/chat", *parameters)
        self.outputs = self.outputs_of("chat")
        self.api = self.outputs["ApiId"]
        self.url = f"ws://127.0.0.1:{node.port}/_aws/execute-api/{self.api}/production"
        self.website = f"{node.endpoint}/_aws/s3-website/{self.outputs['BucketName']}/"

    def outputs_of(self, stack: str) -> dict[str, str]:
        found = self.node.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    @asynccontextmanager
    async def client(self, room: str = "", name: str = "", **more: Any) -> AsyncIterator[Client]:
        """Connected, and in the room if one is given."""
        client = Client(self.url)
        await client.open()
        try:
            if room:
                assert (await client.join(room, name, **more))["type"] == "joined", client.frames
            yield client
        finally:
            await client.close()

    def scan(self, table: str) -> list[dict[str, Any]]:
        pages = self.node.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]

    def log(self, function: str) -> str:
        """What the function wrote until now."""
        logs = self.node.client("logs")
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
            return "\n".join(event["message"] for page in pages for event in page["events"])
        except logs.exceptions.ResourceNotFoundException:
            return ""

    async def logged(self, function: str, what: str) -> None:
        """Wait until the function has written it."""

        async def there() -> bool:
            return what in self.log(function)

        await eventually(there)

    def role_of(self, function: str) -> str:
        """The role's name."""
        configuration = self.node.client("lambda").get_function_configuration(FunctionName=function)
        return str(configuration["Role"]).rpartition("/")[2]
