"""Lambda's facts: quotas, defaults, runtimes, errors, what is not built, CloudFormation types.

Quotas are those of "Lambda quotas" in the Developer Guide; texts are as the service gives them.
"""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from .resources import RESOURCES as RESOURCES

LATEST = "$LATEST"

DEFAULT_TIMEOUT = 3
DEFAULT_MEMORY = 128
DEFAULT_STORAGE = 512
MIN_MEMORY, MAX_MEMORY = 128, 10_240
MIN_TIMEOUT, MAX_TIMEOUT = 1, 900

MAX_ZIP = 50 * 1024 * 1024
MAX_UNZIPPED = 250 * 1024 * 1024
MAX_ZIP_ENTRIES = 100_000
MAX_TOTAL_CODE = 75 * 1024 * 1024 * 1024
MAX_ENVIRONMENT = 4 * 1024
MAX_POLICY = 20 * 1024
MAX_TAGS = 50
MAX_CREATE_REQUEST = 70_167_211
MAX_SYNC_PAYLOAD = 6 * 1024 * 1024
MAX_ASYNC_PAYLOAD = 1024 * 1024

CONCURRENT_EXECUTIONS = 1000
MIN_UNRESERVED = 100

EVENT_RETRIES = 2
EVENT_RETRY_SECONDS = 60.0
"""A failed event is tried again after one minute, then after two."""
EVENT_MAX_AGE = 6 * 3600
THROTTLE_FIRST_DELAY = 1.0
THROTTLE_MAX_DELAY = 300.0

NO_CONCURRENCY = "Function not invoked. Function is configured with zero reserved concurrent executions"
RATE_EXCEEDED = "Rate Exceeded."

EVENT_WIDTH = 16
"""How many events of a function run at once to begin with."""
EVENT_TICK_SECONDS = 0.1
EVENTS_WAITING = 512
"""How many events of a function wait in memory; the others wait in the durable queue."""
EVENTS_A_SECOND = 1000
"""About how many of those come back in a second."""

QUEUE_BATCH = 10
"""How many messages a batch has unless a mapping says otherwise, and how many one receive gives at most."""
QUEUE_BATCHES = 5
"""How many batches of a queue run at once to begin with, and how many more each second while the backlog lasts:
"Understanding event source mapping scaling" has 5, then 300 a minute."""
QUEUE_WAIT = 20
STREAM_MAPPING: dict[str, Any] = {
    "BatchSize": 100,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
"""What a mapping on a stream has unless it says otherwise."""
STREAM_RETENTION = 24 * 3600
"""How long a stream has its records: "Using AWS Lambda with Amazon DynamoDB". They are not tried longer."""
MIN_RECORD_AGE = 60
MAX_STATE = 1024 * 1024
"""Of a tumbling window's state, in bytes."""
MAX_FILTERS = 5
""""Control which events Lambda sends to your function": five for each event source, more on request."""
BATCH_BYTES = MAX_SYNC_PAYLOAD
MAPPING_PAUSE, MAPPING_MAX_PAUSE = 1.0, 60.0
"""Seconds until a source that failed is read again, at first and at most."""
MAPPINGS_PAGE = 100

CODE_GRACE_SECONDS = 1000.0
"""How long code that nothing refers to stays: longer than a function may still be running it."""

ARTIFACTS_BUCKET = "cloudlet-artifacts"
"""The bucket of packages that `deploy` uploads; its objects are files in the data directory."""

LIST_PAGE = 50
LIST_ALL_PAGE = 10_000

RUNTIMES = (
    "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x",
    "python3.8", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14",
    "provided", "provided.al2", "provided.al2023",
)  # fmt: skip
"""What can run here. AWS has more (Java, .NET, Ruby, Go), which need their own `provided` bootstrap."""

RETIRED_RUNTIMES = (
    "nodejs", "nodejs4.3", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x",
    "nodejs16.x", "nodejs4.3-edge", "python2.7", "python3.6", "python3.7", "dotnetcore1.0", "dotnetcore2.0",
    "dotnetcore2.1", "dotnetcore3.1", "ruby2.5", "ruby2.7", "go1.x", "java8",
)  # fmt: skip

LAYER_RUNTIMES = (
    *RUNTIMES, *RETIRED_RUNTIMES, "dotnet10", "dotnet6", "dotnet8", "java11", "java17", "java21", "java25", "java8.al2",
    "ruby3.2", "ruby3.3", "ruby3.4",
)  # fmt: skip
"""What a layer may be said to be compatible with."""
MAX_LAYERS = 5
MAX_LAYER_POLICY = 20 * 1024

SNAP_START_RUNTIMES = ("python3.12", "python3.13", "python3.14")
"""Of those that run here; snapshots themselves have no effect, a start is quick without."""

ARCHITECTURES = ("x86_64", "arm64")

RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)

