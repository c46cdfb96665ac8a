"""Messages: which route they take, what the function gets, what comes back."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.harness import eventually

from .conftest import Gateway

pytestmark = pytest.mark.node_only


class TestRouting:
    def test_the_expression_selects_the_route(self, gateway: Gateway) -> None:
        api = gateway.usual("join", "$default")
        with api.socket() as socket:
            assert api.ask(socket, action="join")["route"] == "join"
            assert api.ask(socket, action="leave")["route"] == "$default"
            assert api.ask(socket, other=1)["route"] == "$default"
            socket.send("not json")
            assert json.loads(socket.recv(timeout=10)) == {"you": "not json", "route": "$default"}

    def test_a_composed_expression(self, gateway: Gateway) -> None:
        api = gateway.api("${request.body.room.kind}/${request.body.action}")
        gateway.route(api, "chat/join", gateway.integrate(api), answers=True)
        gateway.stage(api)
        with api.socket() as socket:
            assert api.ask(socket, room={"kind": "chat"}, action="join")["route"] == "chat/join"
            assert api.ask(socket, action="join")["message"] == "Forbidden"

    def test_no_route_and_no_default_is_forbidden(self, gateway: Gateway) -> None:
        api = gateway.usual("join")
        with api.socket() as socket:
            socket.send('{"action":"leave"}')
            text = str(socket.recv(timeout=10))
            frame = json.loads(text)
            ids = f'"connectionId":"{frame["connectionId"]}", "requestId":"{frame["requestId"]}"'
            assert text == f'{{"message": "Forbidden", {ids}}}'
            assert api.ask(socket, action="join")["route"] == "join"


class TestEvents:
    def test_a_messages_event_has_the_shape_of_aws(self, gateway: Gateway) -> None:
        api = gateway.usual(StageVariables={"colour": "blue"})
        with api.socket(user_agent_header="tester") as socket:
            body = 'Grüße "quoted" \u2028 \\ \n'
            socket.send(body)
            assert json.loads(socket.recv(timeout=10))["you"] == body
        event = api.event("MESSAGE")
        context = event["requestContext"]
        assert event.keys() == {"requestContext", "body", "isBase64Encoded", "stageVariables"}
        assert event["body"] == body
        assert event["stageVariables"] == {"colour": "blue"}
        assert context.keys() == {
            "routeKey", "messageId", "eventType", "extendedRequestId", "requestTime", "messageDirection", "stage",
            "connectedAt", "requestTimeEpoch", "identity", "requestId", "domainName", "connectionId", "apiId",
        }  # fmt: skip
        assert context["connectionId"] == api.event("CONNECT")["requestContext"]["connectionId"]
        assert context["connectedAt"] == api.event("CONNECT")["requestContext"]["connectedAt"]

    def test_a_binary_frame_closes_with_1003(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            socket.send(b"\x00\x01")
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1003


class TestAnswers:
    def test_only_a_route_response_makes_it_two_way(self, gateway: Gateway) -> None:
        api = gateway.api()
        integration = gateway.integrate(api)
        gateway.route(api, "silent", integration)
        gateway.route(api, "loud", integration, answers=True)
        gateway.stage(api)
        with api.socket() as socket:
            socket.send('{"action":"silent"}')
            eventually(lambda: len(api.events("MESSAGE")) == 1)
            assert api.ask(socket, action="loud")["route"] == "loud"

    def test_statuses_mean_nothing_to_a_message(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            socket.send(json.dumps({"give": {"statusCode": 500, "body": "as it is"}}))
            assert socket.recv(timeout=10) == "as it is"

    def test_an_answer_may_have_128_kb(self, gateway: Gateway) -> None:
        """More is an error frame; however much it is, the client isn't taken for one that doesn't read."""
        api = gateway.usual()
        with api.socket() as socket:
            socket.send(json.dumps({"grow": 131072}))
            assert len(socket.recv(timeout=10)) == 131072
            for size in (131073, 1100000):
                assert api.ask(socket, grow=size)["message"] == "Message too long"

    def test_base64_leaves_as_a_binary_frame_if_it_is_no_text(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            socket.send(json.dumps({"give": {"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}}))
            assert socket.recv(timeout=10) == b"\xff\x00"

    @pytest.mark.parametrize(
        "message", [{"fail": "boo"}, {"give": 5}, {"give": {"statusCode": 200, "body": {}}}]
    )
    def test_a_function_that_fails_is_an_error_frame(self, gateway: Gateway, message: dict[str, Any]) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            frame = api.ask(socket, **message)
            assert frame["message"] == "Internal server error"
            assert frame["connectionId"] == api.event("CONNECT")["requestContext"]["connectionId"]
            assert api.ask(socket)["route"] == "$default"

    def test_messages_of_one_connection_run_at_once(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            for _ in range(4):
                socket.send(json.dumps({"together": 4}))
            assert {json.loads(socket.recv(timeout=20))["route"] for _ in range(4)} == {"$default"}

    def test_messages_of_eight_connections_run_at_once(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with ExitStack() as stack:
            open_sockets = [stack.enter_context(api.socket()) for _ in range(8)]
            for socket in open_sockets:
                socket.send(json.dumps({"together": 8}))
            for socket in open_sockets:
                assert json.loads(socket.recv(timeout=20))["route"] == "$default"

    def test_many_messages_at_once_all_get_their_answer(self, gateway: Gateway) -> None:
        """More than run at once: the socket is read again as they finish."""
        api = gateway.usual()
        with api.socket() as socket:
            for at in range(150):
                socket.send(json.dumps({"give": {"statusCode": 200, "body": str(at)}}))
            assert {int(socket.recv(timeout=20)) for _ in range(150)} == set(range(150))


class TestLimits:
    def test_a_message_may_have_128_kb_in_frames_of_32(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            head = '{"give":{"statusCode":200,"body":"ok"},"pad":"'
            text = head + "x" * (128 * 1024 - len(head) - 2) + '"}'
            socket.send(text[at : at + 32 * 1024] for at in range(0, len(text), 32 * 1024))
            assert socket.recv(timeout=10) == "ok"

    @pytest.mark.parametrize("pieces", [[32 * 1024 + 1], [32 * 1024] * 4 + [1]])
    def test_more_closes_with_1009(self, gateway: Gateway, pieces: list[int]) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            with pytest.raises(ConnectionClosed) as closed:
                socket.send(iter(["x" * size for size in pieces]))
                socket.recv(timeout=10)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
        assert api.event("DISCONNECT")["requestContext"]["disconnectStatusCode"] == 1009
