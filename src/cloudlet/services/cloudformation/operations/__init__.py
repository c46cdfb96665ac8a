"""CloudFormation's operations, by noun."""

from .changesets import (
    create_change_set,
    delete_change_set,
    describe_change_set,
    execute_change_set,
    list_change_sets,
)
from .describe import (
    describe_account_limits,
    describe_stack_events,
    describe_stack_resource,
    describe_stack_resources,
    describe_stacks,
    list_stack_resources,
    list_stacks,
)
from .exports import list_exports, list_imports
from .stacks import (
    cancel_update_stack,
    continue_update_rollback,
    create_stack,
    delete_stack,
    get_stack_policy,
    set_stack_policy,
    update_stack,
    update_termination_protection,
)
from .templates import get_template, get_template_summary, validate_template

__all__ = [
    "cancel_update_stack",
    "continue_update_rollback",
    "create_change_set",
    "create_stack",
    "delete_change_set",
    "delete_stack",
    "describe_account_limits",
    "describe_change_set",
    "describe_stack_events",
    "describe_stack_resource",
    "describe_stack_resources",
    "describe_stacks",
    "execute_change_set",
    "get_stack_policy",
    "get_template",
    "get_template_summary",
    "list_change_sets",
    "list_exports",
    "list_imports",
    "list_stack_resources",
    "list_stacks",
    "set_stack_policy",
    "update_stack",
    "update_termination_protection",
    "validate_template",
]
