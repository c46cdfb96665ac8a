"""What a schedule calls: templated targets, named by the ARN of a resource, and universal ones, by an operation.

arn:aws:sqs:us-east-1:000000000000:jobs               SendMessage with Input as its body
arn:aws:scheduler:::aws-sdk:sqs:sendMessage           SendMessage with Input as its request
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from ...aws.model import Shape, known_services
from ...context import Node
from ...errors import AwsError
from . import model
from .storage import Name

UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
_ARN = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):(\d{12}|):(.+)", re.DOTALL)
_KEYWORD = re.compile(r"<aws\.scheduler\.(schedule-arn|scheduled-time|execution-id|attempt-number)>")

Params = dict[str, Any]


@dataclass(slots=True, frozen=True)
class Call:
    service: str
    operation: str
    params: Params


def check(target: dict[str, Any]) -> None:
    """What can be told of a target without looking at the node."""
    arn: str = target["Arn"]
    given = target.get("Input")
    if given is not None and len(given.encode()) > model.MAX_INPUT:
        raise model.invalid(f"The Input of a target has {model.MAX_INPUT} bytes at most.")
    if arn.startswith(UNIVERSAL):
        _check_universal(arn, given)
        return
    match = _ARN.fullmatch(arn)
    if match is None:
        raise model.invalid("Provided Arn is not in correct format.")
    service = match[1]
    if service not in model.TEMPLATED:
        raise model.invalid(f"{service} is not a supported service for a target.")
    for parameters, owner in model.PARAMETERS.items():
        if parameters in target and owner != service:
            raise model.invalid(f"Parameters {parameters} not supported for the target.")
    needed = model.NEEDED.get(service)
    if needed is not None and needed not in target:
        raise model.invalid(f"Parameters {needed} must be specified.")
    if service == "sqs":
        _check_queue(arn, target)
    if given is not None and service in model.JSON_TARGETS and not _is_json(given):
        raise model.invalid("JSON syntax error in input for the target")


def _check_queue(arn: str, target: dict[str, Any]) -> None:
    if arn.endswith(".fifo"):
        if "SqsParameters" not in target:
            raise model.invalid("Parameters SqsParameters must be specified.")
    elif "MessageGroupId" in target.get("SqsParameters", {}):
        raise model.invalid("Parameters MessageGroupId not valid for the target.")


def _check_universal(arn: str, given: str | None) -> None:
    service, _, action = arn.removeprefix(UNIVERSAL).partition(":")
    if not service or not action or model.SDK_NAMES.get(service, service) not in known_services():
        raise model.invalid(f"{service} is not a supported service for a target.")
    if action.startswith(model.READING):
        raise model.invalid(f"{action} API is not supported.")
    if given is None:
        raise model.invalid("You must provide an input to set this target for your schedule.")
    if not _is_json(given):
        raise model.invalid("JSON syntax error in input for the target")


def check_here(node: Node, region: str, target: dict[str, Any]) -> None:
    """Whether this node can call the target."""
    arn: str = target["Arn"]
    if arn.startswith(UNIVERSAL):
        service, _, action = arn.removeprefix(UNIVERSAL).partition(":")
        service = model.SDK_NAMES.get(service, service)
        _served(node, service, arn)
        if _operation(node, service, action) is None:
            raise model.invalid(f"{action} API is not supported.")
        return
    match = _ARN.fullmatch(arn)
    if match is None or match[2] not in ("", region):
        raise model.invalid(f"The target ARN provided does not match the current region {region}.")
    _served(node, "stepfunctions" if match[1] == "states" else match[1], arn)
    if match[1] not in ("lambda", "sqs", "sns"):
        raise model.invalid(f"Cloudlet can't reach the target {arn} yet.")


def _served(node: Node, service: str, arn: str) -> None:
    if service not in node.dispatcher.services:
        raise model.invalid(
            f"Cloudlet does not have the service '{service}' yet, which the target {arn} needs."
        )


def _operation(node: Node, service: str, action: str) -> str | None:
    wanted = action.lower()
    names = node.dispatcher.models[service].operations
    return next((name for name in names if name.lower() == wanted), None)


def call(node: Node, name: Name, target: dict[str, Any], text: str) -> Call:
    """The operation that the target means, with `text` as its input. Raises AwsError for what can't be called."""
    arn: str = target["Arn"]
    if arn.startswith(UNIVERSAL):
        return _universal(node, arn, text)
    _, _, service, _, account, resource = arn.split(":", 5)
    if service == "lambda":
        params: Params = {"FunctionName": arn, "InvocationType": "Event", "Payload": text.encode()}
        return Call("lambda", "Invoke", params)
    if service == "sqs":
        url = f"http://{node.config.home}/{account}/{resource}"
        return Call(
            "sqs", "SendMessage", {"QueueUrl": url, "MessageBody": text, **target.get("SqsParameters", {})}
        )
    if service == "sns":
        return Call("sns", "Publish", {"TopicArn": arn, "Message": text})
    raise AwsError("NotImplemented", f"Cloudlet can't reach the target {arn} yet", status=501)


