"""A `provided` function whose bootstrap is a shell script, on a real node."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.harness import ROLE, zipped

BOOTSTRAP = """#!/bin/sh
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  HEAD=$(mktemp)
  EVENT=$(curl -sS -D "$HEAD" "$API/next")
  ID=$(grep -i lambda-runtime-aws-request-id "$HEAD" | tr -d '\\r' | cut -d' ' -f2)
  curl -sS -X POST "$API/$ID/response" -d "{\\"got\\": $EVENT}"
done
"""


@pytest.mark.node_only
@pytest.mark.slow
def test_a_shell_script_answers(client: Any, unique: Any) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the script needs curl")
    functions, name = client("lambda"), unique("shell")
    functions.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Handler="none",
        Role=ROLE,
        Timeout=20,
        Code={"ZipFile": zipped({"bootstrap": BOOTSTRAP})},
    )
    for number in range(2):
        answer = functions.invoke(FunctionName=name, Payload=json.dumps({"n": number}))
        assert "FunctionError" not in answer
        assert json.loads(answer["Payload"].read()) == {"got": {"n": number}}
    functions.delete_function(FunctionName=name)
