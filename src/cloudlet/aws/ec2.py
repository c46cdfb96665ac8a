"""The ec2 protocol: the query protocol's form with every list flattened (`Filter.1.Value.2=x`), and XML of its own."""

from __future__ import annotations

from typing import Any

from ..context import Encoded
from ..errors import AwsError
from ..net.messages import Request, Response
from . import query, shapes
from .json import Decoder, Reader, Writer
from .model import Member, Model, Operation, Shape
from .route import Match
from .xml import DECLARATION, escape, write_members

HEAD = "x-amzn-RequestId: {}\r\nContent-Type: text/xml;charset=UTF-8\r\n"


def reader(operation: Operation, decoder: Decoder | None) -> Reader:
    model, shape = operation.model, operation.input

    def read(request: Request, match: Match) -> dict[str, Any]:
        try:
            params = _structure(shape, query.tree(match.form or {}))
        except shapes.Unreadable as error:
            raise model.failure("serialization", str(error)) from error
        _check(shape, params)
        return params

    return read


def _structure(shape: Shape, node: dict[str, Any]) -> dict[str, Any]:
    result = {}
    for member in shape.members.values():
        found = node.get(_name(member))
        if found is not None:
            result[member.name] = _value(member, found)
    return result


def _name(member: Member) -> str:
    """As it stands in a form: the wire's name with a capital letter."""
    return member.wire[0].upper() + member.wire[1:]


def _value(member: Member, node: Any) -> Any:
    shape = member.shape
    if shape.type == "structure":
        return _structure(shape, query.branch(node))
    if shape.type == "list":
        assert shape.member is not None
        items = [node] if isinstance(node, str) and node else query.numbered(query.branch(node))
        return [_value(shape.member, item) for item in items]
    if not isinstance(node, str):
        raise shapes.Unreadable(f"Unexpected members of the parameter {member.wire}")
    return shapes.from_text(shape, node)


def _check(shape: Shape, params: dict[str, Any]) -> None:
    """The model's constraints, in the words that EC2 has for them."""
    for name in shape.required:
        if name not in params:
            wanted = _lower(shape.members[name].wire)
            raise AwsError("MissingParameter", f"The request must contain the parameter {wanted}")
    for name, value in params.items():
        member = shape.members[name]
        for item in value if isinstance(value, list) else [value]:
            inner = member.shape.member.shape if member.shape.member is not None else member.shape
            if isinstance(item, dict):
                _check(inner, item)
            else:
                _check_scalar(_lower(member.wire), inner, item)


def _check_scalar(name: str, shape: Shape, value: Any) -> None:
    if shape.enum and value not in shape.enum:
        raise AwsError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid.")
    if shape.type in shapes.INTEGERS:
        text = f"Value ( {value} ) for parameter {name} is invalid. Expecting a value"
        if shape.min is not None and value < shape.min:
            raise AwsError("InvalidParameterValue", f"{text} greater than {shape.min}.")
        if shape.max is not None and value > shape.max:
            raise AwsError("InvalidParameterValue", f"{text} less than or equal to {shape.max}.")


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def writer(operation: Operation) -> Writer:
    model, output, name = operation.model, operation.output, operation.name
    start = f'{DECLARATION}<{name}Response xmlns="{model.namespace}/">'

    def write(result: dict[str, Any] | Encoded | None, request_id: str) -> Response:
        if isinstance(result, Encoded):
            raise TypeError("an operation of an ec2 service gave JSON")
        parts = [start, f"<requestId>{request_id}</requestId>"]
        if output is None:
            parts.append("<return>true</return>")
        else:
            write_members(output, result or {}, parts)
        parts.append(f"</{name}Response>")
        return Response(200, (), "".join(parts).encode(), HEAD.format(request_id).encode())

    return write


def failure(model: Model, error: AwsError, request_id: str) -> Response:
    status = error.status or model.status(error.code, error.fault)
    body = (
        f"{DECLARATION}<Response><Errors><Error><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    )
    return Response(status, (), body.encode(), HEAD.format(request_id).encode())
