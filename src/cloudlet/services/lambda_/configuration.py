"""FunctionConfiguration: made from a request, changed by an update, shown as each operation shows it."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from . import model
from .arns import Reference
from .code import Code

Config = dict[str, Any]

_PLAIN = (
    "Role", "Handler", "Runtime", "Description", "Timeout", "MemorySize", "TracingConfig", "KMSKeyArn",
    "EphemeralStorage", "Architectures", "DeadLetterConfig", "PackageType",
)  # fmt: skip
_NOT_LISTED = (
    "State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode", "RuntimeVersionConfig",
)  # fmt: skip


def timestamp(now: float) -> str:
    """`2026-03-01T12:00:00.000+0000`, as LastModified has it."""
    at = datetime.fromtimestamp(now, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def new_id() -> str:
    return str(uuid.uuid4())


def create(request: dict[str, Any], name: str, region: str, code: Code, now: float) -> Config:
    config = {"FunctionName": name, "Version": model.LATEST, **model.default_config(name)}
    change(config, request, region)
    config["State"] = "Active"
    config["LastUpdateStatus"] = "Successful"
    change_code(config, code)
    touch(config, now)
    return config


def change(config: Config, request: dict[str, Any], region: str) -> None:
    """What the request says, over what was."""
    for member in _PLAIN:
        if member in request:
            config[member] = request[member]
    if "Environment" in request:
        variables = request["Environment"].get("Variables", {})
        if variables:
            config["Environment"] = {"Variables": variables}
        else:
            config.pop("Environment", None)
    if "VpcConfig" in request:
        vpc = request["VpcConfig"]
        subnets, groups = vpc.get("SubnetIds", []), vpc.get("SecurityGroupIds", [])
        config["VpcConfig"] = {
            "SubnetIds": subnets,
            "SecurityGroupIds": groups,
            "VpcId": vpc.get("VpcId", ""),
            "Ipv6AllowedForDualStack": vpc.get("Ipv6AllowedForDualStack", False),
        }
    if "SnapStart" in request:
        apply_on = request["SnapStart"].get("ApplyOn", "None")
        config["SnapStart"] = {"ApplyOn": apply_on, "OptimizationStatus": "Off"}
    if "LoggingConfig" in request:
        config["LoggingConfig"] = _logging(config["FunctionName"], request["LoggingConfig"])
    if "Runtime" in request:
        digest = hashlib.sha256(request["Runtime"].encode()).hexdigest()
        arn = f"arn:aws:lambda:{region}::runtime:{digest}"
        config["RuntimeVersionConfig"] = {"RuntimeVersionArn": arn}


def _logging(name: str, wanted: dict[str, Any]) -> dict[str, Any]:
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **wanted}
    if logging["LogFormat"] == "JSON":
        logging.setdefault("ApplicationLogLevel", "INFO")
        logging.setdefault("SystemLogLevel", "INFO")
    return logging


def change_code(config: Config, code: Code) -> None:
    config["CodeSha256"] = code.sha256
    config["CodeSize"] = code.size


def touch(config: Config, now: float) -> None:
    config["LastModified"] = timestamp(now)
    config["RevisionId"] = new_id()


def show(config: Config, ref: Reference) -> Config:
    """With its ARN, qualified as `ref` is. The record isn't changed."""
    shown = {**config, "FunctionArn": ref.qualified}
    target = shown.get("DeadLetterConfig")
    if target is not None and not target.get("TargetArn"):
        del shown["DeadLetterConfig"]
    return shown


def show_listed(config: Config, ref: Reference) -> Config:
    """As lists show it: without the states."""
    shown = show(config, ref)
    for member in _NOT_LISTED:
        shown.pop(member, None)
    return shown