ROLE_PATTERN = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"


def _user(code: str, message: str, status: int | None = None) -> AwsError:
    return AwsError(code, message, status=status, fields={"Type": "User"})


def validation(value: object, member: str, constraint: str) -> AwsError:
    text = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    return AwsError("ValidationException", text, status=400)


def invalid(message: str) -> AwsError:
    return _user("InvalidParameterValueException", message)


def not_found(message: str) -> AwsError:
    return _user("ResourceNotFoundException", message)


def conflict(message: str) -> AwsError:
    return _user("ResourceConflictException", message)


def function_not_found(arn: str) -> AwsError:
    return not_found(f"Function not found: {arn}")


def function_exists(name: str) -> AwsError:
    return conflict(f"Function already exist: {name}")


def other_region(theirs: str, ours: str) -> AwsError:
    return not_found(f"Functions from '{theirs}' are not reachable in this region ('{ours}')")


def qualifier_mismatch() -> AwsError:
    return invalid("The derived qualifier from the function name does not match the specified qualifier.")


def statement_exists(sid: str) -> AwsError:
    return conflict(
        f"The statement id ({sid}) provided already exists. Please provide a new statement id, "
        "or remove the existing statement."
    )


def revision_mismatch() -> AwsError:
    return _user(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    )


def unknown_runtime(runtime: str) -> AwsError:
    return invalid(
        f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
        f"[{', '.join(RUNTIMES)}] or be a valid ARN"
    )


def retired_runtime(runtime: str) -> AwsError:
    return invalid(
        f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions."
    )


def reserved_variables(names: list[str]) -> AwsError:
    return invalid(
        "Lambda was unable to configure your environment variables because the environment variables you have "
        "provided contains reserved keys that are currently not supported for modification. "
        f"Reserved keys used in this request: {', '.join(names)}"
    )


def environment_too_large(measured: str) -> AwsError:
    return invalid(
        "Lambda was unable to configure your environment variables because the environment variables you have "
        f"provided exceeded the 4KB limit. String measured: {measured}"
    )


def bad_zip() -> AwsError:
    return invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")


def empty_zip() -> AwsError:
    return invalid("Uploaded file must be a non-empty zip")


def unzipped_too_large() -> AwsError:
    return invalid(f"Unzipped size must be smaller than {MAX_UNZIPPED} bytes")


def request_too_large(limit: int, operation: str) -> AwsError:
    text = f"Request must be smaller than {limit} bytes for the {operation} operation"
    return _user("RequestEntityTooLargeException", text, 413)


def payload_too_large(size: int, kind: str, limit: int) -> AwsError:
    # The service answers with this code, although its model names the shape RequestTooLargeException.
    text = f"{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
    return _user("RequestEntityTooLargeException", text, 413)


def bad_payload(reason: str) -> AwsError:
    text = f"Could not parse request body into json: Could not parse payload into json: {reason}"
    return _user("InvalidRequestContentException", text)


