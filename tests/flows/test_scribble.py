"""Scribble as those who draw meet it: deployed from its template, spoken to by real clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from tests.flows.client import eventually
from tests.flows.scribble import Application
from tests.harness import Node
from tests.harness import eventually as soon

pytestmark = [pytest.mark.node_only, pytest.mark.slow]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("scribble") / "data")
    try:
        yield Application(node, "Width=128", "Height=64")
    finally:
        assert node.stop() == 0
        assert "Traceback" not in node.log, node.log


class TestDrawing:
    async def test_a_point_comes_to_everybody_and_into_the_table(self, app: Application) -> None:
        async with app.client().connected() as one, app.client().connected() as other:
            id = await one.draw([[1, 1, 5], [2, 1, 6]], 1)
            await other.until(lambda: (other.canvas.colour((1, 1)), other.canvas.colour((2, 1))) == (5, 6))
        await app.saved((1, 1), (id, 5))

    async def test_who_comes_later_gets_the_picture(self, app: Application) -> None:
        async with app.client().connected() as one:
            await one.draw([[3, 1, 7]], 1)
        async with app.client().connected() as late:
            await late.until(lambda: late.ready)
            assert late.canvas.colour((3, 1)) == 7
            assert (late.canvas.width, late.canvas.height, late.canvas.bits) == (128, 64, 4)

    async def test_who_comes_back_gets_what_it_missed_and_no_picture(self, app: Application) -> None:
        away = app.client()
        async with away.connected():
            await away.until(lambda: away.ready)
        async with app.client().connected() as one:
            id = await one.draw([[4, 1, 8]], 1)
        base = away.canvas.base
        async with away.connected():
            await away.until(lambda: away.ready)
            assert away.canvas.pixels[4, 1] == (id, 8)
            assert away.canvas.base == base

    @pytest.mark.parametrize("since", ["1", "9007199254740991", "yesterday", "-3"])
    async def test_a_since_that_says_nothing_gets_the_whole_picture(
        self, app: Application, since: Any
    ) -> None:
        one = app.client()
        one.since = since
        async with one.connected():
            await one.until(lambda: one.ready)
            assert one.canvas.base > 0

    async def test_the_guides_form_draws_ink(self, app: Application) -> None:
        async with app.client().connected() as one:
            await one.send(x=5, y=1)
            await one.until(lambda: one.canvas.colour((5, 1)) == 1)

    async def test_the_later_point_of_a_message_covers_the_earlier(self, app: Application) -> None:
        async with app.client().connected() as one:
            id = await one.draw([[6, 1, 3], [6, 1, 4]], 1)
            assert one.canvas.colour((6, 1)) == 4
        await app.saved((6, 1), (id, 4))


class TestPicture:
    async def test_the_png_has_what_was_drawn_and_says_how_far(self, app: Application) -> None:
        async with app.client().connected() as one:
            id = await one.draw([[127, 63, 15], [0, 63, 14]], 1)
        assert app.draw_picture() >= id
        viewer = app.client()
        viewer.load_picture(app.picture)
        assert (viewer.canvas.colour((127, 63)), viewer.canvas.colour((0, 63))) == (15, 14)
        assert viewer.since is not None and viewer.since >= id

    async def test_the_replay_has_a_picture_for_each_change(self, app: Application) -> None:
        s3 = app.node.client("s3")

        def history() -> list[dict[str, Any]]:
            found = s3.get_object(Bucket=app.outputs["BucketName"], Key="history/index.json")
            pictures: list[dict[str, Any]] = json.loads(found["Body"].read())["pictures"]
            return pictures

        async with app.client().connected() as one:
            await one.draw([[9, 9, 9]], 1)
            app.draw_picture()
            before = history()
            app.draw_picture()
            assert history() == before
            await one.draw([[9, 9, 10]], 2)
        app.draw_picture()
        assert len(history()) == len(before) + 1
        newest = s3.get_object(Bucket=app.outputs["BucketName"], Key=history()[-1]["url"])
        assert newest["ContentType"] == "image/png"


class TestBadInput:
    @pytest.mark.parametrize(
        ("message", "why"),
        [
            ("no JSON", "not JSON"),
            ("[1, 2]", "not an object"),
            ('{"action": "paint"}', "no such action"),
            ('{"action": "sendMessage"}', "no coordinates"),
            ('{"action": "sendMessage", "x": 1}', "no coordinates"),
            ('{"action": "sendMessage", "x": 1.5, "y": 1}', "x must be an integer from 0 to 127"),
            ('{"action": "sendMessage", "x": true, "y": 1}', "x must be an integer"),
            ('{"action": "sendMessage", "x": 1, "y": 64}', "y must be an integer from 0 to 63"),
            ('{"action": "sendMessage", "points": []}', "with one at least"),
            ('{"action": "sendMessage", "points": [[1, 1]]}', "points[0] must be [x, y, colour]"),
            ('{"action": "sendMessage", "points": [[1, 1, 1], [1, -1, 1]]}', "points[1]: y must be"),
            (
                '{"action": "sendMessage", "points": [[1, 1, 16]]}',
                "the colour must be an integer from 0 to 15",
            ),
            ('{"action": "sendMessage", "points": [[1, 1, "red"]]}', "the colour must be"),
            ('{"action": "sendMessage", "points": [[1, 1, 1]], "ref": "a"}', "ref must be an integer"),
            ('{"action": "sendMessage", "cursor": [1]}', "cursor must be [x, y]"),
            (json.dumps({"action": "sendMessage", "points": [[1, 1, 1]] * 257}), "at most 256"),
            ('{"action": "sendMessage", "points": ' + "[" * 9000 + "}", "not JSON"),
        ],
    )
    async def test_is_told_what_is_wrong_with_it(self, app: Application, message: str, why: str) -> None:
        async with app.client().connected() as one:
            await one.until(lambda: one.ready)
            before = one.canvas.shown()
            await one.say(message)
            await one.until(lambda: one.errors)
            assert one.errors[0]["type"] == "error" and why in one.errors[0]["message"]
            await one.draw([[0, 0, 2]], 1)
            assert one.canvas.shown() == before | {(0, 0): 2}

    async def test_has_its_ref_in_the_answer(self, app: Application) -> None:
        async with app.client().connected() as one:
            await one.send(points=[[1000, 0, 1]], ref=17)
            await one.until(lambda: one.errors)
            assert one.errors[0]["ref"] == 17

    async def test_in_the_queue_ends_in_the_dead_letter_queue(self, app: Application) -> None:
        sqs = app.node.client("sqs")
        senseless = {"nonsense", '{"points": [[1, 2, 3]]}', '{"id": 1, "points": 7}'}
        for body in senseless:
            sqs.send_message(QueueUrl=app.outputs["PointsQueueUrl"], MessageBody=body)
        sqs.send_message(QueueUrl=app.outputs["CatchUpQueueUrl"], MessageBody="nonsense")

        dead_letters: set[str] = set()

        async def dead() -> bool:
            found = sqs.receive_message(QueueUrl=app.outputs["PointsDeadLettersUrl"], MaxNumberOfMessages=10)
            dead_letters.update(message["Body"] for message in found.get("Messages", []))
            return dead_letters >= senseless

        async with app.client().connected() as one:
            await one.draw([[7, 7, 7]], 1)
            await one.until(lambda: one.here == 1)
            for tries in range(1, 4):
                await app.logged("UpdateDBV3", "makes no sense", tries * len(senseless))
                app.node.advance(61)  # the visibility timeout
            await eventually(dead)
        soon(lambda: app.waiting(app.outputs["PointsQueueUrl"]) == 0)


class TestTogether:
    async def test_who_is_here_is_told(self, app: Application) -> None:
        async with app.client().connected() as one:
            await one.until(lambda: one.here == 1)
            async with app.client().connected() as two:
                await two.until(lambda: two.ready)
                await one.until(lambda: one.here == 2)
            await one.until(lambda: one.here == 1)

    async def test_pointers_are_seen_with_their_names_and_go(self, app: Application) -> None:
        async with app.client().connected() as one:
            async with app.client("  Äda\n\x00 ").connected() as two:
                await two.until(lambda: two.ready)
                await two.send(cursor=[10, 11])
                await one.until(lambda: [two.you, "Äda", 10, 11] in chain(*one.cursors))
            await one.until(lambda: [two.you, "Äda", None, None] in chain(*one.cursors))

    async def test_a_ping_is_answered(self, app: Application) -> None:
        async with app.client().connected() as one:
            await one.send(ping=3)
            await one.until(lambda: {"type": "pong", "ping": 3, "here": 1} in one.others)

    async def test_a_flood_slows_itself_and_not_the_others(self, app: Application) -> None:
        async with app.client().connected() as flooder, app.client().connected() as other:
            await flooder.until(lambda: flooder.ready)
            await other.until(lambda: other.ready)

            async def flood() -> None:
                ref = 0
                while True:
                    ref += 1
                    await flooder.send(points=[[ref % 128, 40, 3]] * 256, ref=ref)

            flooding = asyncio.create_task(flood())
            await flooder.until(lambda: flooder.slow)
            for ref in range(20):
                await other.draw([[ref, 50, 4]], ref)
            assert not flooding.done()
            flooding.cancel()
            assert flooder.slow[0]["retryAfter"] > 0 and "ref" in flooder.slow[0]
            assert not set(flooder.acknowledged) & {frame["ref"] for frame in flooder.slow}
            assert not other.slow

    async def test_a_connection_that_is_gone_is_forgotten_and_costs_the_others_nothing(
        self, app: Application
    ) -> None:
        cache = app.cache()
        ghost = json.dumps({"at": 1, "short": "ghost", "name": ""})
        async with app.client().connected() as one:
            await one.until(lambda: one.ready)
            cache.hset("{scribble}:connections", "AAAAAAAAAAAAAAA=", ghost)
            cache.incr("{scribble}:roster")
            await one.draw([[8, 8, 8]], 1)
            await one.until(lambda: one.here == 1)
            assert not cache.hexists("{scribble}:connections", "AAAAAAAAAAAAAAA=")
        cache.close()


class TestTelling:
    async def test_goes_on_when_the_function_that_does_it_runs_out_of_time(self, app: Application) -> None:
        functions = app.node.client("lambda")
        teller = next(
            f["FunctionName"]
            for f in functions.list_functions()["Functions"]
            if "UpdateDBV3" in f["FunctionName"]
        )
        functions.update_function_configuration(FunctionName=teller, Timeout=20)
        async with app.client().connected() as one, app.client().connected() as other:
            for number in range(20):
                await one.send(cursor=[number, 60])
                await one.draw([[number, 60, 5]], number)
            await other.until(lambda: other.canvas.colour((19, 60)) == 5)
            await other.until(lambda: [one.you, "", 19, 60] in chain(*other.cursors))
        functions.update_function_configuration(FunctionName=teller, Timeout=60)

    async def test_of_what_the_stream_has_dropped_is_replaced_by_the_picture(self, app: Application) -> None:
        cache = app.cache()
        async with app.client().connected() as one:
            await one.draw([[40, 40, 5]], 1)
            base = one.canvas.base
            soon(lambda: not cache.exists("{scribble}:lock"))
            newest = cache.xrevrange("{scribble}:points", count=1)[0][0]
            cache.set("{scribble}:floor", newest)
            cache.set("{scribble}:told", "1-0")
            await one.draw([[41, 40, 5]], 2)
            await one.until(lambda: one.canvas.base > base)
            assert (one.canvas.colour((40, 40)), one.canvas.colour((41, 40))) == (5, 5)
        cache.close()


class TestLostCache:
    async def test_the_board_is_put_together_again(self, app: Application) -> None:
        cache = app.cache()
        async with app.client().connected() as one:
            await one.draw([[20, 20, 5]], 1)
            app.draw_picture()
            await one.draw([[21, 20, 6], [20, 21, 5]], 2)
            shown = one.canvas.shown()
            cache.flushall()
            await one.draw([[22, 20, 7]], 3)
            async with app.client().connected() as late:
                await late.until(lambda: late.ready)
                assert late.canvas.shown() == shown | {(22, 20): 7}
        cache.close()

    async def test_who_only_looks_on_is_found_again_at_its_next_ping(self, app: Application) -> None:
        cache = app.cache()
        async with app.client().connected() as watcher, app.client().connected() as one:
            await watcher.until(lambda: watcher.ready)
            cache.flushall()
            await watcher.send(ping=1)
            await watcher.until(lambda: cache.hlen("{scribble}:connections"))
            await one.draw([[30, 20, 7]], 1)
            await watcher.until(lambda: watcher.canvas.colour((30, 20)) == 7)
        cache.close()
