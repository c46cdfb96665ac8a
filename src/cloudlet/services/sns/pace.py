"""How fast HTTP subscriptions want their messages: `maxReceivesPerSecond` of the throttle policy.

Each delivery takes the next free place in the second. What isn't due yet waits as a task in the store, so many of them
hold up nobody else, and a restart loses none; only what was being counted is forgotten by it.
"""

from __future__ import annotations

from ...clock import Clock

REMEMBERED = 1024


class Pace:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free: dict[str, float] = {}

    def start(self) -> None:
        self._clock.when_set_back(lambda seconds: self._free.clear())

    def place(self, subscription: str, rate: int) -> float:
        """Take the next place. Gives the seconds until then."""
        now = self._clock.now()
        when = max(now, self._free.get(subscription, now))
        if len(self._free) >= REMEMBERED:
            self._free = {arn: free for arn, free in self._free.items() if free > now}
        self._free[subscription] = when + 1 / rate
        return when - now
