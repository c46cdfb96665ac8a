"""Policies for the tests of IAM."""

from __future__ import annotations

import json
from typing import Any


def trust(service: str = "lambda.amazonaws.com", **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(action: str = "dynamodb:GetItem", resource: str = "*", **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = trust()
ALLOW = allow()
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
