"""Workers in a real node: what only shows with everything around them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.harness import eventually, python_function


class TestInvoke:
    def test_the_tail_and_the_log_group_have_its_lines(
        self, client: Callable[[str], Any], unique: Callable[[str], str]
    ) -> None:
        name = unique("lines")
        with python_function(client("lambda"), name, "def handler(event, context): print('hello', event)"):
            answer = client("lambda").invoke(FunctionName=name, Payload=b'"you"', LogType="Tail")
            tail = base64.b64decode(answer["LogResult"]).decode().splitlines(keepends=True)
            assert tail[1] == "hello you\n"

            def events() -> list[str]:
                logs = client("logs")
                groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
                if not groups:
                    return []
                found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
                return [event["message"] for event in found]

            assert eventually(events) == tail

    def test_eight_at_once(
        self, client: Callable[[str], Any], unique: Callable[[str], str], tmp_path: Any
    ) -> None:
        code = """
import os, time
def handler(event, context):
    open(os.path.join(event, context.aws_request_id), "w").close()
    while len(os.listdir(event)) < 8:
        time.sleep(0.002)
    return os.getpid()
"""
        functions = client("lambda")
        with python_function(functions, unique("eight"), code) as arn, ThreadPoolExecutor(8) as threads:
            event = json.dumps(str(tmp_path)).encode()
            calls = [threads.submit(functions.invoke, FunctionName=arn, Payload=event) for _ in range(8)]
            assert len({call.result()["Payload"].read() for call in calls}) == 8

    def test_it_runs_as_its_role(self, client: Callable[[str], Any], unique: Callable[[str], str]) -> None:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = client("iam").create_role(
            RoleName=unique("role"),
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]
        code = "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Arn']"
        name = unique("who")
        with python_function(client("lambda"), name, code, Role=role["Arn"]):
            answer = client("lambda").invoke(FunctionName=name)
            arn = role["Arn"].replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
            assert json.loads(answer["Payload"].read()) == f"{arn}/{name}"
        client("iam").delete_role(RoleName=role["RoleName"])

    @pytest.mark.node_only
    def test_a_timeout_by_the_nodes_clock(self, fresh_node: Callable[..., Any], tmp_path: Any) -> None:
        node = fresh_node()
        functions = node.client("lambda")
        code = "import time\ndef handler(event, context):\n  open(event, 'w').close()\n  time.sleep(600)"
        with python_function(functions, "slow", code, Timeout=300) as arn, ThreadPoolExecutor(1) as thread:
            started = tmp_path / "started"
            event = json.dumps(str(started)).encode()
            call = thread.submit(functions.invoke, FunctionName=arn, Payload=event)
            eventually(started.exists)
            node.advance(300)
            answer = call.result()
            assert answer["FunctionError"] == "Unhandled"
            error = json.loads(answer["Payload"].read())
            assert error["errorType"] == "Sandbox.Timedout"
            assert error["errorMessage"].endswith("Task timed out after 300.00 seconds")

    def test_a_throttled_caller(self, client: Callable[[str], Any], unique: Callable[[str], str]) -> None:
        functions = client("lambda")
        with python_function(functions, unique("none"), "def handler(event, context): pass") as arn:
            functions.put_function_concurrency(FunctionName=arn, ReservedConcurrentExecutions=0)
            with pytest.raises(functions.exceptions.TooManyRequestsException) as caught:
                functions.invoke(FunctionName=arn)
            response = caught.value.response
            assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
            assert response["Error"]["Message"] == "Rate Exceeded."
            assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
