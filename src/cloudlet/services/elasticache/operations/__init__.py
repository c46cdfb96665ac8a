"""ElastiCache's operations, one module for each noun."""

from .backups import (
    copy_serverless_cache_snapshot,
    copy_snapshot,
    create_serverless_cache_snapshot,
    create_snapshot,
    delete_serverless_cache_snapshot,
    delete_snapshot,
    describe_serverless_cache_snapshots,
    describe_snapshots,
)
from .clusters import (
    create_cache_cluster,
    delete_cache_cluster,
    describe_cache_clusters,
    modify_cache_cluster,
    reboot_cache_cluster,
)
from .facts import (
    describe_cache_engine_versions,
    describe_events,
)
from .groups import (
    create_replication_group,
    delete_replication_group,
    describe_replication_groups,
    modify_replication_group,
)
from .parameter_groups import (
    create_cache_parameter_group,
    delete_cache_parameter_group,
    describe_cache_parameter_groups,
    describe_cache_parameters,
    describe_engine_default_parameters,
    modify_cache_parameter_group,
    reset_cache_parameter_group,
)
from .scaling import (
    decrease_replica_count,
    increase_replica_count,
    list_allowed_node_type_modifications,
)
from .serverless import (
    create_serverless_cache,
    delete_serverless_cache,
    describe_serverless_caches,
    modify_serverless_cache,
)
from .subnet_groups import (
    create_cache_subnet_group,
    delete_cache_subnet_group,
    describe_cache_subnet_groups,
    modify_cache_subnet_group,
)
from .tags import (
    add_tags_to_resource,
    list_tags_for_resource,
    remove_tags_from_resource,
)
from .users import (
    create_user,
    create_user_group,
    delete_user,
    delete_user_group,
    describe_user_groups,
    describe_users,
    modify_user,
    modify_user_group,
)

__all__ = [
    "add_tags_to_resource",
    "copy_serverless_cache_snapshot",
    "copy_snapshot",
    "create_cache_cluster",
    "create_cache_parameter_group",
    "create_cache_subnet_group",
    "create_replication_group",
    "create_serverless_cache",
    "create_serverless_cache_snapshot",
    "create_snapshot",
    "create_user",
    "create_user_group",
    "decrease_replica_count",
    "delete_cache_cluster",
    "delete_cache_parameter_group",
    "delete_cache_subnet_group",
    "delete_replication_group",
    "delete_serverless_cache",
    "delete_serverless_cache_snapshot",
    "delete_snapshot",
    "delete_user",
    "delete_user_group",
    "describe_cache_clusters",
    "describe_cache_engine_versions",
    "describe_cache_parameter_groups",
    "describe_cache_parameters",
    "describe_cache_subnet_groups",
    "describe_engine_default_parameters",
    "describe_events",
    "describe_replication_groups",
    "describe_serverless_cache_snapshots",
    "describe_serverless_caches",
    "describe_snapshots",
    "describe_user_groups",
    "describe_users",
    "increase_replica_count",
    "list_allowed_node_type_modifications",
    "list_tags_for_resource",
    "modify_cache_cluster",
    "modify_cache_parameter_group",
    "modify_cache_subnet_group",
    "modify_replication_group",
    "modify_serverless_cache",
    "modify_user",
    "modify_user_group",
    "reboot_cache_cluster",
    "remove_tags_from_resource",
    "reset_cache_parameter_group",
]
