"""Stateless checks of Lambda's requests, beyond what the service's model says, in the service's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from ...patterns import BadPattern, compiled
from . import model
from .destinations import OF_STREAMS, service_of

Request = dict[str, Any]

_json = msgspec.json.Decoder(msgspec.Raw)  # checks the syntax and builds nothing

_ROLE = re.compile(model.ROLE_PATTERN)
_NAME = re.compile(
    r"(arn:aws[a-zA-Z-]*:lambda:)?([a-z]{2,4}(-[a-z]+)+-\d:)?(\d{12}:)?(function:)?[a-zA-Z0-9-_]+"
)
_PLAIN_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_ALIAS = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)")
_NOT_HERE = frozenset(
    {
        "AcceleratorConfig",
        "CapacityProviderConfig",
        "DurableConfig",
        "ImageConfig",
        "PublishTo",
        "RuntimeConfig",
        "TenancyConfig",
    }
)
_WEIGHTS = "routingConfig.additionalVersionWeights"


def create_function(request: Request) -> Request:
    _function_name(request["FunctionName"])
    code = request["Code"]
    _code(code, "CreateFunction")
    if request.get("PackageType", "Zip") == "Image" or "ImageUri" in code:
        raise model.invalid("Container images are not supported here: give the code as a zip file.")
    if "Runtime" not in request or "Handler" not in request:
        raise model.invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    if not any(member in code for member in ("ZipFile", "S3Bucket")):
        raise model.invalid("Please provide a source for function code.")
    _tags(request.get("Tags", {}))
    return _configuration(request)


def update_function_configuration(request: Request) -> Request:
    return _configuration(request)


def update_function_code(request: Request) -> Request:
    _code(request, "UpdateFunctionCode")
    if "ImageUri" in request:
        raise model.invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
    if not any(member in request for member in ("ZipFile", "S3Bucket")):
        raise model.invalid("Please provide a source for function code.")
    _architectures(request)
    return request


def _function_name(name: str) -> None:
    match = _NAME.fullmatch(name)
    plain = name.rpartition(":")[2]
    if match is None or not _PLAIN_NAME.fullmatch(plain):
        if len(plain) > 64:
            raise model.validation(plain, "functionName", "Member must have length less than or equal to 64")
        raise model.validation(
            name, "functionName", f"Member must satisfy regular expression pattern: {_NAME.pattern}"
        )


def _code(code: Mapping[str, Any], operation: str) -> None:
    if "ZipFile" in code:
        if "S3Bucket" in code or "S3Key" in code:
            raise model.invalid(
                "Please do not provide other FunctionCode parameters when providing a ZipFile."
            )
        if len(code["ZipFile"]) > model.MAX_ZIP:
            raise model.request_too_large(model.MAX_CREATE_REQUEST, operation)
    elif ("S3Bucket" in code) != ("S3Key" in code):
        raise model.invalid("Please provide both S3Bucket and S3Key.")


def _configuration(request: Request) -> Request:
    role = request.get("Role")
    if role is not None and not _ROLE.fullmatch(role):
        pattern = f"Member must satisfy regular expression pattern: {model.ROLE_PATTERN}"
        raise model.validation(role, "role", pattern)
    runtime = request.get("Runtime")
    if runtime in model.RETIRED_RUNTIMES:
        raise model.retired_runtime(runtime)
    if runtime is not None and runtime not in model.RUNTIMES:
        raise model.unknown_runtime(runtime)
    _between(request, "MemorySize", "memorySize", model.MIN_MEMORY, model.MAX_MEMORY)
    _between(request, "Timeout", "timeout", model.MIN_TIMEOUT, model.MAX_TIMEOUT)
    _between(request.get("EphemeralStorage", {}), "Size", "ephemeralStorage.size", 512, 10_240)
    _architectures(request)
    _environment(request.get("Environment", {}).get("Variables", {}))
    snap_start = request.get("SnapStart", {}).get("ApplyOn", "None")
    if snap_start != "None" and runtime is not None and runtime not in model.SNAP_START_RUNTIMES:
        raise model.invalid(f"{runtime} is not supported for SnapStart enabled functions.")
    for member in _NOT_HERE & request.keys():
        raise model.invalid(f"{member} is not supported here.")
    if len(request.get("Layers", ())) > model.MAX_LAYERS:
        raise model.invalid(f"Cannot reference more than {model.MAX_LAYERS} layers.")
    if request.get("FileSystemConfigs"):
        raise model.invalid("File systems (EFS) are not supported here.")
    if request.get("CodeSigningConfigArn"):
        raise model.invalid("Code signing is not supported here.")
    return request


def _between(values: Mapping[str, Any], member: str, path: str, low: int, high: int) -> None:
    value = values.get(member)
    if value is None:
        return
    if value > high:
        raise model.validation(value, path, f"Member must have value less than or equal to {high}")
    if value < low:
        raise model.validation(value, path, f"Member must have value greater than or equal to {low}")


def _architectures(request: Request) -> None:
    names = request.get("Architectures")
    if names is None:
        return
    shown = f"[{', '.join(names)}]"
    if len(names) != 1:
        raise model.validation(shown, "architectures", "Member must have length less than or equal to 1")
    if names[0] not in model.ARCHITECTURES:
        raise model.validation(
            shown,
            "architectures",
            "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
            "Member must not be null]",
        )


def _environment(variables: Mapping[str, str]) -> None:
    measured = orjson.dumps(dict(variables))
    if len(measured) > model.MAX_ENVIRONMENT:
        raise model.environment_too_large(measured.decode())
    reserved = sorted(name for name in variables if name in model.RESERVED_VARIABLES)
    if reserved:
        raise model.reserved_variables(reserved)


def publish_layer_version(request: Request) -> Request:
    content = request["Content"]
    _code(content, "PublishLayerVersion")
    if not any(member in content for member in ("ZipFile", "S3Bucket")):
        raise model.invalid("Please provide a source for layer content.")
    wrong = [name for name in request.get("CompatibleRuntimes", ()) if name not in model.LAYER_RUNTIMES]
    if wrong:
        raise model.validation(
            f"[{', '.join(request['CompatibleRuntimes'])}]",
            "compatibleRuntimes",
            "Member must satisfy constraint: [Member must satisfy enum value set: "
            f"[{', '.join(model.LAYER_RUNTIMES)}], Member must not be null]",
        )
    return request


def list_layers(request: Request) -> Request:
    wanted = request.get("CompatibleRuntime")
    if wanted is not None and wanted not in model.LAYER_RUNTIMES:
        rule = f"Member must satisfy enum value set: [{', '.join(model.LAYER_RUNTIMES)}]"
        raise model.validation(wanted, "compatibleRuntime", rule)
    return request


list_layer_versions = list_layers


def get_layer_version(request: Request) -> Request:
    if request["VersionNumber"] < 1:
        raise model.invalid("Layer Version Cannot be less than 1")
    return request


delete_layer_version = get_layer_version


def _tags(tags: Mapping[str, str]) -> None:
    if len(tags) > model.MAX_TAGS:
        raise model.invalid("Number of tags exceeds resource tag limit.")
    for key in tags:
        if key.startswith("aws:"):
            raise model.invalid("Your tag keys can't start with aws:")


def tag_resource(request: Request) -> Request:
    _tags(request["Tags"])
    return request


def list_functions(request: Request) -> Request:
    wanted = request.get("FunctionVersion", "ALL")
    if wanted != "ALL":
        raise model.validation(wanted, "functionVersion", "Member must satisfy enum value set: [ALL]")
    return request


def create_alias(request: Request) -> Request:
    if not _ALIAS.fullmatch(request["Name"]):
        pattern = f"Member must satisfy regular expression pattern: {_ALIAS.pattern}"
        raise model.validation(request["Name"], "name", pattern)
    _routing(request, request["FunctionVersion"])
    return request


def update_alias(request: Request) -> Request:
    _routing(request, request.get("FunctionVersion"))
    return request


def _routing(request: Request, version: str | None) -> None:
    weights = request.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    if len(weights) > 1:
        raise model.invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for key, weight in weights.items():
        if not key.isdigit():
            raise model.validation(
                f"{{{key}={weight}}}",
                _WEIGHTS,
                "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must "
                "have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, "
                "Member must not be null]",
            )
        if not 0.0 <= weight <= 1.0:
            raise model.validation(
                f"{{{key}={weight}}}",
                _WEIGHTS,
                "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must "
                "have value greater than or equal to 0.0, Member must not be null]",
            )
        if version == model.LATEST:
            raise model.invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if key == version:
            raise model.invalid(
                f"Invalid function version {key}. Function version {key} is already included in routing configuration."
            )


def invoke(request: Request) -> Request:
    payload = request.get("Payload", b"")
    if request.get("InvocationType") == "Event":
        kind, limit = "Event", model.MAX_ASYNC_PAYLOAD
    else:
        kind, limit = "RequestResponse", model.MAX_SYNC_PAYLOAD
    if len(payload) > limit:
        raise model.payload_too_large(len(payload), kind, limit)
    if payload:
        check_json(payload)
    if "TenantId" in request or "DurableExecutionName" in request:
        raise model.invalid("Tenants and durable executions are not supported here.")
    return request


def invoke_async(request: Request) -> Request:
    payload = request["InvokeArgs"]
    if len(payload) > model.MAX_ASYNC_PAYLOAD:
        raise model.payload_too_large(len(payload), "Event", model.MAX_ASYNC_PAYLOAD)
    if payload:
        check_json(payload)
    return request


def check_json(payload: bytes) -> None:
    """Raise what the service says of a payload that isn't JSON."""
    if payload.isascii():
        try:
            _json.decode(payload)
            return
        except msgspec.DecodeError:
            pass  # said below, with its place
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise model.bad_payload(_json_fault(payload, error)) from error


