"""rest-xml: members in the path, the query string, headers and an XML body, answered likewise.

Where the models are silent a service's patch has data: `roots` names the outermost element of an answer ("" has none
but its members), `partial` the status that goes with a member, `bare_errors` an error without a wrapper around it.
A member that streams is the body as bytes or as `chunked.Payload`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from ..context import Encoded
from ..errors import AwsError
from ..net.head import joined
from ..net.messages import Request, Response
from . import constraints, shapes
from .chunked import decoded_length, is_framed, payload_of, without_framing
from .json import Decoder, Reader, Writer
from .model import Member, Model, Operation, Shape
from .rest import outside_value, read_outside
from .route import Match
from .xml import DECLARATION, escape, write_members

TYPED = b"Content-Type: application/xml\r\n"
LENGTH = "ContentLength"
REPLACED = "\ufffd"
"""What stands for bytes that are no text."""
NO_PREFIX = "\n"
"""No header begins so."""


def reader(operation: Operation, decoder: Decoder | None) -> Reader:
    model, shape = operation.model, operation.input
    outside = [member for member in shape.members.values() if member.location]
    labels = [
        member for member in outside if member.location == "uri" and f"{{{member.wire}" in operation.uri
    ]
    in_query = [member for member in outside if member.location == "querystring"]
    in_head = {member.wire.lower(): member for member in outside if member.location == "header"}
    prefixed = [member for member in outside if member.location == "headers"]
    prefix = prefixed[0].wire.lower() if prefixed else NO_PREFIX
    payload = shape.members.get(shape.payload)
    streams = payload is not None and payload.shape.type == "blob"
    has_body = any(not member.location for member in shape.members.values())

    def read(request: Request, match: Match) -> dict[str, Any]:
        params: dict[str, Any] = {}
        try:
            if streams:
                params[shape.payload] = payload_of(model, request)
            elif has_body and request.body:
                params = _body(model, shape, payload, request)
            for member in labels:
                found = match.labels[member.wire]
                if REPLACED in found:
                    _check_path(model, request)
                params[member.name] = _from_text(member.shape, found)
            has_more = False
            for name, found in request.headers.items():
                if name in in_head:
                    member = in_head[name]
                    params[member.name] = _from_text(member.shape, found)
                elif name.startswith(prefix):
                    has_more = True
            if has_more:
                read_outside(prefixed, request, match.labels, params)
            if request.query and in_query:
                read_outside(in_query, request, match.labels, params)
            if is_framed(request):
                _unframe(request, params)
        except (shapes.Unreadable, UnicodeDecodeError) as error:
            raise model.failure("serialization", str(error)) from error
        refusal = constraints.check(shape, params)
        if refusal is not None:
            raise model.failure("validation", refusal)
        return params

    return read


def _check_path(model: Model, request: Request) -> None:
    """A path whose bytes are no text must not be taken for another one."""
    try:
        unquote(request.path, errors="strict")
    except UnicodeDecodeError:
        code = model.failures.get("invalid_uri", model.failures["serialization"])
        raise AwsError(code, "Couldn't parse the specified URI.", status=400) from None


def _from_text(shape: Shape, found: str) -> Any:
    return found if shape.type == "string" else outside_value(shape, found)


def _body(model: Model, shape: Shape, payload: Member | None, request: Request) -> dict[str, Any]:
    if payload is None:
        return parse(model, shape, without_framing(model, request))
    if payload.shape.type == "string":
        return {payload.name: request.body.decode()}
    return {payload.name: parse(model, payload.shape, without_framing(model, request))}


def _unframe(request: Request, params: dict[str, Any]) -> None:
    """The framing of a body is no property of what is sent."""
    encoding = params.get("ContentEncoding")
    if encoding and "aws-chunked" in encoding:
        left = [part.strip() for part in encoding.split(",") if part.strip() != "aws-chunked"]
        params.pop("ContentEncoding")
        if left:
            params["ContentEncoding"] = ",".join(left)
    length = decoded_length(request)
    if length is not None:
        params["ContentLength"] = length


def parse(model: Model, shape: Shape, body: bytes) -> dict[str, Any]:
    """An XML body in boto3's form; what the shape doesn't have is ignored."""
    broken = model.failure("broken_json", model.patch.get("texts", {}).get("broken_xml", ""), status=400)
    try:
        root = ElementTree.fromstring(body)
        return _structure(shape, root)
    except (ElementTree.ParseError, shapes.Unreadable, ValueError) as error:
        raise broken from error


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _structure(shape: Shape, node: ElementTree.Element) -> dict[str, Any]:
    found: dict[str, list[ElementTree.Element]] = {}
    for child in node:
        found.setdefault(_local(child.tag), []).append(child)
    result: dict[str, Any] = {}
    for member in shape.members.values():
        if member.attribute:
            name = member.wire.rpartition(":")[2]
            value = next((v for k, v in node.attrib.items() if _local(k) == name), None)
            if value is not None:
                result[member.name] = value
            continue
        nodes = found.get(_wire(member))
        if nodes and not member.location:
            result[member.name] = _value(member, nodes)
    return result


def _wire(member: Member) -> str:
    inner = member.shape.member
    if inner is not None and member.flattened and inner.named:
        return inner.wire
    return member.wire


def _value(member: Member, nodes: list[ElementTree.Element]) -> Any:
    shape, node = member.shape, nodes[0]
    if shape.type == "structure":
        return _structure(shape, node)
    if shape.type == "list":
        inner = shape.member
        assert inner is not None
        if not member.flattened:
            wanted = inner.wire if inner.named else "member"
            nodes = [child for child in node if _local(child.tag) == wanted]
        return [_value(inner, [item]) for item in nodes]
    if shape.type == "map":
        key, value = shape.key, shape.value
        assert key is not None
        assert value is not None
        entries = nodes if member.flattened else list(node)
        return {
            (entry.findtext(f"{{*}}{key.wire}") or ""): _value(value, entry.findall(f"{{*}}{value.wire}"))
            for entry in entries
        }
    return shapes.from_text(shape, (node.text or "") if shape.type == "string" else (node.text or "").strip())


# --- answers ------------------------------------------------------------


def writer(operation: Operation) -> Writer:
    model, output, status = operation.model, operation.output, operation.status
    members = list(output.members.values()) if output is not None else []
    outside = {member.name: member for member in members if member.location}
    payload = output.members.get(output.payload) if output is not None else None
    partial: dict[str, int] = model.patch.get("partial", {}).get(operation.name, {})
    has_body = payload is not None or any(not member.location for member in members)
    is_raw = payload is not None and payload.shape.type in ("blob", "string")
    root = model.patch.get("roots", {}).get(operation.name)
    if root is None:
        root = (payload.wire if payload is not None else "") or (output.name if output is not None else "")

    def write(result: dict[str, Any] | Encoded | None, request_id: str) -> Response:
        if isinstance(result, Encoded):
            return Response(status, (), result.body, _head(model, request_id, TYPED))
        values: dict[str, Any] = result or {}
        answered = next((code for name, code in partial.items() if name in values), status)
        lines: list[str] = []
        length: tuple[tuple[str, str], ...] = ()
        for name, value in values.items():
            member = outside.get(name)
            if member is None or value is None:
                continue
            if member.location == "header":
                if name == LENGTH:
                    length = ((member.wire, str(value)),)
                else:
                    shown = value if type(value) is str else shapes.to_text(member, value, "rfc822")
                    lines.append(f"{member.wire}: {shown}\r\n")
            elif member.location == "headers":
                lines.extend(f"{member.wire}{key}: {item}\r\n" for key, item in value.items())
            else:
                answered = int(value)
        head = _head(model, request_id) + joined(lines)
        if is_raw:
            given = values.get(output.payload, b"")  # type: ignore[union-attr]
            body = given.encode() if isinstance(given, str) else given
            return Response(answered, length, body, head)
        if not has_body or answered == 204 or (payload is not None and values.get(payload.name) is None):
            return Response(answered, length, b"", head)
        assert output is not None
        shape = payload.shape if payload is not None else output
        inner = values[payload.name] if payload is not None else values
        return Response(answered, length, _document(model, root, shape, inner), head + TYPED)

    return write


def _document(model: Model, root: str, shape: Shape, value: dict[str, Any]) -> bytes:
    parts = [DECLARATION]
    namespace = f' xmlns="{model.namespace}"' if model.namespace else ""
    if root:
        parts.append(f"<{root}{namespace}>")
        write_members(shape, value, parts)
        parts.append(f"</{root}>")
        return "".join(parts).encode()
    member = next(iter(shape.members.values()))
    parts.append(f"<{member.wire}{namespace}>{escape(str(value.get(member.name, '')))}</{member.wire}>")
    return "".join(parts).encode()


def _ids(model: Model, request_id: str) -> tuple[str, str]:
    """The two ids that the service's answers carry; the second is made of the first."""
    short = request_id.replace("-", "")
    return short[:16].upper(), f"{short}{short[::-1]}"


