"""Every service presents itself in the same way, and is open about what it lacks."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from cloudlet.context import Service
from cloudlet.names import snake
from cloudlet.services import FOLDERS
from tests.aws.kit import MODELS

HOME = Path(importlib.import_module("cloudlet.services").__path__[0])


def service(folder: str) -> Service:
    found: Service = importlib.import_module(f"cloudlet.services.{folder}").SERVICE
    return found


def names(folder: str) -> set[str]:
    """The operations of all the models that a service answers for."""
    return {operation for model in service(folder).models for operation in MODELS[model].operations}


@pytest.mark.parametrize("folder", FOLDERS)
class TestEveryService:
    @pytest.mark.parametrize("part", ["operations", "validation", "storage", "model"])
    def test_has_its_four_files(self, folder: str, part: str) -> None:
        assert (HOME / folder / f"{part}.py").exists() or (HOME / folder / part / "__init__.py").exists()

    def test_answers_or_declines_every_operation(self, folder: str) -> None:
        made = service(folder)
        silent = [
            name
            for name in sorted(names(folder))
            if not hasattr(made.operations, snake(name)) and name not in made.model.UNSUPPORTED
        ]
        assert silent == []

    def test_declines_nothing_that_it_answers_or_that_does_not_exist(self, folder: str) -> None:
        made = service(folder)
        declined = set(made.model.UNSUPPORTED)
        assert declined <= names(folder)
        assert [name for name in declined if hasattr(made.operations, snake(name))] == []
        assert all(made.model.UNSUPPORTED.values())

    def test_validates_only_operations(self, folder: str) -> None:
        """A validator whose operation is misspelt would never run."""
        made = service(folder)
        known = {snake(name) for name in names(folder)}
        for model in made.models:
            for name in MODELS[model].operations:
                validator: Any = getattr(made.validation, snake(name), None)
                assert validator is None or len(inspect.signature(validator).parameters) == 1
        for name in made.decoders or {}:
            assert snake(name) in known

    def test_is_found_by_its_signing_name(self, folder: str) -> None:
        for model in service(folder).models:
            assert MODELS[model].patch.get("signing", model) == MODELS[model].signing_name
