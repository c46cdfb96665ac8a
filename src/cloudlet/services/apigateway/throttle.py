"""Token buckets, for the throttling settings of a stage's routes."""

from __future__ import annotations

from typing import Any

from ...clock import Clock


class Bucket:
    """`rate` tokens a second come in, at most `burst` lie in it."""

    __slots__ = ("_burst", "_clock", "_filled", "_rate", "_tokens")

    def __init__(self, clock: Clock, rate: float, burst: float) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled = clock.now()

    def take(self) -> bool:
        now = self._clock.now()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def bucket(clock: Clock, settings: dict[str, Any]) -> Bucket | None:
    """None if the settings limit nothing. A limit given alone stands for both."""
    rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
    if rate is None and burst is None:
        return None
    given: list[float] = [limit for limit in (rate, burst) if limit is not None]
    return Bucket(clock, float(given[0]), float(given[-1]))
