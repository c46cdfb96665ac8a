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
from .event_source_mappings import (
    create_event_source_mapping,
    delete_event_source_mapping,
    get_event_source_mapping,
    list_event_source_mappings,
    update_event_source_mapping,
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
from .layers import (
    delete_layer_version,
    get_layer_version,
    get_layer_version_by_arn,
    list_layer_versions,
    list_layers,
    publish_layer_version,
)
from .layers_permissions import (
    add_layer_version_permission,
    get_layer_version_policy,
    remove_layer_version_permission,
)
from .permissions import add_permission, get_policy, remove_permission
from .tags import list_tags, tag_resource, untag_resource
from .versions import list_versions_by_function, publish_version

__all__ = [
    "add_layer_version_permission",
    "add_permission",
    "create_alias",
    "create_event_source_mapping",
    "create_function",
    "delete_alias",
    "delete_event_source_mapping",
    "delete_function",
    "delete_function_concurrency",
    "delete_function_event_invoke_config",
    "delete_layer_version",
    "get_account_settings",
    "get_alias",
    "get_event_source_mapping",
    "get_function",
    "get_function_code_signing_config",
    "get_function_concurrency",
    "get_function_configuration",
    "get_function_event_invoke_config",
    "get_function_recursion_config",
    "get_layer_version",
    "get_layer_version_by_arn",
    "get_layer_version_policy",
    "get_policy",
    "get_runtime_management_config",
    "invoke",
    "invoke_async",
    "list_aliases",
    "list_event_source_mappings",
    "list_function_event_invoke_configs",
    "list_functions",
    "list_layer_versions",
    "list_layers",
    "list_tags",
    "list_versions_by_function",
    "publish_layer_version",
    "publish_version",
    "put_function_concurrency",
    "put_function_event_invoke_config",
    "remove_layer_version_permission",
    "remove_permission",
    "tag_resource",
    "untag_resource",
    "update_alias",
    "update_event_source_mapping",
    "update_function_code",
    "update_function_configuration",
    "update_function_event_invoke_config",
]