def s3_error(code: str, message: str) -> AwsError:
    return invalid(f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")


def ec2_error(operation: str, code: str, message: str) -> AwsError:
    return invalid(f"Error occurred while {operation}. EC2 Error Code: {code}. EC2 Error Message: {message}")


def half_a_vpc(operation: str) -> AwsError:
    return invalid(f"SubnetIds and SecurityIds must coexist in {operation} request.")


def no_layer_version(arn: str) -> AwsError:
    return not_found(f"Layer version {arn} does not exist.")


def no_layer_version_for_function(arn: str) -> AwsError:
    return invalid(f"Layer version {arn} does not exist.")


def no_public_layer(arn: str, reason: str) -> AwsError:
    return invalid(f"Layer version {arn} does not exist. Here it would be installed with pip, but {reason}.")


def layer_access_denied(who: str, arn: str) -> AwsError:
    account = arn.split(":")[4]
    text = (
        f"User: {who} is not authorized to perform: lambda:GetLayerVersion on resource: {arn} because no "
        f"resource-based policy allows the lambda:GetLayerVersion action. (Of account {account} Cloudlet has only what "
        "was published here: publish a copy of the layer and name that. Klayers' packages resolve by themselves.)"
    )
    return _user("AccessDeniedException", text, 403)


def layer_in_other_region(ours: str) -> AwsError:
    return invalid(
        f"Layers are not in the same region as the function. Layers are expected to be in region {ours}."
    )


def same_layer_twice(first: str, second: str) -> AwsError:
    return invalid(
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        f"{first} and {second} are versions of the same layer."
    )


def layers_too_large() -> AwsError:
    return invalid(f"Layers consume more than the available size of {MAX_UNZIPPED} bytes")


def code_and_layers_too_large(size: int) -> AwsError:
    return invalid(
        f"Function code combined with layers exceeds the maximum allowed size of {MAX_UNZIPPED} bytes. "
        f"The actual size is {size} bytes."
    )


def layer_revision_mismatch() -> AwsError:
    return _user(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetLayerPolicy API to retrieve the latest Revision Id",
    )


def unreserved_too_low() -> AwsError:
    return invalid(
        "Specified ReservedConcurrentExecutions for function decreases account's "
        f"UnreservedConcurrentExecution below its minimum value of [{MIN_UNRESERVED}]."
    )


def role_not_assumable() -> AwsError:
    return invalid("The role defined for the function cannot be assumed by Lambda.")


def policy_too_long(size: int) -> AwsError:
    text = f"The final policy size ({size}) is bigger than the limit ({MAX_POLICY})."
    return _user("PolicyLengthExceededException", text)


def no_resource() -> AwsError:
    return not_found("The resource you requested does not exist.")


def queue_refused(code: str, message: str) -> AwsError:
    return invalid(
        f"Error occurred while ReceiveMessage. SQS Error Code: {code}. SQS Error Message: {message}"
    )


def role_distrusts() -> AwsError:
    """At an invocation, where the role no longer trusts Lambda."""
    text = "The role defined for the function cannot be assumed by Lambda."
    return AwsError("AccessDeniedException", text, status=403)


def role_may_not(which: str, operation: str, where: str) -> AwsError:
    """Lambda says it in several ways: the "provided", the "function", the "function's" execution role."""
    return invalid(f"The {which} execution role does not have permissions to call {operation} on {where}")


def stream_not_found(source: str) -> AwsError:
    return invalid(f"Stream not found: {source}")


def stream_refused(source: str) -> AwsError:
    return invalid(
        f"Cannot access stream {source}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, and ListStreams Actions on your stream in IAM."
    )


def visibility_too_short(visibility: int, timeout: int) -> AwsError:
    return invalid(
        f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
    )


def mapping_exists(source: str, function: str, uuid: str) -> AwsError:
    if source.split(":", 3)[2] == "sqs":
        said = f'An event source mapping with SQS arn (" {source} ") and function (" {function} ") already exists.'
    else:
        said = f'The event source arn (" {source} ") and function (" {function} ") provided mapping already exists.'
    return conflict(f"{said} Please update or delete the existing mapping with UUID {uuid}")


def unsupported_parameter(member: str) -> AwsError:
    return invalid(f"Unsupported {member} parameter for given event source mapping type.")


def parallel_windows() -> AwsError:
    return invalid(
        "TumblingWindowInSeconds needs a ParallelizationFactor of 1: a window has one state for each shard."
    )


def two_ways_to_scale() -> AwsError:
    return invalid(
        "ScalingConfig and ProvisionedPollerConfig can't be given both: provisioned mode has a maximum of its own."
    )


def too_many_filters(number: int) -> AwsError:
    return invalid(
        f"Invalid filter criteria: {number} filters were given, and an event source mapping has at most {MAX_FILTERS}."
    )


_MANAGED = "capacity providers are machines of AWS's own"
_SIGNING = "code signing needs AWS Signer"
_DURABLE = "durable executions are not built yet"

UNSUPPORTED: dict[str, str] = {
    **dict.fromkeys(
        (
            "CreateFunctionUrlConfig", "DeleteFunctionUrlConfig", "GetFunctionUrlConfig",
            "ListFunctionUrlConfigs", "UpdateFunctionUrlConfig",
        ),
        "function URLs come with a later version",
    ),
    "InvokeWithResponseStream": "streamed responses come with a later version",
    **dict.fromkeys(
        (
            "DeleteProvisionedConcurrencyConfig", "GetProvisionedConcurrencyConfig",
            "ListProvisionedConcurrencyConfigs", "PutProvisionedConcurrencyConfig",
        ),
        "provisioned concurrency comes with a later version",
    ),
    **dict.fromkeys(
        (
            "CreateCapacityProvider", "DeleteCapacityProvider", "GetCapacityProvider", "ListCapacityProviders",
            "ListFunctionVersionsByCapacityProvider", "UpdateCapacityProvider", "GetFunctionScalingConfig",
            "PutFunctionScalingConfig",
        ),
        _MANAGED,
    ),
    **dict.fromkeys(
        (
            "CreateCodeSigningConfig", "DeleteCodeSigningConfig", "DeleteFunctionCodeSigningConfig",
            "GetCodeSigningConfig", "ListCodeSigningConfigs", "ListFunctionsByCodeSigningConfig",
            "PutFunctionCodeSigningConfig", "UpdateCodeSigningConfig",
        ),
        _SIGNING,
    ),
    **dict.fromkeys(
        (
            "CheckpointDurableExecution", "GetDurableExecution", "GetDurableExecutionHistory",
            "GetDurableExecutionState", "ListDurableExecutionsByFunction", "SendDurableExecutionCallbackFailure",
            "SendDurableExecutionCallbackHeartbeat", "SendDurableExecutionCallbackSuccess",
            "StopDurableExecution", "DeleteDurableExecution", "PauseDurableExecution", "ResumeDurableExecution",
        ),
        _DURABLE,
    ),
    **dict.fromkeys(
        ("DeleteResourcePolicy", "GetResourcePolicy", "PutResourcePolicy"),
        "whole resource policies are not built yet; AddPermission and GetPolicy are",
    ),
    "PutRuntimeManagementConfig": "runtimes are those of this machine",
    "PutFunctionRecursionConfig": "recursive loops are not detected",
}  # fmt: skip


def default_config(name: str) -> dict[str, Any]:
    """What a configuration has where the request says nothing."""
    return {
        "Description": "",
        "Timeout": DEFAULT_TIMEOUT,
        "MemorySize": DEFAULT_MEMORY,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": DEFAULT_STORAGE},
        "TracingConfig": {"Mode": "PassThrough"},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }
