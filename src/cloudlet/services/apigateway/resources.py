"""The CloudFormation types of WebSocket APIs, as data (see `cloudlet/resources.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...resources import Call, Params, Resource, View

SERVICE = "apigatewayv2"


def _removed(r: View, name: str) -> Any:
    """How an update says that a property is gone: a text becomes empty, a map's keys lose their values."""
    old = r.old[name]
    return dict.fromkeys(old, "") if isinstance(old, dict) else ""


def _changes(r: View, ids: dict[str, Any], keep: frozenset[str]) -> dict[str, Any]:
    """The properties that differ from before, in the form of an Update operation."""
    changes = dict(ids)
    for name in sorted((r.new.keys() | r.old.keys()) - keep - ids.keys()):
        if not r.changed(name):
            continue
        value = r.new[name] if name in r.new else _removed(r, name)
        before = r.old.get(name)
        if isinstance(value, dict) and isinstance(before, dict) and name in _MERGED:
            value = {**dict.fromkeys(before, ""), **value}
        changes[name] = value
    return changes


_MERGED = {
    "RequestModels", "RequestParameters", "RequestTemplates", "ResponseModels", "ResponseParameters",
    "ResponseTemplates", "StageVariables",
}  # fmt: skip


def _arn(r: View, path: str) -> str:
    return f"arn:{r.env['partition']}:apigateway:{r.env['region']}::/apis/{path}"


def _tags_added(path: Callable[[View], str]) -> Callable[[View], Sequence[Params]]:
    def params(r: View) -> Sequence[Params]:
        tags = r.new.get("Tags") or {}
        return [{"ResourceArn": _arn(r, path(r)), "Tags": tags}] if tags else []

    return params


def _tags_removed(path: Callable[[View], str]) -> Callable[[View], Sequence[Params]]:
    def params(r: View) -> Sequence[Params]:
        gone = sorted((r.old.get("Tags") or {}).keys() - (r.new.get("Tags") or {}).keys())
        return [{"ResourceArn": _arn(r, path(r)), "TagKeys": gone}] if gone else []

    return params


def _tag_calls(path: Callable[[View], str]) -> list[Call]:
    return [
        Call(SERVICE, "UntagResource", _tags_removed(path), when={"Tags"}),
        Call(SERVICE, "TagResource", _tags_added(path), when={"Tags"}),
    ]


def _part(noun: str, id: str, parent: str = "", **more: Any) -> Resource:
    """A part of an API: made, changed and deleted by operations of its name, with its id and those above it."""

    def ids(r: View) -> dict[str, Any]:
        found = {"ApiId": r.new["ApiId"], id: r.id}
        return {**found, parent: r.new[parent]} if parent else found

    fixed = {"ApiId", parent} - {""}
    return Resource(
        create=[Call(SERVICE, f"Create{noun}")],
        update=[Call(SERVICE, f"Update{noun}", lambda r: _changes(r, ids(r), frozenset(fixed)))],
        delete=[Call(SERVICE, f"Delete{noun}", ids, gone={"NotFoundException"})],
        id=f"{{{id}}}",
        attributes={id: f"{{{id}}}"},
        replace=fixed | more.pop("replace", set()),
        required={"ApiId", *more.pop("required", ())} | fixed,
        **more,
    )


def _stage_ids(r: View) -> dict[str, Any]:
    return {"ApiId": r.new["ApiId"], "StageName": r.new["StageName"]}


def _stage_path(r: View) -> str:
    return f"{r.new['ApiId']}/stages/{r.new['StageName']}"


RESOURCES: dict[str, Resource] = {
    "AWS::ApiGatewayV2::Api": Resource(
        create=[Call(SERVICE, "CreateApi")],
        update=[
            Call(
                SERVICE,
                "UpdateApi",
                lambda r: _changes(r, {"ApiId": r.id}, frozenset({"Tags", "ProtocolType"})),
            ),
            *_tag_calls(lambda r: r.id),
        ],
        delete=[Call(SERVICE, "DeleteApi", lambda r: {"ApiId": r.id}, gone={"NotFoundException"})],
        id="{ApiId}",
        attributes={"ApiId": "{ApiId}", "ApiEndpoint": "{ApiEndpoint}"},
        replace={"ProtocolType"},
        required={"Name", "ProtocolType"},
        ignore={"FailOnWarnings"},
    ),
    "AWS::ApiGatewayV2::Route": _part("Route", "RouteId", required=("RouteKey",)),
    "AWS::ApiGatewayV2::Integration": _part("Integration", "IntegrationId", required=("IntegrationType",)),
    "AWS::ApiGatewayV2::IntegrationResponse": _part(
        "IntegrationResponse", "IntegrationResponseId", "IntegrationId", required=("IntegrationResponseKey",)
    ),
    "AWS::ApiGatewayV2::RouteResponse": _part(
        "RouteResponse", "RouteResponseId", "RouteId", required=("RouteResponseKey",)
    ),
    "AWS::ApiGatewayV2::Authorizer": _part("Authorizer", "AuthorizerId", required=("AuthorizerType", "Name")),
    "AWS::ApiGatewayV2::Model": _part("Model", "ModelId", required=("Name", "Schema")),
    "AWS::ApiGatewayV2::Deployment": _part("Deployment", "DeploymentId", replace={"StageName"}),
    "AWS::ApiGatewayV2::Stage": Resource(
        create=[Call(SERVICE, "CreateStage")],
        update=[
            Call(
                SERVICE,
                "UpdateStage",
                lambda r: _changes(r, _stage_ids(r), frozenset({"Tags", "AccessPolicyId"})),
            ),
            *_tag_calls(_stage_path),
        ],
        delete=[Call(SERVICE, "DeleteStage", _stage_ids, gone={"NotFoundException"})],
        id="{StageName}",
        replace={"ApiId", "StageName"},
        required={"ApiId", "StageName"},
        ignore={"AccessPolicyId"},
    ),
}
