"""Translation: who wants it gets it, and whoever can't have it keeps the original."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudlet.services.translate.engine import modes
from tests.flows.chat import Application
from tests.flows.client import eventually
from tests.harness import Node

pytestmark = [pytest.mark.node_only, pytest.mark.slow]
with_engine = pytest.mark.skipif(
    not modes().keys() >= {("en", "es"), ("es", "en")},
    reason="Apertium or its pair eng-spa is not installed: see .ci/run",
)

ENGLISH = "The house is very big and the garden is beautiful."
SPANISH = "La casa es muy grande y el jardín es hermoso."


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("translation") / "data")
    try:
        yield Application(node)
    finally:
        assert node.stop() == 0
        assert "Traceback" not in node.log, node.log


@with_engine
class TestTranslation:
    async def test_comes_to_those_who_want_it(self, app: Application) -> None:
        async with (
            app.client("both", "Ann") as ann,
            app.client("both", "Beto", language="es") as beto,
            app.client("both", "Cleo", language="es") as cleo,
        ):
            await ann.ask("sendmessage", text=ENGLISH)
            for one in (beto, cleo):
                await one.until(lambda one=one: one.of("translated"))
                (frame,) = one.of("translated")
                assert (frame["seq"], frame["language"], frame["version"]) == (1, "es", 1)
                assert frame["text"].startswith("La casa")
            await ann.ask("ping")
            assert not ann.of("translated")

    async def test_goes_both_ways(self, app: Application) -> None:
        async with (
            app.client("ways", "Ann", language="en") as ann,
            app.client("ways", "Beto", language="es") as beto,
        ):
            await ann.ask("sendmessage", text=ENGLISH)
            await beto.until(lambda: beto.of("translated"))
            await beto.ask("sendmessage", text=SPANISH)
            await ann.until(lambda: ann.of("translated"))
            assert "house" in ann.of("translated")[0]["text"]
            assert ann.of("translated")[0]["seq"] == 2

    async def test_is_in_the_history(self, app: Application) -> None:
        async with app.client("read", "Ann") as ann, app.client("read", "Beto", language="es") as beto:
            await ann.ask("sendmessage", text=ENGLISH)
            await beto.until(lambda: beto.of("translated"))
            async with app.client("read", "Cleo", language="es") as cleo:
                page = await cleo.ask("getmessages")
                assert page["messages"][0]["translated"] == beto.of("translated")[0]["text"]
            await ann.ask("getmessages")
            assert "translated" not in ann.messages[1]

    async def test_is_made_anew_for_a_changed_message(self, app: Application) -> None:
        async with app.client("anew", "Ann") as ann, app.client("anew", "Beto", language="es") as beto:
            await ann.ask("sendmessage", text=ENGLISH)
            await beto.until(lambda: beto.of("translated"))
            await ann.ask("changemessage", seq=1, text="The dog is very small and the cat is black.")
            await beto.until(lambda: len(beto.of("translated")) == 2)
            frame = beto.of("translated")[1]
            assert frame["version"] == 2 and "perro" in frame["text"]

    async def test_is_asked_for_when_somebody_wants_it(self, app: Application) -> None:
        async with app.client("wish", "Ann") as ann, app.client("wish", "Beto") as beto:
            await ann.ask("sendmessage", text=ENGLISH)
            await beto.join("wish", "Beto", language="es")
            await ann.ask("sendmessage", text=ENGLISH)
            await beto.until(lambda: beto.of("translated"))
            assert [frame["seq"] for frame in beto.of("translated")] == [2]

    async def test_is_not_sent_to_who_wants_it_no_longer(self, app: Application) -> None:
        async with app.client("enough", "Ann") as ann, app.client("enough", "Beto", language="es") as beto:
            assert (await beto.join("enough", "Beto", language=""))["language"] is None
            await ann.ask("sendmessage", text=ENGLISH)
            async with app.client("enough", "Cleo", language="es") as cleo:
                await ann.ask("sendmessage", text=ENGLISH)
                await cleo.until(lambda: cleo.of("translated"))
            assert not beto.of("translated")


class TestWhatCannotBeTranslated:
    async def test_stays_as_it_is(self, app: Application) -> None:
        """Welsh: the service has the language, the engine hasn't got the pair."""
        ended = app.log("TranslationHandler").count("REPORT")
        async with app.client("none", "Ann") as ann, app.client("none", "Dai", language="cy") as dai:
            await ann.ask("sendmessage", text=ENGLISH)
            await dai.until(lambda: dai.texts() == [ENGLISH])

            async def tried() -> bool:
                return app.log("TranslationHandler").count("REPORT") > ended

            await eventually(tried)
            assert not dai.of("translated")
        assert waiting(app) == 0


class TestFailure:
    async def test_ends_in_the_dead_letter_queue_and_the_chat_goes_on(
        self, fresh_node: Callable[..., Node]
    ) -> None:
        app = Application(fresh_node())
        app.node.client("lambda").update_function_configuration(
            FunctionName="TranslationHandler", Environment={"Variables": {"MESSAGES": "Nowhere"}}
        )
        async with app.client("on", "Ann") as ann, app.client("on", "Beto", language="es") as beto:
            for number in range(3):
                await ann.ask("sendmessage", text=f"{ENGLISH} {number}")

            for attempt, pause in enumerate((61, 121, 0), 1):  # as long as Lambda waits after each

                async def ended(attempts: int = 3 * attempt) -> bool:
                    return app.log("TranslationHandler").count("REPORT") == attempts

                await eventually(ended)
                app.node.advance(pause)

            async def all_dead() -> bool:
                return waiting(app) == 3

            await eventually(all_dead)
            await ann.ask("sendmessage", text="goes on")
            await beto.until(lambda: len(beto.messages) == 4)
        log = app.log("TranslationHandler")
        assert tries(log)[:3] == [3, 3, 3], "each once, and two retries"
        dead = app.node.client("sqs").receive_message(
            QueueUrl=app.outputs["TranslationDeadLettersUrl"],
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
        )["Messages"]
        bodies = [json.loads(json.loads(each["Body"])["Records"][0]["Sns"]["Message"]) for each in dead]
        assert sorted(body["text"] for body in bodies) == [f"{ENGLISH} {number}" for number in range(3)]
        for each in dead:
            assert each["MessageAttributes"]["ErrorCode"]["StringValue"] == "200"
            assert "Nowhere" in each["MessageAttributes"]["ErrorMessage"]["StringValue"]


def waiting(app: Application) -> int:
    queue = app.outputs["TranslationDeadLettersUrl"]
    counts: dict[str, Any] = app.node.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["All"]
    )["Attributes"]
    return int(counts["ApproximateNumberOfMessages"])


def tries(log: str) -> list[int]:
    """How often each request was begun."""
    begun = [line.split()[2] for line in log.splitlines() if line.startswith("START RequestId")]
    return [begun.count(id) for id in dict.fromkeys(begun)]
