"""Stacks for tests: made, waited for, and taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness import eventually

CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class Stacks:
    """A CloudFormation client that waits."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.made: set[str] = set()

    def create(self, name: str, template: str, **options: Any) -> dict[str, Any]:
        """The stack once its creation is over, however it ended."""
        answer = self.client.create_stack(
            StackName=name, TemplateBody=template, **{"Capabilities": CAPABILITIES, **options}
        )
        self.made.add(name)
        return self.settled(answer["StackId"])

    def update(self, name: str, template: str, **options: Any) -> dict[str, Any]:
        self.client.update_stack(
            StackName=name, TemplateBody=template, **{"Capabilities": CAPABILITIES, **options}
        )
        return self.settled(name)

    def delete(self, name: str, **options: Any) -> dict[str, Any]:
        stack_id = self.describe(name)["StackId"]
        self.client.delete_stack(StackName=name, **options)
        return self.settled(stack_id)

    def describe(self, name: str) -> dict[str, Any]:
        stack: dict[str, Any] = self.client.describe_stacks(StackName=name)["Stacks"][0]
        return stack

    def settled(self, name: str) -> dict[str, Any]:
        def over() -> dict[str, Any] | None:
            stack = self.describe(name)
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

        return eventually(over)  # type: ignore[return-value]

    def outputs(self, name: str) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.describe(name).get("Outputs", [])}

    def events(self, name: str) -> list[tuple[str, str, str]]:
        """Logical id, status and reason, oldest first."""
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=name)
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for page in pages
            for event in page["StackEvents"]
        ][::-1]

    def physical_id(self, name: str, logical_id: str) -> str:
        detail = self.client.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return str(detail["StackResourceDetail"]["PhysicalResourceId"])


@pytest.fixture
def stacks(client: Callable[..., Any]) -> Iterator[Stacks]:
    stacks = Stacks(client("cloudformation"))
    yield stacks
    for name in stacks.made:
        stacks.client.delete_stack(StackName=name)


@pytest.fixture
def name(unique: Callable[[str], str]) -> str:
    return unique("stack")
