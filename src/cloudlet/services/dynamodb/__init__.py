"""Amazon DynamoDB."""

from ...context import Service
from . import model, operations, permissions, validation
from .cleanup import register

SERVICE = Service(
    models=("dynamodb",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    register=register,
)
