"""What STS is made of: its durations, its errors, what it doesn't do here. Data only.

Durations: "AssumeRole" and "GetSessionToken" in AWS's STS API reference.
"""

from __future__ import annotations

from ...errors import AwsError
from ...resources import Resource

DEFAULT_ROLE_SECONDS = 3600
CHAINED_ROLE_SECONDS = 3600
DEFAULT_SESSION_SECONDS = 43_200
ROOT_SESSION_SECONDS = 3600
KEPT_AFTER_EXPIRY = 86_400.0
"""Seconds for which expired credentials are still told from unknown ones."""

UNSUPPORTED = {
    "AssumeRoleWithSAML": "there are no SAML providers",
    "AssumeRoleWithWebIdentity": "there are no identity providers",
    "AssumeRoot": "there are no organizations",
    "DecodeAuthorizationMessage": "denials are told in plain text",
    "GetDelegatedAccessToken": "there are no delegation requests",
    "GetFederationToken": "there are no federated users",
    "GetWebIdentityToken": "outbound identity federation is not built",
}

RESOURCES: dict[str, Resource] = {}


def not_authorized(caller: str, action: str, resource: str) -> AwsError:
    text = f"User: {caller} is not authorized to perform: {action} on resource: {resource}"
    return AwsError("AccessDenied", text, status=403)


def session_credentials() -> AwsError:
    return AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", status=403)


def duration_exceeds_role() -> AwsError:
    text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    return AwsError("ValidationError", text)


def duration_exceeds_chain() -> AwsError:
    text = (
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    )
    return AwsError("ValidationError", text)


def invalid_arn(arn: str) -> AwsError:
    return AwsError("ValidationError", f"{arn} is invalid")


def malformed_policy(text: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", text)


def expired() -> AwsError:
    return AwsError("ExpiredToken", "The security token included in the request is expired", status=403)


def invalid_access_key() -> AwsError:
    return AwsError("ValidationError", "Invalid Access Key Id")
