"""Scribble by hand: the twelve steps of its guide with the AWS CLI, and then it works."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows.scribble import Client
from tests.flows.tools import run
from tests.harness import ROOT, Node

pytestmark = [pytest.mark.node_only, pytest.mark.slow, pytest.mark.timeout(600)]


async def test_the_twelve_steps_end_with_a_working_application(
    fresh_node: Callable[..., Node], tmp_path: Path
) -> None:
    node = fresh_node()
    made = by_hand(node, tmp_path)
    url = f"ws://127.0.0.1:{node.port}/_aws/execute-api/{made['api']}/production"
    with urllib.request.urlopen(made["page"]) as page:
        assert page.headers["content-type"].startswith("text/html")
    one, other = Client(url, "one"), Client(made["page"].replace("http", "ws") + "production", "other")
    async with one.connected(), other.connected():
        await one.draw([[1, 2, 5], [1023, 1023, 6]], 1)
        await other.until(lambda: other.canvas.shown() == {(1, 2): 5, (1023, 1023): 6})
    answer = node.client("lambda").invoke(FunctionName="updateImageV3", Payload=b"{}")
    assert "FunctionError" not in answer
    viewer = Client(url)
    viewer.load_picture(f"{made['page']}image.png")
    assert viewer.canvas.shown() == {(1, 2): 5, (1023, 1023): 6}


def by_hand(node: Node, folder: Path) -> dict[str, str]:
    """Runs the script; what it made, with the page's address as it is from here."""
    done = run(node, ROOT / "tests/flows/scribble_by_hand.sh", folder)
    assert [line for line in done.stderr.splitlines() if line.startswith("step")][-1].startswith("step 12")
    made = dict(line.split() for line in done.stdout.splitlines())
    id = made["page"].split("//")[1].split(".")[0]
    return made | {"page": f"{node.endpoint}/_aws/cloudfront/{id}/"}
