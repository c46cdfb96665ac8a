"""Integrations: what a route does with what it gets.

Each has `invoke(scope, event) -> Answer`. They are compiled from a deployment's records, with the stage's variables put
in, and hold no state. A proxy integration gets the event; the others get the body through request templates, and their
answer goes through integration responses.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import orjson

from ...context import Context
from ...errors import AwsError
from ...net.client import HttpFailed
from ...net.client import request as http_request
from . import model, selection, templates
from .scope import NOT_JSON, Answer, Scope, parse_json
from .storage import Record

_LAMBDA = re.compile(
    r"arn:[a-z-]+:apigateway:[a-z0-9-]+:lambda:path/\d{4}-\d\d-\d\d/functions/(.+)/invocations/?"
)
_ACTION = re.compile(r"arn:[a-z-]+:apigateway:[a-z0-9-]+:([a-z0-9-]+):action/(\w+)")
_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
_SERVICES = {
    "events": "events",
    "dynamodb": "dynamodb",
    "sqs": "sqs",
    "states": "stepfunctions",
    "kinesis": "kinesis",
}
"""Services in integration URIs whose actions take JSON, by their names here."""

NewContext = Callable[[], Awaitable[Context]]
"""As whom the gateway calls: itself, for a route, or the role that the integration names."""


class Integration(Protocol):
    timeout: float
    proxy: bool
    """Whether it wants the whole event."""
    cancels: bool
    """Whether it is stopped when nobody waits for it any more; a function isn't."""

    async def invoke(self, scope: Scope, event: bytes) -> Answer: ...


def with_variables(text: str, variables: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables.get(match[1], ""), text)


def function_of(uri: str) -> str | None:
    """The function that an integration's or an authorizer's URI names."""
    match = _LAMBDA.fullmatch(uri)
    if match is not None:
        return match[1]
    return uri if ":lambda:" in uri and ":function:" in uri else None


def compile_integration(record: Record, variables: Mapping[str, str], context: NewContext) -> Integration:
    kind = record["IntegrationType"]
    uri = with_variables(record.get("IntegrationUri", ""), variables)
    function = function_of(uri)
    if kind == "AWS_PROXY" and function is not None:
        return LambdaProxy(record, function, context)
    if kind == "MOCK":
        return Mapped(record, None)
    if kind == "HTTP_PROXY":
        return HttpProxy(record, uri)
    if kind == "HTTP":
        return Mapped(record, HttpBackend(record, uri))
    if kind == "AWS" and function is not None:
        return Mapped(record, LambdaBackend(function, context))
    action = _ACTION.fullmatch(uri)
    if kind == "AWS" and action is not None and action[1] in _SERVICES:
        return Mapped(record, ServiceBackend(_SERVICES[action[1]], action[2], context))
    return Broken(f"integrations of type {kind} with {uri} are not supported by Cloudlet")


class Broken:
    """An integration that can't work; said at each use, as AWS does."""

    timeout = 1.0
    proxy = False
    cancels = False

    def __init__(self, why: str) -> None:
        self._answer = Answer(500, failure=model.INTERNAL, log=why)

    async def invoke(self, scope: Scope, event: bytes) -> Answer:
        return self._answer


class LambdaProxy:
    """AWS_PROXY with a function: the event goes in as it is, `{"statusCode", "headers", "body"}` comes out."""

    proxy = True
    cancels = False

    def __init__(self, record: Record, function: str, context: NewContext) -> None:
        self.timeout = record["TimeoutInMillis"] / 1000
        self._function = function
        self._context = context

    async def invoke(self, scope: Scope, event: bytes) -> Answer:
        try:
            result = await (await self._context()).call(
                "lambda", "Invoke", {"FunctionName": self._function, "Payload": event}
            )
        except AwsError as error:
            return Answer(500, failure=model.INTERNAL, log=f"{error.code}: {error.message}")
        payload: bytes = result.get("Payload", b"")
        if "FunctionError" in result:
            return Answer(502, failure=model.INTERNAL, log=payload.decode(errors="replace"))
        return proxy_answer(payload)


