"""What the chat remembers: pages, and how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.flows.chat import Application, Client
from tests.flows.client import eventually
from tests.harness import Node

pytestmark = [pytest.mark.node_only, pytest.mark.slow]

LONG = "😀" * 2000


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("history") / "data")
    try:
        yield Application(node)
    finally:
        assert node.stop() == 0
        assert "Traceback" not in node.log, node.log


async def written(client: Client, *texts: str) -> None:
    for text in texts:
        await client.ask("sendmessage", text=text)


def seqs(page: dict[str, Any]) -> list[int]:
    return [message["seq"] for message in page["messages"]]


class TestPages:
    async def test_go_back_to_the_first_message(self, app: Application) -> None:
        async with app.client("pages", "Ann") as ann:
            await written(ann, *map(str, range(1, 12)))
            async with app.client("pages", "Bob") as bob:
                assert bob.of("joined")[0]["last"] == 11
                page = await bob.ask("getmessages", limit=5)
                assert (seqs(page), page["more"], page["before"]) == ([7, 8, 9, 10, 11], True, 7)
                page = await bob.ask("getmessages", limit=5, before=7)
                assert (seqs(page), page["more"], page["before"]) == ([2, 3, 4, 5, 6], True, 2)
                page = await bob.ask("getmessages", limit=5, before=2)
                assert (seqs(page), page["more"], page["before"]) == ([1], False, 1)
                assert bob.texts() == ann.texts() == [str(n) for n in range(1, 12)]

    async def test_of_what_was_missed(self, app: Application) -> None:
        async with app.client("missed", "Ann") as ann:
            async with app.client("missed", "Bob") as bob:
                await written(ann, "one")
                await bob.until(lambda: bob.texts() == ["one"])
            await written(ann, "two", "three", "four")
            async with app.client("missed", "Bob", token=bob.token) as again:
                page = await again.ask("getmessages", after=1, limit=2)
                assert (seqs(page), page["more"], page["after"]) == ([2, 3], True, 3)
                page = await again.ask("getmessages", after=3, limit=2)
                assert (seqs(page), page["more"]) == ([4], False)
                page = await again.ask("getmessages", after=4)
                assert (page["messages"], page["more"], page["after"]) == ([], False, None)

    async def test_are_of_ones_own_room(self, app: Application) -> None:
        async with app.client("mine", "Ann") as ann, app.client("yours", "Bob") as bob:
            await written(ann, "secret")
            assert (await bob.ask("getmessages"))["messages"] == []

    async def test_have_the_refs_of_ones_own(self, app: Application) -> None:
        """So that who lost the acknowledgement finds it there."""
        async with app.client("refs", "Ann") as ann, app.client("refs", "Bob") as bob:
            told = await ann.ask("sendmessage", text="mine")
            await bob.ask("sendmessage", text="yours")
            page = await ann.ask("getmessages")
            assert [message.get("ref") for message in page["messages"]] == [told["ref"], None]

    async def test_fit_a_frame_however_long_the_messages(self, app: Application) -> None:
        async with app.client("long", "Ann") as ann:
            await asyncio.gather(*(ann.ask("sendmessage", text=LONG) for _ in range(20)))
            async with app.client("long", "Bob") as bob:
                page = await bob.ask("getmessages")
                assert page["more"] and 10 <= len(page["messages"]) < 20
                await bob.ask("getmessages", before=page["before"])
                assert bob.texts() == [LONG] * 20


class TestExpiry:
    async def test_messages_go_after_their_time(self, fresh_node: Callable[..., Node]) -> None:
        app = Application(fresh_node(), "MessageLifetime=3600")
        async with app.client("old", "Ann") as ann:
            await written(ann, "one", "two")
        app.node.advance(1800)
        async with app.client("old", "Cleo") as cleo:
            assert len((await cleo.ask("getmessages"))["messages"]) == 2
        app.node.advance(2000)

        async def gone() -> bool:
            return not app.scan("Messages")

        await eventually(gone)
        async with app.client("old", "Bob") as bob:
            page = await bob.ask("getmessages")
            assert (page["messages"], page["more"]) == ([], False)
            assert (await bob.ask("sendmessage", text="anew"))["seq"] == 3

    async def test_what_is_to_be_gone_is_not_shown_though_it_is_still_there(self, app: Application) -> None:
        async with app.client("late", "Ann") as ann:
            await written(ann, "late", "young")
            (item,) = (item for item in app.scan("Messages") if item["text"]["S"] == "late")
            dynamodb = app.node.client("dynamodb")
            dynamodb.update_time_to_live(
                TableName="Messages",
                TimeToLiveSpecification={"AttributeName": "timestamp", "Enabled": False},
            )
            dynamodb.delete_item(
                TableName="Messages",
                Key={"userHandle": item["userHandle"], "timestamp": item["timestamp"]},
            )
            dynamodb.put_item(TableName="Messages", Item=item | {"timestamp": {"N": "1700000000"}})
            page = await ann.ask("getmessages", limit=1)
            assert (seqs(page), page["more"]) == ([2], False)
