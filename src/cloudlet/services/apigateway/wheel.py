"""Many deadlines, few timers: items lie in slots of time, and one call of the clock per slot looks at all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from ...clock import Clock, Handle

T = TypeVar("T")


class Wheel(Generic[T]):
    """`due(item)` is called once for each item, at most `grain` seconds after the time for which it was put in, and no
    later because time was set back."""

    __slots__ = ("_back", "_clock", "_due", "_grain", "_handles", "_slots")

    def __init__(self, clock: Clock, grain: float, due: Callable[[T], None]) -> None:
        self._clock = clock
        self._grain = grain
        self._due = due
        self._slots: dict[int, set[T]] = {}
        """By times that are never set back."""
        self._handles: dict[int, Handle] = {}
        self._back = 0.0
        clock.when_set_back(self._rewind)

    def put(self, item: T, when: float) -> int:
        """Gives the slot, with which the item can be taken out again."""
        slot = int((when + self._back) / self._grain) + 1
        items = self._slots.get(slot)
        if items is None:
            self._slots[slot] = {item}
            handle = self._clock.call_at(slot * self._grain - self._back, self._fire, slot)
            handle.relative = True
            self._handles[slot] = handle
        else:
            items.add(item)
        return slot

    def take(self, item: T, slot: int) -> None:
        """Taking out what is not there is nothing."""
        items = self._slots.get(slot)
        if items is not None:
            items.discard(item)

    def clear(self) -> None:
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()
        self._slots.clear()

    def _rewind(self, seconds: float) -> None:
        self._back += seconds

    def _fire(self, slot: int) -> None:
        self._handles.pop(slot, None)
        for item in self._slots.pop(slot, ()):
            self._due(item)
