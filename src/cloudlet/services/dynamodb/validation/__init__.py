"""Validation: what can be said about a request without the store, in the service's words and order.

A function returns the request with its expressions compiled into it; see `common`.
"""

from .backups import restore_table_from_backup, restore_table_to_point_in_time
from .batches import batch_get_item, batch_write_item
from .items import delete_item, get_item, put_item, update_item
from .partiql import execute_statement
from .queries import query, scan
from .streams import get_records
from .tables import (
    create_table,
    delete_table,
    describe_continuous_backups,
    describe_table,
    describe_time_to_live,
    list_tables,
    list_tags_of_resource,
    put_resource_policy,
    tag_resource,
    untag_resource,
    update_continuous_backups,
    update_time_to_live,
)
from .transactions import transact_get_items, transact_write_items
from .updates import update_table

__all__ = [
    "batch_get_item",
    "batch_write_item",
    "create_table",
    "delete_item",
    "delete_table",
    "describe_continuous_backups",
    "describe_table",
    "describe_time_to_live",
    "execute_statement",
    "get_item",
    "get_records",
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
