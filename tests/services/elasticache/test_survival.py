"""What a cache has acknowledged outlives its server and its node, however they end."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests.harness import eventually
from tests.services.elasticache import kit

pytestmark = [pytest.mark.node_only, pytest.mark.slow]


def pids(node: Any) -> list[int]:
    files = (node.data / "elasticache" / "servers").glob("*/valkey.pid")
    return [int(file.read_text()) for file in files]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().split()[2]
    except FileNotFoundError:
        return False
    return state != "Z"


def patient(node: Any, endpoint: dict[str, Any]) -> redis.Redis:
    retry = Retry(ConstantBackoff(0.05), 100)
    client: redis.Redis = kit.connect(node, endpoint, retry=retry, retry_on_error=[redis.ConnectionError])
    return client


class TestANode:
    @pytest.mark.parametrize("end", ["kill", "stop"])
    def test_that_ends_loses_nothing_and_comes_back_on_the_same_port(self, fresh_node: Any, end: str) -> None:
        node = fresh_node()
        caches = node.client("elasticache")
        caches.create_serverless_cache(ServerlessCacheName="kept", Engine="valkey")
        before = kit.described(caches, "kept")["Endpoint"]
        with kit.connect(node, before) as cache:
            for number in range(300):
                cache.set(f"key{number}", number)
        (server,) = pids(node)
        getattr(node, end)()
        eventually(lambda: not is_alive(server))
        node.restart()
        assert kit.described(caches, "kept")["Endpoint"] == before
        with kit.connect(node, before) as cache:
            assert [cache.get(f"key{number}") for number in range(300)] == [b"%d" % n for n in range(300)]


class TestAWriter:
    def test_finds_all_that_was_acknowledged_before_the_node_was_killed(self, fresh_node: Any) -> None:
        node = fresh_node()
        caches = node.client("elasticache")
        caches.create_serverless_cache(ServerlessCacheName="written", Engine="valkey")
        endpoint = kit.described(caches, "written")["Endpoint"]
        acknowledged: list[int] = []

        def write() -> None:
            with kit.connect(node, endpoint) as cache, contextlib.suppress(redis.ConnectionError):
                for number in itertools.count():
                    cache.set(f"key{number}", number)
                    acknowledged.append(number)

        writer = threading.Thread(target=write)
        writer.start()
        eventually(lambda: len(acknowledged) > 200)
        node.kill()
        writer.join()
        node.restart()
        kit.described(caches, "written")
        with kit.connect(node, endpoint) as cache:
            assert [number for number in acknowledged if cache.get(f"key{number}") is None] == []


class TestAServer:
    def test_that_dies_is_started_again_with_its_data(self, fresh_node: Any) -> None:
        node = fresh_node()
        caches = node.client("elasticache")
        caches.create_serverless_cache(ServerlessCacheName="dying", Engine="valkey")
        endpoint = kit.described(caches, "dying")["Endpoint"]
        with patient(node, endpoint) as cache:
            cache.set("acknowledged", "yes")
            os.kill(pids(node)[0], signal.SIGKILL)
            assert cache.get("acknowledged") == b"yes"
        assert kit.described(caches, "dying")["Status"] == "available"


class TestAPort:
    def test_that_somebody_took_is_waited_for(self, fresh_node: Any) -> None:
        node = fresh_node()
        caches = node.client("elasticache")
        caches.create_serverless_cache(ServerlessCacheName="ousted", Engine="valkey")
        endpoint = kit.described(caches, "ousted")["Endpoint"]
        with kit.connect(node, endpoint) as cache:
            cache.set("kept", "yes")
        node.stop()
        with socket.create_server(("127.0.0.1", endpoint["Port"])):
            node.restart()
            assert kit.described(caches, "ousted")["Status"] == "incompatible-network"
            events = caches.describe_events(SourceType="serverless-cache", SourceIdentifier="ousted")[
                "Events"
            ]
            assert "did not start" in events[-1]["Message"]
        eventually(lambda: kit.described(caches, "ousted")["Status"] == "available")
        with kit.connect(node, endpoint) as cache:
            assert cache.get("kept") == b"yes"
