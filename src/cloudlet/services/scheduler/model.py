"""EventBridge Scheduler's facts: quotas, defaults, errors, CloudFormation types.

Quotas are those of "Quotas for EventBridge Scheduler" in its User Guide; texts are the service's own where they are
known.
"""

from __future__ import annotations

from ...errors import AwsError
from .resources import RESOURCES as RESOURCES

UNSUPPORTED: dict[str, str] = {}

SERVICE_PRINCIPAL = "scheduler.amazonaws.com"
DEFAULT_GROUP = "default"
DEFAULT_RETRY = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
MAX_GROUPS = 500
MAX_TAGS = 50
MAX_INPUT = 256 * 1024
MAX_LETTER = 256 * 1024
"""Bytes of a dead letter, its attributes included."""
PAGE = 100
START_SLACK = 300
"""Seconds by which a StartDate may lie in the past."""
BACKOFF_MAX = 480.0
"""Seconds between two attempts, at most: 185 of them fill a day."""

PARAMETERS = {
    "EcsParameters": "ecs",
    "EventBridgeParameters": "events",
    "KinesisParameters": "kinesis",
    "SageMakerPipelineParameters": "sagemaker",
    "SqsParameters": "sqs",
}
"""The parameters of templated targets, and the service whose targets have them."""
NEEDED = {"ecs": "EcsParameters", "events": "EventBridgeParameters", "kinesis": "KinesisParameters"}
TEMPLATED = frozenset((
    "codebuild", "codepipeline", "ecs", "events", "firehose", "inspector", "kinesis", "lambda", "sagemaker", "sns",
    "sqs", "states",
))  # fmt: skip
JSON_TARGETS = frozenset(("events", "lambda", "states"))
"""Templated targets whose Input has to be JSON; others take any text."""
SDK_NAMES = {
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "ses": "ses",
}
"""Names of services in universal targets, where they aren't botocore's."""
READING = (
    "get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "discover", "validate",
    "batchGet", "batchDescribe", "batchRead", "transactGet", "adminGet", "adminList", "retrieve", "testConnection",
)  # fmt: skip
"""How operations begin that a universal target can't call: they only read."""


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def bad_expression(text: str) -> AwsError:
    return invalid(f"Invalid Schedule Expression {text}.")


def bad_timezone(name: str) -> AwsError:
    return invalid(f"Invalid ScheduleExpressionTimezone {name}.")


def bad_role() -> AwsError:
    return invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")


def bad_token() -> AwsError:
    return invalid("The NextToken provided is not valid.")


def no_schedule(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Schedule {name} does not exist.")


def schedule_exists(name: str) -> AwsError:
    return AwsError("ConflictException", f"Schedule {name} already exists.")


def no_group(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Schedule group {name} does not exist.")


def group_exists(name: str) -> AwsError:
    return AwsError("ConflictException", f"Schedule group {name} already exists.")


def group_goes(name: str) -> AwsError:
    return AwsError("ConflictException", f"Schedule group {name} is being deleted.")


def not_the_default() -> AwsError:
    return invalid(f"This operation cannot be performed on schedule group {DEFAULT_GROUP}.")


def too_many_groups() -> AwsError:
    return AwsError(
        "ServiceQuotaExceededException",
        f"You have reached the maximum of {MAX_GROUPS} schedule groups for this account and Region.",
    )


def too_many_tags() -> AwsError:
    return AwsError("ServiceQuotaExceededException", f"A schedule group has {MAX_TAGS} tags at most.")