def proxy_answer(payload: bytes) -> Answer:
    """A function may return nothing at all, which is 200."""
    returned = parse_json(payload) if payload else None
    if returned is None:
        return Answer()
    if not isinstance(returned, dict):
        return _malformed(payload)
    status, body = returned.get("statusCode", 200), returned.get("body")
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status)
    if not isinstance(status, int) or not 100 <= status <= 599 or not isinstance(body, str | None):
        return _malformed(payload)
    headers = returned.get("headers")
    answer = Answer(status)
    if headers:
        if not isinstance(headers, dict):
            return _malformed(payload)
        answer.headers = {name.lower(): selection.stringify(value) for name, value in headers.items()}
    if body:
        if returned.get("isBase64Encoded") is True:
            try:
                answer.body, answer.binary = base64.b64decode(body, validate=True), True
            except binascii.Error:
                return _malformed(payload)
        else:
            answer.body = body.encode()
    return answer


def _malformed(payload: bytes) -> Answer:
    return Answer(502, failure=model.INTERNAL, log=f"Malformed proxy response: {payload[:200]!r}")


class Backend(Protocol):
    cancels: bool

    async def send(
        self, scope: Scope, body: bytes, headers: dict[str, str], query: dict[str, str]
    ) -> Answer: ...


class Mapped:
    """The integrations with templates: MOCK (without a backend), HTTP and AWS."""

    proxy = False

    def __init__(self, record: Record, backend: Backend | None) -> None:
        self.timeout = record["TimeoutInMillis"] / 1000
        self.cancels = backend is not None and backend.cancels
        self._backend = backend
        self._record = record
        self._parameters: Mapping[str, str] = record.get("RequestParameters", {})
        self._templates: Mapping[str, str] = record.get("RequestTemplates", {})
        self._template_key = selection.parse(record.get("TemplateSelectionExpression", "\\$default"))
        self._response_key = selection.parse(record["IntegrationResponseSelectionExpression"])
        self._responses = [IntegrationResponse(response) for response in record["Responses"]]

    async def invoke(self, scope: Scope, event: bytes) -> Answer:
        body = scope.body
        try:
            template = self._template(scope)
            if template is not None:
                body = templates.render(template, scope, body)
            elif not self._passes():
                return Answer(415, failure=model.UNSUPPORTED_MEDIA)
            if self._record.get("ContentHandlingStrategy") == "CONVERT_TO_BINARY":
                body = base64.b64decode(body)
            answer = await self._send(scope, body)
            scope.answer = answer
            return answer if answer.failure else self._respond(scope, answer)
        except (templates.TemplateFailed, binascii.Error) as error:
            return Answer(500, failure=model.INTERNAL, log=f"mapping failed: {error}")

    async def _send(self, scope: Scope, body: bytes) -> Answer:
        if self._backend is None:
            return _mocked(body)
        headers, query = request_parameters(self._parameters, scope)
        return await self._backend.send(scope, body, headers, query)

    def _template(self, scope: Scope) -> str | None:
        key = self._template_key.select(scope.lookup)
        found = self._templates.get(key) if key is not None else None
        return self._templates.get("$default") if found is None else found

    def _passes(self) -> bool:
        behaviour = self._record["PassthroughBehavior"]
        return behaviour == "WHEN_NO_MATCH" or (behaviour == "WHEN_NO_TEMPLATES" and not self._templates)

    def _respond(self, scope: Scope, answer: Answer) -> Answer:
        key = self._response_key.select(scope.lookup) or ""
        for response in self._responses:
            if response.matches(key):
                return response.apply(scope, answer)
        for response in self._responses:
            if response.key == "$default":
                return response.apply(scope, answer)
        return answer


def _mocked(body: bytes) -> Answer:
    """A MOCK answers with the status code that its request template gives."""
    wanted = parse_json(body) if body.strip() else {"statusCode": 200}
    status = wanted.get("statusCode") if isinstance(wanted, dict) else None
    if not isinstance(status, int) or not 100 <= status <= 599:
        return Answer(500, failure=model.INTERNAL, log="a MOCK's request template must give a statusCode")
    return Answer(status)


