"""The protocols json 1.0 and 1.1: the operation in X-Amz-Target, members in the body.

An error is `{"__type": "<prefix>#Code", "message": ...}`; prefixes, and the CRC32 that DynamoDB's clients check, are
data of the service's patch.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import orjson

from ..context import Encoded
from ..errors import AwsError
from ..net.messages import Request, Response
from . import constraints, shapes
from .model import Model, Operation, Shape
from .route import Match

Reader = Callable[[Request, Match], dict[str, Any]]
Writer = Callable[["dict[str, Any] | Encoded | None", str], Response]
Decoder = Callable[[bytes], dict[str, Any]]

REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def reader(operation: Operation, decoder: Decoder | None) -> Reader:
    """`decoder` is the service's own; without one, one is compiled from the input shape at the first request."""
    model, shape = operation.model, operation.input
    compiled = decoder
    asked = decoder is not None

    def read(request: Request, match: Match) -> dict[str, Any]:
        nonlocal compiled, asked
        if not asked:
            compiled, asked = shapes.decoder(shape), True
        kind = request.headers.get("content-type")
        if kind is not None and not kind.startswith(("application/x-amz-json-1", "application/json")):
            raise model.failure("unknown_operation", status=404)
        if compiled is not None:
            try:
                return compiled(request.body)
            except REFUSALS:
                pass
        params = read_exactly(model, shape, request.body)
        return params if decoder is None else decoder(shapes.dumps(shapes.to_json(shape, params)))

    return read


def read_exactly(model: Model, shape: Shape, body: bytes) -> dict[str, Any]:
    """Parse and check the long way, to say what is wrong in the service's words."""
    params = parse(model, shape, body)
    refusal = constraints.check(shape, params)
    if refusal is not None:
        raise model.failure("validation", refusal)
    return params


def parse(model: Model, shape: Shape, body: bytes) -> dict[str, Any]:
    """A JSON body in boto3's form."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        text = model.patch.get("texts", {}).get("broken_json", "")
        raise model.failure("broken_json", text.format(error=error)) from error
    try:
        params = shapes.from_json(shape, value)
    except shapes.Unreadable as error:
        raise model.failure("serialization", str(error)) from error
    except RecursionError as error:
        raise model.failure("serialization", "Too deeply nested") from error
    if not isinstance(params, dict):
        raise model.failure("serialization")
    return params


def writer(operation: Operation) -> Writer:
    model, output = operation.model, operation.output
    crc = bool(model.patch.get("crc32"))
    after_id = f"\r\nContent-Type: application/x-amz-json-{model.json_version}\r\n"
    plain = output is None or shapes.is_plain(output)

    def write(result: dict[str, Any] | Encoded | None, request_id: str) -> Response:
        if type(result) is Encoded:
            body = result.body
        elif output is None:
            body = b""
        else:
            body = shapes.dumps((result if plain else shapes.to_json(output, result)) or {})
        checksum = f"x-amz-crc32: {zlib.crc32(body)}\r\n" if crc else ""
        return Response(200, (), body, f"x-amzn-RequestId: {request_id}{after_id}{checksum}".encode())

    return write


def failure(model: Model, error: AwsError, request_id: str) -> Response:
    code = error.code
    prefix = model.patch.get("error_types", {}).get(code, model.patch.get("error_prefix", ""))
    body = shapes.dumps({"__type": prefix + code, **error_members(model, error)})
    status = error.status or model.status(code, error.fault)
    head = f"x-amzn-RequestId: {request_id}\r\nContent-Type: application/x-amz-json-{model.json_version}\r\n"
    if model.patch.get("crc32"):
        head += f"x-amz-crc32: {zlib.crc32(body)}\r\n"
    query_code = model.query_code(code)
    if query_code is not None:
        head += f"x-amzn-query-error: {query_code};{'Receiver' if status >= 500 else 'Sender'}\r\n"
    return Response(status, (), body, head.encode())


def error_members(model: Model, error: AwsError) -> dict[str, Any]:
    """The body of an error: its message under the name that its shape uses, and its further members."""
    shape = model.errors.get(error.code)
    names = shape.members if shape is not None else {}
    members: dict[str, Any] = {}
    if error.message:
        if "Message" in names:
            told = names["Message"].wire
        else:
            told = "Message" if error.code in model.patch.get("capital_message", ()) else "message"
        members[told] = error.message
    for name, value in error.fields.items():
        member = names.get(name)
        if member is None:
            members[name] = value
        elif not member.location:
            members[member.wire] = shapes.to_json(member.shape, value, member.timestamp)
    return members
