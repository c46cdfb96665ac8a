"""kill -9 of the node in the middle of a busy room: no acknowledged message is lost, and each is translated.

People talk as the page does: what isn't acknowledged is sent again after the reconnect, known by its `once`. A round is
a kill at a random moment; `CHAT_KILLS=n` plays n rounds instead of three.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import WebSocketException

from cloudlet.services.translate.engine import modes
from tests.flows.chat import Application, Client
from tests.flows.client import eventually
from tests.harness import Node

ROUNDS = int(os.environ.get("CHAT_KILLS", "3"))
PEOPLE = 4
GONE = (WebSocketException, OSError, EOFError, AssertionError)

pytestmark = [pytest.mark.node_only, pytest.mark.slow, pytest.mark.timeout(60 + 30 * ROUNDS)]
translated = modes().keys() >= {("en", "es")}


class Person:
    """Says one thing after the other, as fast as it is acknowledged; comes back as often as it must."""

    def __init__(self, app: Application, name: str) -> None:
        self.app = app
        self.name = name
        self.client = Client(app.url)
        self.acknowledged: dict[str, int] = {}
        """{text: seq}"""
        self.seen: dict[int, str] = {}
        self.said = 0
        self.stop = False

    async def run(self) -> None:
        while not self.stop:
            self.said += 1
            await self.get_through(f"The house of {self.name} has {self.said} doors.")

    async def get_through(self, text: str) -> None:
        """Sends until it is acknowledged."""
        once = uuid.uuid4().hex
        for _ in range(200):
            try:
                answer = await asyncio.wait_for(self.client.ask("sendmessage", text=text, once=once), 5)
                assert "seq" in answer, answer
            except (*GONE, TimeoutError, AttributeError):
                await eventually(self.come_back, 40)
            else:
                self.acknowledged[text] = answer["seq"]
                return
        raise AssertionError(f"{text} didn't get through; {self.client.frames[-3:]}")

    async def come_back(self) -> bool:
        """Whether one is in the room again."""
        token, self.seen = self.client.token, self.seen | self.texts()
        with suppress(*GONE):
            await self.client.close()
        self.client = Client(self.app.url)
        self.client.token = token
        with suppress(*GONE, TimeoutError):
            await self.client.open()
            await asyncio.wait_for(self.client.join("busy", self.name), 5)
            return True
        return False

    def texts(self) -> dict[int, str]:
        return {seq: message["text"] for seq, message in self.client.messages.items()}


async def test_nothing_acknowledged_is_lost_and_all_is_translated(fresh_node: Callable[..., Node]) -> None:
    app = Application(fresh_node())
    people = [Person(app, name) for name in ("Ann", "Bob", "Cleo", "Dan")[:PEOPLE]]
    for person in people:
        assert await person.come_back()
    reader = Client(app.url)
    await reader.open()
    await reader.join("busy", "Reader", language="es")
    running = [asyncio.create_task(person.run()) for person in people]
    for _ in range(ROUNDS):
        before = sum(len(person.acknowledged) for person in people)

        async def talks(enough: int = before + random.randint(12, 30)) -> bool:
            assert not any(task.done() for task in running), [task for task in running if task.done()]
            return sum(len(person.acknowledged) for person in people) >= enough

        await eventually(talks, 60)
        app.node.kill()
        await asyncio.to_thread(app.node.start)
        reader = await wanting(app, reader)
    for person in people:
        person.stop = True
    await asyncio.gather(*running)
    await people[0].get_through("The last word.")  # whoever tells this tells what was left
    await verify(app, people)
    for client in (reader, *(person.client for person in people)):
        await client.close()


async def wanting(app: Application, reader: Client) -> Client:
    """Somebody who wants translations, again."""
    with suppress(*GONE):
        await reader.close()
    again = Client(app.url)
    await again.open()
    await again.join("busy", "Reader", language="es", token=reader.token)
    return again


async def verify(app: Application, people: list[Person]) -> None:
    kept = {int(item["seq"]["N"]): item for item in app.scan("Messages")}
    texts = [item["text"]["S"] for item in kept.values()]
    assert sorted(kept) == list(range(1, len(kept) + 1)), "a gap in the order"
    assert len(set(texts)) == len(texts), "something was written twice"
    for person in people:
        for text, seq in person.acknowledged.items():
            assert kept[seq]["text"]["S"] == text
        for seq, text in (person.seen | person.texts()).items():
            assert kept[seq]["text"]["S"] == text, "somebody saw another order"
    if not translated:
        return
    acknowledged = {seq for person in people for seq in person.acknowledged.values()}

    async def all_translated() -> bool:
        items: list[dict[str, Any]] = app.scan("Messages")
        done = {int(item["seq"]["N"]) for item in items if "es" in item["translations"]["M"]}
        return acknowledged <= done

    try:
        await eventually(all_translated, 60)
    except AssertionError:
        missing = [item for item in app.scan("Messages") if "es" not in item["translations"]["M"]]
        raise AssertionError(json.dumps(missing[:5])) from None
