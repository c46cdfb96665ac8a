"""The node's own pages."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError

import pytest

from cloudlet.admin import Admin
from cloudlet.net.messages import Request
from tests.harness import Node

pytestmark = pytest.mark.node_only


def ask(node: Node, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_health_names_the_services(node: Node) -> None:
    for path in ("/_cloudlet/health", "/_localstack/health"):
        assert node.get(path)["services"]["dynamodb"] == "running"


def test_events_tell_what_happens(node: Node, client: Any, unique: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
    connection.request("GET", "/_cloudlet/events")
    answer = connection.getresponse()
    assert json.loads(answer.readline())["kind"] == "listening"
    name = unique("events")
    client("cloudformation").create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": {"G": {"Type": "AWS::Logs::LogGroup"}}})
    )
    kinds = set()
    while "CREATE_COMPLETE" not in kinds:
        event = json.loads(answer.readline())
        if event["kind"] == "cfn.event" and event["stack"] == name:
            kinds.add(event["status"])
    connection.close()


def test_pages_of_another_origin_change_nothing(node: Node) -> None:
    wish = json.dumps({"advance": 1}).encode()
    assert ask(node, "POST", "/_cloudlet/clock", wish, Origin="https://evil.example")[0] == 403
    assert ask(node, "POST", "/_cloudlet/clock", wish, Origin="http://localhost:3000")[0] == 200


@pytest.mark.parametrize(
    "wish",
    [b"", b"[]", b"{}", b"\xff", b'{"go": 1}', b'{"advance": "soon"}', b'{"advance": 1e300}', b'{"set": -1}'],
)
def test_a_clock_wish_that_makes_no_sense_is_refused(node: Node, wish: bytes) -> None:
    assert ask(node, "POST", "/_cloudlet/clock", wish)[0] == 400


class TestArtifacts:
    def test_are_named_by_their_content(self, node: Node) -> None:
        content = os.urandom(200_000)
        name = f"{hashlib.sha256(content).hexdigest()}.zip"
        assert ask(node, "HEAD", f"/_cloudlet/artifacts/{name}")[0] == 404
        assert ask(node, "PUT", f"/_cloudlet/artifacts/{name}", b"other")[0] == 400
        assert ask(node, "PUT", f"/_cloudlet/artifacts/{name}", content)[0] == 201
        assert ask(node, "HEAD", f"/_cloudlet/artifacts/{name}")[0] == 200

    def test_other_names_are_refused(self, node: Node) -> None:
        assert ask(node, "PUT", "/_cloudlet/artifacts/..%2Fx.zip", b"x")[0] == 400


class TestPages:
    def test_an_applications_folder_is_served_and_nothing_beside_it(self, node: Node, tmp_path: Path) -> None:
        web = tmp_path / "web"
        web.mkdir()
        (web / "index.html").write_text("<p>hello")
        (tmp_path / "secret").write_text("secret")
        wish = json.dumps({"web": str(web)}).encode()
        assert ask(node, "PUT", "/_cloudlet/apps/mine", wish)[0] == 200
        assert ask(node, "GET", "/_cloudlet/apps/mine/")[1] == b"<p>hello"
        assert ask(node, "GET", "/_cloudlet/apps/mine")[0] == 301
        for path in ("../secret", "%2e%2e/secret", "..%2fsecret", "nothing.html"):
            assert ask(node, "GET", f"/_cloudlet/apps/mine/{path}")[0] == 404

    def test_no_such_application(self, node: Node) -> None:
        with pytest.raises(HTTPError):
            node.get("/_cloudlet/apps/nobody/")


async def test_others_see_only_what_is_open() -> None:
    admin = Admin(SimpleNamespace(services={}, data=Path("/nowhere")))  # type: ignore[arg-type]
    for path, status in [("/_cloudlet/health", 200), ("/_cloudlet/clock", 403), ("/_cloudlet/events", 403)]:
        request = Request()
        request.method, request.path, request.peer = "GET", path, ("192.0.2.1", 5000)
        assert (await admin.handle(request)).status == status
