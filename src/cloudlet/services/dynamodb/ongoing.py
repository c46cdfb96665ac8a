"""Transactions under way: the keys of their items, from the moment when what they come to was decided until it is on
disk. Who wants to write one of these items meanwhile is refused, and so is a transaction that reads it (developer
guide, "Transaction conflict handling in DynamoDB"). To everybody else it costs the look at an empty set."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from ...context import Context
from .model import transaction_conflict


class Held(Protocol):
    held: set[bytes]
    """Of a node: keys of items, and of the tokens with which transactions came."""


def held_by(ctx: Context) -> set[bytes]:
    runtime: Held = ctx.node.runtimes["dynamodb"]
    return runtime.held


def check_free(key: bytes, held: Collection[bytes]) -> None:
    if key in held:
        raise transaction_conflict()


class Hold:
    """What one transaction holds."""

    __slots__ = ("_held", "_mine")

    def __init__(self, held: set[bytes]) -> None:
        self._held = held
        self._mine: tuple[bytes, ...] = ()

    def take(self, keys: Iterable[bytes]) -> None:
        """None of them is held by another."""
        self._mine = tuple(keys)
        self._held.update(self._mine)

    def release(self) -> None:
        self._held.difference_update(self._mine)
        self._mine = ()
