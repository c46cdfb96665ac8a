"""The tools that people have, unchanged, against a node: the AWS CLI and wscat."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION, ROLE, ROOT, plain_url, python_function, websocket_api, zipped

TOOLS = ROOT / ".runtimes" / "tools"
AWS = TOOLS / "bin" / "aws"
WSCAT = TOOLS / "node_modules" / ".bin" / "wscat"

ECHO = """
def handler(event, context):
    if event["requestContext"]["routeKey"] == "$connect":
        return {"statusCode": 200}
    return {"statusCode": 200, "body": "you said " + event["body"]}
"""


@pytest.fixture
def aws(node: Any) -> Any:
    if not AWS.exists():
        pytest.skip("no AWS CLI in .runtimes/tools: run ./test")

    def run(*arguments: str, ok: bool = True) -> Any:
        environment = os.environ | {
            "AWS_ENDPOINT_URL": node.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_PAGER": "",
        }
        done = subprocess.run([AWS, *arguments], capture_output=True, text=True, env=environment, timeout=100)
        if not ok:
            assert done.returncode != 0
            return done.stderr
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout

    return run


@pytest.fixture
def echo_api(node: Any, client: Any, unique: Any) -> Iterator[str]:
    """An API that answers each message through a function; gives its id."""
    with (
        python_function(client("lambda"), unique("echo"), ECHO) as arn,
        websocket_api(node, arn, "$connect", "$default", two_way=True) as id,
    ):
        yield id


@pytest.mark.node_only
@pytest.mark.slow
def test_wscat_talks_to_an_api(node: Any, echo_api: str) -> None:
    if not WSCAT.exists():
        pytest.skip("no wscat in .runtimes/tools: run ./test on a machine with npm")
    command = [
        WSCAT,
        "--connect",
        plain_url(node, echo_api),
        "--no-color",
        "--wait",
        "20",
        "--execute",
        "hello",
    ]
    wscat = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert wscat.stdout is not None
    try:
        assert any("you said hello" in line for line in wscat.stdout)
    finally:
        wscat.terminate()
        wscat.communicate(timeout=20)


@pytest.mark.slow
class TestAwsCli:
    def test_a_table(self, aws: Any, unique: Any) -> None:
        table = unique("table")
        aws(
            "dynamodb", "create-table", "--table-name", table, "--billing-mode", "PAY_PER_REQUEST",
            "--attribute-definitions", "AttributeName=id,AttributeType=S",
            "--key-schema", "AttributeName=id,KeyType=HASH",
        )  # fmt: skip
        aws("dynamodb", "put-item", "--table-name", table, "--item", '{"id":{"S":"a"},"n":{"N":"1"}}')
        got = aws("dynamodb", "get-item", "--table-name", table, "--key", '{"id":{"S":"a"}}')
        assert got["Item"] == {"id": {"S": "a"}, "n": {"N": "1"}}
        said = aws(
            "dynamodb", "get-item", "--table-name", unique("none"), "--key", '{"id":{"S":"a"}}', ok=False
        )
        assert "ResourceNotFoundException" in said
        aws("dynamodb", "delete-table", "--table-name", table)

    def test_a_function(self, aws: Any, unique: Any, tmp_path: Path) -> None:
        name = unique("function")
        archive = tmp_path / "code.zip"
        archive.write_bytes(zipped({"index.py": "def handler(e, c): print('hi'); return {'got': e}"}))
        aws(
            "lambda", "create-function", "--function-name", name, "--runtime", "python3.11", "--role", ROLE,
            "--handler", "index.handler", "--zip-file", f"fileb://{archive}",
        )  # fmt: skip
        aws("lambda", "wait", "function-active-v2", "--function-name", name)
        out = tmp_path / "out.json"
        answer = aws(
            "lambda", "invoke", "--function-name", name, "--payload", '{"a":1}', str(out),
            "--log-type", "Tail",
        )  # fmt: skip
        assert json.loads(out.read_text()) == {"got": {"a": 1}}
        assert answer["StatusCode"] == 200
        aws("lambda", "delete-function", "--function-name", name)

    def test_a_stack(self, aws: Any, unique: Any, tmp_path: Path) -> None:
        template = tmp_path / "template.yaml"
        template.write_text(
            "Parameters: {Name: {Type: String}}\n"
            "Resources:\n"
            "  Group: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: !Ref Name}}\n"
            "Outputs: {Arn: {Value: !GetAtt Group.Arn}}\n"
        )
        stack = unique("stack")
        aws(
            "cloudformation", "deploy", "--stack-name", stack, "--template-file", str(template),
            "--parameter-overrides", f"Name={stack}",
        )  # fmt: skip
        described = aws("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"][0]
        assert described["StackStatus"] == "CREATE_COMPLETE"
        assert described["Outputs"][0]["OutputValue"].endswith(f":log-group:{stack}:*")
        aws("cloudformation", "delete-stack", "--stack-name", stack)
        aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", stack)

    def test_who_i_am(self, aws: Any) -> None:
        assert aws("sts", "get-caller-identity")["Account"] == ACCOUNT
