"""Amazon EC2, as far as a VPC goes: networks as records that others refer to; no packet is filtered."""

from ...context import Service
from . import model, operations, permissions, validation

SERVICE = Service(
    models=("ec2",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
)
