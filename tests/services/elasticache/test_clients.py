"""Clients of serverless caches: plain ones, those that speak the cluster protocol, a function."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import sysconfig
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.harness import python_function
from tests.services.elasticache import kit

pytestmark = pytest.mark.node_only


@pytest.fixture(scope="module")
def endpoint(client: Any) -> Iterator[dict[str, Any]]:
    with kit.serverless(client("elasticache"), "clients") as cache:
        yield cache["Endpoint"]


@pytest.mark.parametrize("kind", kit.CLIENTS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
class TestEveryClient:
    def test_sets_and_gets(self, node: Any, endpoint: dict[str, Any], kind: Any) -> None:
        with kit.connect(node, endpoint, kind) as cache:
            assert cache.set("{greeting}", "hello")
            assert cache.get("{greeting}") == b"hello"

    def test_runs_scripts(self, node: Any, endpoint: dict[str, Any], kind: Any) -> None:
        with kit.connect(node, endpoint, kind) as cache:
            assert cache.eval("return redis.call('incrby', KEYS[1], ARGV[1])", 1, f"n{id(kind)}", 5) == 5

    def test_moves_a_large_value(self, node: Any, endpoint: dict[str, Any], kind: Any) -> None:
        value = bytes(range(256)) * 40_000
        with kit.connect(node, endpoint, kind) as cache:
            cache.set("large", value)
            assert cache.get("large") == value


class TestManyClients:
    def test_are_served_side_by_side(self, node: Any, endpoint: dict[str, Any]) -> None:
        clients = [kit.connect(node, endpoint) for _ in range(40)]
        for number, each in enumerate(clients):
            each.set(f"many{number}", number)
        assert [each.get(f"many{number}") for number, each in enumerate(clients)] == [
            b"%d" % n for n in range(40)
        ]
        for each in clients:
            each.close()

    def test_a_pipeline_of_commands_is_answered_in_order(self, node: Any, endpoint: dict[str, Any]) -> None:
        with kit.connect(node, endpoint) as cache, cache.pipeline(transaction=False) as pipe:
            for number in range(10_000):
                pipe.echo(str(number))
            assert pipe.execute() == [b"%d" % number for number in range(10_000)]


class TestClusterMode:
    def test_one_node_has_all_slots(self, node: Any, endpoint: dict[str, Any]) -> None:
        with kit.connect(node, endpoint) as cache:
            slots = cache.execute_command("CLUSTER SLOTS")
            name, port = slots[0][2][:2]
            assert (len(slots), slots[0][:2]) == (1, [0, 16383])
            assert (name.decode(), port) == (endpoint["Address"], endpoint["Port"])

    def test_keys_of_several_slots_are_refused(self, node: Any, endpoint: dict[str, Any]) -> None:
        with kit.connect(node, endpoint) as cache, pytest.raises(redis.ResponseError, match="same slot"):
            cache.mget("a", "b")

    def test_there_is_one_database(self, node: Any, endpoint: dict[str, Any]) -> None:
        with kit.connect(node, endpoint) as cache, pytest.raises(redis.ResponseError):
            cache.select(1)

    @pytest.mark.parametrize(
        "command", ["CONFIG GET *", "SHUTDOWN", "BGSAVE", "CLUSTER RESET", "ACL SETUSER x"]
    )
    def test_what_the_service_keeps_to_itself_is_refused(
        self, node: Any, endpoint: dict[str, Any], command: str
    ) -> None:
        with kit.connect(node, endpoint) as cache, pytest.raises(redis.exceptions.NoPermissionError):
            cache.execute_command(*command.split())


class TestEncryption:
    def test_a_plain_connection_is_refused(self, endpoint: dict[str, Any]) -> None:
        with socket.create_connection((endpoint["Address"], endpoint["Port"])) as sock:
            sock.sendall(b"PING\r\n")
            sock.settimeout(10)
            try:
                answer = sock.recv(100)
            except ConnectionResetError:
                answer = b""
            assert b"PONG" not in answer

    def test_a_client_that_does_not_know_the_authority_goes_away(self, endpoint: dict[str, Any]) -> None:
        context = ssl.create_default_context()
        with (
            socket.create_connection((endpoint["Address"], endpoint["Port"])) as sock,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            context.wrap_socket(sock, server_hostname="localhost")

    def test_messages_are_published_to_subscribers(self, node: Any, endpoint: dict[str, Any]) -> None:
        with kit.connect(node, endpoint) as cache, cache.pubsub() as listener:
            listener.subscribe("news")
            assert listener.get_message(timeout=10)["type"] == "subscribe"
            cache.publish("news", "extra")
            assert listener.get_message(timeout=10)["data"] == b"extra"


FUNCTION = f"""
import sys
sys.path.append({sysconfig.get_paths()["purelib"]!r})
import redis, valkey

def handler(event, context):
    cache = valkey.Valkey(event["host"], event["port"], ssl=True)
    cache.set("who", "function")
    other = redis.RedisCluster(event["host"], event["port"], ssl=True)
    return other.get("who").decode()
"""


class TestGlide:
    def test_sets_and_gets_in_cluster_mode(self, node: Any, endpoint: dict[str, Any]) -> None:
        glide = pytest.importorskip("glide_sync", reason="the package valkey-glide-sync is not installed")
        tls = glide.TlsAdvancedConfiguration(root_pem_cacerts=(node.data / "tls" / "ca.pem").read_bytes())
        configuration = glide.GlideClusterClientConfiguration(
            [glide.NodeAddress(endpoint["Address"], endpoint["Port"])],
            use_tls=True,
            advanced_config=glide.AdvancedGlideClusterClientConfiguration(tls_config=tls),
        )
        cache = glide.GlideClusterClient.create(configuration)
        assert cache.set("glide", "through") == "OK"
        assert cache.get("glide") == b"through"
        cache.close()


class TestAFunction:
    @pytest.mark.slow
    def test_reaches_a_cache_without_further_arguments(
        self, client: Any, endpoint: dict[str, Any], unique: Any
    ) -> None:
        runtime = f"python3.{sys.version_info.minor}"
        with python_function(client("lambda"), unique("cached"), FUNCTION, Runtime=runtime) as arn:
            event = {"host": endpoint["Address"], "port": endpoint["Port"]}
            answer = client("lambda").invoke(FunctionName=arn, Payload=json.dumps(event))
            assert json.loads(answer["Payload"].read()) == "function"
