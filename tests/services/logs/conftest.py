"""Log groups for the tests, made through boto3 and deleted after each test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

AHEAD = [0.0]
"""Seconds by which other tests have moved the node's clock."""


@pytest.fixture
def logs(client: Callable[..., Any], node: Any) -> Any:
    AHEAD[0] = node.now() - time.time()
    return client("logs")


@pytest.fixture
def group(logs: Any, unique: Callable[[str], str]) -> Iterator[str]:
    """A group with the stream "stream"."""
    name = f"/tests/{unique('group')}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="stream")
    yield name
    try:
        logs.delete_log_group(logGroupName=name)
    except logs.exceptions.ResourceNotFoundException:
        return


def now() -> int:
    return int((time.time() + AHEAD[0]) * 1000)


def put(logs: Any, group: str, *events: tuple[int, str], stream: str = "stream") -> Any:
    listed = [{"timestamp": at, "message": message} for at, message in events]
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=listed)


def refused(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    return answer["Error"]["Code"], answer["Error"]["Message"]
