"""What people see live: the gateway's events on the node's bus."""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import Any

import pytest

from tests.harness import eventually

from .conftest import Gateway

pytestmark = pytest.mark.node_only


class TestEvents:
    def test_open_message_post_and_close(self, gateway: Gateway) -> None:
        api = gateway.usual()
        seen: list[dict[str, Any]] = []
        stream = urllib.request.urlopen(f"{api.node.endpoint}/_cloudlet/events")

        def read() -> None:
            for line in stream:
                event = json.loads(line)
                if event.get("api") == api.id:
                    seen.append(event)
                    if event["kind"] == "ws.close":
                        return

        reader = threading.Thread(target=read)
        reader.start()
        with api.socket() as socket:
            api.ask(socket, hello="world")
            id = api.event("CONNECT")["requestContext"]["connectionId"]
            api.management.post_to_connection(ConnectionId=id, Data=b"abc")
            socket.recv(timeout=10)
            socket.close(4000, "bye")
        eventually(lambda: not reader.is_alive())
        stream.close()
        assert [event["kind"] for event in seen] == ["ws.open", "ws.message", "ws.post", "ws.close"]
        opened, message, post, closed = seen
        assert {event["connection"] for event in seen} == {id}
        assert (opened["stage"], opened["ip"]) == ("prod", "127.0.0.1")
        assert (message["route"], message["size"]) == ("$default", len('{"hello": "world"}'))
        assert post["size"] == 3
        assert (closed["code"], closed["reason"]) == (4000, "bye")
        for _ in range(3):  # a listener that has left harms nobody
            with api.socket() as socket:
                assert api.ask(socket)["route"] == "$default"
