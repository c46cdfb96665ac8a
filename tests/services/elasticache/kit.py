"""Caches for tests, and the clients that reach them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
import valkey
from botocore.exceptions import ClientError
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.harness import REGION, eventually


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


def wait_until_gone(client: Any, name: str) -> None:
    with pytest.raises(ClientError, match="NotFound"):
        eventually(lambda: not described(client, name))


def subnets(ec2: Any, *zones: str) -> list[str]:
    """Subnets of a VPC of their own, in zones that are named by their letters."""
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    found = []
    for number, letter in enumerate(zones):
        place = {"CidrBlock": f"10.8.{number}.0/24", "AvailabilityZone": f"{REGION}{letter}"}
        found.append(ec2.create_subnet(VpcId=vpc, **place)["Subnet"]["SubnetId"])
    return found


def authority(node: Any) -> str:
    return str(node.data / "tls" / "ca.pem")


def connect(node: Any, endpoint: dict[str, Any], kind: Any = redis.Redis, **options: Any) -> Any:
    """A client over TLS; a plain one tries once, so that a test sees the first answer."""
    if kind is redis.Redis:
        options.setdefault("retry", Retry(NoBackoff(), 0))
    return kind(
        host=endpoint["Address"], port=endpoint["Port"], ssl=True, ssl_ca_certs=authority(node), **options
    )


def _connects(node: Any, endpoint: dict[str, Any], **options: Any) -> bool:
    with connect(node, endpoint, **options) as client:
        try:
            return bool(client.ping())
        except redis.AuthenticationError:
            return False


def eventually_connects(node: Any, endpoint: dict[str, Any], **options: Any) -> None:
    """Until a change of users has reached the server."""
    eventually(lambda: _connects(node, endpoint, **options))


def eventually_refuses(node: Any, endpoint: dict[str, Any], **options: Any) -> None:
    eventually(lambda: not _connects(node, endpoint, **options))


CLIENTS = [redis.Redis, redis.RedisCluster, valkey.Valkey, valkey.ValkeyCluster]
