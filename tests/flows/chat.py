"""A client of the chat without a page, for tests, and the chat deployed to a node."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.flows.client import Frame, SocketClient, deploy, eventually, outputs_of


class Client(SocketClient):
    """One window: keeps every frame that came, the messages by their numbers, and the person's token."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.frames: list[Frame] = []
        self.messages: dict[int, Frame] = {}
        self.token: str | None = None
        self.you = ""
        self._ref = 0

    async def open(self) -> None:
        await self.connect()

    def lost(self) -> None:
        """All that came stays."""

    def state(self) -> str:
        return f"the last frames: {self.frames[-5:]}"

    def take(self, frame: Frame) -> None:
        self.frames.append(frame)
        match frame.get("type"):
            case "joined":
                self.token, self.you = frame["token"], frame["you"]
            case "message" | "history":
                self.messages |= {message["seq"]: message for message in frame["messages"]}
            case "changed":
                self.messages[frame["message"]["seq"]] = frame["message"]

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


class Application:
    """The chat deployed to a node: its addresses from here, and its parts."""

    def __init__(self, node: Any, *parameters: str) -> None:
        self.node = node
        deploy(node, "apps/chat", *parameters)
        self.outputs = outputs_of(node, "chat")
        self.api = self.outputs["ApiId"]
        self.url = f"ws://127.0.0.1:{node.port}/_aws/execute-api/{self.api}/production"
        self.website = f"{node.endpoint}/_aws/s3-website/{self.outputs['BucketName']}/"

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
