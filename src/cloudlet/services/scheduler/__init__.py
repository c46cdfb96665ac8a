"""EventBridge Scheduler: schedules that fire on time, once, and survive a restart."""

from ...context import Service
from . import model, operations, validation

SERVICE = Service(
    models=("scheduler",),
    operations=operations,
    validation=validation,
    model=model,
)
