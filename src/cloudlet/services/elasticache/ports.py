"""Ports: a cache gets the first free one from the node's first on (Valkey's own, unless told), and keeps it."""

from __future__ import annotations

from collections.abc import Iterator

from ...config import Config
from .front import listener
from .storage import BUS

TRIED = 1000
LOOPBACK = ("127.0.0.1", "::1")
_LOCAL = ("localhost", *LOOPBACK)


def hosts(config: Config) -> tuple[str, ...]:
    """The addresses on which caches are reached: both of this machine's own, unless the node is open to others."""
    return LOOPBACK if config.host in _LOCAL else (config.host,)


def free(config: Config, taken: set[int], cluster: bool, first: int | None = None) -> Iterator[int]:
    """Ports that nobody has now, from the wanted one on."""
    first = first or config.cache_port
    for port in range(first, min(first + TRIED, 65536 - BUS)):
        if port not in taken and is_free(config, port, cluster):
            yield port


def is_free(config: Config, port: int, cluster: bool) -> bool:
    wanted = [(host, port) for host in hosts(config)[:1]]
    if cluster:
        wanted.append((LOOPBACK[0], port + BUS))
    try:
        for host, number in wanted:
            listener(host, number).close()
    except OSError:
        return False
    return True
