"""The query protocol: parameters as a form (`Tags.member.1.Key=a`), answers and errors as XML."""

from __future__ import annotations

from typing import Any

from ..context import Encoded
from ..errors import AwsError
from ..net.messages import Request, Response
from . import constraints, shapes
from .json import Decoder, Reader, Writer
from .model import Member, Model, Operation, Shape
from .route import Match
from .xml import escape, write_members

Node = "str | dict[str, Any]"

HEAD = "x-amzn-RequestId: {}\r\nContent-Type: text/xml\r\n"


def reader(operation: Operation, decoder: Decoder | None) -> Reader:
    model, shape = operation.model, operation.input
    addressed: str = model.patch.get("address_member", "")

    def read(request: Request, match: Match) -> dict[str, Any]:
        try:
            params = parse(shape, tree(match.form or {}))
            if addressed in shape.members and addressed not in params and len(request.path) > 1:
                params[addressed] = f"{request.scheme}://{request.host}{request.path}"
        except shapes.Unreadable as error:
            raise model.failure("serialization", str(error)) from error
        refusal = constraints.check(shape, params)
        if refusal is not None:
            raise model.failure("validation", refusal)
        return params

    return read


def tree(form: dict[str, str]) -> dict[str, Any]:
    """Dotted names as nested dicts: {"Tags.member.1.Key": "a"} is {"Tags": {"member": {"1": {"Key": "a"}}}}."""
    root: dict[str, Any] = {}
    for name, value in form.items():
        *path, last = name.split(".")
        node = root
        for step in path:
            inner = node.get(step)
            if not isinstance(inner, dict):
                inner = node[step] = {}
            node = inner
        if not isinstance(node.get(last), dict):
            node[last] = value
    return root


def parse(shape: Shape, node: dict[str, Any]) -> dict[str, Any]:
    """A structure from its part of the tree."""
    result = {}
    for member in shape.members.values():
        found = node.get(_name(member))
        if found is not None:
            result[member.name] = _value(member, found)
    return result


def _name(member: Member) -> str:
    """Flattened lists whose elements have a name go by that name."""
    inner = member.shape.member
    if inner is not None and member.flattened and inner.named:
        return inner.wire
    return member.wire


def _value(member: Member, node: Any) -> Any:
    shape = member.shape
    if shape.type == "structure":
        return parse(shape, branch(node))
    if shape.type == "list":
        return _list(member, node)
    if shape.type == "map":
        return _map(member, node)
    if not isinstance(node, str):
        raise shapes.Unreadable("Unexpected complex element termination")
    return shapes.from_text(shape, node)


def branch(node: Any) -> dict[str, Any]:
    if isinstance(node, dict):
        return node
    if node == "":
        return {}
    raise shapes.Unreadable("Unexpected list element termination")


def numbered(node: dict[str, Any]) -> list[Any]:
    return [node[key] for key in sorted((key for key in node if key.isdigit()), key=int)]


def _list(member: Member, node: Any) -> list[Any]:
    inner = member.shape.member
    assert inner is not None
    if member.flattened and isinstance(node, str) and node:
        return [_value(inner, node)]  # a single element may come without its number
    items = branch(node)
    if not member.flattened:
        items = branch(items.get(inner.wire if inner.named else "member", ""))
    return [_value(inner, item) for item in numbered(items)]


def _map(member: Member, node: Any) -> dict[str, Any]:
    key, value = member.shape.key, member.shape.value
    assert key is not None
    assert value is not None
    items = branch(node)
    if not member.flattened:
        items = branch(items.get("entry", ""))
    result = {}
    for item in numbered(items):
        entry = branch(item)
        name, content = entry.get(key.wire), entry.get(value.wire)
        if isinstance(name, str) and content is not None:
            result[name] = _value(value, content)
    return result


# --- answers ------------------------------------------------------------


def writer(operation: Operation) -> Writer:
    model, output = operation.model, operation.output
    name = operation.name
    start = f'<{name}Response xmlns="{model.namespace}">'
    wrapper = operation.wrapper or f"{name}Result"

    def write(result: dict[str, Any] | Encoded | None, request_id: str) -> Response:
        if isinstance(result, Encoded):
            raise TypeError("an operation of a query service gave JSON")
        parts = [start]
        if output is not None:
            parts.append(f"<{wrapper}>")
            write_members(output, result or {}, parts)
            parts.append(f"</{wrapper}>")
        parts.append(
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
        )
        return Response(200, (), "".join(parts).encode(), HEAD.format(request_id).encode())

    return write


def failure(model: Model, error: AwsError, request_id: str) -> Response:
    shape = model.errors.get(error.code)
    code = model.query_code(error.code) or (shape.code if shape is not None else error.code)
    status = error.status or model.status(error.code, error.fault)
    message = model.patch.get("messages", {}).get(error.code, error.message)
    parts = [
        f'<ErrorResponse xmlns="{model.namespace}"><Error>',
        f"<Type>{'Receiver' if status >= 500 else 'Sender'}</Type><Code>{code}</Code>",
        f"<Message>{escape(message)}</Message>",
    ]
    if shape is not None:
        write_members(
            shape, {k: v for k, v in error.fields.items() if k not in ("Type", "Code", "Message")}, parts
        )
    parts.append(f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>")
    return Response(status, (), "".join(parts).encode(), HEAD.format(request_id).encode())