def _json_fault(payload: bytes, error: orjson.JSONDecodeError) -> str:
    """The fault as the service's own parser words it: the kind, then the place."""
    try:
        text = payload.decode()
    except UnicodeDecodeError as fault:
        return f"Invalid UTF-8 start byte 0x{payload[fault.start]:02x}\n at [Source: (byte[])[{len(payload)} bytes]]"
    at = min(error.pos, len(text))
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    token = re.match(r"[A-Za-z_$][\w$]*", text[at:])
    wanted = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    if at >= len(text):
        kind = "Unexpected end-of-input"
    elif token:
        kind, column = f"Unrecognized token '{token[0]}': was expecting {wanted}", column + len(token[0])
    else:
        kind = f"Unexpected character ('{text[at]}' (code {ord(text[at])})): expected a valid value {wanted}"
        column += 1
    shown = text if len(text) <= 500 else f"{text[:500]}[truncated {len(payload) - 500} bytes]"
    return f'{kind}\n at [Source: (byte[])"{shown}"; line: {line}, column: {column}]'


def put_function_event_invoke_config(request: Request) -> Request:
    if not any(
        m in request for m in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    ):
        raise model.invalid("You must specify at least one of error handling or destination setting.")
    return request


update_function_event_invoke_config = put_function_event_invoke_config


