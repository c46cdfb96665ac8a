"""Tumbling windows: stretches of a stream's time, over which a function carries a state.

A record belongs to the window in which it was made. What the function returns as `state` comes to it with the next
batch of the window; at its end, or when the state is larger than 1 MB, it is invoked once more, without records.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from .. import model


class Window:
    def __init__(self, start: int, seconds: int, state: Any = None) -> None:
        self.start = start
        self.seconds = seconds
        self.state: Any = {} if state is None else state

    @property
    def end(self) -> int:
        return self.start + self.seconds

    @property
    def is_full(self) -> bool:
        return len(orjson.dumps(self.state)) > model.MAX_STATE

    def has(self, at: float) -> bool:
        return self.start <= at < self.end

    def kept(self) -> dict[str, Any]:
        return {"start": self.start, "seconds": self.seconds, "state": self.state}

    def event(self, records: bytes, shard: str, source: str, *, final: bool, early: bool) -> bytes:
        """The event, around a list of records."""
        about = {
            "window": {"start": _moment(self.start), "end": _moment(self.end)},
            "state": self.state,
            "shardId": shard,
            "eventSourceARN": source,
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": early,
        }
        return b'{"Records":[' + records + b"]," + orjson.dumps(about)[1:]


def window_at(at: int, seconds: int) -> Window:
    return Window(at - at % seconds, seconds)


def state_in(answer: bytes) -> dict[str, Any] | None:
    """The part of an answer that has the state; None if there is no state in it."""
    try:
        response = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return None
    return response if isinstance(response, dict) and "state" in response else None


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
