"""CloudWatch Logs' facts: quotas, errors, what is not built, CloudFormation types.

Quotas are those of "CloudWatch Logs quotas" and of PutLogEvents in the API Reference; texts are the service's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import AwsError
from ...resources import Call, Params, Resource, View

MAX_NAME = 512
MAX_BATCH_BYTES = 1_048_576
MAX_EVENT_BYTES = 1_048_576
EVENT_OVERHEAD = 26
"""Bytes that each event counts beside its message."""
MAX_BATCH_SPAN_MS = 24 * 3600 * 1000
MAX_AGE_MS = 14 * 24 * 3600 * 1000
MAX_FUTURE_MS = 2 * 3600 * 1000

PAGE_EVENTS = 10_000
PAGE_BYTES = 1_048_576
LIST_PAGE = 50
MAX_TAGS = 50

DAY_MS = 24 * 3600 * 1000
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip

CHUNK_SPAN_MS = 1_000
"""The events of one chunk lie at most this far apart, so a read begins this much before its range."""
SCAN_FIRST, SCAN_CHUNKS = 16, 256
"""How many chunks the first transaction of a read takes, and a later one; the loop serves others in between."""
SCAN_TURNS = 40
"""How many such transactions FilterLogEvents makes before it answers with what it has and a token."""
RETENTION_CHUNKS = 500
"""How many expired chunks one transaction deletes."""


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message, status=400)


def validation(message: str) -> AwsError:
    return AwsError("ValidationException", message, status=400)


def no_group() -> AwsError:
    return AwsError("ResourceNotFoundException", "The specified log group does not exist.", status=400)


def no_stream() -> AwsError:
    return AwsError("ResourceNotFoundException", "The specified log stream does not exist.", status=400)


def group_exists() -> AwsError:
    return AwsError("ResourceAlreadyExistsException", "The specified log group already exists", status=400)


def stream_exists() -> AwsError:
    return AwsError("ResourceAlreadyExistsException", "The specified log stream already exists", status=400)


def bad_token() -> AwsError:
    return invalid("The specified nextToken is invalid.")


def protected() -> AwsError:
    return validation(
        "The log group is protected from deletion: turn its deletion protection off before deleting it."
    )


def too_many_tags(arn: str) -> AwsError:
    return AwsError(
        "TooManyTagsException",
        f"The maximum number of tags per resource is {MAX_TAGS}.",
        status=400,
        fields={"resourceName": arn},
    )


_DELIVERY = "vended log delivery is not built"
_INSIGHTS = "Logs Insights queries come with a later version"
_FILTERS = "metric and subscription filters come with a later version"
_REASONS: dict[str, Sequence[str]] = {
    _FILTERS: (
        "DeleteMetricFilter", "DescribeMetricFilters", "PutMetricFilter", "DeleteSubscriptionFilter",
        "DescribeSubscriptionFilters", "PutSubscriptionFilter", "DeleteDestination", "DescribeDestinations",
        "PutDestination", "PutDestinationPolicy",
    ),
    _INSIGHTS: (
        "StartQuery", "StopQuery", "GetQueryResults", "DescribeQueries", "DeleteQueryDefinition",
        "DescribeQueryDefinitions", "PutQueryDefinition", "CreateScheduledQuery", "DeleteScheduledQuery",
        "GetScheduledQuery", "GetScheduledQueryHistory", "ListScheduledQueries", "UpdateScheduledQuery",
        "GetLogFields", "GetLogGroupFields", "GetLogObject", "GetLogRecord", "ListLogGroupsForQuery",
        "DeleteIndexPolicy", "DescribeFieldIndexes", "DescribeIndexPolicies", "PutIndexPolicy",
        "CreateLookupTable", "DeleteLookupTable", "DescribeLookupTables", "GetLookupTable", "UpdateLookupTable",
    ),
    "live tail needs a streamed answer, which comes with a later version": ("StartLiveTail",),
    "exports go to S3, which comes with a later version": (
        "CancelExportTask", "CreateExportTask", "DescribeExportTasks", "CancelImportTask", "CreateImportTask",
        "DescribeImportTaskBatches", "DescribeImportTasks", "AssociateSourceToS3TableIntegration",
        "DisassociateSourceFromS3TableIntegration", "ListSourcesForS3TableIntegration",
    ),
    _DELIVERY: (
        "CreateDelivery", "DeleteDelivery", "DeleteDeliveryDestination", "DeleteDeliveryDestinationPolicy",
        "DeleteDeliverySource", "DescribeConfigurationTemplates", "DescribeDeliveries",
        "DescribeDeliveryDestinations", "DescribeDeliverySources", "GetDelivery", "GetDeliveryDestination",
        "GetDeliveryDestinationPolicy", "GetDeliverySource", "PutDeliveryDestination",
        "PutDeliveryDestinationPolicy", "PutDeliverySource", "UpdateDeliveryConfiguration",
    ),
    "keys of KMS are not built": ("AssociateKmsKey", "DisassociateKmsKey"),
    "anomaly detection is not built": (
        "CreateLogAnomalyDetector", "DeleteLogAnomalyDetector", "GetLogAnomalyDetector", "ListAnomalies",
        "ListLogAnomalyDetectors", "UpdateAnomaly", "UpdateLogAnomalyDetector",
    ),
    "policies of accounts, data protection and resources are not built": (
        "DeleteAccountPolicy", "DescribeAccountPolicies", "PutAccountPolicy", "DeleteDataProtectionPolicy",
        "GetDataProtectionPolicy", "PutDataProtectionPolicy", "DeleteResourcePolicy",
        "DescribeResourcePolicies", "PutResourcePolicy", "GetStorageTierPolicy", "PutStorageTierPolicy",
    ),
    "transformers are not built": ("DeleteTransformer", "GetTransformer", "PutTransformer", "TestTransformer"),
    "integrations with other services are not built": (
        "DeleteIntegration", "GetIntegration", "ListIntegrations", "PutIntegration",
        "DeleteSyslogConfiguration", "ListSyslogConfigurations", "PutSyslogConfiguration",
        "ListAggregateLogGroupSummaries", "PutBearerTokenAuthentication",
    ),
}  # fmt: skip
UNSUPPORTED: dict[str, str] = {name: reason for reason, names in _REASONS.items() for name in names}


def _tags(tags: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


def _create_group(view: View) -> Params:
    params: dict[str, Any] = {"logGroupName": view.new["LogGroupName"]}
    if view.new.get("Tags"):
        params["tags"] = _tags(view.new["Tags"])
    for name, member in (("KmsKeyId", "kmsKeyId"), ("LogGroupClass", "logGroupClass")):
        if name in view.new:
            params[member] = view.new[name]
    if "DeletionProtectionEnabled" in view.new:
        params["deletionProtectionEnabled"] = view.new["DeletionProtectionEnabled"]
    return params


def _retention(view: View) -> Sequence[Params]:
    days = view.new.get("RetentionInDays")
    if days is None:
        return []
    return [{"logGroupName": view.id or view.new["LogGroupName"], "retentionInDays": days}]


def _no_retention(view: View) -> Sequence[Params]:
    return [{"logGroupName": view.id}] if "RetentionInDays" not in view.new else []


def _arn(view: View) -> str:
    return f"arn:{view.env['partition']}:logs:{view.env['region']}:{view.env['account']}:log-group:{view.id}"


def _tag(view: View) -> Sequence[Params]:
    tags = _tags(view.new.get("Tags"))
    return [{"resourceArn": _arn(view), "tags": tags}] if tags else []


def _untag(view: View) -> Sequence[Params]:
    gone = sorted(_tags(view.old.get("Tags")).keys() - _tags(view.new.get("Tags")).keys())
    return [{"resourceArn": _arn(view), "tagKeys": gone}] if gone else []


def _protection(view: View) -> Params:
    return {
        "logGroupIdentifier": view.id,
        "deletionProtectionEnabled": view.new.get("DeletionProtectionEnabled", False),
    }


_GONE = frozenset({"ResourceNotFoundException"})

RESOURCES: dict[str, Resource] = {
    "AWS::Logs::LogGroup": Resource(
        name="LogGroupName",
        name_max=MAX_NAME,
        create=[
            Call("logs", "CreateLogGroup", _create_group),
            Call("logs", "PutRetentionPolicy", _retention),
        ],
        update=[
            Call("logs", "PutRetentionPolicy", _retention, when={"RetentionInDays"}),
            Call("logs", "DeleteRetentionPolicy", _no_retention, when={"RetentionInDays"}),
            Call("logs", "UntagResource", _untag, when={"Tags"}),
            Call("logs", "TagResource", _tag, when={"Tags"}),
            Call("logs", "PutLogGroupDeletionProtection", _protection, when={"DeletionProtectionEnabled"}),
        ],
        delete=[Call("logs", "DeleteLogGroup", lambda view: {"logGroupName": view.id}, gone=_GONE)],
        id="{LogGroupName}",
        attributes={"Arn": "arn:{partition}:logs:{region}:{account}:log-group:{LogGroupName}:*"},
        replace={"LogGroupName", "LogGroupClass", "KmsKeyId"},
        ignore={"DataProtectionPolicy", "FieldIndexPolicies", "ResourcePolicyDocument"},
    ),
    "AWS::Logs::LogStream": Resource(
        name="LogStreamName",
        name_max=MAX_NAME,
        required={"LogGroupName"},
        create=[
            Call(
                "logs",
                "CreateLogStream",
                lambda view: {
                    "logGroupName": view.new["LogGroupName"],
                    "logStreamName": view.new["LogStreamName"],
                },
            )
        ],
        delete=[
            Call(
                "logs",
                "DeleteLogStream",
                lambda view: {"logGroupName": view.new["LogGroupName"], "logStreamName": view.id},
                gone=_GONE,
            )
        ],
        id="{LogStreamName}",
        replace={"LogGroupName", "LogStreamName"},
    ),
}
