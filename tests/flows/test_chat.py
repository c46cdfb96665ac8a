"""The chat as those who talk meet it: deployed from its templates, spoken to by real clients."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.chat import Application, Client
from tests.flows.client import eventually
from tests.harness import Node

pytestmark = [pytest.mark.node_only, pytest.mark.slow]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("chat") / "data")
    try:
        yield Application(node, "NameKept=1")
    finally:
        assert node.stop() == 0
        assert "Traceback" not in node.log, node.log


class TestConnection:
    async def test_is_an_item_with_the_address_while_it_lasts(self, app: Application) -> None:
        def connections() -> list[dict[str, Any]]:
            return [item for item in app.scan("Connections") if "ip" in item]

        before = len(connections())
        async with app.client():
            assert len(connections()) == before + 1
            assert {item["ip"]["S"] for item in connections()} == {"127.0.0.1"}

        async def gone() -> bool:
            return len(connections()) == before

        await eventually(gone)


class TestJoining:
    async def test_tells_who_is_here_and_who_comes_and_goes(self, app: Application) -> None:
        async with app.client("hall", "Ann") as ann:
            joined = ann.of("joined")[0]
            assert (joined["room"], joined["name"], joined["last"]) == ("hall", "Ann", 0)
            assert joined["here"] == [{"id": ann.you, "name": "Ann"}]
            async with app.client("hall", "Bob") as bob:
                assert bob.here() == ["Ann", "Bob"]
                await ann.until(lambda: ann.here() == ["Ann", "Bob"])
            await ann.until(lambda: ann.here() == ["Ann"])

    async def test_goes_from_room_to_room(self, app: Application) -> None:
        async with app.client("first", "Ann") as ann, app.client("first", "Bob") as bob:
            await ann.until(lambda: ann.here() == ["Ann", "Bob"])
            await bob.join("second", "Bob")
            await ann.until(lambda: ann.here() == ["Ann"])
            await bob.ask("sendmessage", text="nobody here?")
            await ann.ask("sendmessage", text="he's gone")
            assert (ann.texts(), bob.texts()) == (["he's gone"], ["nobody here?"])

    async def test_another_name_is_told(self, app: Application) -> None:
        async with app.client("names", "Ann") as ann, app.client("names", "Bob") as bob:
            await bob.join("names", "Robert")
            await ann.until(lambda: ann.here() == ["Ann", "Robert"])
            async with app.client("names", "Cleo"):
                await ann.until(lambda: ann.here() == ["Ann", "Cleo", "Robert"])

    async def test_two_windows_of_one_person_are_one(self, app: Application) -> None:
        async with (
            app.client("windows", "Ann") as one,
            app.client("windows", "Ann", token=one.token) as two,
        ):
            assert one.you == two.you
            assert two.here() == ["Ann"]
            await two.close()
            async with app.client("windows", "Bob"):
                await one.until(lambda: one.here() == ["Ann", "Bob"])


class TestNames:
    @pytest.mark.parametrize("name", ["Ann", "ann", "ＡＮＮ", " An\u200bn "])
    async def test_are_not_to_be_taken_over(self, app: Application, name: str) -> None:
        async with app.client("guarded", "Ann", token="guarded-" * 3), app.client() as thief:
            answer = await thief.join("guarded", name)
            assert (answer["type"], answer["code"]) == ("error", "NameTaken")
            assert (await thief.ask("sendmessage", text="I am Ann"))["code"] == "NotJoined"

    async def test_are_free_in_another_room(self, app: Application) -> None:
        async with app.client("here", "Ann"), app.client("there", "Ann"):
            pass

    async def test_come_back_to_their_owner(self, app: Application) -> None:
        async with app.client("kept", "Ann") as ann:
            await ann.ask("sendmessage", text="mine")
        async with app.client() as thief:
            assert (await thief.join("kept", "Ann"))["code"] == "NameTaken"
        async with app.client("kept", "Ann", token=ann.token) as again:
            assert again.you == ann.you
            await again.ask("getmessages")
            assert again.messages[1]["id"] == again.you
            assert (await again.ask("changemessage", seq=1, text="still mine"))["type"] == "changed"

    async def test_are_free_some_time_after_their_owner_left(self, app: Application) -> None:
        async with app.client("left", "Ann"):
            pass

        async def taken() -> bool:
            async with app.client() as other:
                return (await other.join("left", "Ann"))["type"] == "joined"

        await eventually(taken)


class TestMessages:
    async def test_come_to_everybody_in_one_order(self, app: Application) -> None:
        async with (
            app.client("order", "Ann") as ann,
            app.client("order", "Bob") as bob,
            app.client("order", "Cleo") as cleo,
        ):
            people = [ann, bob, cleo]
            await asyncio.gather(
                *(one.ask("sendmessage", text=f"{one.you} {n}") for one in people for n in range(10))
            )
            for one in people:
                await one.until(lambda one=one: len(one.messages) == 30)
            assert sorted(ann.messages) == list(range(1, 31))
            assert ann.texts() == bob.texts() == cleo.texts()

    async def test_carry_the_writer_the_time_and_only_to_him_the_ref(self, app: Application) -> None:
        async with app.client("carried", "Ann") as ann, app.client("carried", "Bob") as bob:
            told = await ann.ask("sendmessage", text='<b>"hi" 👋</b>\n')
            await bob.until(lambda: bob.messages)
            assert "ref" in told and "ref" not in bob.messages[1]
            assert bob.messages[1] == {name: told[name] for name in told if name != "ref"}
            assert (told["from"], told["id"], told["text"]) == ("Ann", ann.you, '<b>"hi" 👋</b>\n')
            assert (told["edited"], told["deleted"], told["version"]) == (False, False, 1)
            (item,) = (item for item in app.scan("Messages") if item["room"]["S"] == "carried")
            assert item["userHandle"]["S"] == "Ann"
            assert int(item["timestamp"]["N"]) >= told["at"] // 1000 + 604800

    async def test_sent_twice_are_written_once(self, app: Application) -> None:
        async with app.client("twice", "Ann") as ann, app.client("twice", "Bob") as bob:
            first = await ann.ask("sendmessage", text="once", once="0123456789abcdef")
            async with app.client("twice", "Ann", token=ann.token) as again:
                second = await again.ask("sendmessage", text="once", once="0123456789abcdef")
                assert {**second, "ref": 0} == {**first, "ref": 0}
                await again.ask("sendmessage", text="then")
            await bob.until(lambda: bob.texts() == ["once", "then"])

    async def test_of_one_writer_in_one_second_all_have_their_time(self, app: Application) -> None:
        async with app.client("hurry", "Hasty") as hasty:
            await asyncio.gather(*(hasty.ask("sendmessage", text=str(n)) for n in range(8)))
        times = [item["timestamp"]["N"] for item in app.scan("Messages") if item["room"]["S"] == "hurry"]
        assert len(set(times)) == 8


class TestChanging:
    async def test_ones_own_message(self, app: Application) -> None:
        async with app.client("edit", "Ann") as ann, app.client("edit", "Bob") as bob:
            await ann.ask("sendmessage", text="helo")
            answer = await ann.ask("changemessage", seq=1, text="hello")
            message = answer["message"]
            assert (message["text"], message["edited"], message["version"]) == ("hello", True, 2)
            await bob.until(lambda: bob.of("changed"))
            assert bob.messages[1] == message and "ref" not in bob.of("changed")[0]
            answer = await ann.ask("changemessage", seq=1, delete=True)
            assert (answer["message"]["text"], answer["message"]["deleted"]) == ("", True)
            assert (await ann.ask("changemessage", seq=1, text="back"))["code"] == "Gone"
        (item,) = (item for item in app.scan("Messages") if item["room"]["S"] == "edit")
        assert item["text"]["S"] == ""

    async def test_somebody_elses_is_refused(self, app: Application) -> None:
        async with app.client("theirs", "Ann") as ann, app.client("theirs", "Bob") as bob:
            await ann.ask("sendmessage", text="mine")
            assert (await bob.ask("changemessage", seq=1, text="yours"))["code"] == "NotYours"
            assert (await bob.ask("changemessage", seq=1, delete=True))["code"] == "NotYours"
            assert (await bob.ask("changemessage", seq=2, delete=True))["code"] == "NotFound"
            await bob.ask("getmessages")
            assert bob.texts() == ["mine"]


class TestTyping:
    async def test_is_told_to_the_others(self, app: Application) -> None:
        async with app.client("desk", "Ann") as ann, app.client("desk", "Bob") as bob:
            await bob.send("typing", typing=True)
            await ann.until(lambda: ann.of("typing"))
            await bob.send("typing", typing=False)
            await ann.until(lambda: len(ann.of("typing")) == 2)
            said = [(frame["id"], frame["name"], frame["typing"]) for frame in ann.of("typing")]
            assert said == [(bob.you, "Bob", True), (bob.you, "Bob", False)]
            await bob.ask("ping")
            assert not bob.of("typing")


class TestWhoIsGone:
    async def test_is_noticed_by_a_message(self, app: Application) -> None:
        """A connection whose $disconnect never came."""
        dynamodb = app.node.client("dynamodb")
        async with app.client("ghosts", "Ann") as ann:
            dynamodb.update_item(
                TableName="Connections",
                Key={"connectionId": {"S": "here#ghosts"}},
                UpdateExpression="SET #c = :c",
                ExpressionAttributeNames={"#c": "c:AAAAAAAAAAAAAAA="},
                ExpressionAttributeValues={
                    ":c": {"S": json.dumps({"id": "x", "name": "Ghost", "language": None})}
                },
            )
            await ann.ask("sendmessage", text="is somebody here?")

            async def gone() -> bool:
                items = {item["connectionId"]["S"]: item for item in app.scan("Connections")}
                return not any("AAAA" in name for name in items["here#ghosts"])

            await eventually(gone)


class TestDeadTeller:
    async def test_what_he_left_is_told_by_the_next(self, app: Application) -> None:
        """The lock of one who died is in the room's item, and a message that he has numbered."""
        dynamodb = app.node.client("dynamodb")
        async with app.client("dead", "Ann") as ann, app.client("dead", "Bob") as bob:
            await ann.ask("sendmessage", text="one")
            (item,) = (item for item in app.scan("Messages") if item["room"]["S"] == "dead")
            left = {"seq": 2, "text": "two", "userHandle": "Ann", "at": 1, "translations": {}, "version": 1}
            left |= {"owner": item["owner"]["S"], "edited": False, "deleted": False, "room": "dead"}
            dynamodb.update_item(
                TableName="Connections",
                Key={"connectionId": {"S": "room#dead"}},
                UpdateExpression="SET teller = :dead, #until = :until, #last = :two, #n = :left ADD seq :one",
                ExpressionAttributeNames={"#until": "until", "#n": "n:2", "#last": "last"},
                ExpressionAttributeValues={
                    ":dead": {"S": "dead"},
                    ":until": {"N": str(int(time.time() * 1000) + 1500)},
                    ":two": {"N": "2"},
                    ":left": {"S": json.dumps(left)},
                    ":one": {"N": "1"},
                },
            )
            assert (await ann.ask("sendmessage", text="three"))["seq"] == 3
            await bob.until(lambda: bob.texts() == ["one", "two", "three"])


