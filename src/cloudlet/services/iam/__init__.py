"""Identity and Access Management: roles, users, their policies and keys.

What principals hold is asked for by the pipeline, which weighs it (`design/permissions.md`).
"""

from ...context import Service
from . import keys, model, operations, permissions, validation

SERVICE = Service(
    models=("iam",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=keys.AccessKeys,
)
