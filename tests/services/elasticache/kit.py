"""Caches for tests, and the clients that reach them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
import valkey


@contextmanager
def serverless(client: Any, name: str, **options: Any) -> Iterator[dict[str, Any]]:
    """A serverless cache that is available; deleted after."""
    client.create_serverless_cache(**{"ServerlessCacheName": name, "Engine": "valkey", **options})
    try:
        yield described(client, name)
    finally:
        client.delete_serverless_cache(ServerlessCacheName=name)


def described(client: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client.describe_serverless_caches(ServerlessCacheName=name)["ServerlessCaches"][0]
    return found


def authority(node: Any) -> str:
    return str(node.data / "tls" / "ca.pem")


def connect(node: Any, endpoint: dict[str, Any], kind: Any = redis.Redis, **options: Any) -> Any:
    """A client over TLS."""
    return kind(
        host=endpoint["Address"], port=endpoint["Port"], ssl=True, ssl_ca_certs=authority(node), **options
    )


CLIENTS = [redis.Redis, redis.RedisCluster, valkey.Valkey, valkey.ValkeyCluster]