def _head(model: Model, request_id: str, more: bytes = b"") -> bytes:
    name = model.patch.get("request_id_header")
    if name is None:
        return b"x-amzn-RequestId: %b\r\n%b" % (request_id.encode(), more)
    id, host = _ids(model, request_id)
    return f"{name}: {id}\r\n{model.patch['host_id_header']}: {host}\r\n".encode() + more


def failure(model: Model, error: AwsError, request_id: str) -> Response:
    """Fields whose names are headers' (lower case with a dash, Allow, ETag) leave as headers, others as elements."""
    shape = model.errors.get(error.code)
    code = shape.code if shape is not None else error.code
    status = error.status or model.status(error.code, error.fault)
    headers = [(name, str(value)) for name, value in error.fields.items() if _is_header(name)]
    if status == 304:
        return Response(304, headers, b"", _head(model, request_id))
    inner = f"<Code>{escape(code)}</Code><Message>{escape(error.message)}</Message>"
    for name, value in error.fields.items():
        if not _is_header(name):
            inner += f"<{name}>{escape(str(value))}</{name}>"
    if model.patch.get("bare_errors"):
        id, host = _ids(model, request_id)
        body = f"{DECLARATION}<Error>{inner}<RequestId>{id}</RequestId><HostId>{host}</HostId></Error>"
    else:
        kind = "Receiver" if status >= 500 else "Sender"
        namespace = f' xmlns="{model.namespace}"' if model.namespace else ""
        body = (
            f"{DECLARATION}<ErrorResponse{namespace}><Error><Type>{kind}</Type>{inner}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return Response(status, headers, body.encode(), _head(model, request_id, TYPED))


def _is_header(name: str) -> bool:
    return name in ("Allow", "ETag") or (name[:1].islower() and "-" in name)
