"""Security Token Service: who am I, and temporary credentials."""

from ...context import Service
from . import credentials, model, operations, permissions, validation

SERVICE = Service(
    models=("sts",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=credentials.Credentials,
    register=credentials.register,
)
