"""Amazon DynamoDB and its streams."""

from ...context import Service
from . import model, operations, permissions, validation
from .cleanup import register
from .streams import Streams

SERVICE = Service(
    models=("dynamodb", "dynamodbstreams"),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=Streams,
    register=register,
)
