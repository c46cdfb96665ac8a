"""DynamoDB's numbers and words: quotas, error constructors, and what isn't built.

Quotas are those of the developer guide, "Quotas in Amazon DynamoDB" and "Constraints in Amazon DynamoDB".
"""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from .cloudformation import RESOURCES as RESOURCES

MAX_ITEM_SIZE = 400 * 1024
MAX_NESTING = 32
MAX_HASH_KEY_SIZE = 2048
MAX_RANGE_KEY_SIZE = 1024
MAX_PAGE_SIZE = 1024 * 1024
MAX_BATCH_GET = 100
MAX_BATCH_GET_SIZE = 16 * 1024 * 1024
MAX_BATCH_WRITE = 25
MAX_EXPRESSION_SIZE = 4096
MAX_OPERATORS = 300
MAX_TRANSACTION_SIZE = 4 * 1024 * 1024
TRANSACTION_TOO_LARGE = "Transaction request size exceeds the maximum allowed size of 4 MB"
MAX_POLICY_SIZE = 20 * 1024
MAX_LOCAL_INDEXES = 5
MAX_GLOBAL_INDEXES = 20
MAX_KEY_ATTRIBUTES = 4
"""Of a global index, in its hash key and in its range key."""
MAX_PROJECTED_ATTRIBUTES = 100
MAX_TAGS = 50
TABLE_CLASSES = ("STANDARD", "STANDARD_INFREQUENT_ACCESS")
TOKEN_SECONDS = 600
"""How long a ClientRequestToken is remembered."""
MAX_STREAM_RECORDS = 1000
BACKUPS_PAGE = 100
STREAM_PAGE = 100
"""Shards or streams that are told at once."""
ITERATOR_SECONDS = 900
MAX_CAPACITY_UNITS = 1_000_000_000_000
ACCOUNT_CAPACITY = 80_000
TABLE_CAPACITY = 40_000

ON_DEMAND_READ = 12_000
ON_DEMAND_WRITE = 4_000
"""Units a second that a new on-demand table serves."""

READ_UNIT = 4 * 1024
WRITE_UNIT = 1024

NOT_VALID = "One or more parameter values are not valid. "
"""Of empty key values, which transactions refuse whole, without reasons."""
INVALID = "One or more parameter values were invalid: "


def validation_error(message: str) -> AwsError:
    return AwsError("ValidationException", message)


class ValueRefused(AwsError):
    """A value that is none. `message` is what most operations say, `older` what those say that never learned the newer
    words: scans, batches of writes, transactions and statements."""

    def __init__(self, message: str, older: str) -> None:
        super().__init__("ValidationException", message)
        self.older = older


def invalid_parameters(message: str) -> AwsError:
    return AwsError("ValidationException", INVALID + message)


def table_not_found(name: str = "") -> AwsError:
    """With a name, as operations on tables say it; without, as operations on items do."""
    message = "Requested resource not found"
    return AwsError("ResourceNotFoundException", f"{message}: Table: {name} not found" if name else message)


def resource_not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message)


def table_exists(name: str) -> AwsError:
    return AwsError("ResourceInUseException", f"Table already exists: {name}")


def table_in_use(message: str) -> AwsError:
    return AwsError("ResourceInUseException", message)


def backups_table_not_found(name: str) -> AwsError:
    return AwsError("TableNotFoundException", f"Table not found: {name}")


def other_ttl_attribute(current: str) -> AwsError:
    return validation_error(
        f"TimeToLive is active on a different AttributeName: current AttributeName is {current}"
    )


def too_many_tags() -> AwsError:
    return validation_error("Number of Tags exceed the current limit for the provided ResourceArn")


def limit_exceeded(message: str) -> AwsError:
    return AwsError("LimitExceededException", message)


def access_denied(message: str) -> AwsError:
    return AwsError("AccessDeniedException", message)


def condition_failed(item: dict[str, Any] | None = None) -> AwsError:
    return AwsError(
        "ConditionalCheckFailedException",
        "The conditional request failed",
        fields={"Item": item} if item else None,
    )


