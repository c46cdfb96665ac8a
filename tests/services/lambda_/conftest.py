"""Functions for the tests of Lambda's control plane, made through boto3 and deleted after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import harness

from .streams import PLAIN, Flow

ECHO = "def handler(event, context):\n    return event\n"


@pytest.fixture
def lam(client: Callable[..., Any]) -> Any:
    return client("lambda")


@pytest.fixture
def function(lam: Any, unique: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """`function(source, Timeout=5)`: makes a Python function (`handler` in index.py) and gives its name."""
    made: list[str] = []

    def make(source: str = ECHO, **options: Any) -> str:
        name = options.pop("FunctionName", "") or unique("function")
        code = {"ZipFile": harness.zipped({"index.py": source})}
        options = {"Runtime": "python3.11", "Handler": "index.handler", "Role": harness.ROLE} | options
        lam.create_function(**({"FunctionName": name, "Code": code} | options))
        made.append(name)
        return name

    yield make
    for name in made:
        try:
            lam.delete_function(FunctionName=name)
        except lam.exceptions.ResourceNotFoundException:
            continue


@pytest.fixture
def flow(client: Callable[..., Any], unique: Callable[[str], str]) -> Iterator[Callable[..., Flow]]:
    """`flow(source)`: a table, and a function that can be mapped to its stream."""
    made: list[Flow] = []

    def make(source: str = PLAIN) -> Flow:
        made.append(Flow(client, unique("stream"), source))
        return made[-1]

    yield make
    for one in made:
        one.delete()


def refused(call: Callable[..., Any], **params: Any) -> tuple[str, str, int]:
    """The code, message and HTTP status of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    answer = caught.value.response
    return (
        answer["Error"]["Code"],
        answer["Error"]["Message"],
        answer["ResponseMetadata"]["HTTPStatusCode"],
    )


def payload(answer: Any) -> bytes:
    return bytes(answer["Payload"].read())
