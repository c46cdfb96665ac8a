"""CloudFormation as data: limits, statuses, errors, what isn't built, and the resource types that are its own.

Limits are those of "Understand CloudFormation quotas" in the user guide.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import AwsError
from ...resources import Resource

MAX_TEMPLATE_BODY = 51_200
MAX_TEMPLATE = 1_000_000
MAX_RESOURCES = 500
MAX_OUTPUTS = 200
MAX_PARAMETERS = 200
MAX_MAPPINGS = 200
PAGE = 100
REMEMBERED = 90 * 86_400.0
"""Seconds for which a deleted stack can be looked at ("ListStacks" in the API reference)."""
PATIENCE = 1.0
"""Seconds that DescribeStacks of one stack waits for the end of its operation."""

RANDOM_SUFFIX = 12
SNAPSHOT_NAME_MAX = 255
"""Characters at the end of a generated name."""

STACK_TYPE = "AWS::CloudFormation::Stack"
SAM_TRANSFORM = "AWS::Serverless-2016-10-31"
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"

USER_INITIATED = "User Initiated"
CREATION_INITIATED = "Resource creation Initiated"
NEEDS_REPLACEMENT = "Requested update requires the creation of a new physical resource; hence creating one."
KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"

UPDATABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "UPDATE_FAILED",
        "CREATE_FAILED",
    }
)
"""Statuses from which UpdateStack starts; the two failed ones only where rollback was disabled."""

IAM_TYPES = frozenset(
    f"AWS::IAM::{name}"
    for name in (
        *(
            "AccessKey",
            "Group",
            "GroupPolicy",
            "InstanceProfile",
            "ManagedPolicy",
            "Policy",
            "Role",
            "RolePolicy",
        ),
        *("User", "UserPolicy", "UserToGroupAddition"),
    )
)
NAMED_IAM = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
"""The types, and the property of each, that need CAPABILITY_NAMED_IAM."""

RESOURCES = {
    "AWS::CDK::Metadata": Resource(create=(), id="{logical_id}"),
    "AWS::CloudFormation::WaitConditionHandle": Resource(
        create=(),
        id="https://cloudformation-waitcondition-{region}.s3.amazonaws.com/{stack_id}/{logical_id}",
    ),
}

# How the code of a service's error becomes the HandlerErrorCode of an event.
HANDLER_ERROR_CODES = (
    ("AlreadyExists", "AlreadyExists"),
    ("EntityAlreadyExists", "AlreadyExists"),
    ("ResourceInUse", "AlreadyExists"),
    ("ResourceConflict", "AlreadyExists"),
    ("Conflict", "ResourceConflict"),
    ("NoSuchEntity", "NotFound"),
    ("NotFound", "NotFound"),
    ("AccessDenied", "AccessDenied"),
    ("LimitExceeded", "ServiceLimitExceeded"),
    ("Throttl", "Throttling"),
    ("TooManyRequests", "Throttling"),
    ("Internal", "ServiceInternalError"),
    ("ServiceException", "ServiceInternalError"),
    ("Validation", "InvalidRequest"),
    ("Invalid", "InvalidRequest"),
    ("BadRequest", "InvalidRequest"),
    ("Malformed", "InvalidRequest"),
)

IN_THE_WAY = frozenset({"DependencyViolation"})
IN_THE_WAY_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between the tries to delete what something else depends on, which the templates needn't say."""

SERVICE_NAMES = {
    "apigatewayv2": "ApiGatewayV2",
    "cloudformation": "CloudFormation",
    "cloudfront": "CloudFront",
    "dynamodb": "DynamoDb",
    "elasticache": "ElastiCache",
    "iam": "Iam",
    "lambda": "Lambda",
    "logs": "CloudWatchLogs",
}
"""How a handler's message names the service whose error it passes on."""


def validation_error(message: str) -> AwsError:
    return AwsError("ValidationError", message, status=400)


def stack_does_not_exist(name: str) -> AwsError:
    return validation_error(f"Stack with id {name} does not exist")


def stack_missing(name: str) -> AwsError:
    """The words of those operations that change a stack or look into it."""
    return validation_error(f"Stack [{name}] does not exist")


def stack_exists(name: str) -> AwsError:
    return AwsError("AlreadyExistsException", f"Stack [{name}] already exists", status=400)


def insufficient_capabilities(capabilities: Iterable[str]) -> AwsError:
    needed = ", ".join(capabilities)
    return AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]", status=400)


def change_set_not_found(name: str) -> AwsError:
    return AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", status=404)


def invalid_change_set_status(id: str, status: str) -> AwsError:
    return AwsError(
        "InvalidChangeSetStatus",
        f"ChangeSet [{id}] cannot be executed in its current status of [{status}]",
        status=400,
    )


