"""The events that functions get, in AWS's shape.

A message's event is put together from bytes: what belongs to the route and to the connection is encoded once, so that a
message costs its ids, its times and its body.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from ...names import request_id as uuid
from ...net.messages import Request

if TYPE_CHECKING:
    from .session import Session

_HOP_BY_HOP = {"connection", "upgrade", "content-length", "keep-alive", "transfer-encoding"}


class Dates:
    """Times in the common log format, formatted once a second."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def clf(self, now: float) -> str:
        second = int(now)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))
        return self._text


def message_prefix(route_key: str) -> bytes:
    """Until the message id."""
    return b'{"requestContext":{"routeKey":' + orjson.dumps(route_key) + b',"messageId":"'


def session_fragments(session: Session) -> tuple[bytes, bytes]:
    """Of a message's event: what stands between the request's time and its epoch, and what follows the request id."""
    stage = session.stage
    middle = b'","messageDirection":"IN","stage":%b,"connectedAt":%d,"requestTimeEpoch":' % (
        orjson.dumps(stage.name),
        session.connected_ms,
    )
    rest: dict[str, Any] = {
        "identity": identity(session),
        "domainName": stage.domain,
        "connectionId": session.id,
        "apiId": stage.api_id,
    }
    if session.authorizer is not None:
        rest["authorizer"] = session.authorizer
    end = b'",' + orjson.dumps(rest)[1:]
    if stage.variables:
        end += b',"stageVariables":' + orjson.dumps(stage.variables)
    return middle, end + b',"body":'


def message(
    prefix: bytes, fragments: tuple[bytes, bytes], message_id: str, request_id: str, clf: str, epoch_ms: int,
    body: bytes, base64: bool,
) -> bytes:  # fmt: skip
    """`body` is its JSON already."""
    id = request_id.encode()
    return b"".join(
        (
            prefix,
            message_id.encode(),
            b'","eventType":"MESSAGE","extendedRequestId":"',
            id,
            b'","requestTime":"',
            clf.encode(),
            fragments[0],
            str(epoch_ms).encode(),
            b',"requestId":"',
            id,
            fragments[1],
            body,
            b',"isBase64Encoded":true}' if base64 else b',"isBase64Encoded":false}',
        )
    )


def identity(session: Session) -> dict[str, str]:
    known = {"sourceIp": session.source_ip}
    if session.user_agent:
        known = {"userAgent": session.user_agent, **known}
    who = session.signer
    if who is not None:
        known |= {
            "accessKey": who.access_key,
            "accountId": who.account,
            "caller": who.user_id,
            "user": who.user_id,
            "userArn": who.arn,
        }
    return known


def context(
    session: Session, route_key: str, kind: str, request_id: str, clf: str, epoch_ms: int
) -> dict[str, Any]:
    """`requestContext` of a CONNECT or DISCONNECT event."""
    stage = session.stage
    result: dict[str, Any] = {
        "routeKey": route_key,
        "eventType": kind,
        "extendedRequestId": request_id,
        "requestTime": clf,
        "messageDirection": "IN",
        "stage": stage.name,
        "connectedAt": session.connected_ms,
        "requestTimeEpoch": epoch_ms,
        "identity": identity(session),
        "requestId": request_id,
        "domainName": stage.domain,
        "connectionId": session.id,
        "apiId": stage.api_id,
    }
    if session.authorizer is not None:
        result["authorizer"] = session.authorizer
    return result


class Handshake:
    """The parts of an upgrade request that events, authorizers and mappings speak of."""

    __slots__ = ("headers", "lowered", "multi", "multi_query", "query")

    def __init__(self, request: Request, domain: str, port: str) -> None:
        """`domain` stands for the host, however the API was reached: functions build their URLs from it."""
        added = [
            ("X-Amzn-Trace-Id", _trace_id()),
            ("X-Forwarded-For", request.peer[0]),
            ("X-Forwarded-Port", port),
            ("X-Forwarded-Proto", request.scheme),
        ]
        replaced = {name.lower() for name, _ in added}
        sent = [
            (name, domain if name.lower() == "host" else value)
            for name, value in request.raw_headers
            if name.lower() not in replaced
        ]
        self.headers, self.multi = _folded([*sent, *added])
        self.lowered = {name.lower(): value for name, value in self.headers.items()}
        pairs = parse_qsl(request.query, keep_blank_values=True)
        self.query, self.multi_query = _folded(pairs)

    def event(self, requestContext: dict[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
        event: dict[str, Any] = {
            "headers": _without_hops(self.headers),
            "multiValueHeaders": _without_hops(self.multi),
        }
        if self.query:
            event["queryStringParameters"] = self.query
            event["multiValueQueryStringParameters"] = self.multi_query
        event["requestContext"] = requestContext
        if variables:
            event["stageVariables"] = variables
        event["isBase64Encoded"] = False
        return event

    def authorizer_event(
        self, method_arn: str, requestContext: dict[str, Any], variables: Mapping[str, str]
    ) -> dict[str, Any]:
        return {
            "type": "REQUEST",
            "methodArn": method_arn,
            "headers": self.headers,
            "multiValueHeaders": self.multi,
            "queryStringParameters": self.query,
            "multiValueQueryStringParameters": self.multi_query,
            "stageVariables": variables,
            "requestContext": requestContext,
        }


def disconnect(
    requestContext: dict[str, Any], code: int, reason: str, variables: Mapping[str, str]
) -> dict[str, Any]:
    """AWS sends a $disconnect with these four headers, all but the first of them empty."""
    headers = {"Host": requestContext["domainName"], "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
    event: dict[str, Any] = {
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {**requestContext, "disconnectStatusCode": code, "disconnectReason": reason},
    }
    if variables:
        event["stageVariables"] = variables
    event["isBase64Encoded"] = False
    return event


def _folded(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The last value of each name, and all of them."""
    last: dict[str, str] = {}
    every: dict[str, list[str]] = {}
    for name, value in pairs:
        last[name] = value
        every.setdefault(name, []).append(value)
    return last, every


def _without_hops(headers: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}


def _trace_id() -> str:
    digits = uuid().replace("-", "")
    return f"Root=1-{digits[24:]}-{digits[:24]}"