def transaction_cancelled(reasons: list[dict[str, Any]]) -> AwsError:
    codes = ", ".join(reason["Code"] for reason in reasons)
    return AwsError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        fields={"CancellationReasons": reasons},
    )


def transaction_conflict() -> AwsError:
    return AwsError("TransactionConflictException", "Transaction is ongoing for the item")


def transaction_in_progress() -> AwsError:
    return AwsError(
        "TransactionInProgressException", "Transaction from previous request is still in progress"
    )


def backup_not_found(name: str) -> AwsError:
    return AwsError("BackupNotFoundException", f"Backup not found: {name}")


def backup_in_use(name: str) -> AwsError:
    return AwsError("BackupInUseException", f"Backup is being created: {name}")


def table_already_exists(name: str) -> AwsError:
    return AwsError("TableAlreadyExistsException", f"Table already exists: {name}")


def recovery_unavailable(name: str) -> AwsError:
    return AwsError(
        "PointInTimeRecoveryUnavailableException",
        f"Point in time recovery is not enabled for table '{name}'",
    )


def invalid_restore_time() -> AwsError:
    return AwsError(
        "InvalidRestoreTimeException",
        "RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime",
    )


def duplicate_item() -> AwsError:
    return AwsError("DuplicateItemException", "Duplicate primary key exists in table")


def policy_not_found(resource: str) -> AwsError:
    return AwsError(
        "PolicyNotFoundException", f"Resource-based policy not found for the provided ResourceArn: {resource}"
    )


def token_mismatch() -> AwsError:
    return AwsError(
        "IdempotentParameterMismatchException",
        "The request uses the same client token as a previous, but non-identical request.",
    )


def stream_not_found(arn: str) -> AwsError:
    return resource_not_found(f"Requested resource not found: Stream: {arn} not found")


def trimmed() -> AwsError:
    return AwsError(
        "TrimmedDataAccessException",
        "The operation attempted to read past the oldest stream record in a shard.",
    )


def iterator_expired() -> AwsError:
    return AwsError(
        "ExpiredIteratorException",
        "The shard iterator has expired and can no longer be used to retrieve stream records.",
    )


def key_mismatch() -> AwsError:
    return validation_error("The provided key element does not match the schema")


_NO_REPLICAS = "a node has no other regions to replicate to"
_NO_BULK = "bulk import and export through S3 are not built yet"
_NO_INSIGHTS = "there are no contributor insights here"
_NO_KINESIS = "Kinesis destinations are not built yet"

UNSUPPORTED: dict[str, str] = {
    "CancelBulkOperation": _NO_BULK,
    "CreateGlobalTable": _NO_REPLICAS,
    "DescribeBulkOperation": _NO_BULK,
    "DescribeContributorInsights": _NO_INSIGHTS,
    "DescribeExport": _NO_BULK,
    "DescribeGlobalTable": _NO_REPLICAS,
    "DescribeGlobalTableSettings": _NO_REPLICAS,
    "DescribeImport": _NO_BULK,
    "DescribeKinesisStreamingDestination": _NO_KINESIS,
    "DescribeTableReplicaAutoScaling": _NO_REPLICAS,
    "DisableKinesisStreamingDestination": _NO_KINESIS,
    "EnableKinesisStreamingDestination": _NO_KINESIS,
    "ExportTableToPointInTime": _NO_BULK,
    "ImportTable": _NO_BULK,
    "ListBulkOperations": _NO_BULK,
    "ListContributorInsights": _NO_INSIGHTS,
    "ListExports": _NO_BULK,
    "ListGlobalTables": _NO_REPLICAS,
    "ListImports": _NO_BULK,
    "SearchVectors": "vector indexes are not built yet",
    "StartBulkPutItems": _NO_BULK,
    "UpdateContributorInsights": _NO_INSIGHTS,
    "UpdateGlobalTable": _NO_REPLICAS,
    "UpdateGlobalTableSettings": _NO_REPLICAS,
    "UpdateKinesisStreamingDestination": _NO_KINESIS,
    "UpdateTableReplicaAutoScaling": _NO_REPLICAS,
}
