"""Picture, catch-up and live together never miss a point, whoever comes and goes when, and whatever is killed.

Random programs of a few people on a small canvas, so that they draw over one another. All that anybody was told is the
model: of each pixel the colour of its highest id. (Not what was acknowledged alone: what is sent again because its
acknowledgement was lost is drawn twice.) In the end every canvas, the picture and the table are equal to it, and all
that was acknowledged is in it. A program depends on its seed alone; `SCRIBBLE_ROUNDS=n` runs n more, from
`SCRIBBLE_SEED` on.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
from websockets.exceptions import WebSocketException

from tests.flows.client import eventually
from tests.flows.scribble import Application, Client, Pixel
from tests.harness import Node

pytestmark = [pytest.mark.node_only, pytest.mark.slow]

PEOPLE = 6
STEPS = 25
SIDE = 64
CORNER = 12
"""All draw in this corner."""
DRAWN = 40
"""Of so many messages people are told in any program."""

MORE = int(os.environ.get("SCRIBBLE_ROUNDS", "0"))
FIRST = int(os.environ.get("SCRIBBLE_SEED", "100"))
Meanwhile = Callable[[Application, int, "Model"], Awaitable[None]]
GONE = (WebSocketException, OSError, EOFError)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("invariant") / "data")
    try:
        yield Application(node, f"Width={SIDE}", f"Height={SIDE}")
    finally:
        assert node.stop() == 0
        assert "Traceback" not in node.log, node.log


class Model:
    """What was told, and what was acknowledged."""

    def __init__(self, pixels: dict[Pixel, tuple[int, int]]) -> None:
        self.pixels = pixels
        self.told: dict[int, list[int]] = {}
        self.acknowledged: dict[int, list[list[int]]] = {}

    def shown(self) -> dict[Pixel, int]:
        pixels = dict(self.pixels)
        for id, flat in sorted(self.told.items()):
            for x, y, colour in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
                pixels[x, y] = (id, colour)
        return shown(pixels)


async def drawn(model: Model, many: int) -> None:
    """Until people were told of so many messages."""

    async def enough() -> bool:
        return len(model.told) >= many

    await eventually(enough, 60)


class Person:
    """Draws, leaves, comes back, opens a new page: by a random program. Sends again what wasn't acknowledged, as a page
    does."""

    def __init__(self, app: Application, model: Model, name: str, seed: str) -> None:
        self.app = app
        self.model = model
        self.name = name
        self.random = random.Random(seed)
        self.client = app.client(name)
        self.open = False
        self.unacknowledged: dict[int, list[list[int]]] = {}
        self.ref = 0

    async def run(self) -> None:
        for _ in range(STEPS):
            step = self.random.choices(
                (self.draw, self.rest, self.leave, self.vanish, self.start_anew), (12, 6, 2, 2, 1)
            )[0]
            points = [
                [self.random.randrange(CORNER), self.random.randrange(CORNER), self.random.randrange(16)]
                for _ in range(self.random.randint(1, 8))
            ]
            try:
                await step(points)
            except GONE:
                await eventually(self.back, 40)
            self.note()

    async def back(self) -> bool:
        """Whether a connection can be had again."""
        with suppress(*GONE):
            await self.come()
        return self.client.is_open

    async def draw(self, points: list[list[int]]) -> None:
        await self.come()
        self.ref += 1
        self.unacknowledged[self.ref] = points
        await self.client.send(points=points, ref=self.ref)

    async def rest(self, points: list[list[int]]) -> None:
        """As long as it takes to be answered, or to look at the picture."""
        if not self.client.is_open:
            await asyncio.to_thread(self.app.client().load_picture, self.app.picture)
            return
        self.ref += 1
        await self.client.send(ping=self.ref)
        await self.client.until(lambda: self.answered(self.ref) or not self.client.is_open)

    def answered(self, ping: int) -> bool:
        return any(frame.get("ping") == ping for frame in self.client.others)

    async def leave(self, points: list[list[int]]) -> None:
        await self.client.close()

    async def vanish(self, points: list[list[int]]) -> None:
        """Without a word, as when a network goes."""
        self.client.cut()

    async def start_anew(self, points: list[list[int]]) -> None:
        """Close the page and open it again: picture first, then the socket. What isn't acknowledged is taken along."""
        await self.client.close()
        self.note()
        self.client = self.app.client(self.name)
        await asyncio.to_thread(self.client.load_picture, self.app.picture)

    async def come(self) -> None:
        """Connected; sends again what is not acknowledged, oldest first."""
        if self.client.is_open:
            return
        self.note()
        await self.client.open()
        for ref, points in sorted(self.unacknowledged.items()):
            await self.client.send(points=points, ref=ref)

    def note(self) -> None:
        """Give the model what came."""
        self.model.told |= self.client.canvas.told
        for ref in self.unacknowledged.keys() & self.client.acknowledged.keys():
            self.model.acknowledged[self.client.acknowledged[ref]] = self.unacknowledged.pop(ref)

    async def finish(self) -> None:
        """Until everything is acknowledged."""

        async def done() -> bool:
            with suppress(*GONE):
                await self.come()
                await self.client.until(lambda: self.client.ready or not self.client.is_open)
            self.note()
            return self.client.ready and not self.unacknowledged

        await eventually(done, 40)