_OF_STREAMS = (
    "BisectBatchOnFunctionError", "DestinationConfig", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts",
    "ParallelizationFactor", "TumblingWindowInSeconds",
)  # fmt: skip
_OF_QUEUES = ("ProvisionedPollerConfig", "ScalingConfig")
_OF_OTHERS = (
    "AmazonManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "LoggingConfig", "Queues",
    "SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig", "SourceAccessConfigurations", "Topics",
)  # fmt: skip
_NOT_YET = ("docdb", "docdb-elastic", "kafka", "kinesis", "mq", "self-managed Kafka")


def create_event_source_mapping(request: Request) -> Request:
    source = request.get("EventSourceArn", "")
    if not source and "SelfManagedEventSource" not in request:
        raise model.invalid("Unrecognized event source.")
    service = source.split(":", 5)[2] if source else "self-managed Kafka"
    if service in _NOT_YET:
        raise model.invalid(
            f"Event sources of {service} are not supported here yet: only SQS queues and DynamoDB streams are."
        )
    stream = service == "dynamodb" and "/stream/" in source
    if not stream and (service != "sqs" or source.count(":") != 5):
        raise model.invalid(
            "Unrecognized event source, must be kinesis, dynamodb stream or sqs. "
            f"Unsupported source arn : {source}"
        )
    _starting_position(request, stream)
    _tags(request.get("Tags", {}))
    refuse_other(request, stream)
    return update_event_source_mapping(request)


def _starting_position(request: Request, stream: bool) -> None:
    position = request.get("StartingPosition")
    if not stream:
        if position is not None or "StartingPositionTimestamp" in request:
            raise model.invalid("StartingPosition is not valid for SQS event sources.")
        return
    if position is None:
        raise model.invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
            "constraint: Member must not be null."
        )
    if position == "AT_TIMESTAMP":
        raise model.invalid(f"Unsupported starting position for arn type: {request['EventSourceArn']}")
    if "StartingPositionTimestamp" in request:
        raise model.invalid("Timestamp only valid with StartingPosition AT_TIMESTAMP")


def update_event_source_mapping(request: Request) -> Request:
    """The operation refuses what its source doesn't have, when it knows the source."""
    if 0 <= request.get("MaximumRecordAgeInSeconds", -1) < model.MIN_RECORD_AGE:
        raise model.invalid(
            f"MaximumRecordAgeInSeconds must be -1, or {model.MIN_RECORD_AGE} at least, "
            f"and not {request['MaximumRecordAgeInSeconds']}."
        )
    destinations = request.get("DestinationConfig", {})
    if destinations.get("OnSuccess", {}).get("Destination"):
        raise model.unsupported_parameter("DestinationConfig")
    target = destinations.get("OnFailure", {}).get("Destination")
    if target:
        service_of(target, OF_STREAMS)
    return _filters(request)


def refuse_other(request: Request, stream: bool) -> None:
    """Members of other kinds of source."""
    for member in (*(_OF_QUEUES if stream else _OF_STREAMS), *_OF_OTHERS):
        if member in request:
            raise model.unsupported_parameter(member)


def _filters(request: Request) -> Request:
    filters = request.get("FilterCriteria", {}).get("Filters", ())
    if len(filters) > model.MAX_FILTERS:
        raise model.too_many_filters(len(filters))
    for one in filters:
        try:
            compiled(one.get("Pattern", ""))
        except BadPattern as error:
            raise model.invalid("Invalid filter pattern definition.") from error
    return request
