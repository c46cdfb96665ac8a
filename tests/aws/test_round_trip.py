"""Against botocore: what its serializers send we read, what we answer its parsers read, whatever the operation."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import urlencode

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import pytest
from botocore.compat import HTTPHeaders

from cloudlet.aws import constraints, shapes
from cloudlet.aws.dispatch import PROTOCOLS
from cloudlet.aws.model import Operation, Shape
from cloudlet.aws.route import Router
from cloudlet.net.messages import Request
from tests.aws.kit import MODELS, SERVICES
from tests.aws.values import draw

OPERATIONS = [op for name in (*SERVICES, "ec2", "sns", "sqs") for op in MODELS[name].operations.values()]
ROUTER = Router((*SERVICES, "ec2", "sns", "sqs"), MODELS)
TIMES = 3
_loader = botocore.loaders.Loader()
_theirs: dict[str, botocore.model.ServiceModel] = {}


def title(operation: Operation) -> str:
    return f"{operation.model.name}.{operation.name}"


def theirs(operation: Operation) -> Any:
    name = operation.model.name
    if name not in _theirs:
        _theirs[name] = botocore.model.ServiceModel(_loader.load_service_model(name, "service-2"), name)
    return _theirs[name].operation_model(operation.name)


def with_datetimes(shape: Shape, value: Any) -> Any:
    """As a caller of boto3 would write it."""
    if shape.type == "structure":
        return {name: with_datetimes(shape.members[name].shape, item) for name, item in value.items()}
    if shape.type == "list":
        assert shape.member is not None
        inner = shape.member.shape
        return [with_datetimes(inner, item) for item in value]
    if shape.type == "map":
        assert shape.value is not None
        content = shape.value.shape
        return {key: with_datetimes(content, item) for key, item in value.items()}
    if shape.type == "timestamp":
        return datetime.fromtimestamp(value, UTC)
    return value


def sent(operation: Operation, params: dict[str, Any]) -> Request:
    """The request that boto3 would send."""
    serializer = botocore.serialize.create_serializer(operation.model.protocol, include_validation=False)
    raw = serializer.serialize_to_request(with_datetimes(operation.input, params), theirs(operation))
    request = Request()
    request.method = raw["method"]
    request.path, _, request.query = raw["url_path"].partition("?")
    if raw["query_string"]:
        literal = [request.query] if request.query else []
        request.query = "&".join([*literal, urlencode(raw["query_string"], doseq=True)])
    request.raw_headers = [(name, str(value)) for name, value in raw["headers"].items()]
    request.headers = {name.lower(): value for name, value in request.raw_headers}
    body = raw["body"]
    if isinstance(body, dict):
        body = urlencode(body, doseq=True)
    request.body = body.encode() if isinstance(body, str) else bytes(body)
    return request


@pytest.mark.parametrize("operation", OPERATIONS, ids=title)
def test_requests_are_read_as_they_were_meant(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constraints, "check", lambda shape, value: None)
    read = PROTOCOLS[operation.model.protocol].reader(operation, None)
    random = Random(title(operation))
    for _ in range(TIMES):
        params = draw(operation.input, random)
        if operation.input.payload in params and not params[operation.input.payload]:
            del params[operation.input.payload]
        request = sent(operation, params)
        match = ROUTER.find(request, operation.model.signing_name)
        assert match.operation is operation
        got = read(request, match)
        if operation.input.payload not in params and got.get(operation.input.payload) == {}:
            del got[operation.input.payload]  # botocore sends {} for a structure that isn't given
        assert got == params


@pytest.mark.parametrize("operation", [op for op in OPERATIONS if op.output is not None], ids=title)
def test_answers_are_read_as_they_were_given(operation: Operation) -> None:
    output = operation.output
    assert output is not None
    if any(member.shape.event_stream for member in output.members.values()):
        pytest.skip("event streams are not built")
    write = PROTOCOLS[operation.model.protocol].writer(operation)
    parser = botocore.parsers.create_parser(operation.model.protocol)
    random = Random(title(operation))
    for _ in range(TIMES):
        result = draw(output, random)
        for member in output.members.values():
            if member.location == "statusCode":
                result[member.name] = 200
        payload = output.members.get(output.payload)
        if payload is not None and payload.shape.type == "blob":
            result[payload.name] = b"some text"  # botocore's parser decodes it
        response = write(result, "id")
        lines = [line.split(": ", 1) for line in response.head.decode().split("\r\n") if line]
        headers = HTTPHeaders.from_pairs([*map(tuple, lines), *response.headers])
        raw = {"status_code": response.status, "headers": headers, "body": response.body, "context": {}}
        parsed = parser.parse(raw, theirs(operation).output_shape)
        parsed.pop("ResponseMetadata")
        if payload is not None and payload.shape.type == "blob":
            parsed[payload.name] = response.body
        if response.status == 204 or response.body == b"":
            result = {k: v for k, v in result.items() if output.members[k].location}
        assert parsed == with_datetimes(output, result)


@pytest.mark.parametrize(
    "operation", [op for op in OPERATIONS if op.model.protocol == "json" and op.input.members], ids=title
)
def test_the_compiled_decoder_reads_what_the_exact_one_reads(operation: Operation) -> None:
    """What it refuses is not allowed, and what it takes is the same."""
    decode = shapes.decoder(operation.input)
    if decode is None:
        assert operation.name == "StartLiveTail" or operation.model.name != "dynamodb"
        return
    random = Random(title(operation))
    for _ in range(TIMES):
        params = draw(operation.input, random)
        body = shapes.dumps(shapes.to_json(operation.input, params))
        allowed = constraints.check(operation.input, params) is None
        try:
            decoded = decode(body)
        except ValueError:
            assert not allowed
        else:
            assert allowed
            assert decoded == params
