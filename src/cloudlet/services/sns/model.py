"""SNS's facts: quotas, attributes, errors, what is not here.

Quotas are those of "Amazon SNS endpoints and quotas" and "Amazon SNS subscription filter policy constraints"; texts are
the service's own where they are known.
"""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from .resources import RESOURCES as RESOURCES

_PUSH = "mobile push needs accounts with the makers of the phones"
_PHONES = "text messages are captured in the outbox, no number is verified"
UNSUPPORTED: dict[str, str] = {
    **dict.fromkeys(
        (
            "CreatePlatformApplication", "CreatePlatformEndpoint", "DeleteEndpoint", "DeletePlatformApplication",
            "GetEndpointAttributes", "GetPlatformApplicationAttributes", "ListEndpointsByPlatformApplication",
            "ListPlatformApplications", "SetEndpointAttributes", "SetPlatformApplicationAttributes",
        ),
        _PUSH,
    ),
    **dict.fromkeys(
        (
            "CheckIfPhoneNumberIsOptedOut", "CreateSMSSandboxPhoneNumber", "DeleteSMSSandboxPhoneNumber",
            "GetSMSSandboxAccountStatus", "ListOriginationNumbers", "ListPhoneNumbersOptedOut",
            "ListSMSSandboxPhoneNumbers", "OptInPhoneNumber", "VerifySMSSandboxPhoneNumber",
        ),
        _PHONES,
    ),
    "GetDataProtectionPolicy": "messages are not searched for personal data",
    "PutDataProtectionPolicy": "messages are not searched for personal data",
}  # fmt: skip

MAX_MESSAGE = 262_144
MAX_SMS = 1_600
MAX_SUBJECT = 100
MAX_BATCH = 10
MAX_TAGS = 50
MAX_FILTER_KEYS = 5
MAX_FILTER_COMBINATIONS = 150
PAGE = 100
PENDING_SECONDS = 172_800
"""A subscription that nobody confirms for two days goes."""
OUTBOX_SECONDS = 1_209_600
"""How long the outbox keeps what was captured."""
OUTBOX_SHOWN = 1_000
HTTP_TIMEOUT = 15.0
SERVICE_PRINCIPAL = "sns.amazonaws.com"

PROTOCOLS = frozenset(("http", "https", "email", "email-json", "sms", "sqs", "lambda"))
ELSEWHERE = {"application": _PUSH, "firehose": "Firehose is not here"}
CONFIRMED_BY_HAND = frozenset(("http", "https", "email", "email-json"))
CAPTURED = frozenset(("email", "email-json", "sms"))
RAW = frozenset(("http", "https", "sqs"))

FEEDBACK = frozenset(
    f"{kind}{what}"
    for kind in ("HTTP", "Firehose", "Lambda", "Application", "SQS")
    for what in ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
)
"""Delivery status logging: kept, nothing is logged."""
TOPIC_ATTRIBUTES = FEEDBACK | {
    "DeliveryPolicy", "DisplayName", "KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig",
}  # fmt: skip
SUBSCRIPTION_ATTRIBUTES = frozenset((
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "SubscriptionRoleArn",
))  # fmt: skip
SMS_ATTRIBUTES = frozenset((
    "DefaultSMSType", "DefaultSenderID", "DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate",
    "MonthlySpendLimit", "UsageReportS3Bucket",
))  # fmt: skip
ACTIONS = frozenset((
    "AddPermission", "DeleteTopic", "GetDataProtectionPolicy", "GetTopicAttributes", "ListSubscriptionsByTopic",
    "ListTagsForResource", "Publish", "PutDataProtectionPolicy", "Receive", "RemovePermission", "SetTopicAttributes",
    "Subscribe", "*",
))  # fmt: skip
"""What AddPermission can grant."""

RETRY_DEFAULTS: dict[str, Any] = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
REQUEST_DEFAULTS = {"headerContentType": "text/plain; charset=UTF-8"}
BACKOFF = frozenset(("linear", "arithmetic", "geometric", "exponential"))
CONTENT_TYPES = frozenset((
    "application/json", "text/plain; charset=UTF-8", "application/x-www-form-urlencoded", "application/xml",
    "application/atom+xml", "application/xhtml+xml", "application/octet-stream", "text/html; charset=utf-8",
    "text/css; charset=utf-8", "text/javascript; charset=utf-8", "text/xml; charset=utf-8",
    "text/plain; charset=utf-8", "text/plain", "text/html", "text/xml", "text/css",
))  # fmt: skip


def default_policy(arn: str, account: str) -> dict[str, Any]:
    actions = (
        "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
        "ListSubscriptionsByTopic", "Publish",
    )  # fmt: skip
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


def invalid(what: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {what}")


def bad_value(message: str) -> AwsError:
    return AwsError("ParameterValueInvalid", message)


def no_topic() -> AwsError:
    return AwsError("NotFound", "Topic does not exist")


def no_subscription() -> AwsError:
    return AwsError("NotFound", "Subscription does not exist")


def no_resource() -> AwsError:
    return AwsError("ResourceNotFoundException", "Resource does not exist")


def bad_arn(member: str, arn: str) -> AwsError:
    return invalid(f"{member} Reason: An ARN must have at least 6 elements, not {len(arn.split(':'))}")


def no_fifo() -> AwsError:
    return AwsError(
        "UnsupportedOperation",
        "Cloudlet does not support FIFO topics yet: create a standard topic, without FifoTopic and without the suffix "
        ".fifo in its name.",
    )


def not_here(protocol: str) -> AwsError:
    return AwsError(
        "UnsupportedOperation", f"Cloudlet does not support the protocol {protocol}: {ELSEWHERE[protocol]}"
    )


def too_many_tags() -> AwsError:
    return AwsError(
        "TagLimitExceeded",
        "Could not complete request: tag quota of per resource exceeded",
    )


def authentication_needed() -> AwsError:
    return AwsError("AuthorizationError", "The subscription can be removed by an authenticated request only")
