"""Security Token Service: who am I, and temporary credentials."""

from ...context import Service
from . import credentials, model, operations, validation

SERVICE = Service(
    models=("sts",),
    operations=operations,
    validation=validation,
    model=model,
    runtime=credentials.Credentials,
    register=credentials.register,
)
