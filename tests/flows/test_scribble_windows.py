"""Scribble's page against the deployed application: two windows, a node that dies, the baked picture, the replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.flows.scribble import Application
from tests.flows.scribble_double import BLUE, GREEN, PALETTE, RED, WHITE
from tests.flows.test_scribble_page import choose, drag, see, shown, unconfirmed
from tests.harness import Node, eventually

pytestmark = [pytest.mark.node_only, pytest.mark.slow]

BOARD = """async () => {
  const { board } = await import("/main.js");
  const paper = board.confirmed[board.width * board.height - 1];
  return Array.from(board.confirmed).map((word, at) => [at, word]).filter(([, word]) => word !== paper);
}"""

COLOURS_OF = """async (pixels) => {
  const [{ board }, { hex }] = await Promise.all([import("/main.js"), import("/board.js")]);
  return pixels.map(([x, y]) => hex(board.confirmed[y * board.width + x]));
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("scribble") / "data")
    try:
        yield Application(node, "Width=128", "Height=128")
    finally:
        node.stop()
        assert "Traceback" not in node.log, node.log


@pytest.fixture
def window(new_window: Callable[..., Any], app: Application) -> Callable[..., Any]:
    """`window()`: the page in a window of somebody else's, live."""
    host = app.outputs["PageUrl"].split("//")[1].split(".")[0]

    def make(*, live: bool = True) -> Any:
        page = new_window(width=800)
        if not live:
            page.route_web_socket("**/*", lambda socket: None)
        page.goto(f"http://{host}.cloudfront.localhost:{app.node.port}/")
        if live:
            page.locator("#state[data-state=live]").wait_for()
        return page

    return make


def settled(*pages: Any) -> None:
    eventually(lambda: not any(unconfirmed(page) for page in pages))


def test_what_one_window_draws_the_others_show(app: Application, window: Callable[..., Any]) -> None:
    one, two = window(), window()
    one.locator("#here", has_text="2").wait_for()
    choose(one, colour=GREEN)
    drag(one, (10, 10), (50, 10), (50, 30))
    see(two, 30, 10, GREEN)
    see(two, 50, 30, GREEN)
    two.locator(".cursor span").wait_for()
    one.get_by_role("button", name="2 people here").click()
    assert two.locator(".cursor span").inner_text() == one.get_by_label("Your name").input_value()
    one.keyboard.press("Escape")
    settled(one)
    one.reload()
    one.locator("#state[data-state=live]").wait_for()
    assert (shown(one, 30, 10), shown(one, 50, 30), shown(one, 51, 31)) == (GREEN, GREEN, WHITE)
    two.close()
    one.locator("#here", has_text="1").wait_for()


def test_no_stroke_is_lost_with_the_node(app: Application, window: Callable[..., Any]) -> None:
    one, two = window(), window()
    for page, colour in ((one, RED), (two, BLUE)):
        choose(page, colour=colour, size=5)
    drag(one, (20, 40), (90, 40))
    drag(two, (20, 50), (90, 50))
    app.node.kill()
    for page in (one, two):
        page.get_by_text("Connection lost").wait_for()
    drag(one, (20, 60), (90, 60))
    drag(two, (20, 70), (90, 70))
    app.node.restart()
    for page in (one, two):
        page.evaluate("document.querySelector('#now').click()")
        page.locator("#state[data-state=live]").wait_for()
    settled(one, two)
    eventually(lambda: one.evaluate(BOARD) == two.evaluate(BOARD))
    late = window()
    for page in (one, late):
        for line, colour in ((40, RED), (50, BLUE), (60, RED), (70, BLUE)):
            strip = [(x, y) for x in range(20, 91) for y in range(line - 1, line + 2)]
            assert page.evaluate(COLOURS_OF, strip) == [PALETTE[colour]] * len(strip)
    assert late.evaluate(BOARD) == one.evaluate(BOARD)


def test_the_schedule_bakes_the_picture_and_keeps_the_past(
    app: Application, window: Callable[..., Any]
) -> None:
    one = window()
    choose(one, colour=RED)
    for y in (100, 110):
        drag(one, (10, y), (40, y))
        settled(one)
        bake(app)
        # The picture alone: of a window whose socket never says a word.
        picture = window(live=False)
        picture.wait_for_selector("body:not(.loading)")
        assert shown(picture, 30, y) == RED
    one.get_by_role("button", name="Replay").click()
    slider = one.get_by_role("slider", name="Time")
    eventually(lambda: int(slider.get_attribute("max")) >= 1)
    assert one.locator("#when").inner_text()


def bake(app: Application) -> None:
    """Let the schedule's time come, and the picture be older than the CDN keeps it."""
    before = picture_id(app)
    app.node.advance(61)
    eventually(lambda: picture_id(app) != before)


def picture_id(app: Application) -> int:
    found = app.node.client("s3").head_object(Bucket=app.outputs["BucketName"], Key="image.png")
    return int(found["Metadata"]["id"])
