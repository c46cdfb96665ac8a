"""Invoke: at once, as an event, as a dry run; what comes back and what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests import harness

from .conftest import payload, refused

ARN = f"arn:aws:lambda:{harness.REGION}:{harness.ACCOUNT}:function:"


class TestRequestResponse:
    def test_gives_the_result_and_the_version(self, lam: Any, function: Callable[..., str]) -> None:
        answer = lam.invoke(FunctionName=function(), Payload=b'{"text": "\xc3\xa9"}')
        assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
        assert json.loads(payload(answer)) == {"text": "é"}
        assert "FunctionError" not in answer

    def test_no_payload_is_an_empty_event(self, lam: Any, function: Callable[..., str]) -> None:
        assert payload(lam.invoke(FunctionName=function())) == b"{}"

    def test_the_request_id_is_the_invocations(self, lam: Any, function: Callable[..., str]) -> None:
        name = function("def handler(event, context):\n    return context.aws_request_id\n")
        answer = lam.invoke(FunctionName=name)
        assert json.loads(payload(answer)) == answer["ResponseMetadata"]["RequestId"]

    def test_a_function_error(self, lam: Any, function: Callable[..., str]) -> None:
        failing = 'def handler(event, context):\n    raise RuntimeError("no luck")\n'
        answer = lam.invoke(FunctionName=function(failing))
        assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
        error = json.loads(payload(answer))
        assert (error["errorType"], error["errorMessage"]) == ("RuntimeError", "no luck")

    def test_the_tail_of_the_log(self, lam: Any, function: Callable[..., str]) -> None:
        name = function("def handler(event, context):\n    print('seen')\n")
        answer = lam.invoke(FunctionName=name, LogType="Tail")
        tail = base64.b64decode(answer["LogResult"]).decode()
        assert tail.startswith("START RequestId: ")
        assert "\nseen\n" in tail
        assert "\nREPORT RequestId: " in tail

    def test_the_client_context(self, lam: Any, function: Callable[..., str]) -> None:
        name = function("def handler(event, context):\n    return context.client_context.custom\n")
        context = base64.b64encode(json.dumps({"custom": {"who": "me"}}).encode()).decode()
        answer = lam.invoke(FunctionName=name, ClientContext=context)
        assert json.loads(payload(answer)) == {"who": "me"}

    @pytest.mark.parametrize(
        ("sent", "fault"),
        [
            (b"abc", "Unrecognized token 'abc': was expecting (JSON String, Number,"),
            (b"{'a': 1}", "Unexpected character (''' (code 39))"),
            (b'{"a": ', "Unexpected end-of-input"),
        ],
    )
    def test_refuses_what_is_not_json(
        self, lam: Any, function: Callable[..., str], sent: bytes, fault: str
    ) -> None:
        code, message, status = refused(lam.invoke, FunctionName=function(), Payload=sent)
        assert (code, status) == ("InvalidRequestContentException", 400)
        assert message.startswith(
            f"Could not parse request body into json: Could not parse payload into json: {fault}"
        )

    def test_refuses_a_payload_over_six_megabytes(self, lam: Any, function: Callable[..., str]) -> None:
        name = function("def handler(event, context):\n    return len(event)\n")
        limit = 6 * 1024 * 1024
        largest = b'"' + b"x" * (limit - 2) + b'"'
        assert payload(lam.invoke(FunctionName=name, Payload=largest)) == str(limit - 2).encode()
        assert refused(lam.invoke, FunctionName=name, Payload=largest + b" ") == (
            "RequestEntityTooLargeException",
            f"{limit + 1} byte payload is too large for the RequestResponse invocation type (limit {limit} bytes)",
            413,
        )

    def test_a_missing_function_version_or_alias(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        for qualifier in ("7", "live"):
            assert refused(lam.invoke, FunctionName=name, Qualifier=qualifier) == (
                "ResourceNotFoundException",
                f"Function not found: {ARN}{name}:{qualifier}",
                404,
            )


class TestDryRun:
    def test_runs_nothing(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        assert lam.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
        assert refused(lam.invoke, FunctionName="missing", InvocationType="DryRun")[2] == 404


def messages(logs: Any, name: str, pattern: str = "") -> list[str]:
    """What a function has logged."""
    try:
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern=pattern)
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in found["events"]]


class TestEvent:
    def test_runs_after_the_answer(self, lam: Any, client: Any, function: Callable[..., str]) -> None:
        name = function("def handler(event, context):\n    print('got', event['n'])\n")
        answer = lam.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 7}')
        assert (answer["StatusCode"], payload(answer)) == (202, b"")
        harness.eventually(lambda: "got 7\n" in messages(client("logs"), name))

    def test_a_burst_runs_within_the_functions_concurrency(
        self, lam: Any, client: Any, function: Callable[..., str]
    ) -> None:
        name = function("def handler(event, context):\n    print('got', event)\n")
        lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
        for number in range(40):
            lam.invoke(FunctionName=name, InvocationType="Event", Payload=str(number).encode())
        harness.eventually(lambda: len(messages(client("logs"), name, "got")) == 40)
        streams = client("logs").describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
        assert len(streams) <= 2

    def test_in_its_older_form(self, lam: Any, client: Any, function: Callable[..., str]) -> None:
        name = function("def handler(event, context):\n    print('got', event['n'])\n")
        assert lam.invoke_async(FunctionName=name, InvokeArgs=b'{"n": 8}')["Status"] == 202
        harness.eventually(lambda: "got 8\n" in messages(client("logs"), name))

    def test_refuses_a_payload_over_a_megabyte(self, lam: Any, function: Callable[..., str]) -> None:
        sent = b'"' + b"x" * 1024 * 1024 + b'"'
        code, message, status = refused(
            lam.invoke, FunctionName=function(), InvocationType="Event", Payload=sent
        )
        assert (code, status) == ("RequestEntityTooLargeException", 413)
        assert message == (
            f"{len(sent)} byte payload is too large for the Event invocation type (limit {1024 * 1024} bytes)"
        )

    def test_needs_a_function(self, lam: Any) -> None:
        assert refused(lam.invoke, FunctionName="missing", InvocationType="Event")[2] == 404
