"""Topics for tests, queues that hear of them, and an HTTP endpoint that remembers what it was sent."""

from __future__ import annotations

import json
import queue
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION
from tests.harness import refused as refused


class Queue:
    """A queue of SQS that a topic may send to."""

    def __init__(self, sqs: Any, name: str, topic: str) -> None:
        self._sqs = sqs
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        attributes = {
            "VisibilityTimeout": "43200",
            "MessageRetentionPeriod": "1209600",
            "Policy": json.dumps(policy(self.arn, topic)),
        }
        self.url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def message(self, within: float = 20.0) -> dict[str, Any]:
        """The next message."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            answer = self._sqs.receive_message(
                QueueUrl=self.url, WaitTimeSeconds=5, MessageAttributeNames=["All"], AttributeNames=["All"]
            )
            for message in answer.get("Messages", ()):
                found: dict[str, Any] = message
                return found
        raise AssertionError(f"nothing came within {within} s")

    def envelope(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.message()["Body"])
        return found

    def said(self) -> str:
        """What the next notification says."""
        return str(self.envelope()["Message"])


def policy(queue: Any, topic: Any) -> dict[str, Any]:
    """A queue's policy that lets SNS send for the topic."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


class Topic:
    def __init__(self, node: Any, name: str, **attributes: str) -> None:
        self.node = node
        self.sns = node.client("sns")
        self._sqs = node.client("sqs")
        self.name = name
        self.arn: str = self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        self._queues = 0

    def queue(self, **attributes: str) -> Queue:
        """A new queue that is subscribed; with attributes of the subscription."""
        self._queues += 1
        made = Queue(self._sqs, f"{self.name}-{self._queues}", self.arn)
        self.subscribe("sqs", made.arn, **attributes)
        return made

    def bare_queue(self) -> Queue:
        """A new queue that is not subscribed, but could be."""
        self._queues += 1
        return Queue(self._sqs, f"{self.name}-{self._queues}", self.arn)

    def subscribe(self, protocol: str, endpoint: str, **attributes: str) -> str:
        answer = self.sns.subscribe(
            TopicArn=self.arn,
            Protocol=protocol,
            Endpoint=endpoint,
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def publish(self, message: str = "hello", **options: Any) -> str:
        return str(self.sns.publish(TopicArn=self.arn, Message=message, **options)["MessageId"])

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = self.sns.get_topic_attributes(TopicArn=self.arn)["Attributes"]
        return found


@pytest.fixture
def topic(node: Any, unique: Callable[[str], str]) -> Callable[..., Topic]:
    """`topic(DisplayName="News")`: a new topic."""
    return lambda **attributes: Topic(node, unique("topic"), **attributes)


class Endpoint:
    """An HTTP server; `answers` are the statuses that it gives, the last one again and again."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers = [200]
        self._requests: queue.Queue[tuple[dict[str, str], str]] = queue.Queue()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                endpoint._requests.put((headers, body))
                status = endpoint.answers.pop(0) if len(endpoint.answers) > 1 else endpoint.answers[0]
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self.url = self.url.replace("http://127.0.0.1", "https://localhost")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def request(self, within: float = 20.0) -> tuple[dict[str, str], str]:
        """Headers and body of the next request."""
        return self._requests.get(timeout=within)

    @property
    def idle(self) -> bool:
        return self._requests.empty()

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.request()[1])
        return found

    def confirm(self) -> dict[str, Any]:
        """Do as the next request, a confirmation, says."""
        document = self.document()
        assert document["Type"] == "SubscriptionConfirmation"
        get(document["SubscribeURL"])
        return document

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


def get(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        text: bytes = answer.read()
        return text
