"""Amazon DynamoDB."""

from ...context import Service
from . import model, operations, validation
from .cleanup import register

SERVICE = Service(
    models=("dynamodb",),
    operations=operations,
    validation=validation,
    model=model,
    register=register,
)
