"""Parts of Scribble's functions by themselves: what a whole application rarely shows."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from tests.harness import ROOT

FUNCTIONS = ROOT / "apps/scribble/functions"
COMMON = ROOT / "apps/common/python"
MODULES = {path.stem for folder in (FUNCTIONS, COMMON) for path in folder.glob("*.py")}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`load("broadcast")`: a module of the functions, as a function would import it; forgotten after the test."""
    monkeypatch.syspath_prepend(COMMON)
    monkeypatch.syspath_prepend(FUNCTIONS)
    for name, value in {
        "CACHE_URL": "valkey://127.0.0.1:1",
        "API_URL": "https://api.execute-api.us-east-1.amazonaws.com/production",
        "BUCKET": "bucket",
        "AWS_DEFAULT_REGION": "us-east-1",
        "WIDTH": "64",
        "HEIGHT": "64",
    }.items():
        monkeypatch.setenv(name, value)
    before = set(sys.modules)

    def one(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield one
    for name in MODULES & (set(sys.modules) - before):
        del sys.modules[name]


class Calls:
    """Stands for a function; `calls` are the arguments it was given."""

    def __init__(self, answer: Any = None) -> None:
        self.calls: list[Any] = []
        self.answer = answer

    def __call__(self, *arguments: Any) -> Any:
        self.calls.append(arguments)
        return self.answer(*arguments) if callable(self.answer) else self.answer


class TestTell:
    def test_who_is_gone_is_forgotten_and_who_is_deaf_is_cut_off(
        self, load: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broadcast = load("broadcast")
        answers = {"fine": 200, "gone": 410, "deaf": 429, "lost": 0}
        posts = Calls(lambda ids, frame: {id: answers[id] for id in ids})
        forget, disconnect = Calls(-1), Calls()
        monkeypatch.setattr(broadcast.posts, "post_all", posts)
        monkeypatch.setattr(broadcast.posts, "disconnect", disconnect)
        monkeypatch.setattr(broadcast.board, "forget", forget)
        large = '{"by":"a","points":[' + "1,1,1," * 20_000 + "1,1,1]}"
        broadcast.tell(list(answers), [(1, large), (2, large)], [], 4)
        assert [ids for ids, _ in posts.calls] == [list(answers), ["fine"]]
        assert forget.calls == [(["gone"], 10_000)]
        assert disconnect.calls == [(["deaf", "lost"],)]


class TestPosts:
    def test_what_may_help_is_tried_again(self, load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        posts = load("posts")
        answer = load("aws").Answer
        rounds = [[200, 429, 410, 0, 500], [200, 200, 429], [503]]
        monkeypatch.setattr(posts, "PAUSE", 0)
        monkeypatch.setattr(posts._api, "request", Calls(b""))
        monkeypatch.setattr(
            posts._api, "send", lambda requests: [answer(status, b"") for status in rounds.pop(0)]
        )
        assert posts.post_all("abcde", "frame") == {"a": 200, "b": 200, "c": 410, "d": 200, "e": 503}


class TestFrames:
    def test_none_is_too_long_and_nothing_is_lost(self, load: Any) -> None:
        frames = load("frames")
        batch = frames.batch("somebody", 1, [[63, 63, 15]] * 256)
        made = frames.points([(id, batch) for id in range(200)], 7, [["a", "", 1, 2]])
        assert max(len(frame) for frame in made) < 128 * 1024
        assert sum(frame.count('"by"') for frame in made) == 200
        assert [frame.count('"cursors"') for frame in made] == [0] * (len(made) - 1) + [1]


class TestRestore:
    @pytest.mark.parametrize("bits", [1, 4])
    def test_pixels_lie_as_bitfield_puts_them(
        self, load: Any, monkeypatch: pytest.MonkeyPatch, bits: int
    ) -> None:
        monkeypatch.setenv("BITS_PER_PIXEL", str(bits))
        restore = load("restore")
        pixels = bytearray(4)
        for index, colour in ((0, 1), (3, 1), (7, 1), (3, 0)):
            restore.set_pixel(pixels, index, colour)
        assert bytes(pixels) == (b"\x81\0\0\0" if bits == 1 else b"\x10\0\0\x01")


class TestHistory:
    def test_the_past_gets_thinner(self, load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        update_image = load("update_image")
        kept: list[Any] = []
        for number in range(2000):
            kept, dropped = update_image.thinned([*kept, number])
            assert len(kept) <= 200 and not set(dropped) & set(kept)
        assert kept == sorted(kept) and kept[0] == 0 and kept[-1] == 1999
        steps = [later - earlier for earlier, later in pairwise(kept)]
        assert steps[0] > steps[-1] == 1


class TestConnect:
    @pytest.mark.parametrize(
        ("query", "since", "name"),
        [
            ({}, None, ""),
            ({"since": "123", "name": "Ann"}, 123, "Ann"),
            ({"since": "1e3", "name": " a \n\t\x07 b "}, None, "a b"),
            ({"since": "١٢", "name": "x" * 99}, None, "x" * 32),
            ({"since": "9" * 17}, None, ""),
        ],
    )
    def test_what_is_said_at_the_door(
        self, load: Any, query: dict[str, str], since: int | None, name: str
    ) -> None:
        connect = load("connect")
        assert (connect.since_of(query), connect.name_of(query)) == (since, name)
