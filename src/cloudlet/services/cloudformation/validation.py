"""What can be refused without looking at anything but the request."""

from __future__ import annotations

import re
from typing import Any

from . import model

NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
MAX_NAME = 128


def create_stack(request: dict[str, Any]) -> dict[str, Any]:
    _check_name(request["StackName"], "stackName")
    _check_template_source(request)
    if "OnFailure" in request and "DisableRollback" in request:
        raise model.validation_error("You cannot specify both OnFailure and DisableRollback")
    return request


def update_stack(request: dict[str, Any]) -> dict[str, Any]:
    _check_template_source(request)
    return request


def create_change_set(request: dict[str, Any]) -> dict[str, Any]:
    if not request["StackName"].startswith("arn:"):
        _check_name(request["StackName"], "stackName")
    _check_name(request["ChangeSetName"], "changeSetName")
    _check_template_source(request)
    if request.get("ChangeSetType", "UPDATE") == "IMPORT":
        raise model.validation_error("Change sets that import resources are not supported here")
    return request


def validate_template(request: dict[str, Any]) -> dict[str, Any]:
    _check_template_source(request)
    return request


def describe_stack_resources(request: dict[str, Any]) -> dict[str, Any]:
    if "StackName" not in request and "PhysicalResourceId" not in request:
        raise model.validation_error("Either StackName or PhysicalResourceId must be specified")
    return request


def _check_name(name: str, member: str) -> None:
    if not NAME.fullmatch(name):
        raise model.validation_error(
            f"1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint:"
            " Member must satisfy"
            " regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    if len(name) > MAX_NAME:
        raise model.validation_error(
            f"1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint:"
            " Member must have"
            f" length less than or equal to {MAX_NAME}"
        )


def _check_template_source(request: dict[str, Any]) -> None:
    sources = [name for name in ("TemplateBody", "TemplateURL") if request.get(name)]
    if request.get("UsePreviousTemplate"):
        sources.append("UsePreviousTemplate")
    if not sources:
        raise model.validation_error("Either Template URL or Template Body must be specified.")
    if len(sources) > 1:
        raise model.validation_error(f"You cannot specify both {sources[0]} and {sources[1]}")
    body = request.get("TemplateBody", "")
    if len(body.encode()) > model.MAX_TEMPLATE_BODY:
        raise model.validation_error(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint:"
            " Member must have length"
            f" less than or equal to {model.MAX_TEMPLATE_BODY}"
        )
