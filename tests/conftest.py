"""Fixtures: one node for the session, nodes of a test's own, boto3 clients, unique names."""

from __future__ import annotations

import itertools
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import harness

# No test is timed: a slow machine is no failure.
settings.register_profile("cloudlet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cloudlet")

# A shell's background job ignores Ctrl-C, and so would every program that the tests start and want to stop by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

RUN = uuid.uuid4().hex[:6]
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("ENDPOINT"):
        skip = pytest.mark.skip(reason="needs the local node's process")
        for item in items:
            if "node_only" in item.keywords or "fresh_node" in getattr(item, "fixturenames", ()):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The node (or the endpoint of ENDPOINT) that most tests share. A traceback in its log fails the run."""
    if endpoint := os.environ.get("ENDPOINT"):
        yield harness.Elsewhere(endpoint)
        return
    node = harness.Node(tmp_path_factory.mktemp("node") / "data")
    yield node
    assert node.stop() == 0, node.log
    assert "Traceback" not in node.log, node.log


@pytest.fixture
def fresh_node(tmp_path: Path) -> Iterator[Callable[..., harness.Node]]:
    """Makes nodes of the test's own: `fresh_node("--account=…")`; they are stopped after it."""
    nodes: list[harness.Node] = []

    def make(*options: str) -> harness.Node:
        nodes.append(harness.Node(tmp_path / f"node{len(nodes)}", *options))
        return nodes[-1]

    yield make
    for node in nodes:
        if node.process.poll() is None:
            node.stop()
        assert "Traceback" not in node.log, node.log


@pytest.fixture(scope="session")
def client(node: Any) -> Callable[..., Any]:
    """`client("dynamodb")`: a boto3 client of the session's node, made once per service."""
    made: dict[str, Any] = {}

    def get(service: str, **options: Any) -> Any:
        if options:
            return node.client(service, **options)
        if service not in made:
            made[service] = node.client(service)
        return made[service]

    return get


@pytest.fixture
def unique() -> Callable[[str], str]:
    """`unique("table")`: a name that nothing else has."""
    return lambda prefix: f"{prefix}-{RUN}-{next(_numbers)}"


@pytest.fixture
def stack(client: Callable[..., Any], unique: Callable[[str], str]) -> Iterator[harness.Stack]:
    """One stack, deleted after the test."""
    made = harness.Stack(client("cloudformation"), unique("stack"))
    yield made
    made.delete()