class IntegrationResponse:
    def __init__(self, record: Record) -> None:
        self.key: str = record["IntegrationResponseKey"]
        self._pattern = re.compile(self.key[1:-1]) if self.key.startswith("/") else None
        self._templates: Mapping[str, str] = record.get("ResponseTemplates", {})
        self._template_key = selection.parse(record.get("TemplateSelectionExpression", "\\$default"))
        self._parameters: Mapping[str, str] = record.get("ResponseParameters", {})
        self._handling = record.get("ContentHandlingStrategy")

    def matches(self, key: str) -> bool:
        return self._pattern is not None and self._pattern.fullmatch(key) is not None

    def apply(self, scope: Scope, answer: Answer) -> Answer:
        result = Answer(answer.status, answer.body, dict(answer.headers), binary=answer.binary)
        key = self._template_key.select(scope.lookup)
        template = self._templates.get(key) if key is not None else None
        if template is None:
            template = self._templates.get("$default")
        if template is not None:
            result.body = templates.render(template, scope, answer.body)
        headers = {}
        for target, source in self._parameters.items():
            value = scope.mapped(source)
            if value is not None:
                headers[target.rpartition(".")[2].lower()] = value
        result.headers = {**result.headers, **headers}
        if self._handling == "CONVERT_TO_TEXT":
            result.body = base64.b64encode(result.body)
        elif self._handling == "CONVERT_TO_BINARY":
            result.body, result.binary = base64.b64decode(result.body), True
        return result


def request_parameters(mappings: Mapping[str, str], scope: Scope) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and query string of the request to the backend: `integration.request.header.X` from its source."""
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    for target, source in mappings.items():
        value = scope.mapped(source)
        if value is None:
            continue
        place, _, name = target.removeprefix("integration.request.").partition(".")
        (query if place == "querystring" else headers)[name] = value
    return headers, query


class LambdaBackend:
    """AWS with a function: the template's output goes in, whatever it returns comes out."""

    cancels = False

    def __init__(self, function: str, context: NewContext) -> None:
        self._function = function
        self._context = context

    async def send(self, scope: Scope, body: bytes, headers: dict[str, str], query: dict[str, str]) -> Answer:
        kind = headers.get("X-Amz-Invocation-Type", "RequestResponse").strip("'")
        payload = body if parse_json(body) is not NOT_JSON else orjson.dumps(body.decode(errors="replace"))
        params = {"FunctionName": self._function, "InvocationType": kind, "Payload": payload}
        try:
            result = await (await self._context()).call("lambda", "Invoke", params)
        except AwsError as error:
            return Answer(500, failure=model.INTERNAL, log=f"{error.code}: {error.message}")
        returned: bytes = result.get("Payload", b"")
        if "FunctionError" in result:
            return Answer(500, failure=model.INTERNAL, log=returned.decode(errors="replace"))
        return Answer(result.get("StatusCode", 200), returned)


class ServiceBackend:
    """AWS with an action of a service that speaks JSON: the template's output is the request."""

    cancels = False

    def __init__(self, service: str, action: str, context: NewContext) -> None:
        self._service = service
        self._action = action
        self._context = context

    async def send(self, scope: Scope, body: bytes, headers: dict[str, str], query: dict[str, str]) -> Answer:
        params = parse_json(body)
        if not isinstance(params, dict):
            return Answer(400, orjson.dumps({"__type": "SerializationException"}))
        try:
            result = await (await self._context()).call(self._service, self._action, params)
        except AwsError as error:
            return Answer(error.status or 400, orjson.dumps({"__type": error.code, "message": error.message}))
        result.pop("ResponseMetadata", None)
        return Answer(200, orjson.dumps(result, default=_blob))


def _blob(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"no JSON for {type(value).__name__}")


class HttpBackend:
    cancels = True

    def __init__(self, record: Record, uri: str) -> None:
        self._method = record["IntegrationMethod"]
        self._uri = uri

    async def send(self, scope: Scope, body: bytes, headers: dict[str, str], query: dict[str, str]) -> Answer:
        api = scope.session.stage.api_id
        sent = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"AmazonAPIGateway_{api}",
            "X-Amzn-Apigateway-Api-Id": api,
            **headers,
        }
        method = "POST" if self._method == "ANY" else self._method
        try:
            status, got, returned = await http_request(method, self._uri, sent, query, body)
        except HttpFailed as error:
            return Answer(500, failure=model.INTERNAL, log=str(error))
        return Answer(status, returned, got)


class HttpProxy:
    """HTTP_PROXY: the body goes to the backend as it came, what the backend says goes back."""

    proxy = False
    cancels = True

    def __init__(self, record: Record, uri: str) -> None:
        self.timeout = record["TimeoutInMillis"] / 1000
        self._parameters: Mapping[str, str] = record.get("RequestParameters", {})
        self._backend = HttpBackend(record, uri)

    async def invoke(self, scope: Scope, event: bytes) -> Answer:
        headers, query = request_parameters(self._parameters, scope)
        if scope.handshake is not None:
            query = {**scope.handshake.query, **query}
        return await self._backend.send(scope, scope.body, headers, query)
