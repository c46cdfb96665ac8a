"""The AWS CLI deploys."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness import REGION, ROOT

from .conftest import Stacks

AWS = ROOT / ".runtimes" / "tools" / "bin" / "aws"
TEMPLATE = """
Parameters: {Days: {Type: Number, Default: 7}}
Resources:
  Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: !Ref Days}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
"""


@pytest.fixture
def aws(node: Any) -> Callable[..., tuple[int, str]]:
    if not AWS.exists():
        pytest.skip("no AWS CLI in .runtimes/tools: run ./test")

    def run(*arguments: str) -> tuple[int, str]:
        environment = os.environ | {
            "AWS_ENDPOINT_URL": node.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_PAGER": "",
        }
        done = subprocess.run(
            [AWS, "cloudformation", *arguments], capture_output=True, text=True, env=environment, timeout=100
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.slow
class TestDeploy:
    @pytest.fixture(autouse=True)
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "template.yaml"
        path.write_text(TEMPLATE)
        return path

    def test_creates_updates_and_finds_nothing_to_do(
        self, aws: Callable[..., tuple[int, str]], stacks: Stacks, name: str, file: Path
    ) -> None:
        deploy = (
            "deploy",
            "--stack-name",
            name,
            "--template-file",
            str(file),
            "--capabilities",
            "CAPABILITY_IAM",
        )
        code, said = aws(*deploy)
        stacks.made.add(name)
        assert code == 0, said
        assert f"Successfully created/updated stack - {name}" in said
        code, said = aws(*deploy, "--parameter-overrides", "Days=14")
        assert code == 0, said
        assert stacks.describe(name)["StackStatus"] == "UPDATE_COMPLETE"
        code, said = aws(*deploy, "--no-fail-on-empty-changeset")
        assert code == 0, said
        assert "No changes to deploy" in said

    def test_says_what_is_wrong(self, aws: Callable[..., tuple[int, str]], name: str, file: Path) -> None:
        code, said = aws("deploy", "--stack-name", name, "--template-file", str(file))
        assert code != 0
        assert "InsufficientCapabilitiesException" in said

    def test_create_stack_and_wait(
        self, aws: Callable[..., tuple[int, str]], stacks: Stacks, name: str, file: Path
    ) -> None:
        body = f"file://{file}"
        code, said = aws(
            "create-stack", "--stack-name", name, "--template-body", body, "--capabilities", "CAPABILITY_IAM"
        )
        stacks.made.add(name)
        assert code == 0, said
        assert aws("wait", "stack-create-complete", "--stack-name", name)[0] == 0
        assert aws("delete-stack", "--stack-name", name)[0] == 0
        assert aws("wait", "stack-delete-complete", "--stack-name", name)[0] == 0
