"""The chat by hand: the seven tasks of its workshop with the AWS CLI and wscat, and then it works."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudlet.services.translate.engine import modes
from tests.flows.chat import Client
from tests.flows.tools import run
from tests.harness import REGION, ROOT, Node

pytestmark = [pytest.mark.node_only, pytest.mark.slow, pytest.mark.timeout(600)]


async def test_the_seven_tasks_end_with_a_working_chat(
    fresh_node: Callable[..., Node], tmp_path: Path
) -> None:
    node = fresh_node()
    made = by_hand(node, tmp_path, "chat_by_hand.sh", "task 7")
    site = f"{node.endpoint}/_aws/s3-website/{made['bucket']}/"
    with urllib.request.urlopen(site) as page:
        assert page.read() == (ROOT / "apps/chat/web/index.html").read_bytes()
    with urllib.request.urlopen(site + "config.json") as config:
        assert (
            json.load(config)["socket"]
            == f"wss://{made['api']}.execute-api.{REGION}.amazonaws.com/production"
        )
    ann, bob = (
        Client(f"ws://127.0.0.1:{node.port}/_aws/execute-api/{made['api']}/production") for _ in range(2)
    )
    await ann.open()
    await bob.open()
    await ann.join("hall", "Ann")
    await bob.join("hall", "Bob", language="es")
    await ann.ask("sendmessage", text="The house is very big and the garden is beautiful.")
    await bob.until(lambda: bob.messages)
    if modes().keys() >= {("en", "es")}:
        await bob.until(lambda: bob.of("translated"))
    await ann.ask("changemessage", seq=1, text="The house is small.")
    page_ = await bob.ask("getmessages")
    assert [message["text"] for message in page_["messages"]] == ["The house is small."]
    await ann.close()
    await bob.until(lambda: bob.here() == ["Bob"])
    await bob.close()


def test_the_books_chat_in_node_js(fresh_node: Callable[..., Node], tmp_path: Path) -> None:
    """Three clients say hello; each hears the two others, and never itself."""
    node = fresh_node()
    by_hand(node, tmp_path, "book_chat_by_hand.sh", "increment 3")
    names = ["first-client", "second-client", "third-client"]
    for name in names:
        lines = (tmp_path / f"{name}.log").read_text().splitlines()
        assert lines[0].startswith("Connected to ")
        heard = {line for line in lines if line.startswith("Received: ")}
        assert heard == {f"Received: Hello from {other}!" for other in names if other != name}
    assert not node.client("dynamodb").scan(TableName="ws-connections")["Items"]


def by_hand(node: Node, folder: Path, script: str, last: str) -> dict[str, str]:
    """Runs the script; what it says it made."""
    done = run(node, ROOT / "tests/flows" / script, folder)
    assert last in done.stderr
    return dict(line.split() for line in done.stdout.splitlines())