class TestBadInput:
    @pytest.mark.parametrize(
        ("said", "code", "why"),
        [
            ("no JSON", "BadRequest", "not JSON"),
            ("", "BadRequest", "not JSON"),
            ("[1]", "BadRequest", "not a JSON object"),
            ('{"action": "dance"}', "BadRequest", "no such action"),
            ('{"text": "hi"}', "BadRequest", "no such action"),
            ('{"action": "sendmessage"}', "BadRequest", "text must be a string"),
            ('{"action": "sendmessage", "text": 7}', "BadRequest", "text must be a string"),
            ('{"action": "sendmessage", "text": " \\n "}', "Empty", "nothing in the text"),
            ('{"action": "sendmessage", "text": "\\ud800"}', "BadRequest", "not JSON"),
            (json.dumps({"action": "sendmessage", "text": "x" * 2001}), "TooLong", "at most 2000"),
            ('{"action": "sendmessage", "text": "hi", "ref": []}', "BadRequest", "ref must be"),
            ('{"action": "sendmessage", "text": "hi", "once": "short"}', "BadRequest", "once must be"),
            ('{"action": "updatedetails", "room": "r"}', "BadRequest", "name must be a string"),
            ('{"action": "updatedetails", "name": "n"}', "BadRequest", "room must be a string"),
            ('{"action": "updatedetails", "room": "r", "name": " \\u200b "}', "Empty", "name is empty"),
            (
                json.dumps({"action": "updatedetails", "room": "r", "name": "x" * 33}),
                "TooLong",
                "at most 32",
            ),
            (
                '{"action": "updatedetails", "room": "r", "name": "n", "language": "Spanish"}',
                "BadRequest",
                "language must be",
            ),
            ('{"action": "getmessages", "limit": 0}', "BadRequest", "limit must be"),
            ('{"action": "getmessages", "before": "x"}', "BadRequest", "before must be"),
            ('{"action": "getmessages", "before": 2, "after": 1}', "BadRequest", "not both"),
            ('{"action": "changemessage", "text": "x"}', "BadRequest", "seq must say"),
            ('{"action": "changemessage", "seq": 1.5, "text": "x"}', "BadRequest", "seq must be"),
            ('{"action": "changemessage", "seq": 1, "delete": "yes"}', "BadRequest", "delete must be"),
            ('{"action": "typing"}', "BadRequest", "typing must be"),
        ],
    )
    async def test_is_told_what_is_wrong_with_it(
        self, app: Application, said: str, code: str, why: str
    ) -> None:
        async with app.client("careful", "Ann", token="careful-" * 3) as ann:
            await ann.say(said)
            (error,) = await ann.until(lambda: ann.of("error"))
            assert error["code"] == code and why in error["message"]
            await ann.ask("sendmessage", text="goes on")

    @pytest.mark.parametrize(
        "request_",
        [
            {"action": "sendmessage", "text": "hi"},
            {"action": "getmessages"},
            {"action": "changemessage", "seq": 1, "text": "x"},
            {"action": "typing", "typing": True},
        ],
    )
    async def test_who_has_said_no_name_is_asked_for_it(
        self, app: Application, request_: dict[str, Any]
    ) -> None:
        client = Client(app.url)
        await client.open()
        answer = await client.ask(**request_)
        assert (answer["code"], "updatedetails" in answer["message"]) == ("NotJoined", True)
        await client.close()

    async def test_what_no_route_matches_is_answered_with_the_connection(self, app: Application) -> None:
        async with app.client() as client:
            answer = await client.ask("dance")
            connection = answer["connection"]
            assert connection["ip"] == "127.0.0.1" and connection["connectedAt"]
            items = [item["connectionId"]["S"] for item in app.scan("Connections")]
            assert connection["id"] in items
            assert (await client.ask("ping"))["type"] == "pong"
