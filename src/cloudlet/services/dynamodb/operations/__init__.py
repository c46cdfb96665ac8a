"""DynamoDB's operations, by noun."""

from .backups import (
    create_backup,
    delete_backup,
    describe_backup,
    list_backups,
    restore_table_from_backup,
    restore_table_to_point_in_time,
)
from .batches import batch_get_item, batch_write_item
from .items import delete_item, get_item, put_item, update_item
from .partiql import batch_execute_statement, execute_statement, execute_transaction
from .policies import delete_resource_policy, get_resource_policy, put_resource_policy
from .queries import query, scan
from .settings import (
    describe_continuous_backups,
    describe_time_to_live,
    list_tags_of_resource,
    tag_resource,
    untag_resource,
    update_continuous_backups,
    update_time_to_live,
)
from .streams import describe_stream, get_records, get_shard_iterator, list_streams
from .tables import (
    create_table,
    delete_table,
    describe_endpoints,
    describe_limits,
    describe_table,
    list_tables,
)
from .transactions import transact_get_items, transact_write_items
from .updates import update_table

__all__ = [
    "batch_execute_statement",
    "batch_get_item",
    "batch_write_item",
    "create_backup",
    "create_table",
    "delete_backup",
    "delete_item",
    "delete_resource_policy",
    "delete_table",
    "describe_backup",
    "describe_continuous_backups",
    "describe_endpoints",
    "describe_limits",
    "describe_stream",
    "describe_table",
    "describe_time_to_live",
    "execute_statement",
    "execute_transaction",
    "get_item",
    "get_records",
    "get_resource_policy",
    "get_shard_iterator",
    "list_backups",
    "list_streams",
    "list_tables",
    "list_tags_of_resource",
    "put_item",
    "put_resource_policy",
    "query",
    "restore_table_from_backup",
    "restore_table_to_point_in_time",
    "scan",
    "tag_resource",
    "transact_get_items",
    "transact_write_items",
    "untag_resource",
    "update_continuous_backups",
    "update_item",
    "update_table",
    "update_time_to_live",
]
