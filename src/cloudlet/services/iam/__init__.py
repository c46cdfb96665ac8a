"""Identity and Access Management: roles, users, their policies and keys.

Documents are stored, checked for form and handed out; evaluating them is for a later issue.
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
