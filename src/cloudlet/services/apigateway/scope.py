"""What expressions, mappings and templates can refer to while one request or message is on its way.

Names are AWS's: `request.body.…`, `request.header.…`, `request.querystring.…`, `context.…`, `stageVariables.…`,
`integration.response.…`. In parameter mappings the request's names begin with `route.`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from . import events, selection
from .selection import Reference

if TYPE_CHECKING:
    from .session import Session

NOT_JSON = object()


@dataclass(slots=True)
class Answer:
    """What came of an integration. `failure` is the text of the error frame, when it failed."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names."""
    failure: str | None = None
    binary: bool = False
    log: str = ""
    """For people and access logs: why it failed."""


class Scope:
    """One request to a route: $connect, $disconnect or a message."""

    __slots__ = (
        "_body", "_context", "answer", "body", "epoch_ms", "event_type", "extra", "handshake", "message_id",
        "request_id", "route_key", "session",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        route_key: str,
        event_type: str,
        request_id: str,
        epoch_ms: int,
        body: bytes = b"",
    ) -> None:
        self.session = session
        self.route_key = route_key
        self.event_type = event_type
        self.request_id = request_id
        self.epoch_ms = epoch_ms
        self.body = body
        self.message_id = ""
        self.handshake: events.Handshake | None = None
        self.answer: Answer | None = None
        self.extra: dict[str, Any] = {}
        """Variables of the context that only templates and access logs see."""
        self._body: Any = None
        self._context: dict[str, Any] | None = None

    @property
    def parsed(self) -> Any:
        """The body as JSON, or NOT_JSON."""
        if self._body is None:
            self._body = parse_json(self.body)
        return self._body

    @property
    def context(self) -> dict[str, Any]:
        if self._context is None:
            clf = self.session.gateway.dates.clf(self.epoch_ms / 1000)
            self._context = events.context(
                self.session, self.route_key, self.event_type, self.request_id, clf, self.epoch_ms
            )
            if self.message_id:
                self._context["messageId"] = self.message_id
        return self._context

    def forget_context(self) -> None:
        """What it is made of has changed."""
        self._context = None

    def lookup(self, reference: Reference) -> Any:
        """The value of a reference, None if it has none."""
        root = reference.root
        if root == "context":
            return selection.descend({**self.context, **self.extra}, reference.steps)
        if root == "stageVariables":
            return selection.descend(dict(self.session.stage.variables), reference.steps)
        if root == "request":
            return self._of_request(reference)
        if root == "integration.response" and self.answer is not None:
            return self._of_answer(self.answer, reference)
        return None

    def mapped(self, source: str) -> str | None:
        """The value of a parameter mapping's right side: `'static'`, or a reference."""
        if len(source) >= 2 and source[0] == source[-1] == "'":
            return source[1:-1]
        return _mapping(source).select(self.lookup)

    def _of_request(self, reference: Reference) -> Any:
        source, steps = reference.source, reference.steps
        if source == "body":
            if not steps:
                return self.body.decode(errors="replace")
            return None if self.parsed is NOT_JSON else selection.descend(self.parsed, steps)
        shake = self.handshake
        if shake is None or len(steps) != 1:
            return None
        name = str(steps[0])
        if source == "header":
            return shake.lowered.get(name.lower())
        if source == "querystring":
            return shake.query.get(name)
        if source == "multivalueheader":
            every = [
                value
                for key, values in shake.multi.items()
                if key.lower() == name.lower()
                for value in values
            ]
            return ",".join(every) or None
        if source == "multivaluequerystring":
            return ",".join(shake.multi_query.get(name, ())) or None
        return None

    def _of_answer(self, answer: Answer, reference: Reference) -> Any:
        source, steps = reference.source, reference.steps
        if source == "statuscode":
            return str(answer.status)
        if source in ("header", "multivalueheader") and len(steps) == 1:
            return answer.headers.get(str(steps[0]).lower())
        if source == "body":
            if not steps:
                return answer.body.decode(errors="replace")
            parsed = parse_json(answer.body)
            return None if parsed is NOT_JSON else selection.descend(parsed, steps)
        return None


def parse_json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return NOT_JSON


@lru_cache(maxsize=1024)
def _mapping(source: str) -> selection.Selection:
    name = source.removeprefix("$").removeprefix("route.")
    try:
        found = selection.parse("${" + name + "}")
    except selection.SelectionError:
        return selection.parse("${context.unknown}")
    return found
