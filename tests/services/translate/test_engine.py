"""The engine's processes: missing, killed, found again."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import eventually

from .kit import translated, with_engine


def pipelines(pid: int) -> list[int]:
    """The node's children that are pipelines of the engine."""
    listed = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "lt-proc" in line]


@with_engine
@pytest.mark.node_only
def test_a_pipeline_that_was_killed_is_started_again(fresh_node: Callable[..., Any]) -> None:
    node = fresh_node()
    translate = node.client("translate")
    assert translated(translate, "The house", "en", "es") == "La casa"
    (first,) = pipelines(node.pid)
    os.killpg(first, signal.SIGKILL)
    for _ in range(2):
        try:
            assert translated(translate, "The house", "en", "es") == "La casa"
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ServiceUnavailableException"
    assert translated(translate, "The house", "en", "es") == "La casa"
    (second,) = pipelines(node.pid)
    assert second != first


@with_engine
@pytest.mark.node_only
def test_nothing_is_left_of_it_when_the_node_stops(fresh_node: Callable[..., Any]) -> None:
    node = fresh_node()
    translated(node.client("translate"), "The house", "en", "es")
    (pipeline,) = pipelines(node.pid)
    node.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pipeline, 0)


@pytest.mark.node_only
def test_without_the_engine_the_log_says_once_what_to_install(
    fresh_node: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    node = fresh_node()
    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            translated(node.client("translate"), "The house", "en", "es")
        assert refused.value.response["Error"]["Code"] == "UnsupportedLanguagePairException"
    assert node.log.count("apt install apertium") == 1


@with_engine
@pytest.mark.node_only
def test_nothing_is_left_of_it_when_the_node_is_killed(fresh_node: Callable[..., Any]) -> None:
    node = fresh_node()
    translated(node.client("translate"), "The house", "en", "es")
    (pipeline,) = pipelines(node.pid)
    node.kill()
    eventually(lambda: gone(pipeline))


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has waited for yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
