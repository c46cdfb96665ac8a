"""The page of Pub/Sub in a real browser: two windows, a publisher, hostile text, a lost connection."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import ROOT

pytestmark = [pytest.mark.node_only, pytest.mark.slow]


@pytest.fixture(scope="module")
def page_url(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `cloudlet up` prints as the page's address."""
    data = tmp_path_factory.mktemp("page") / "data"
    command = [sys.executable, "-m", "cloudlet", "up", "apps/pubsub", "--port=0", f"--data={data}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = next(found[1] for line in process.stdout if (found := re.search(r"Page\s+(http\S+)", line)))
    yield url
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def open_page(chromium: Any, url: str) -> Any:
    page = chromium.new_page(viewport={"width": 760, "height": 860})
    page.goto(url)
    page.get_by_text("connected", exact=True).wait_for()
    return page


def subscribe(page: Any, topic: str, *, accepted: bool = True) -> None:
    page.get_by_label("Subscribe to a topic").fill(topic)
    page.get_by_role("button", name="Subscribe", exact=True).click()
    page.get_by_role("button", name=f"Unsubscribe from {topic}").wait_for()
    if accepted:
        page.wait_for_selector("#topics [aria-busy]", state="detached")


def publish(page: Any, topic: str, body: str) -> str:
    page.get_by_label("Topic", exact=True).fill(topic)
    page.get_by_label("Message", exact=True).fill(body)
    page.get_by_role("button", name="Publish").click()
    page.get_by_text(re.compile("delivered|refused")).wait_for()
    return str(page.locator("#published").text_content())


def test_what_one_window_publishes_the_other_shows(chromium: Any, page_url: str) -> None:
    one, two = open_page(chromium, page_url), open_page(chromium, page_url)
    subscribe(one, "news/*")
    subscribe(two, "$presence/news/local")
    subscribe(two, "news/local")
    two.get_by_text('"event":"joined"').wait_for()
    publish(two, "news/local", "The lights are on at the harbour")
    one.get_by_text("The lights are on at the harbour").wait_for()
    two.get_by_text("The lights are on at the harbour").wait_for()
    if folder := os.environ.get("PICTURES"):
        two.screenshot(path=str(Path(folder) / "pubsub.png"))
    one.close()
    two.close()


def test_hostile_text_is_only_text(chromium: Any, page_url: str) -> None:
    page = open_page(chromium, page_url)
    subscribe(page, "hostile")
    said = "<img src=x onerror=document.title='owned'>"
    publish(page, "hostile", said)
    page.get_by_text(said).wait_for()
    assert page.title() == "Pub/Sub"
    page.close()


def test_a_bad_topic_is_said(chromium: Any, page_url: str) -> None:
    page = open_page(chromium, page_url)
    subscribe(page, "a//b", accepted=False)
    page.get_by_text("each level of a topic needs a character").wait_for()
    assert "refused" in publish(page, "a//b", "x")
    page.close()
