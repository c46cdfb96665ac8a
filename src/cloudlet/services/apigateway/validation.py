"""What a request can be refused for without looking anything up."""

from __future__ import annotations

import re
from typing import Any

import orjson

from . import model
from .selection import SelectionError, parse

_STAGE = re.compile(r"\$default|[A-Za-z0-9_-]{1,128}")
_MODEL_NAME = re.compile(r"[A-Za-z0-9]{1,255}")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]+")
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9-._~:/?#&=,]*")
_HTTP_METHODS = {"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

Request = dict[str, Any]


def _expression(request: Request, member: str) -> None:
    text = request.get(member)
    if text:
        try:
            parse(text)
        except SelectionError as error:
            raise model.bad_request(str(error)) from None


def create_api(request: Request) -> Request:
    if request["ProtocolType"] == "HTTP":
        raise model.http_api()
    if not request.get("RouteSelectionExpression"):
        raise model.bad_request("RouteSelectionExpression is required for WEBSOCKET APIs")
    for member in ("CorsConfiguration", "CredentialsArn", "RouteKey", "Target"):
        if request.get(member):
            raise model.bad_request(f"{member} is not supported for protocol type WEBSOCKET")
    return update_api(request)


def update_api(request: Request) -> Request:
    name = request.get("Name")
    if name is not None and not 1 <= len(name) <= 128:
        raise model.bad_request("Invalid API name specified: the length must be between 1 and 128")
    for member in ("RouteSelectionExpression", "ApiKeySelectionExpression"):
        if request.get(member) == "":
            raise model.bad_request(f"{member} must not be empty")
        _expression(request, member)
    return request


def create_route(request: Request) -> Request:
    if not request["RouteKey"]:
        raise model.bad_request("The provided route key is not formatted properly")
    return update_route(request)


def update_route(request: Request) -> Request:
    if request.get("RouteKey") == "":
        raise model.bad_request("The provided route key is not formatted properly")
    kind = request.get("AuthorizationType", "NONE")
    if kind == "JWT":
        raise model.bad_request("AuthorizationType JWT is not supported for protocol type WEBSOCKET")
    if request.get("ApiKeyRequired"):
        raise model.bad_request("ApiKeyRequired is not supported by Cloudlet: it has no usage plans")
    target = request.get("Target")
    if target and not target.startswith("integrations/"):
        raise model.bad_request(
            f"Invalid target {target}: it must be of the form integrations/{{integration id}}"
        )
    _expression(request, "ModelSelectionExpression")
    _expression(request, "RouteResponseSelectionExpression")
    return request


def create_integration(request: Request) -> Request:
    kind = request["IntegrationType"]
    if kind != "MOCK" and not request.get("IntegrationUri"):
        raise model.bad_request(f"IntegrationUri must be specified for integration type {kind}")
    if kind in ("HTTP", "HTTP_PROXY") and not request.get("IntegrationMethod"):
        raise model.bad_request(f"IntegrationMethod must be specified for integration type {kind}")
    return update_integration(request)


def update_integration(request: Request) -> Request:
    if request.get("ConnectionType") == "VPC_LINK" or request.get("ConnectionId"):
        raise model.bad_request(
            "ConnectionType VPC_LINK is not supported by Cloudlet: there are no VPCs on this machine"
        )
    if request.get("IntegrationSubtype"):
        raise model.bad_request("IntegrationSubtype is not supported for protocol type WEBSOCKET")
    if request.get("ResponseParameters"):
        raise model.bad_request("ResponseParameters are not supported for protocol type WEBSOCKET")
    method = request.get("IntegrationMethod")
    if method and method not in _HTTP_METHODS:
        raise model.bad_request(f"Invalid HTTP method specified: {method}")
    millis = request.get("TimeoutInMillis")
    if millis is not None and not model.MIN_INTEGRATION_MILLIS <= millis <= model.INTEGRATION_MILLIS:
        raise model.bad_request("Timeout should be between 50 ms and 29000 ms")
    for template in (request.get("RequestTemplates") or {}).values():
        if len(template.encode()) > model.TEMPLATE_BYTES:
            raise model.bad_request("Mapping template exceeds the limit of 300 KB")
    uri = request.get("IntegrationUri")
    if uri and not uri.startswith(("arn:", "http://", "https://", "${")):
        raise model.bad_request(f"Invalid integration URI specified: {uri}")
    _expression(request, "TemplateSelectionExpression")
    return request


def create_integration_response(request: Request) -> Request:
    return update_integration_response(request)


def update_integration_response(request: Request) -> Request:
    key = request.get("IntegrationResponseKey")
    if key is not None and key != "$default":
        if len(key) < 3 or not (key.startswith("/") and key.endswith("/")):
            raise model.bad_request(
                f"Invalid IntegrationResponseKey {key}: it must be $default or of the form /pattern/"
            )
        try:
            re.compile(key[1:-1])
        except re.error:
            raise model.bad_request(
                f"Invalid IntegrationResponseKey {key}: not a regular expression"
            ) from None
    _expression(request, "TemplateSelectionExpression")
    return request


def create_route_response(request: Request) -> Request:
    return update_route_response(request)


def update_route_response(request: Request) -> Request:
    if request.get("RouteResponseKey", "$default") != "$default":
        raise model.bad_request("Currently, only $default is supported as RouteResponseKey")
    _expression(request, "ModelSelectionExpression")
    return request


def create_stage(request: Request) -> Request:
    if _STAGE.fullmatch(request["StageName"]) is None:
        raise model.bad_request("Stage name only allows a-zA-Z0-9_- and $default, up to 128 characters")
    if request.get("AutoDeploy") and request.get("DeploymentId"):
        raise model.bad_request("Deployment ID cannot be set on a stage with auto deploy enabled")
    return update_stage(request)


def update_stage(request: Request) -> Request:
    for name, value in (request.get("StageVariables") or {}).items():
        if _VARIABLE_NAME.fullmatch(name) is None or _VARIABLE_VALUE.fullmatch(value) is None:
            raise model.bad_request(
                f"Invalid stage variable {name}: letters, digits and -._~:/?#&=, are allowed"
            )
    logs = request.get("AccessLogSettings")
    if logs:
        arn, text = logs.get("DestinationArn", ""), logs.get("Format", "")
        if ":log-group:" not in arn:
            raise model.bad_request(
                "Invalid ARN specified in the request. ARNs must start with 'arn:' and name a log group"
            )
        if len(text.encode()) > model.ACCESS_LOG_FORMAT_BYTES or "$context.requestId" not in text:
            raise model.bad_request(
                "Access Log format must be single line, up to 3 KB and contain $context.requestId"
            )
    settings = [request.get("DefaultRouteSettings"), *(request.get("RouteSettings") or {}).values()]
    for setting in settings:
        if setting and min(setting.get("ThrottlingRateLimit", 0), setting.get("ThrottlingBurstLimit", 0)) < 0:
            raise model.bad_request("Throttling limits must not be negative")
    return request


def create_authorizer(request: Request) -> Request:
    if request["AuthorizerType"] != "REQUEST":
        raise model.bad_request("Only REQUEST authorizers are supported for protocol type WEBSOCKET")
    if not request.get("AuthorizerUri"):
        raise model.bad_request("AuthorizerUri must be specified for REQUEST authorizers")
    return update_authorizer(request)


def update_authorizer(request: Request) -> Request:
    if request.get("AuthorizerType", "REQUEST") != "REQUEST":
        raise model.bad_request("Only REQUEST authorizers are supported for protocol type WEBSOCKET")
    if request.get("JwtConfiguration"):
        raise model.bad_request("JwtConfiguration is not supported for protocol type WEBSOCKET")
    for member in ("AuthorizerPayloadFormatVersion", "EnableSimpleResponses"):
        if request.get(member):
            raise model.bad_request(f"{member} is not supported for protocol type WEBSOCKET")
    roots = ("route.request.header.", "route.request.querystring.", "stageVariables.", "context.")
    for source in request.get("IdentitySource") or []:
        if not source.removeprefix("$").startswith(roots):
            raise model.bad_request(f"Invalid identity source specified: {source}")
    return request


def create_model(request: Request) -> Request:
    return update_model(request)


def update_model(request: Request) -> Request:
    if _MODEL_NAME.fullmatch(request.get("Name", "model")) is None:
        raise model.bad_request("Model name must be alphanumeric")
    if "Schema" in request:
        try:
            schema = orjson.loads(request["Schema"])
        except orjson.JSONDecodeError as error:
            raise model.bad_request(f"Invalid model schema specified: {error}") from None
        if not isinstance(schema, dict):
            raise model.bad_request("Invalid model schema specified: it must be an object")
    return request