def request_of(node: Node, name: Name, target: dict[str, Any], delivery: dict[str, Any]) -> tuple[str, str]:
    """The request that a delivery makes, as JSON, and its operation in the form of a universal target: "Configuring a
    schedule's dead-letter queue" in the User Guide."""
    arn, text = target["Arn"], text_of(name, target, delivery)
    if arn.startswith(UNIVERSAL):
        return text, arn
    wanted = call(node, name, target, text)
    params = {
        key: value.decode() if isinstance(value, bytes) else value for key, value in wanted.params.items()
    }
    action = wanted.operation[0].lower() + wanted.operation[1:]
    return orjson.dumps(params, option=orjson.OPT_SORT_KEYS).decode(), f"{UNIVERSAL}{wanted.service}:{action}"


def _universal(node: Node, arn: str, text: str) -> Call:
    service, _, action = arn.removeprefix(UNIVERSAL).partition(":")
    service = model.SDK_NAMES.get(service, service)
    if service not in node.dispatcher.services or (operation := _operation(node, service, action)) is None:
        raise AwsError("NotImplemented", f"Cloudlet can't call {service}:{action} yet", status=501)
    shape = node.dispatcher.models[service].operations[operation].input
    try:
        return Call(service, operation, _shaped(shape, orjson.loads(text)))
    except (orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise model.invalid(f"The input does not fit {operation}: {error}") from error


def _shaped(shape: Shape, value: Any) -> Any:
    """JSON as boto3 has it. Members may begin with a small letter; blobs are text."""
    if shape.type == "structure":
        members = {name.lower(): member for name, member in shape.members.items()}
        found = {}
        for name, item in dict(value).items():
            member = shape.members.get(name) or members.get(name.lower())
            if member is None:
                raise ValueError(f"it has no member {name}")
            found[member.name] = _shaped(member.shape, item)
        return found
    if shape.type == "list" and shape.member is not None:
        return [_shaped(shape.member.shape, item) for item in list(value)]
    if shape.type == "map" and shape.value is not None:
        return {name: _shaped(shape.value.shape, item) for name, item in dict(value).items()}
    if shape.type == "blob":
        return value.encode() if isinstance(value, str) else orjson.dumps(value)
    if shape.type == "timestamp" and isinstance(value, str):
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return value


def text_of(name: Name, target: dict[str, Any], delivery: dict[str, Any]) -> str:
    """The target's Input with its keywords filled in; without an Input, the service's own notification."""
    given: str | None = target.get("Input")
    if given is None:
        return _notification(name, delivery)
    values = {
        "schedule-arn": name.arn,
        "scheduled-time": moment(delivery["time"]),
        "execution-id": delivery["execution"],
        "attempt-number": str(delivery["attempt"]),
    }
    return _KEYWORD.sub(lambda match: values[match[1]], given)


def _notification(name: Name, delivery: dict[str, Any]) -> str:
    event = {
        "version": "0",
        "id": delivery["event"],
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": name.account,
        "time": moment(delivery["time"]),
        "region": name.region,
        "resources": [name.arn],
        "detail": "{}",
    }
    return orjson.dumps(event).decode()


def moment(time: float) -> str:
    return datetime.fromtimestamp(int(time), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
