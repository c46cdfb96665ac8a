"""The REST protocols: members in the path, the query string, headers and the body, answered likewise.

rest-json is whole but for event streams; rest-xml has a module of its own, `restxml`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from ..context import Encoded
from ..errors import AwsError
from ..net.messages import Request, Response
from . import constraints, shapes
from .json import Decoder, Reader, Writer, error_members, parse
from .model import Member, Model, Operation, Shape
from .route import Match


def reader(operation: Operation, decoder: Decoder | None) -> Reader:
    model, shape = operation.model, operation.input
    outside = [member for member in shape.members.values() if member.location]
    payload = shape.members.get(shape.payload)
    has_body = any(not member.location for member in shape.members.values())
    compiled = decoder

    def read(request: Request, match: Match) -> dict[str, Any]:
        params: dict[str, Any] = {}
        try:
            if payload is not None:
                _read_payload(model, payload, shape.payload in shape.required, request, params)
            elif compiled is not None:
                params = compiled(request.body or b"{}")
            elif has_body and request.body:
                params = parse(model, shape, request.body)
            if outside:
                read_outside(outside, request, match.labels, params)
        except shapes.Unreadable as error:
            raise model.failure("serialization", str(error)) from error
        refusal = constraints.check(shape, params)
        if refusal is not None:
            raise model.failure("validation", refusal)
        return params

    return read


def _read_payload(
    model: Model, member: Member, required: bool, request: Request, params: dict[str, Any]
) -> None:
    """An empty body is an absent member, unless it has to be there."""
    kind = member.shape.type
    if not request.body and not required:
        return
    if kind == "blob":
        params[member.name] = request.body
    elif kind == "string":
        params[member.name] = request.body.decode()
    elif request.body:
        params[member.name] = parse(model, member.shape, request.body)


def read_outside(
    members: list[Member], request: Request, labels: dict[str, str], params: dict[str, Any]
) -> None:
    """The members that travel outside the body. A body member of the same name never wins over them."""
    pairs = parse_qsl(request.query, keep_blank_values=True) if request.query else []
    for member in members:
        params.pop(member.name, None)
        found: Any = None
        if member.location == "uri":
            found = labels.get(member.wire)
        elif member.location == "header":
            found = request.headers.get(member.wire.lower())
        elif member.location == "headers":
            _read_prefixed(member, request, params)
        elif member.location == "querystring":
            _read_query(member, pairs, params)
        if found is not None:
            params[member.name] = outside_value(member.shape, found)


def outside_value(shape: Shape, found: str) -> Any:
    """What stands as text outside the body."""
    if shape.type == "list":
        assert shape.member is not None
        inner = shape.member.shape
        return [shapes.from_text(inner, item.strip()) for item in found.split(",")]
    return shapes.from_text(shape, found)


def _read_prefixed(member: Member, request: Request, params: dict[str, Any]) -> None:
    prefix = member.wire.lower()
    named = {
        name[len(prefix) :]: value for name, value in request.raw_headers if name.lower().startswith(prefix)
    }
    if named:
        params[member.name] = named


def _read_query(member: Member, pairs: list[tuple[str, str]], params: dict[str, Any]) -> None:
    shape = member.shape
    if shape.type == "map":
        params[member.name] = dict(pairs)
        return
    values = [value for name, value in pairs if name == member.wire]
    if not values:
        return
    if shape.type == "list":
        assert shape.member is not None
        inner = shape.member.shape
        params[member.name] = [shapes.from_text(inner, value) for value in values]
    else:
        params[member.name] = shapes.from_text(shape, values[-1])


# --- answers ------------------------------------------------------------


def writer(operation: Operation) -> Writer:
    output, status = operation.output, operation.status
    members = list(output.members.values()) if output is not None else []
    outside = [member for member in members if member.location]
    payload = output.members.get(output.payload) if output is not None else None
    plain = output is None or shapes.is_plain(output)
    json_head = "\r\nContent-Type: application/json\r\n"

    def write(result: dict[str, Any] | Encoded | None, request_id: str) -> Response:
        if type(result) is Encoded:
            return Response(status, (), result.body, f"x-amzn-RequestId: {request_id}{json_head}".encode())
        values: dict[str, Any] = result or {}  # type: ignore[assignment]
        answered = status
        headers: list[tuple[str, str]] = []
        for member in outside:
            value = values.get(member.name)
            if value is None:
                continue
            if member.location == "statusCode":
                answered = int(value)
            elif member.location == "headers":
                headers.extend((member.wire + name, str(item)) for name, item in value.items())
            else:
                headers.append((member.wire, shapes.to_text(member, value, "rfc822")))
        if payload is not None:
            body = _write_payload(payload, values)
        elif output is None or answered == 204:
            body = b""
        else:
            body = shapes.dumps(values if plain else _body(output, values))
        typed = json_head if body and not any(n.lower() == "content-type" for n, _ in headers) else "\r\n"
        return Response(answered, headers, body, f"x-amzn-RequestId: {request_id}{typed}".encode())

    return write


def _body(output: Shape, values: dict[str, Any]) -> dict[str, Any]:
    inside = {
        name: value
        for name, value in values.items()
        if name in output.members and not output.members[name].location
    }
    result: dict[str, Any] = shapes.to_json(output, inside)
    return result


def _write_payload(member: Member, values: dict[str, Any]) -> bytes:
    value = values.get(member.name)
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    return shapes.dumps(shapes.to_json(member.shape, value))


def failure(model: Model, error: AwsError, request_id: str) -> Response:
    shape = model.errors.get(error.code)
    status = error.status or model.status(error.code, error.fault)
    members = error_members(model, error)
    if shape is not None and "Type" in shape.members:
        members.setdefault("Type", "Service" if status >= 500 else "User")
    headers = [("x-amzn-ErrorType", shape.name if shape is not None else error.code)]
    if shape is not None:
        for name, value in error.fields.items():
            member = shape.members.get(name)
            if member is not None and member.location == "header":
                headers.append((member.wire, shapes.to_text(member, value, "rfc822")))
    head = f"x-amzn-RequestId: {request_id}\r\nContent-Type: application/json\r\n"
    return Response(status, headers, shapes.dumps(members), head.encode())
