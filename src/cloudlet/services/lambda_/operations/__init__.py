"""Lambda's operations, one module for each noun."""

from .aliases import create_alias, delete_alias, get_alias, list_aliases, update_alias
from .concurrency import (
    delete_function_concurrency,
    get_account_settings,
    get_function_concurrency,
    put_function_concurrency,
)
from .event_invoke_config import (
    delete_function_event_invoke_config,
    get_function_event_invoke_config,
    list_function_event_invoke_configs,
    put_function_event_invoke_config,
    update_function_event_invoke_config,
)
from .functions import (
    create_function,
    delete_function,
    get_function,
    get_function_code_signing_config,
    get_function_configuration,
    get_function_recursion_config,
    get_runtime_management_config,
    list_functions,
    update_function_code,
    update_function_configuration,
)
from .invoke import invoke, invoke_async
from .permissions import add_permission, get_policy, remove_permission
from .tags import list_tags, tag_resource, untag_resource
from .versions import list_versions_by_function, publish_version

__all__ = [
    "add_permission",
    "create_alias",
    "create_function",
    "delete_alias",
    "delete_function",
    "delete_function_concurrency",
    "delete_function_event_invoke_config",
    "get_account_settings",
    "get_alias",
    "get_function",
    "get_function_code_signing_config",
    "get_function_concurrency",
    "get_function_configuration",
    "get_function_event_invoke_config",
    "get_function_recursion_config",
    "get_policy",
    "get_runtime_management_config",
    "invoke",
    "invoke_async",
    "list_aliases",
    "list_function_event_invoke_configs",
    "list_functions",
    "list_tags",
    "list_versions_by_function",
    "publish_version",
    "put_function_concurrency",
    "put_function_event_invoke_config",
    "remove_permission",
    "tag_resource",
    "untag_resource",
    "update_alias",
    "update_function_code",
    "update_function_configuration",
    "update_function_event_invoke_config",
]