async def play(app: Application, seed: int, meanwhile: Meanwhile) -> tuple[Model, list[Person]]:
    """Everybody's program, and `meanwhile`; then all are there and all is acknowledged."""
    model = Model(app.table())
    people = [Person(app, model, f"p{n}", f"{seed}-{n}") for n in range(PEOPLE)]
    witness = Person(app, model, "witness", "")
    await witness.come()
    disturbing = asyncio.ensure_future(meanwhile(app, seed, model))
    await asyncio.gather(*(person.run() for person in people))
    await disturbing
    people.append(witness)
    await asyncio.gather(*(person.finish() for person in people))
    return model, people


async def check(app: Application, model: Model, people: list[Person], seed: int) -> None:
    await settled(app, people)
    wanted = model.shown()
    for id, points in model.acknowledged.items():
        assert model.told[id] == [number for point in points for number in point]
    for person in people:
        await same(f"seed {seed}: canvas of {person.name}", person.client.canvas.shown, wanted)
        await person.client.close()
    async with fresh(app) as late:
        await same(f"seed {seed}: whole picture over the socket", late.canvas.shown, wanted)
    app.draw_picture()
    viewer = app.client()
    viewer.load_picture(app.picture)
    await same(f"seed {seed}: the PNG", viewer.canvas.shown, wanted)
    await same(f"seed {seed}: the table", partial(saved, app), wanted)


async def settled(app: Application, people: list[Person]) -> None:
    """Until the last message of those who left is drawn: then one more point has come to everybody."""
    sender = people[0]
    sender.ref += 1
    await sender.draw([[SIDE - 1, SIDE - 1, sender.ref % 16]])
    ref = sender.ref
    await sender.client.until(lambda: ref in sender.client.acknowledged)
    id = sender.client.acknowledged[ref]
    for person in people:
        told = person.client.canvas.told
        await person.client.until(partial(told.__contains__, id))
        person.note()


def saved(app: Application) -> dict[Pixel, int]:
    """What the table shows. The picture's function saves what a kill kept from it, once that is five seconds old."""
    app.draw_picture()
    return shown(app.table())


def shown(table: dict[Pixel, tuple[int, int]]) -> dict[Pixel, int]:
    return {pixel: colour for pixel, (_, colour) in table.items() if colour}


async def same(what: str, have: Any, wanted: dict[Pixel, int]) -> None:
    """Equal soon: what is told to one is on its way to the others."""

    async def equal() -> bool:
        return bool(have() == wanted)

    try:
        await eventually(equal, 15)
    except AssertionError:
        found = have()
        wrong = {p: (found.get(p), wanted.get(p)) for p in found.keys() | wanted.keys()}
        wrong = {pixel: pair for pixel, pair in wrong.items() if pair[0] != pair[1]}
        raise AssertionError(f"{what} differs (has, should have): {wrong}") from None


@asynccontextmanager
async def fresh(app: Application) -> AsyncIterator[Client]:
    client = app.client()
    async with client.connected():
        await client.until(lambda: client.ready)
        yield client


async def draw_pictures(app: Application, seed: int, model: Model) -> None:
    """The schedule, many times faster."""
    for most in sorted(random.Random(seed).sample(range(DRAWN), 3)):
        await drawn(model, most)
        await asyncio.to_thread(app.draw_picture)


async def kill(app: Application, seed: int, model: Model) -> None:
    """kill -9 of the node in the midst of it, and a new start. Messages that were being processed come again when their
    visibility is over."""
    await drawn(model, random.Random(seed).randrange(DRAWN))
    await asyncio.to_thread(app.node.kill)
    await asyncio.to_thread(app.node.start)
    await asyncio.to_thread(app.node.advance, 61)


@pytest.mark.parametrize("seed", [1, 2, *range(FIRST, FIRST + MORE)])
async def test_nothing_is_missed_by_whoever_comes_and_goes(app: Application, seed: int) -> None:
    await check(app, *await play(app, seed, draw_pictures), seed)


@pytest.mark.parametrize("seed", [3, *range(FIRST, FIRST + MORE)])
async def test_nothing_is_missed_when_the_node_is_killed(app: Application, seed: int) -> None:
    await check(app, *await play(app, seed, kill), seed)
