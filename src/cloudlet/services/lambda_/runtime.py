"""The long-lived part of the service: workers that run functions, and what runs functions by itself."""

from __future__ import annotations

from ...context import Node
from .event_sources.sources import EventSources
from .workers import Workers


class LambdaRuntime:
    def __init__(self, node: Node) -> None:
        self.workers = Workers(node)
        self._sources = EventSources(node)

    async def start(self) -> None:
        await self.workers.start()
        await self._sources.start()

    def release(self) -> None:
        self._sources.release()

    async def stop(self) -> None:
        await self._sources.stop()
        await self.workers.stop()
