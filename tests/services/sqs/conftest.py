"""Queues for tests, each of its own name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import refused as refused


class Queue:
    """One queue, and what tests do with it most."""

    def __init__(self, client: Any, name: str, **attributes: Any) -> None:
        self.client = client
        self.name = name
        given = {key: str(value) for key, value in attributes.items()}
        self.url = client.create_queue(QueueName=name, Attributes=given)["QueueUrl"]

    @property
    def arn(self) -> str:
        return str(self.attribute("QueueArn"))

    def attribute(self, name: str) -> str | None:
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        value: str | None = found.get("Attributes", {}).get(name)
        return value

    def set(self, **attributes: Any) -> None:
        given = {key: str(value) for key, value in attributes.items()}
        self.client.set_queue_attributes(QueueUrl=self.url, Attributes=given)

    def send(self, body: str = "hello", **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.send_message(QueueUrl=self.url, MessageBody=body, **options)
        return answer

    def receive(self, most: int = 10, **options: Any) -> list[dict[str, Any]]:
        options = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]} | options
        answer = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, **options)
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def bodies(self, most: int = 10, **options: Any) -> list[str]:
        return [message["Body"] for message in self.receive(most, **options)]

    def delete(self, message: dict[str, Any]) -> None:
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def hide(self, message: dict[str, Any], seconds: int) -> None:
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )

    def counts(self) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return tuple(
            int(found[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible", "Delayed")
        )  # type: ignore[return-value]


@pytest.fixture
def sqs(client: Callable[..., Any]) -> Any:
    return client("sqs")


@pytest.fixture
def queue(sqs: Any, unique: Callable[[str], str]) -> Callable[..., Queue]:
    """`queue(VisibilityTimeout=5)`: a new queue."""
    return lambda **attributes: Queue(sqs, unique("queue"), **attributes)