def no_updates() -> AwsError:
    return validation_error("No updates are to be performed.")


def unresolved(names: Iterable[str], block: str, where: str = "") -> AwsError:
    listed = ", ".join(names)
    return validation_error(
        f"Template format error: Unresolved resource dependencies [{listed}] in the {block} block of the template"
        + (f" {where}" if where else "")
    )


def no_export(name: str) -> AwsError:
    return validation_error(f"No export named {name} found.")


def busy(stack_id: str, status: str) -> AwsError:
    return validation_error(f"Stack:{stack_id} is in {status} state and can not be updated.")


_STACK_SETS = "stack sets aren't built"
_REGISTRY = "the extension registry isn't built"
_DRIFT = "drift detection isn't built"
_GENERATED = "generated templates and resource scans aren't built"
_REFACTOR = "stack refactoring isn't built"

UNSUPPORTED: dict[str, str] = {
    "ActivateOrganizationsAccess": _STACK_SETS,
    "ActivateType": _REGISTRY,
    "BatchDescribeTypeConfigurations": _REGISTRY,
    "CreateGeneratedTemplate": _GENERATED,
    "CreateStackInstances": _STACK_SETS,
    "CreateStackRefactor": _REFACTOR,
    "CreateStackSet": _STACK_SETS,
    "DeactivateOrganizationsAccess": _STACK_SETS,
    "DeactivateType": _REGISTRY,
    "DeleteGeneratedTemplate": _GENERATED,
    "DeleteStackInstances": _STACK_SETS,
    "DeleteStackSet": _STACK_SETS,
    "DeregisterType": _REGISTRY,
    "DescribeChangeSetHooks": "hooks aren't built",
    "DescribeEvents": "operation events aren't built; DescribeStackEvents has a stack's events",
    "DescribeGeneratedTemplate": _GENERATED,
    "DescribeOrganizationsAccess": _STACK_SETS,
    "DescribePublisher": _REGISTRY,
    "DescribeResourceScan": _GENERATED,
    "DescribeStackDriftDetectionStatus": _DRIFT,
    "DescribeStackInstance": _STACK_SETS,
    "DescribeStackRefactor": _REFACTOR,
    "DescribeStackResourceDrifts": _DRIFT,
    "DescribeStackSet": _STACK_SETS,
    "DescribeStackSetOperation": _STACK_SETS,
    "DescribeType": _REGISTRY,
    "DescribeTypeRegistration": _REGISTRY,
    "DetectStackDrift": _DRIFT,
    "DetectStackResourceDrift": _DRIFT,
    "DetectStackSetDrift": _STACK_SETS,
    "EstimateTemplateCost": "nothing costs anything here",
    "ExecuteStackRefactor": _REFACTOR,
    "GetGeneratedTemplate": _GENERATED,
    "GetHookResult": "hooks aren't built",
    "ImportStacksToStackSet": _STACK_SETS,
    "ListGeneratedTemplates": _GENERATED,
    "ListHookResults": "hooks aren't built",
    "ListResourceScanRelatedResources": _GENERATED,
    "ListResourceScanResources": _GENERATED,
    "ListResourceScans": _GENERATED,
    "ListStackInstanceResourceDrifts": _STACK_SETS,
    "ListStackInstances": _STACK_SETS,
    "ListStackRefactorActions": _REFACTOR,
    "ListStackRefactors": _REFACTOR,
    "ListStackSetAutoDeploymentTargets": _STACK_SETS,
    "ListStackSetOperationResults": _STACK_SETS,
    "ListStackSetOperations": _STACK_SETS,
    "ListStackSets": _STACK_SETS,
    "ListTypeRegistrations": _REGISTRY,
    "ListTypeVersions": _REGISTRY,
    "ListTypes": _REGISTRY,
    "PublishType": _REGISTRY,
    "RecordHandlerProgress": _REGISTRY,
    "RegisterPublisher": _REGISTRY,
    "RegisterType": _REGISTRY,
    "RemoveAlias": "stack aliases aren't built",
    "RollbackStack": "delete the stack, or update it to a template that works",
    "SetAlias": "stack aliases aren't built",
    "SetTypeConfiguration": _REGISTRY,
    "SetTypeDefaultVersion": _REGISTRY,
    "SignalResource": "no resource type that waits for signals is built",
    "StartResourceScan": _GENERATED,
    "StopStackSetOperation": _STACK_SETS,
    "TestType": _REGISTRY,
    "UpdateGeneratedTemplate": _GENERATED,
    "UpdateStackInstances": _STACK_SETS,
    "UpdateStackSet": _STACK_SETS,
}
