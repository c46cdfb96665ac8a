"""Chat's back end in memory, for tests of its page: it speaks the protocol, and can refuse, be deaf, cut and lie."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosedError

from tests.flows.double import Server
from tests.harness import ROOT

Frame = dict[str, Any]


class Double(Server):
    web = ROOT / "apps" / "chat" / "web"
    index = "index.html"

    def __init__(self) -> None:
        self.rooms: dict[str, list[Frame]] = defaultdict(list)
        self.names: dict[str, str] = {}
        self.people: dict[ServerConnection, Frame] = {}
        self.requests: list[Frame] = []
        self.once: dict[str, Frame] = {}
        self.deaf = False
        self.unheard = False
        self.silent: set[int] = set()
        self.answer: Callable[[Frame], Frame | None] = lambda request: None
        super().__init__()

    def connected(self) -> dict[ServerConnection, Frame]:
        return self.people

    async def _session(self, socket: ServerConnection) -> None:
        try:
            async for text in socket:
                request = json.loads(text)
                self.requests.append(request)
                if self.deaf:
                    continue
                answer = self.answer(request) or self._serve_one(socket, request)
                if answer is not None:
                    await self._say(socket, {"ref": request.get("ref")} | answer)
        except ConnectionClosedError:
            pass
        finally:
            person = self.people.pop(socket, None)
            if person:
                self._tell_here(person["room"])

    def _serve_one(self, socket: ServerConnection, request: Frame) -> Frame | None:
        serve_it = getattr(self, f"_{request['action']}", None)
        return serve_it(socket, request) if serve_it else {"type": "pong"}

    def _updatedetails(self, socket: ServerConnection, request: Frame) -> Frame:
        token = request.get("token") or f"token-of-{request['name']}-{len(self.names)}"
        key = f"{request['room']} {request['name'].lower()}"
        if self.names.setdefault(key, token) != token:
            return error("NameTaken", "that name is somebody else's")
        before = self.people.get(socket)
        person = {"id": token[-12:], "name": request["name"], "room": request["room"]}
        self.people[socket] = person
        room = person["room"]
        if before and before["room"] != room:
            self._tell_here(before["room"])
        self._tell_here(room)
        more = {"type": "joined", "token": token, "you": person["id"], "last": len(self.rooms[room])}
        return {"room": room, "name": person["name"], "here": self._here(room)} | more

    def _sendmessage(self, socket: ServerConnection, request: Frame) -> Frame | None:
        person = self.people[socket]
        message = self.once.get(request["once"])
        if message is None:
            message = self.write(person["room"], person["name"], request["text"], id=person["id"], tell=False)
            self.once[request["once"]] = message
            if message["seq"] not in self.silent:
                self._tell(person["room"], {"type": "message", "messages": [message]}, socket)
        if self.unheard:
            return None
        return {"type": "message", "messages": [message | {"ref": request["ref"]}], "ref": None}

    def _getmessages(self, socket: ServerConnection, request: Frame) -> Frame:
        room = self.rooms[self.people[socket]["room"]]
        after, before, limit = request.get("after"), request.get("before"), request.get("limit", 50)
        kept = [message for message in room if not message.get("expired")]
        if after is not None:
            found = [message for message in kept if message["seq"] > after]
            return {"type": "history", "messages": found[:limit], "more": len(found) > limit}
        found = [message for message in kept if message["seq"] < before]
        page = found[-limit:]
        first = page[0]["seq"] if page else None
        return {"type": "history", "messages": page, "more": len(found) > limit, "before": first}

    def _changemessage(self, socket: ServerConnection, request: Frame) -> Frame | None:
        person = self.people[socket]
        message = self.rooms[person["room"]][request["seq"] - 1]
        if message["id"] != person["id"]:
            return error("NotYours", "that is somebody else's message")
        change = {"deleted": True, "text": ""} if request.get("delete") else {"text": request["text"]}
        message.update({"edited": True, "version": message["version"] + 1} | change)
        self._tell(person["room"], {"type": "changed", "message": message})
        return None

    def _typing(self, socket: ServerConnection, request: Frame) -> None:
        person = self.people[socket]
        told = {"type": "typing", "name": person["name"], "typing": request["typing"]}
        self._tell(person["room"], told, socket)

    def _here(self, room: str) -> list[Frame]:
        people = {person["id"]: person["name"] for person in self.people.values() if person["room"] == room}
        return [{"id": id, "name": name} for id, name in people.items()]

    def _tell_here(self, room: str) -> None:
        self._tell(room, {"type": "here", "here": self._here(room)})

    def _tell(self, room: str, frame: Frame, but: ServerConnection | None = None) -> None:
        to = [each for each, person in self.people.items() if person["room"] == room and each is not but]
        broadcast(to, json.dumps(frame))

    # What tests use, from their own thread.

    def write(self, room: str, name: str, text: str, *, tell: bool = True, **more: Any) -> Frame:
        """Somebody said something."""
        message = {"seq": len(self.rooms[room]) + 1, "from": name, "id": f"id-{name}", "text": text}
        message |= {"at": int(time.time() * 1000), "language": "en", "version": 1}
        message |= {"edited": False, "deleted": False} | more
        self.rooms[room].append(message)
        if tell:
            self.send(room, {"type": "message", "messages": [message]})
        return message

    def send(self, room: str, frame: Frame) -> None:
        self._loop.call_soon_threadsafe(self._tell, room, frame)

    def asked(self, action: str) -> list[Frame]:
        return [request for request in self.requests if request["action"] == action]


def error(code: str, message: str) -> Frame:
    return {"type": "error", "code": code, "message": message}
