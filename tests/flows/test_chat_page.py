"""Chat's page in a real browser: against a back end of the test's own, which can refuse, cut and lie, and deployed."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cloudlet.cli.stacks import local_url
from cloudlet.services.translate.engine import modes
from tests.flows.chat import Application
from tests.flows.chat_page_double import Double, error
from tests.harness import Node, eventually

pytestmark = [pytest.mark.node_only, pytest.mark.slow]

DAY = 86_400_000
HOSTILE = {
    "a script": "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
    "a very long word": "w" * 1500,
    "right to left": "\u202e moc.live.www//:sptth \u2067 שלום \u202e",
    "zalgo": "Z" + "\u0335\u0321\u0310\u0351" * 60 + "algo",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽" * 20,
    "many lines": "line\n" * 300,
    "not a link": "javascript:alert(1) https://bank.example@evil.example/ data:text/html,x http://",
}


@pytest.fixture
def double() -> Iterator[Double]:
    server = Double()
    yield server
    server.stop()


@pytest.fixture
def open_page(new_window: Callable[..., Any]) -> Callable[..., Any]:
    """`open_page(url, "Ann", width=…, **context)`: the page in a window of its own, in the room."""

    def make(url: str, name: str = "", **options: Any) -> Any:
        page = new_window(**options)
        page.goto(url)
        if name:
            join(page, name)
        return page

    return make


def join(page: Any, name: str, *, live: bool = True) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    if live:
        page.get_by_role("dialog").wait_for(state="hidden")
        is_live(page)


def is_live(page: Any) -> None:
    page.locator("body[data-state=live]").wait_for()


def field(page: Any) -> Any:
    return page.get_by_role("textbox", name="Message")


def say(page: Any, text: str) -> None:
    field(page).fill(text)
    field(page).press("Enter")


def see(page: Any, text: str | re.Pattern[str]) -> Any:
    """The message that says it; it is waited for."""
    found = page.locator("#messages article", has=page.locator(".text", has_text=text)).last
    found.wait_for()
    return found


def texts(page: Any) -> list[str]:
    return list(page.locator("#log .text").all_inner_texts())


def sent(page: Any) -> None:
    """All that was said has arrived."""
    page.locator("#messages .delivery.sent").wait_for()
    assert page.locator("#pending li").count() == 0


class TestARoom:
    def test_what_one_says_the_other_reads(self, double: Double, open_page: Any) -> None:
        ann, bob = open_page(double.url, "Ann"), open_page(double.url, "Bob")
        say(ann, "Good morning")
        see(bob, "Good morning").locator(".author", has_text="Ann").wait_for()
        sent(ann)
        assert see(ann, "Good morning").locator("xpath=..").get_attribute("class").split()[:2] == [
            "item",
            "mine",
        ]
        say(bob, "Morning")
        see(ann, "Morning")
        assert ann.locator("#here li").all_inner_texts() == ["A\nAnn\n(you)", "B\nBob"]

    def test_rooms_are_links_and_apart(self, double: Double, open_page: Any) -> None:
        double.write("tea-room", "Zoe", "Tea?")
        ann = open_page(double.url, "Ann")
        say(ann, "hello")
        see(ann, "hello")
        ann.evaluate("location.hash = 'tea-room'")
        see(ann, "Tea?")
        assert texts(ann) == ["Tea?"] and ann.title() == "#tea-room · Chat"
        bob = open_page(double.url + "#tea-room", "Bob")
        say(ann, "Yes please")
        see(bob, "Yes please")
        assert double.rooms["lobby"][-1]["text"] == "hello"
        ann.go_back()
        see(ann, "hello")

    def test_a_taken_name_is_said_kindly(self, double: Double, open_page: Any) -> None:
        open_page(double.url, "Ann")
        page = open_page(double.url)
        join(page, "ann", live=False)
        page.get_by_text("Somebody in #lobby is called ann already").wait_for()
        assert page.evaluate("document.activeElement.id") == "name"
        join(page, "Bea")

    def test_a_name_comes_back_with_its_token(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        page.reload()
        is_live(page)
        first, second = double.asked("updatedetails")
        assert "token" not in first and second["token"].startswith("token-of-Ann")

    def test_two_windows_of_a_browser_may_be_two_people(self, double: Double, open_page: Any) -> None:
        ann = open_page(double.url, "Ann")
        other = ann.context.new_page()
        other.goto(double.url)
        is_live(other)
        other.get_by_role("button", name="Room #lobby").click()
        join(other, "Bob")
        say(other, "I am Bob")
        see(ann, "I am Bob").locator(".author", has_text="Bob").wait_for()
        ann.reload()
        is_live(ann)
        assert ann.locator("#my-name").inner_text() == "Ann"

    def test_it_works_where_nothing_may_be_stored(self, double: Double, open_page: Any) -> None:
        page = open_page("about:blank")
        for storage in ("localStorage", "sessionStorage"):
            page.add_init_script(
                f"Object.defineProperty(window, '{storage}', {{ get() {{ throw new Error('no'); }} }})"
            )
        page.goto(double.url)
        join(page, "Ann")
        say(page, "hello")
        sent(page)

    def test_who_types(self, double: Double, open_page: Any) -> None:
        ann, bob = open_page(double.url, "Ann"), open_page(double.url, "Bob")
        field(ann).press_sequentially("hi")
        bob.get_by_text("Ann is typing").wait_for()
        assert len(double.asked("typing")) == 1
        field(ann).press("Enter")
        see(bob, "hi")
        eventually(lambda: bob.locator("#typing").inner_text() == "")


class TestMessages:
    def test_groups_and_days(self, double: Double, open_page: Any) -> None:
        now = int(time.time() * 1000)
        for name, text, at in (
            ("Zoe", "one", now - 9 * DAY),
            ("Zoe", "two", now - 9 * DAY + 1000),
            ("Zoe", "later", now - 9 * DAY + 900_000),
            ("Yan", "three", now - 9 * DAY + 901_000),
            ("Yan", "four", now - DAY),
        ):
            double.write("lobby", name, text, at=at, tell=False)
        page = open_page(double.url, "Ann")
        see(page, "four")
        firsts = page.locator("#messages .item.first .text").all_inner_texts()
        assert firsts == ["one", "later", "three", "four"]
        days = page.locator(".day:visible").all_inner_texts()
        assert len(days) == 2 and days[1] == "Yesterday"

    def test_links_lead_only_where_they_say(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        double.write(
            "lobby", "Zoe", "(see https://a.example/x_(y).) www.b.example, ftp://c.example\u202egpj.x"
        )
        links = see(page, "see").locator("a")
        assert [link.get_attribute("href") for link in links.all()] == [
            "https://a.example/x_(y)",
            "https://www.b.example/",
        ]
        assert "noopener" in links.first.get_attribute("rel")

    def test_hostile_text_is_only_text(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann", width=320, height=568)
        for kind, said in HOSTILE.items():
            double.write("lobby", said[:60], said)
            double.write("lobby", "Zoe", f"after {kind}")
            after = see(page, f"after {kind}").bounding_box()
            shown = page.locator("#messages .text").nth(-2)
            bubble = shown.locator("xpath=..").bounding_box()
            assert shown.text_content() == said, kind
            assert bubble["height"] < 420 and bubble["y"] + bubble["height"] <= after["y"], kind
            assert page.evaluate("document.querySelector('#log').scrollWidth") <= 320, kind
        assert page.locator("#messages :is(script, img, a)").count() == 0
        assert page.title() == "#lobby · Chat"

    def test_edit_with_the_up_arrow_and_escape(self, double: Double, open_page: Any) -> None:
        ann, bob = open_page(double.url, "Ann"), open_page(double.url, "Bob")
        say(ann, "Helo")
        sent(ann)
        field(ann).press("ArrowUp")
        assert field(ann).input_value() == "Helo"
        field(ann).press("Escape")
        assert field(ann).input_value() == ""
        field(ann).press("ArrowUp")
        say(ann, "Hello\nall")
        see(bob, "Hello\nall").get_by_text("edited").wait_for()
        see(ann, "Hello\nall")

    def test_delete_with_the_keyboard(self, double: Double, open_page: Any) -> None:
        ann, bob = open_page(double.url, "Ann"), open_page(double.url, "Bob")
        say(ann, "Nobody should read this")
        sent(ann)
        for _ in range(20):
            ann.keyboard.press("Shift+Tab")
            if ann.evaluate("document.activeElement.matches('.delete')"):
                break
        ann.keyboard.press("Enter")
        ann.get_by_role("dialog", name="Delete this message?").get_by_role("button", name="Delete").click()
        see(bob, "Message deleted")
        see(ann, "Message deleted")
        assert bob.get_by_text("Nobody should read this").count() == 0

    def test_what_is_not_ones_own_stays(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        double.write("lobby", "Zoe", "mine")
        assert see(page, "mine").get_by_role("button").count() == 0
        say(page, "yours")
        sent(page)
        double.answer = lambda request: (
            error("NotYours", "that is somebody else's message")
            if request["action"] == "changemessage"
            else None
        )
        field(page).press("ArrowUp")
        say(page, "not yours")
        page.get_by_text("Not changed: that is somebody else's message").wait_for()
        see(page, re.compile("^yours$"))

    def test_a_translation_and_the_original(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        page.get_by_role("button", name="Translate messages").click()
        page.get_by_label("Show messages in").select_option("es")
        eventually(lambda: double.asked("updatedetails")[-1].get("language") == "es")
        seq = double.write("lobby", "Zoe", "good morning")["seq"]
        double.send(
            "lobby", {"type": "translated", "seq": seq, "language": "es", "text": "buenos días", "version": 1}
        )
        page.keyboard.press("Escape")
        message = see(page, "buenos días")
        message.get_by_text("Translated from English").wait_for()
        message.get_by_role("button", name="Show original").click()
        see(page, "good morning").get_by_role("button", name="Show translation").click()
        see(page, "buenos días")


class TestHistory:
    @staticmethod
    def fill(double: Double, number: int) -> None:
        for at in range(1, number + 1):
            double.write("lobby", f"Zoe{at // 7 % 2}", f"message {at}" + " and more" * (at % 20), tell=False)

    def test_pages_come_while_scrolling_back_and_nothing_jumps(self, double: Double, open_page: Any) -> None:
        self.fill(double, 130)
        page = open_page(double.url, "Ann")
        see(page, "message 130")
        assert page.locator("#messages li").count() == 50
        top = "document.querySelector('[data-seq=\"87\"] article').getBoundingClientRect().top"
        page.evaluate("log.scrollTop = 400")
        before = page.evaluate(top)
        eventually(lambda: page.locator("#messages li").count() == 100)
        assert page.evaluate(top) == pytest.approx(before, abs=2)
        page.evaluate("log.scrollTop = 0")
        page.get_by_text("Here begins #lobby").wait_for()
        seqs = page.locator("#messages li").evaluate_all("all => all.map((item) => Number(item.dataset.seq))")
        assert seqs == list(range(1, 131))
        assert [request["limit"] for request in double.asked("getmessages")] == [50, 50, 50]

    def test_a_busy_room_does_not_fill_the_window_for_ever(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        self.fill(double, 1100)
        double.send("lobby", {"type": "message", "messages": double.rooms["lobby"]})
        see(page, "message 1100")
        assert page.locator("#messages li").count() == 500
        double.write("lobby", "Zoe", "and on")
        see(page, "and on")
        page.evaluate("log.scrollTop = 0")
        see(page, re.compile("^message 560"))
        assert page.locator("#messages li").count() == 551

    def test_any_order_twice_and_gaps_come_to_one_order(self, double: Double, open_page: Any) -> None:
        self.fill(double, 3)
        page = open_page(double.url, "Ann")
        made = [double.write("lobby", "Zoe", f"late {at}", tell=False) for at in range(6)]
        for at in (2, 1, 1, 5):
            double.send("lobby", {"type": "message", "messages": [made[at]]})
        eventually(lambda: texts(page)[3:] == [f"late {at}" for at in range(6)])

    def test_what_has_expired_is_no_gap_for_ever(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        for at in range(4):
            double.write("lobby", "Zoe", f"text {at}", tell=at == 3, expired=at in (1, 2))
        eventually(lambda: texts(page) == ["text 0", "text 3"])
        double.write("lobby", "Zoe", "next")
        see(page, "next")
        page.wait_for_function("async () => (await import('/main.js')).timeline.complete === 5")

    def test_unread_messages_are_counted_and_marked(self, double: Double, open_page: Any) -> None:
        self.fill(double, 60)
        page = open_page(double.url, "Ann")
        see(page, "message 60")
        page.evaluate("log.scrollTop = 600")
        for at in range(3):
            double.write("lobby", "Zoe", f"news {at}")
        page.get_by_role("button", name="3 new messages").wait_for()
        assert page.title() == "(3) #lobby · Chat"
        page.get_by_role("button", name="3 new messages").click()
        eventually(lambda: page.title() == "#lobby · Chat")
        assert page.locator("#messages li:has(.divider:visible) .text").inner_text() == "news 0"
        say(page, "read it all")
        eventually(lambda: page.locator(".divider:visible").count() == 0)

    def test_what_was_said_since_the_last_visit_is_marked(self, double: Double, open_page: Any) -> None:
        self.fill(double, 5)
        page = open_page(double.url, "Ann")
        see(page, "message 5")
        page.goto("about:blank")
        double.write("lobby", "Zoe", "while you were away", tell=False)
        page.goto(double.url)
        see(page, "while you were away")
        assert page.locator("#messages li:has(.divider:visible) .text").inner_text() == "while you were away"


class TestTheConnection:
    def test_without_a_network_the_server_is_asked_at_once(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        page.evaluate("dispatchEvent(new Event('offline'))")
        eventually(lambda: double.asked("ping"))
        is_live(page)

    def test_it_comes_back_fetches_and_resends_once(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        double.unheard = True
        say(page, "said once")
        eventually(lambda: double.rooms["lobby"])
        double.refuse, double.unheard = True, False
        double.cut()
        page.get_by_text("Connection lost").wait_for()
        say(page, "written while offline")
        page.get_by_text("Waiting to be sent").last.wait_for()
        for at in range(70):
            double.write("lobby", "Zoe", f"missed {at}")
        double.refuse = False
        page.get_by_role("button", name="Try now").click()
        is_live(page)
        sent(page)
        assert texts(page) == ["said once", *(f"missed {at}" for at in range(70)), "written while offline"]
        assert [request["after"] for request in double.asked("getmessages") if "after" in request] == [0, 50]

    def test_an_unheard_message_is_not_doubled(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        double.silent.add(1)
        double.unheard = True
        say(page, "twice?")
        eventually(lambda: double.rooms["lobby"])
        double.rooms["lobby"][0]["expired"] = True
        double.unheard = False
        double.cut()
        sent(page)
        assert len(double.asked("sendmessage")) == 2 and len(double.rooms["lobby"]) == 1
        assert texts(page) == ["twice?"]

    def test_changes_that_were_missed_are_fetched(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        double.write("lobby", "Zoe", "before")
        see(page, "before")
        double.refuse = True
        double.cut()
        page.get_by_text("Connection lost").wait_for()
        double.rooms["lobby"][0].update(text="after", edited=True, version=2)
        double.refuse = False
        page.get_by_role("button", name="Try now").click()
        see(page, "after").get_by_text("edited").wait_for()

    def test_what_is_refused_can_be_tried_again(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        refuse = True
        double.answer = lambda request: (
            error("Busy", "too much is said") if refuse and request["action"] == "sendmessage" else None
        )
        say(page, "one")
        page.get_by_text("Not sent: too much is said").wait_for()
        refuse = False
        say(page, "two")
        see(page, "two")
        page.get_by_role("button", name="Try again").click()
        sent(page)
        assert texts(page) == ["two", "one"]

    def test_ones_own_messages_keep_their_order(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        for at in range(8):
            say(page, f"number {at}")
        sent(page)
        assert [message["text"] for message in double.rooms["lobby"]] == [f"number {at}" for at in range(8)]

    def test_the_form_says_that_nobody_answers(self, double: Double, open_page: Any) -> None:
        double.refuse = True
        page = open_page(double.url)
        join(page, "Ann", live=False)
        page.get_by_role("dialog").get_by_text("No connection. Again in").wait_for()
        double.refuse = False
        is_live(page)
        page.get_by_text("Nothing is said in #lobby yet").wait_for()


LABELS = """() => [...document.querySelectorAll("button, input, textarea, select, dialog")].filter((at) => {
  const label = at.ariaLabel || at.textContent.trim() || at.labels?.[0]?.textContent.trim();
  return !label && !document.getElementById(at.getAttribute("aria-labelledby"));
}).map((at) => at.outerHTML)"""

SMALL = """() => [...document.querySelectorAll("button:not(.small), input, select, textarea")].filter((at) => {
  const { width, height } = at.getBoundingClientRect();
  const covered = document.querySelector("dialog[open]") && !at.closest("dialog");
  const seen = at.checkVisibility({ visibilityProperty: true }) && !covered;
  return width && seen && (width < 44 || height < 44);
}).map((at) => at.outerHTML)"""

OUTSIDE = """() => [...document.querySelectorAll("#top *, #state *, #bottom *, dialog[open] *")].filter((at) => {
  const { left, right, top, bottom, width, height } = at.getBoundingClientRect();
  const seen = width > 1 && height > 1 && at.checkVisibility();
  return seen && (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight);
}).map((at) => at.outerHTML)"""

FAINT = r"""() => {
  const dot = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const parts = (colour) => {
    dot.clearRect(0, 0, 1, 1);
    dot.fillStyle = colour;
    dot.fillRect(0, 0, 1, 1);
    return [...dot.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (at) => {
    const colour = parts(getComputedStyle(at).backgroundColor);
    return colour[3] > 250 ? colour : at.parentElement ? behind(at.parentElement) : [255, 255, 255];
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const [faint, seen] = [[], []];
  while (walk.nextNode()) {
    const at = walk.currentNode.parentElement;
    const hidden = at.closest("script, noscript, .unseen, :disabled");
    const shown = at.checkVisibility({ visibilityProperty: true }) && !hidden;
    if (!walk.currentNode.data.trim() || !shown) continue;
    seen.push(at);
    const [a, b] = [light(parts(getComputedStyle(at).color)), light(behind(at))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(`${walk.currentNode.data.trim()} ${(a + 0.05) / (b + 0.05)}`);
  }
  return seen.length > 3 ? faint : ["nothing was looked at"];
}"""


SIZES = [(320, 568), (390, 844), (844, 390), (1920, 1080)]


class TestForEverybody:
    def test_it_fits(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url)

        def fits() -> None:
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate(OUTSIDE) == [] and page.evaluate(SMALL) == [], (width, height)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert page.evaluate("log.clientHeight") >= 60

        page.get_by_label("Your name").wait_for()
        fits()
        join(page, "A name of many letters W")
        double.write("lobby", "Zoe", "hello " * 30)
        see(page, "hello")
        fits()
        double.refuse = True
        double.cut()
        page.get_by_role("button", name="Try now").wait_for()
        field(page).fill("x\n" * 30)
        fits()

    def test_it_can_be_read(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, reduced_motion="reduce")

        def can_be_read() -> None:
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert page.evaluate(FAINT) == [], scheme

        page.get_by_label("Your name").wait_for()
        can_be_read()
        join(page, "Ann")
        for at in range(24):
            double.write("lobby", f"Person {at}", f"text {at} https://a.example", edited=at % 2 == 0)
        double.write("lobby", "Zoe", "", deleted=True)
        say(page, "mine https://a.example")
        sent(page)
        see(page, "mine").hover()
        double.send("lobby", {"type": "typing", "name": "Zoe", "typing": True})
        page.get_by_text("Zoe is typing").wait_for()
        assert page.evaluate(LABELS) == []
        can_be_read()
        page.evaluate("log.scrollTop = 0")
        double.write("lobby", "Zoe", "news")
        page.get_by_role("button", name="1 new message").wait_for()
        can_be_read()
        double.refuse = True
        double.cut()
        page.get_by_text("Connection lost").wait_for()
        say(page, "waits")
        can_be_read()
        page.get_by_role("button", name="Room #lobby").click()
        can_be_read()

    def test_dark_mode_can_be_chosen(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann", color_scheme="light")
        behind = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(behind)
        page.get_by_role("button", name="Dark mode").click()
        assert page.evaluate(behind) != light
        page.reload()
        is_live(page)
        assert page.evaluate(behind) != light
        page.get_by_role("button", name="Dark mode", pressed=True).click()
        assert page.evaluate(behind) == light

    def test_everything_is_reached_with_tab_and_seen(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann", width=700)
        for at in range(30):
            double.write("lobby", "Zoe", f"text {at} https://a.example/{at}")
        say(page, "mine")
        sent(page)
        field(page).fill("x")
        page.locator("#theme").focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        reached = ["room"]
        for _ in range(40):
            page.keyboard.press("Tab")
            name, outlined = page.evaluate(
                """() => { const at = document.activeElement;
                const styles = [at, at.closest("form") ?? at].map((of) => getComputedStyle(of));
                const seen = ({ outlineStyle, boxShadow }) => outlineStyle !== "none" || boxShadow !== "none";
                return [at.id || at.ariaLabel || at.localName, styles.some(seen)]; }"""
            )
            if name == "body" or name in reached:
                break
            reached.append(name)
            assert outlined, name
        top = ["room", "translate-open", "people-open", "theme"]
        assert reached == [*top, "article", "Edit", "Delete", "emoji-open", "text", "send"]
        page.locator("#messages article").last.focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.href") == "https://a.example/29"

    def test_screen_readers_hear_of_news_and_not_of_floods(self, double: Double, open_page: Any) -> None:
        page = open_page(double.url, "Ann")
        page.get_by_role("status").get_by_text("Connected").wait_for(state="attached")
        double.write("lobby", "Zoe", "one at a time")
        page.get_by_role("status").get_by_text("Zoe: one at a time").wait_for(state="attached")
        for at in range(12):
            double.write("lobby", "Zoe", f"many {at}")
        page.get_by_role("status").get_by_text("12 news. Zoe: many 11").wait_for(state="attached")
        assert page.get_by_role("log", name="Messages").get_attribute("aria-live") == "off"
        double.refuse = True
        double.cut()
        page.get_by_role("status").get_by_text("What you write is kept").wait_for(state="attached")


@pytest.fixture(scope="module")
def app(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("page") / "data")
    try:
        yield Application(node, "MessageLifetime=3600")
    finally:
        assert node.stop() == 0
        assert "Traceback" not in node.log, node.log


@pytest.fixture
def enter(app: Application, open_page: Any) -> Callable[..., Any]:
    """`enter("lobby", "Ann", …)`: a window of the website, at the address that `cloudlet up` prints."""
    site = local_url(app.outputs["WebsiteUrl"], app.node.endpoint)
    return lambda room, name="", **more: open_page(f"{site}/?socket={app.url}#{room}", name, **more)


def fill(app: Application, room: str, number: int) -> None:
    """Somebody without a page says much."""

    async def talk() -> None:
        async with app.client(room, "Zoe") as zoe:
            for at in range(1, number + 1):
                await zoe.ask("sendmessage", text=f"message {at}")

    # Playwright has a loop of its own in this thread.
    with ThreadPoolExecutor() as other:
        other.submit(asyncio.run, talk()).result()


def read_in(page: Any, language: str) -> None:
    page.get_by_role("button", name="Translate messages").click()
    page.get_by_label("Show messages in").select_option(language)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("Translate messages, now to")).wait_for()


with_engine = pytest.mark.skipif(
    not modes().keys() >= {("en", "es"), ("es", "en")},
    reason="Apertium or its pair eng-spa is not installed",
)


class TestDeployed:
    def test_two_people_in_two_windows(self, enter: Any) -> None:
        ann, bob = enter("lobby", "Ann"), enter("lobby", "Bob")
        ann.locator("#here", has_text="Bob").wait_for()
        field(ann).press_sequentially("Good")
        bob.get_by_text("Ann is typing").wait_for()
        say(ann, "Good mornin")
        see(bob, "Good mornin")
        sent(ann)
        field(ann).press("ArrowUp")
        say(ann, "Good morning")
        see(bob, "Good morning").get_by_text("edited").wait_for()
        say(bob, "Delete me")
        see(ann, "Delete me")
        see(bob, "Delete me").hover()
        bob.get_by_role("button", name="Delete").last.click()
        bob.get_by_role("dialog").get_by_role("button", name="Delete").click()
        see(ann, "Message deleted")
        taken = enter("lobby")
        join(taken, "ANN", live=False)
        taken.get_by_text("Somebody in #lobby is called ANN already").wait_for()
        bob.close()
        eventually(lambda: "Bob" not in ann.locator("#here").inner_text())

    def test_history_comes_by_pages(self, app: Application, enter: Any) -> None:
        fill(app, "history", 57)
        page = enter("history", "Ann")
        see(page, "message 57")
        assert page.locator("#messages li").count() == 50
        page.evaluate("log.scrollTop = 0")
        page.get_by_text("Here begins #history").wait_for()
        assert texts(page) == [f"message {at}" for at in range(1, 58)]

    def test_hostile_text(self, enter: Any) -> None:
        ann, bob = enter("hostile", "<b>Ann</b>"), enter("hostile", "Bob")
        for said in HOSTILE.values():
            say(ann, said)
        sent(ann)
        eventually(lambda: bob.locator("#messages .text").count() == len(HOSTILE))
        shown = bob.locator("#messages .text").all_text_contents()
        assert shown == [said.strip() for said in HOSTILE.values()]
        assert bob.locator("#messages .author").first.inner_text() == "<b>Ann</b>"
        for page in (ann, bob):
            assert page.title() == "#hostile · Chat"
            assert page.locator("#messages :is(script, img, a)").count() == 0

    @with_engine
    def test_translation(self, enter: Any) -> None:
        ann, beto = enter("languages", "Ann"), enter("languages", "Beto")
        read_in(ann, "en")
        read_in(beto, "es")
        say(ann, "The house is very big and the garden is beautiful.")
        message = see(beto, "La casa es")
        message.get_by_role("button", name="Show original").click()
        see(beto, "The house is very big")
        see(ann, "The house is very big")
        say(beto, "Zxqwv")
        see(ann, "Zxqwv")

    @with_engine
    def test_a_conversation(self, enter: Any) -> None:
        """With PICTURES=folder these are the pictures of the documentation."""
        ann = enter("harbour", "Ann", width=1180, height=830, color_scheme="light")
        phone: dict[str, Any] = {"device_scale_factor": 2, "has_touch": True, "is_mobile": True}
        beto = enter("harbour", "Beto", width=390, height=844, color_scheme="dark", **phone)
        chiara = enter("harbour", "Chiara")
        read_in(ann, "en")
        read_in(beto, "es")
        for page, said in (
            (ann, "Good morning! Who comes to the harbour on Saturday?"),
            (beto, "Yo tengo una mesa para seis personas."),
            (beto, "La comida es buena y el mar es tranquilo."),
            (ann, "Wonderful. I bring bread and cheese."),
            (chiara, "I take the ferry at nine: https://ferries.example/timetable"),
            (chiara, "Shall I bring my sister?"),
            (beto, "La casa de mi madre es muy grande."),
            (ann, "Thank you! That is very kind."),
        ):
            say(page, said)
            sent(page)
        see(ann, "The house of my mother").get_by_text("Translated from Spanish").wait_for()
        see(ann, "I have a table for six").get_by_text("Translated from Spanish").wait_for()
        see(beto, "Buenos días").get_by_role("button", name="Show original").wait_for()
        field(beto).press_sequentially("x")
        ann.get_by_text("Beto is typing").wait_for()
        field(beto).fill("")
        field(ann).press_sequentially("Until Saturday")
        beto.get_by_text("Ann is typing").wait_for()
        field(beto).press_sequentially("Hasta el s")
        ann.get_by_text("Beto is typing").wait_for()
        if folder := os.environ.get("PICTURES"):
            ann.mouse.move(600, 300)
            ann.screenshot(path=str(Path(folder) / "chat.png"))
            beto.screenshot(path=str(Path(folder) / "chat-phone.png"))

    def test_the_node_is_killed_and_comes_back(self, app: Application, enter: Any) -> None:
        ann, bob = enter("killed", "Ann"), enter("killed", "Bob")
        say(ann, "before")
        see(bob, "before")
        eventually(lambda: not any("teller" in item for item in app.scan("Connections")))
        app.node.kill()
        for page in (ann, bob):
            page.get_by_text("Connection lost").wait_for()
        say(ann, "meanwhile")
        ann.get_by_text("Waiting to be sent").wait_for()
        app.node.start()
        for page in (ann, bob):
            page.evaluate("document.querySelector('#now').click()")
            is_live(page)
            see(page, "meanwhile")
        sent(ann)
        say(bob, "after")
        eventually(lambda: texts(ann) == texts(bob) == ["before", "meanwhile", "after"])

    def test_messages_expire(self, app: Application, enter: Any) -> None:
        ann = enter("expiry", "Ann")
        say(ann, "not for ever")
        sent(ann)
        app.node.advance(3660)
        page = enter("expiry", "Bob")
        page.get_by_text("Nothing is said in #expiry yet").wait_for()
        assert texts(page) == []
        say(page, "a new day")
        see(page, "a new day")
