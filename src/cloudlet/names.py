"""Names and ids as AWS makes them: ARNs, snake case of operations, request ids, random ids."""

from __future__ import annotations

import random
import re
import secrets
from functools import lru_cache

_system = random.SystemRandom()
_fast = random.Random(secrets.randbits(128))  # request ids need to be unique, not secret

LOWER_ALNUM = "abcdefghijklmnopqrstuvwxyz0123456789"
UPPER_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def arn(service: str, region: str, account: str, resource: str, partition: str = "aws") -> str:
    """`arn("lambda", "us-east-1", "000000000000", "function:hello")`; pass "" for what the service leaves out."""
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"


@lru_cache(maxsize=4096)
def snake(name: str) -> str:
    """The Python name of an AWS operation: PutItem -> put_item, DescribeDBInstances -> describe_db_instances."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def request_id() -> str:
    """A request id in the usual form of a version-4 UUID."""
    h = _fast.getrandbits(128).to_bytes(16, "big").hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


_ZONES = {
    "us-east-1": "abcdef",
    "us-west-1": "ab",
    "us-west-2": "abcd",
    "ap-northeast-1": "acd",
    "ca-central-1": "abd",
}


def zones(region: str) -> list[str]:
    """The availability zones of a region."""
    return [region + letter for letter in _ZONES.get(region, "abc")]


def random_id(length: int, alphabet: str = LOWER_ALNUM) -> str:
    """An id that can't be guessed."""
    return "".join(_system.choices(alphabet, k=length))
