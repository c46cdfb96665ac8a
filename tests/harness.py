"""Real nodes for tests: a process of its own on a free port, and real clients aimed at it.

`ENDPOINT=https://…` aims the tests at something else; then no process is started.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[1]
REGION = "us-east-1"
ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/test"

T = TypeVar("T")


class Node:
    """One node process. `log` is what it wrote to standard error."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        self.endpoint = ""
        self._port = 0
        self._cache_port = random.randrange(
            12_000, 20_000
        )  # while one is stopped, no other takes its caches' ports
        self._log = data.parent / f"{data.name}.log"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "cloudlet", "start", "--until-stdin-closes"]
        command += [f"--port={self._port}", f"--data={self.data}", f"--cache-port={self._cache_port}"]
        command += self.options
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("cloudlet ready "), f"{line!r}\n{self.log}"
        self.endpoint = line.split()[-1]
        self._port = self.port

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(timeout=30)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return code

    def restart(self) -> None:
        """Start again on the same port and data."""
        if self.process.poll() is None:
            self.stop()
        self.start()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.endpoint + path) as answer:
            return json.loads(answer.read())

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(self.endpoint + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    def now(self) -> float:
        """The node's time, which tests move."""
        return float(self.get("/_cloudlet/clock")["now"])

    def advance(self, seconds: float) -> None:
        """Move the node's clock."""
        self.post("/_cloudlet/clock", {"advance": seconds})

    def client(self, service: str, **options: Any) -> Any:
        return client(service, self.endpoint, **options)


class Elsewhere:
    """An endpoint that is not ours to start or stop."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def now(self) -> float:
        return time.time()

    def client(self, service: str, **options: Any) -> Any:
        return client(service, self.endpoint, **options)


def client(service: str, endpoint: str, **options: Any) -> Any:
    """A boto3 client that doesn't retry, so that a test sees the first answer."""
    options.setdefault("config", Config(retries={"total_max_attempts": 1}, parameter_validation=False))
    options.setdefault("region_name", REGION)
    options.setdefault("aws_access_key_id", os.environ.get("AWS_ACCESS_KEY_ID", "test"))
    options.setdefault("aws_secret_access_key", os.environ.get("AWS_SECRET_ACCESS_KEY", "test"))
    return boto3.client(service, endpoint_url=endpoint, **options)


def eventually(probe: Callable[[], T], within: float = 20.0) -> T:
    """The first truthy answer of `probe`; for what the service does on its own after it has acknowledged."""
    deadline = time.monotonic() + within
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {within} s: {probe}"
        time.sleep(0.01)


@contextmanager
def refused(code: str, text: str = "", status: int = 400) -> Iterator[Any]:
    """What is called inside fails with this error."""
    with pytest.raises(ClientError) as caught:
        yield caught
    response = caught.value.response
    assert response["Error"]["Code"] == code, response
    assert text in response["Error"]["Message"], response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status, response


class Stack:
    """One stack: `stack(template, Parameter=value)` makes or updates it and gives its outputs."""

    def __init__(self, cloudformation: Any, name: str) -> None:
        self.name = name
        self._cloudformation = cloudformation
        self._is_there = False

    def __call__(self, template: dict[str, Any], **parameters: str) -> dict[str, str]:
        how = "update" if self._is_there else "create"
        self._is_there = True
        getattr(self._cloudformation, f"{how}_stack")(
            StackName=self.name,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        self._wait(how)
        shown = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        return {one["OutputKey"]: one["OutputValue"] for one in shown.get("Outputs", ())}

    def ids(self) -> dict[str, str]:
        """Physical ids by logical ones."""
        found = self._cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def delete(self) -> None:
        if self._is_there:
            self._cloudformation.delete_stack(StackName=self.name)
            self._wait("delete")

    def _wait(self, how: str) -> None:
        waiter = self._cloudformation.get_waiter(f"stack_{how}_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 1})


def zipped(files: dict[str, str | bytes], mode: int = 0o755) -> bytes:
    """A zip of the files, as `CreateFunction` takes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return buffer.getvalue()


@contextmanager
def python_function(lambda_client: Any, name: str, source: str, **options: Any) -> Iterator[str]:
    """A Python function of the given source (`handler` in index.py); gives its ARN, deletes it after."""
    options = {"Runtime": "python3.11", "Handler": "index.handler", "Role": ROLE, "Timeout": 20} | options
    made = lambda_client.create_function(
        FunctionName=name, Code={"ZipFile": zipped({"index.py": source})}, **options
    )
    try:
        yield made["FunctionArn"]
    finally:
        lambda_client.delete_function(FunctionName=name)


def statement_of(source: str) -> str:
    """The id of the statement that lets an API, or every API (""), invoke a function."""
    return f"gateway-{source.rpartition(':')[2].rstrip('/*') or 'all'}"


def let_gateway(lambda_client: Any, arn: str, source: str = "") -> None:
    """Let API Gateway invoke the function: every API, or what has the ARN `source`."""
    lambda_client.add_permission(
        FunctionName=arn,
        StatementId=statement_of(source),
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        **({"SourceArn": source} if source else {}),
    )


@contextmanager
def websocket_api(
    node: Any, arn: str | None, *routes: str, stage: str = "dev", two_way: bool = False
) -> Iterator[str]:
    """A WebSocket API whose routes lead to a function, or to nothing that answers; gives its id.

    `two_way`: `$default` sends the function's body back.
    """
    api = node.client("apigatewayv2")
    id: str = api.create_api(
        Name="test", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    how = {"IntegrationType": "AWS_PROXY", "IntegrationUri": uri} if arn else {"IntegrationType": "MOCK"}
    target = f"integrations/{api.create_integration(ApiId=id, **how)['IntegrationId']}"
    if arn:
        let_gateway(node.client("lambda"), arn, f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{id}/*")
    for key in routes:
        more = {"RouteResponseSelectionExpression": "$default"} if two_way and key == "$default" else {}
        route = api.create_route(ApiId=id, RouteKey=key, Target=target, **more)
        if more:
            api.create_route_response(ApiId=id, RouteId=route["RouteId"], RouteResponseKey="$default")
    api.create_stage(ApiId=id, StageName=stage, AutoDeploy=True)
    try:
        yield id
    finally:
        api.delete_api(ApiId=id)


def plain_url(node: Any, api: str, stage: str = "dev") -> str:
    """The address of an API that any client can resolve."""
    return f"ws://127.0.0.1:{node.port}/_aws/execute-api/{api}/{stage}"
