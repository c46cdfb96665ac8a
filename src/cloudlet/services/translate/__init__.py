"""Amazon Translate: texts in another language, by the engine that this machine has."""

from __future__ import annotations

from ...context import Service
from . import model, operations, permissions, validation
from .engine import Engine

SERVICE = Service(
    models=("translate",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=Engine,
)
