"""CloudFormation: stacks from templates, carried out by the operations of the other services."""

from ...context import Service
from . import model, operations, permissions, validation
from .custom import Responses
from .runtime import CloudFormation, register

SERVICE = Service(
    models=("cloudformation",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=CloudFormation,
    register=register,
    edges=lambda node: [Responses(node)],
)
