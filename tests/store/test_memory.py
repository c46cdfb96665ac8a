"""The dict model keeps the contract too."""

from __future__ import annotations

import pytest

from cloudlet.store.memory import MemoryStore

from .contract import Contract


class TestMemoryStore(Contract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
