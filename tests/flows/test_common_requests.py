"""The applications' own client of AWS: many requests in flight, to servers that close, stall or speak in chunks."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness import ROOT, Node, eventually

COMMON = ROOT / "apps/common/python"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, as a function would import it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    spec = importlib.util.spec_from_file_location("common_aws", COMMON / "aws.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def server(talk: Callable[[socket.socket, int], None]) -> Iterator[str]:
    """A server that does `talk(connection, its number)` with each connection, in a thread of its own; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []

    def accept() -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_ones.append(connection)
            number += 1
            threading.Thread(target=talk, args=(connection, number), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
        for connection in open_ones:
            connection.close()


def read(connection: socket.socket) -> bytes:
    """One request's body; b"" when there is none any more."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
    while len(body) < length:
        body += connection.recv(65536)
    return body


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def ask_all(aws: Any, monkeypatch: pytest.MonkeyPatch, url: str, bodies: list[bytes]) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    service = aws.Service("test", "test.us-east-1.amazonaws.com")
    try:
        return service.send([service.request("/", body) for body in bodies])
    finally:
        service.close()


def test_answers_come_in_the_order_of_the_requests(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def echo(connection: socket.socket, number: int) -> None:
        while body := read(connection):
            connection.sendall(ok(body))

    bodies = [b"%d" % n for n in range(200)]
    with server(echo) as url:
        answers = ask_all(aws, monkeypatch, url, bodies)
    assert [(a.status, a.body) for a in answers] == [(200, body) for body in bodies]


def test_a_connection_that_was_closed_is_made_again(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_each(connection: socket.socket, number: int) -> None:
        connection.sendall(ok(read(connection)))
        connection.close()

    bodies = [b"%d" % n for n in range(100)]
    with server(one_each) as url:
        answers = ask_all(aws, monkeypatch, url, bodies)
    assert [a.body for a in answers] == bodies


def test_chunks_and_pieces_are_put_together(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def chunked(connection: socket.socket, number: int) -> None:
        while read(connection):
            for piece in (
                b"HTTP/1.1 200 OK\r\nTransfer-",
                b"Encoding: chunked\r\n\r\n3\r\nab",
                b"c\r\n2\r\nde\r\n0\r\n\r\n",
            ):
                connection.sendall(piece)

    with server(chunked) as url:
        answers = ask_all(aws, monkeypatch, url, [b"x"] * 3)
    assert [a.body for a in answers] == [b"abcde"] * 3


def test_no_answer_is_status_0_and_the_others_have_theirs(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def some(connection: socket.socket, number: int) -> None:
        while body := read(connection):
            if body == b"never":
                connection.close()
                return
            if body != b"stall":
                connection.sendall(ok(body))

    monkeypatch.setattr(aws, "PATIENCE", 0.2)
    monkeypatch.setattr(aws, "LOOK", 0.05)
    with server(some) as url:
        answers = ask_all(aws, monkeypatch, url, [b"a", b"never", b"b", b"stall", b"c"])
    assert [a.status for a in answers] == [200, 0, 200, 0, 200]
    assert [a.again for a in answers] == [False, True, False, True, False]


def test_a_large_request_over_tls(fresh_node: Callable[..., Node], tmp_path: Path) -> None:
    node = fresh_node()
    queue = node.client("sqs").create_queue(QueueName="large")["QueueUrl"]
    program = """
import json, os, sys
from aws import Service
sqs = Service("sqs", "sqs.us-east-1.amazonaws.com",
    {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage"})
body = json.dumps({"QueueUrl": sys.argv[1], "MessageBody": "x" * 200_000}).encode()
print([answer.status for answer in sqs.send([sqs.request("/", body) for _ in range(40)])])
"""
    authority = node.data / "tls" / "ca.pem"
    eventually(authority.exists)
    environment = os.environ | {
        "PYTHONPATH": str(COMMON),
        "AWS_ENDPOINT_URL": f"https://localhost:{node.port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SSL_CERT_FILE": str(authority),
    }
    done = subprocess.run(
        [sys.executable, "-c", program, queue], capture_output=True, text=True, env=environment
    )
    assert json.loads(done.stdout or "null") == [200] * 40, done.stderr


def test_the_signature_is_botocores(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    monkeypatch.setenv("AWS_SESSION_TOKEN", "token/with+signs==")
    host, path = "abc.execute-api.us-east-1.amazonaws.com", "/production/@connections/L0SM9cOFvHcCIhw%3D"
    service = aws.Service("execute-api", host)
    ours = dict(
        line.split(": ", 1)
        for line in service.request(path, b"hello").decode().split("\r\n\r\n")[0].split("\r\n")[1:]
    )
    theirs = AWSRequest("POST", f"https://{host}{path}", {"X-Amz-Date": ours["x-amz-date"]}, b"hello")
    theirs.context["timestamp"] = ours["x-amz-date"]
    auth = SigV4Auth(
        Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token/with+signs=="),
        "execute-api",
        "us-east-1",
    )
    theirs.headers["X-Amz-Security-Token"] = "token/with+signs=="
    signature = auth.signature(auth.string_to_sign(theirs, auth.canonical_request(theirs)), theirs)
    assert ours["authorization"].endswith(f"Signature={signature}")
