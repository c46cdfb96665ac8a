"""`@connections`, and how connections end."""

from __future__ import annotations

import json
import socket as sockets
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.harness import Node, eventually, let_gateway, python_function

from .conftest import SOURCE, Api, Gateway

pytestmark = pytest.mark.node_only


def id_of(api: Api) -> str:
    return str(api.event("CONNECT")["requestContext"]["connectionId"])


def closing(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason with which the node closes the socket."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def refused(call: Callable[..., Any], **params: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as failure:
        call(**params)
    response = failure.value.response
    return {"status": response["ResponseMetadata"]["HTTPStatusCode"], **response["Error"]}


def gone(api: Api, id: str) -> bool:
    try:
        api.management.get_connection(ConnectionId=id)
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == "GoneException")
    return False


class TestPostToConnection:
    def test_text_stays_text(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            api.management.post_to_connection(ConnectionId=id_of(api), Data="Grüße".encode())
            assert socket.recv(timeout=10) == "Grüße"

    def test_what_is_no_text_is_a_binary_frame(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            api.management.post_to_connection(ConnectionId=id_of(api), Data=b"\xff\x00")
            assert socket.recv(timeout=10) == b"\xff\x00"

    def test_128_kb_are_taken_and_more_is_413(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            id = id_of(api)
            api.management.post_to_connection(ConnectionId=id, Data=b"x" * 131072)
            assert len(socket.recv(timeout=10)) == 131072
            error = refused(api.management.post_to_connection, ConnectionId=id, Data=b"x" * 131073)
            assert (error["status"], error["Code"]) == (413, "PayloadTooLargeException")
            api.management.post_to_connection(ConnectionId=id, Data=b"still here")
            assert socket.recv(timeout=10) == "still here"

    @pytest.mark.parametrize("size", [131073, 17 * 1024 * 1024])
    def test_too_large_is_413_whoever_it_is_for(self, gateway: Gateway, size: int) -> None:
        post = gateway.usual().management.post_to_connection
        error = refused(post, ConnectionId="AAAAAAAAAAAAAAA=", Data=b"x" * size)
        assert (error["status"], error["Code"]) == (413, "PayloadTooLargeException")

    def test_a_closed_connection_is_gone(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket():
            id = id_of(api)
        api.event("DISCONNECT")
        error = refused(api.management.post_to_connection, ConnectionId=id, Data=b"x")
        assert (error["status"], error["Code"]) == (410, "GoneException")

    def test_what_can_be_no_id_is_400(self, gateway: Gateway) -> None:
        error = refused(gateway.usual().management.post_to_connection, ConnectionId="nobody", Data=b"x")
        assert error["status"] == 400
        assert error["Message"] == "Invalid connectionId: nobody"

    def test_another_apis_connection_is_gone(self, gateway: Gateway) -> None:
        mine, other = gateway.usual(), gateway.usual()
        with mine.socket():
            error = refused(other.management.post_to_connection, ConnectionId=id_of(mine), Data=b"x")
            assert error["Code"] == "GoneException"

    def test_an_unknown_stage_is_forbidden(self, gateway: Gateway) -> None:
        api = gateway.usual()
        api.stage = "other"
        error = refused(api.management.post_to_connection, ConnectionId="AAAAAAAAAAAAAAA=", Data=b"x")
        assert (error["status"], error["Code"]) == (403, "ForbiddenException")

    def test_raw_and_by_host_name(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            url = f"{api.node.endpoint}/prod/@connections/{quote(id_of(api), safe='')}"
            host = {"Host": f"{api.id}.execute-api.us-east-1.amazonaws.com"}
            with urllib.request.urlopen(urllib.request.Request(url, b"raw", host, method="POST")) as answer:
                assert answer.status == 200
            assert socket.recv(timeout=10) == "raw"

    def test_a_connection_cannot_be_posted_to_while_it_connects(self, gateway: Gateway) -> None:
        """It is there when the client has its 101, not before: as in AWS, $connect posts to nobody."""
        api = gateway.usual()
        told = quote(json.dumps({"give": {"statusCode": 403}}))
        with pytest.raises(Exception, match="403"), api.socket(f"told={told}"):
            pass
        assert gone(api, id_of(api))


class TestGetConnection:
    def test_who_and_since_when(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket(user_agent_header="tester") as socket:
            id = id_of(api)
            before = api.management.get_connection(ConnectionId=id)
            assert before["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "tester"}
            connected = api.event("CONNECT")["requestContext"]["connectedAt"]
            assert round(before["ConnectedAt"].timestamp() * 1000) == connected
            api.ask(socket)
            after = api.management.get_connection(ConnectionId=id)
            assert after["LastActiveAt"] > before["LastActiveAt"]
            assert after["ConnectedAt"] == before["ConnectedAt"]


class TestDeleteConnection:
    def test_the_client_is_really_cut_off(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            id = id_of(api)
            api.management.delete_connection(ConnectionId=id)
            assert closing(socket) == (1000, "Connection Closed Normally")
        context = api.event("DISCONNECT")["requestContext"]
        assert (context["connectionId"], context["disconnectStatusCode"]) == (id, 1000)
        assert refused(api.management.delete_connection, ConnectionId=id)["status"] == 410


class TestDisconnect:
    def test_the_event_has_the_shape_of_aws(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            id = id_of(api)
            socket.close(4001, "enough")
        event = api.event("DISCONNECT")
        context = event["requestContext"]
        empty = {"x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
        assert event["headers"] == {"Host": context["domainName"], **empty}
        assert event["multiValueHeaders"]["x-restapi"] == [""]
        assert context["routeKey"] == "$disconnect"
        assert context["disconnectStatusCode"] == 4001
        assert context["disconnectReason"] == "enough"
        assert context["connectionId"] == id
        assert event["isBase64Encoded"] is False
        assert "body" not in event

    def test_a_close_without_a_code_is_1005(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            id_of(api)
            socket.socket.sendall(b"\x88\x80\x00\x00\x00\x00")
            context = api.event("DISCONNECT")["requestContext"]
        assert context["disconnectStatusCode"] == 1005
        assert context["disconnectReason"] == "Client-side close frame status not set"

    def test_a_broken_connection_is_1006(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            id = id_of(api)
            socket.socket.shutdown(sockets.SHUT_RDWR)
        assert api.event("DISCONNECT")["requestContext"]["disconnectStatusCode"] == 1006
        assert gone(api, id)

    def test_a_failing_disconnect_harms_nobody(self, gateway: Gateway) -> None:
        api = gateway.api()
        uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/none/invocations"
        broken = gateway.integrate(api, "broken", IntegrationType="AWS_PROXY", IntegrationUri=uri)
        gateway.route(api, "$connect", gateway.integrate(api))
        gateway.route(api, "$disconnect", broken)
        gateway.stage(api)
        with api.socket():
            id = id_of(api)
        eventually(lambda: gone(api, id))


class TestEveryConnectHasOneDisconnect:
    def test_however_connections_end(self, gateway: Gateway) -> None:
        api = gateway.usual()

        def live(at: int) -> None:
            with api.socket() as socket:
                socket.send(json.dumps({"give": {"statusCode": 200, "body": "x"}}))
                if at % 4 == 0:
                    socket.socket.shutdown(sockets.SHUT_RDWR)
                elif at % 4 == 1:
                    socket.send(b"binary")
                elif at % 4 == 2:
                    socket.recv(timeout=10)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(live, range(40)))

        def ids(kind: str) -> list[str]:
            return sorted(event["requestContext"]["connectionId"] for event in api.events(kind))

        eventually(lambda: len(ids("DISCONNECT")) == 40)
        assert ids("DISCONNECT") == ids("CONNECT")
        assert len(set(ids("CONNECT"))) == 40
        assert all(gone(api, id) for id in ids("CONNECT"))


class TestSlowReaders:
    def test_who_does_not_read_is_cut_off_and_nobody_waits(self, gateway: Gateway) -> None:
        api = gateway.usual()
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", api.node.port))
        raw.sendall(
            f"GET {api.path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode()
        )
        deaf = id_of(api)
        with api.socket() as socket:
            reads = next(
                event["requestContext"]["connectionId"]
                for event in eventually(lambda: api.events("CONNECT")[1:] and api.events("CONNECT"))
                if event["requestContext"]["connectionId"] != deaf
            )
            statuses: list[int] = []
            while not statuses or statuses[-1] == 200:
                statuses.append(post(api, deaf, b"x" * 131072))
                assert post(api, reads, b"tick") == 200
                assert socket.recv(timeout=10) == "tick"
                assert len(statuses) < 200
            assert statuses[-1] == 429
            assert post(api, deaf, b"x") == 410
        context = eventually(
            lambda: [
                event["requestContext"]
                for event in api.events("DISCONNECT")
                if event["requestContext"]["connectionId"] == deaf
            ]
        )[0]
        assert context["disconnectStatusCode"] == 1008
        raw.close()


def post(api: Api, id: str, data: bytes) -> int:
    try:
        api.management.post_to_connection(ConnectionId=id, Data=data)
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return 200


@pytest.fixture
def alone(fresh_node: Callable[..., Node], tmp_path: Any) -> Any:
    """A gateway on a node whose clock and life are the test's own."""
    node = fresh_node()
    events = tmp_path / "events.jsonl"
    environment = {"Variables": {"EVENTS": str(events)}}
    with python_function(node.client("lambda"), "told", SOURCE, Environment=environment) as arn:
        let_gateway(node.client("lambda"), arn)
        yield Gateway(node, node.client("apigatewayv2"), arn, events)
        if node.process.poll() is not None:
            node.start()


class TestTime:
    def test_ten_idle_minutes_are_the_end(self, alone: Gateway) -> None:
        api = alone.usual()
        with api.socket() as idle, api.socket() as busy:
            api.ask(busy)
            api.node.advance(400)
            api.ask(busy)
            api.node.advance(300)
            assert closing(idle) == (1001, "Going away")
            assert api.ask(busy)["route"] == "$default"
            context = api.event("DISCONNECT")["requestContext"]
        assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1001, "Going away")

    def test_no_later_when_time_is_set_back(self, alone: Gateway) -> None:
        api = alone.usual()
        api.node.advance(86_400)
        with api.socket() as idle, api.socket() as busy:
            api.node.advance(400)
            api.ask(busy)
            api.node.advance(-86_400)
            api.node.advance(300)
            assert closing(idle) == (1001, "Going away")
            assert api.ask(busy)["route"] == "$default"

    def test_pings_and_posts_are_activity(self, alone: Gateway) -> None:
        api = alone.usual()
        with api.socket() as socket:
            id = id_of(api)
            api.node.advance(500)
            socket.ping().wait(10)
            api.node.advance(500)
            api.management.post_to_connection(ConnectionId=id, Data=b"x")
            api.node.advance(500)
            assert socket.recv(timeout=10) == "x"
            assert api.ask(socket)["route"] == "$default"

    def test_two_hours_are_the_end_however_busy(self, alone: Gateway) -> None:
        api = alone.usual()
        with api.socket() as socket:
            for _ in range(14):
                api.node.advance(500)
                api.ask(socket)
            api.node.advance(201)
            assert closing(socket) == (1001, "Going away")

    def test_a_function_that_takes_29_seconds_is_not_waited_for(self, alone: Gateway) -> None:
        api = alone.usual()
        with api.socket() as socket:
            socket.send(json.dumps({"sleep": 2}))
            eventually(lambda: api.events("MESSAGE"))
            api.node.advance(29.1)
            assert json.loads(socket.recv(timeout=1.5))["message"] == "Endpoint request timed out"
            assert api.ask(socket, next=1)["route"] == "$default"


class TestStopAndStart:
    def test_stop_closes_with_1001_and_says_so(self, alone: Gateway) -> None:
        api = alone.usual()
        with api.socket() as socket:
            id = id_of(api)
            with ThreadPoolExecutor() as pool:
                stopped = pool.submit(alone.node.stop)
                assert closing(socket)[0] == 1001
            assert stopped.result() == 0
        alone.node.start()
        assert api.event("DISCONNECT")["requestContext"]["connectionId"] == id

    def test_after_a_kill_connections_are_gone_and_their_disconnect_comes(self, alone: Gateway) -> None:
        api = alone.usual()
        with api.socket():
            id = id_of(api)
            alone.node.kill()
        alone.node.restart()
        context = api.event("DISCONNECT")["requestContext"]
        assert context["connectionId"] == id
        assert context["disconnectStatusCode"] == 1006
        assert gone(api, id)
        with api.socket() as socket:
            assert api.ask(socket)["route"] == "$default"
