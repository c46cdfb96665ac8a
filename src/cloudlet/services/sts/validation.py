"""What can be told of a request without looking at anything else."""

from __future__ import annotations

import re
from typing import Any

import orjson

from . import model

ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+\Z", re.ASCII)


def assume_role(request: dict[str, Any]) -> dict[str, Any]:
    if not ROLE.match(request["RoleArn"]):
        raise model.invalid_arn(request["RoleArn"])
    if "Policy" in request:
        _session_policy(request["Policy"])
    return request


def _session_policy(text: str) -> None:
    try:
        policy = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise model.malformed_policy("This policy contains invalid Json") from error
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise model.malformed_policy("Syntax errors in policy.")
