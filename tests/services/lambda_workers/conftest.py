"""A node small enough to hold in the hand: Workers with fakes for everything beside them."""

from __future__ import annotations

import asyncio
import logging
import textwrap
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import botocore
import pytest

from cloudlet.clock import Clock
from cloudlet.config import Config
from cloudlet.context import Context, Principal
from cloudlet.errors import AwsError
from cloudlet.events import Events
from cloudlet.names import request_id
from cloudlet.services.lambda_.runtimes import install
from cloudlet.services.lambda_.spec import FunctionSpec, Outcome
from cloudlet.services.lambda_.workers import Workers


class FakeNode:
    """Roles can be assumed if their name doesn't contain "missing"; log events are kept by stream."""

    def __init__(self, data: Path) -> None:
        self.config = Config(data=data)
        self.clock = Clock()
        self.events = Events(self.clock)
        self.log = logging.getLogger("test")
        self.data = data
        self.url = "http://127.0.0.1:9"
        self.ca_bundle = Path(botocore.__file__).with_name("cacert.pem")
        self.streams: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.groups: set[str] = set()
        self.calls: list[str] = []
        self.runtimes = {"iam": self}

    async def trust(self, role: str) -> str | None:
        """As IAM's runtime: the trust policy of a role, None of one that isn't there."""
        return None if "missing" in role else "{}"

    def context(self, principal: Principal | None = None, *, account: str = "", region: str = "") -> Context:
        who = principal or Principal("root", account, f"arn:aws:iam::{account}:root")
        return Context(self, who, account, region)  # type: ignore[arg-type]

    async def call(
        self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        self.calls.append(operation)
        await asyncio.sleep(0)
        answer: dict[str, Any] = getattr(self, f"_{operation}")(**params)
        return answer

    def _AssumeRole(self, RoleArn: str, RoleSessionName: str) -> dict[str, Any]:
        if "missing" in RoleArn:
            raise AwsError("AccessDenied", "User is not authorized to perform: sts:AssumeRole", status=403)
        keys = {"AccessKeyId": "ASIA" + RoleSessionName, "SecretAccessKey": "secret", "SessionToken": "token"}
        who = {"Arn": f"{RoleArn}/{RoleSessionName}", "AssumedRoleId": f"AROA:{RoleSessionName}"}
        return {"Credentials": {**keys, "Expiration": self.clock.now() + 3600}, "AssumedRoleUser": who}

    def _CreateLogGroup(self, logGroupName: str) -> dict[str, Any]:
        if logGroupName in self.groups:
            raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
        self.groups.add(logGroupName)
        return {}

    def _CreateLogStream(self, logGroupName: str, logStreamName: str) -> dict[str, Any]:
        self.streams[logGroupName, logStreamName] = []
        return {}

    def _PutLogEvents(
        self, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]
    ) -> dict[str, Any]:
        if (logGroupName, logStreamName) not in self.streams:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        self.streams[logGroupName, logStreamName] += logEvents
        return {}

    def messages(self, function: str) -> list[str]:
        return [
            event["message"]
            for (group, _), events in self.streams.items()
            if group == f"/aws/lambda/{function}"
            for event in events
        ]


class Functions:
    """Write a function's files, invoke it."""

    def __init__(self, node: FakeNode, workers: Workers) -> None:
        self.node = node
        self.workers = workers

    def make(self, files: str | dict[str, str], name: str = "hello", **settings: Any) -> FunctionSpec:
        code = self.node.data / "lambda" / "code" / f"{name}-{settings.get('revision', '1')}"
        for file, text in ({"app.py": files} if isinstance(files, str) else files).items():
            path = code / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
            path.chmod(0o755)
        defaults: dict[str, Any] = {
            "arn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
            "name": name,
            "version": "$LATEST",
            "account": "000000000000",
            "region": "us-east-1",
            "role": "arn:aws:iam::000000000000:role/worker",
            "runtime": "python3.11",
            "handler": "app.handler",
            "code": code,
            "log_group": f"/aws/lambda/{name}",
            "revision": "1",
        }
        return FunctionSpec(**{**defaults, **settings})

    async def invoke(self, spec: FunctionSpec, payload: bytes = b"{}", **more: Any) -> Outcome:
        more.setdefault("request_id", request_id())
        return await self.workers.invoke(spec, payload, **more)


@pytest.fixture
def fake(tmp_path: Path) -> FakeNode:
    return FakeNode(tmp_path)


@pytest.fixture
def with_boto3() -> None:
    """Ask for it where a function needs boto3; without it zygotes start bare, three times as fast."""


@pytest.fixture(autouse=True)
def bare_zygotes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if "with_boto3" not in request.fixturenames:
        monkeypatch.setattr(install, "python_dir", lambda: tmp_path / "none")
        monkeypatch.setattr(install, "ensure_python", lambda: None)


@pytest.fixture
async def functions(fake: FakeNode) -> AsyncIterator[Functions]:
    workers = Workers(fake)  # type: ignore[arg-type]
    await workers.start()
    yield Functions(fake, workers)
    await workers.stop()


async def holds(condition: Callable[[], Any]) -> None:
    """Wait, within bounds, until the condition holds."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came about")


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    return holds
