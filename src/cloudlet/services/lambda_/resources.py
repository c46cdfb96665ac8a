"""Lambda's CloudFormation types."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...resources import Call, Params, Resource, View

_INLINE = Path(__file__).with_name("inline")
_INLINE_DATE = (1980, 1, 1, 0, 0, 0)  # any would do, but the same source is to make the same package
_CODE = {"Code", "Architectures"}
_IGNORED = {"RuntimeManagementConfig", "RecursiveLoop"}
_NOT_CONFIGURATION = _IGNORED | {
    "Code",
    "Architectures",
    "Tags",
    "ReservedConcurrentExecutions",
    "PackageType",
}
_CONFIGURATION = {
    "DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "FileSystemConfigs", "Handler",
    "KmsKeyArn", "Layers", "LoggingConfig", "MemorySize", "Role", "Runtime", "SnapStart", "Timeout",
    "TracingConfig", "VpcConfig",
}  # fmt: skip
_EMPTY: dict[str, Any] = {
    "DeadLetterConfig": {},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "KMSKeyArn": "",
    "Layers": [],
    "LoggingConfig": {},
    "MemorySize": 128,
    "SnapStart": {"ApplyOn": "None"},
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
"""What a property is set to when a template no longer has it."""


def inline_zip(source: str, runtime: str) -> bytes:
    """The package that CloudFormation makes of `ZipFile` text: `index` with the runtime's suffix, and CloudFormation's
    module for the answers of custom resources if the text names it."""
    javascript = runtime.startswith("nodejs")
    files = {"index.js" if javascript else "index.py": source}
    if javascript and "cfn-response" in source:
        files["node_modules/cfn-response/index.js"] = (_INLINE / "cfn_response.js").read_text()
    elif not javascript and "cfnresponse" in source:
        files["cfnresponse.py"] = (_INLINE / "cfnresponse.py").read_text()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, _INLINE_DATE)
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            package.writestr(info, text)
    return buffer.getvalue()


def _code(view: View) -> dict[str, Any]:
    code = dict(view.new["Code"])
    if isinstance(code.get("ZipFile"), str):
        code["ZipFile"] = inline_zip(code["ZipFile"], str(view.new.get("Runtime", "")))
    return code


def _api_names(properties: dict[str, Any]) -> dict[str, Any]:
    named = dict(properties)
    if "KmsKeyArn" in named:
        named["KMSKeyArn"] = named.pop("KmsKeyArn")
    return named


def _tags(tags: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


def _create(view: View) -> Params:
    apart = _IGNORED | {"ReservedConcurrentExecutions"}
    params = {name: value for name, value in _api_names(view.new).items() if name not in apart}
    params["Code"] = _code(view)
    if "Tags" in params:
        params["Tags"] = _tags(params["Tags"])
    return params


def _update_configuration(view: View) -> Params:
    new, old = _api_names(view.new), _api_names(view.old)
    params = {name: value for name, value in new.items() if name not in _NOT_CONFIGURATION}
    for name in old:
        if name not in new and name in _EMPTY:
            params[name] = _EMPTY[name]
    params["FunctionName"] = view.id
    return params


def _update_code(view: View) -> Params:
    params = {"FunctionName": view.id, **_code(view)}
    if "Architectures" in view.new:
        params["Architectures"] = view.new["Architectures"]
    return params


def _concurrency(view: View) -> Sequence[Params]:
    reserved = view.new.get("ReservedConcurrentExecutions")
    if reserved is None:
        return []
    return [{"FunctionName": view.id or view.new["FunctionName"], "ReservedConcurrentExecutions": reserved}]


def _no_concurrency(view: View) -> Sequence[Params]:
    gone = "ReservedConcurrentExecutions" in view.old and "ReservedConcurrentExecutions" not in view.new
    return [{"FunctionName": view.id}] if gone else []


def _arn(view: View) -> str:
    return f"arn:{view.env['partition']}:lambda:{view.env['region']}:{view.env['account']}:function:{view.id}"


def _tag(arn: Callable[[View], str]) -> Callable[[View], Sequence[Params]]:
    def params(view: View) -> Sequence[Params]:
        tags = _tags(view.new.get("Tags"))
        return [{"Resource": arn(view), "Tags": tags}] if tags else []

    return params


def _untag(arn: Callable[[View], str]) -> Callable[[View], Sequence[Params]]:
    def params(view: View) -> Sequence[Params]:
        gone = sorted(_tags(view.old.get("Tags")).keys() - _tags(view.new.get("Tags")).keys())
        return [{"Resource": arn(view), "TagKeys": gone}] if gone else []

    return params


def _alias(view: View) -> Params:
    params = {name: value for name, value in view.new.items() if name != "ProvisionedConcurrencyConfig"}
    routing = view.new.get("RoutingConfig")
    if routing is not None or "RoutingConfig" in view.old:
        weights = (routing or {}).get("AdditionalVersionWeights", [])
        params["RoutingConfig"] = {
            "AdditionalVersionWeights": {w["FunctionVersion"]: w["FunctionWeight"] for w in weights}
        }
    return params


def _layer(view: View) -> Params:
    """A layer without a name has its logical id's; a new version of it is a new resource."""
    return {"LayerName": view.env["logical_id"], **view.new}


def _layer_version(view: View) -> Params:
    name, _, number = view.id.rpartition(":")
    return {"LayerName": name, "VersionNumber": number}


def _layer_statement(view: View) -> dict[str, Any]:
    name, _, number = str(view.new["LayerVersionArn"]).rpartition(":")
    statement = f"{view.env['stack_name']}-{view.env['logical_id']}"[-100:]
    return {"LayerName": name, "VersionNumber": number, "StatementId": statement}


def _layer_permission(view: View) -> Params:
    said = _members("Action", "OrganizationId", "Principal")(view)
    return {**_layer_statement(view), **said}


_MAPPING_FIXED = {"EventSourceArn", "SelfManagedEventSource", "StartingPosition", "StartingPositionTimestamp"}
_MAPPING_EMPTY: dict[str, Any] = {
    "BatchSize": 10,
    "Enabled": True,
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {},
}


_STREAM_EMPTY: dict[str, Any] = {
    **_MAPPING_EMPTY,
    "BatchSize": 100,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}


def _mapping(view: View) -> Params:
    params = {name: value for name, value in view.new.items() if name not in ("Tags", "KmsKeyArn")}
    if "KmsKeyArn" in view.new:
        params["KMSKeyArn"] = view.new["KmsKeyArn"]
    if "Tags" in view.new:
        params["Tags"] = _tags(view.new["Tags"])
    return params


def _update_mapping(view: View) -> Params:
    empty = _STREAM_EMPTY if "StartingPosition" in view.new else _MAPPING_EMPTY
    left = {name: empty[name] for name in view.old if name in empty}
    params = {**left, **_mapping(view), "UUID": view.id}
    return {name: value for name, value in params.items() if name not in _MAPPING_FIXED and name != "Tags"}


def _mapping_arn(view: View) -> str:
    env = view.env
    return f"arn:{env['partition']}:lambda:{env['region']}:{env['account']}:event-source-mapping:{view.id}"


def _members(*names: str) -> Any:
    return lambda view: {name: view.new[name] for name in names if name in view.new}


_GONE = frozenset({"ResourceNotFoundException"})
_PERMISSION = {
    "Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "Principal",
    "PrincipalOrgID", "SourceAccount", "SourceArn",
}  # fmt: skip

RESOURCES: dict[str, Resource] = {
    "AWS::Lambda::Function": Resource(
        name="FunctionName",
        name_max=64,
        required={"Code", "Role"},
        create=[
            Call("lambda", "CreateFunction", _create),
            Call("lambda", "PutFunctionConcurrency", _concurrency),
        ],
        update=[
            Call("lambda", "UpdateFunctionConfiguration", _update_configuration, when=_CONFIGURATION),
            Call("lambda", "UpdateFunctionCode", _update_code, when=_CODE),
            Call("lambda", "PutFunctionConcurrency", _concurrency, when={"ReservedConcurrentExecutions"}),
            Call(
                "lambda", "DeleteFunctionConcurrency", _no_concurrency, when={"ReservedConcurrentExecutions"}
            ),
            Call("lambda", "UntagResource", _untag(_arn), when={"Tags"}),
            Call("lambda", "TagResource", _tag(_arn), when={"Tags"}),
        ],
        delete=[Call("lambda", "DeleteFunction", lambda view: {"FunctionName": view.id}, gone=_GONE)],
        id="{FunctionName}",
        attributes={
            "Arn": "arn:{partition}:lambda:{region}:{account}:function:{FunctionName}",
            "SnapStartResponse": "{SnapStart}",
            "SnapStartResponse.ApplyOn": "{SnapStart.ApplyOn}",
            "SnapStartResponse.OptimizationStatus": "{SnapStart.OptimizationStatus}",
        },
        replace={"FunctionName", "PackageType"},
        ignore=_IGNORED,
    ),
    "AWS::Lambda::Permission": Resource(
        name="StatementId",
        name_max=100,
        required={"Action", "FunctionName", "Principal"},
        create=[Call("lambda", "AddPermission")],
        delete=[Call("lambda", "RemovePermission", _members("FunctionName", "StatementId"), gone=_GONE)],
        id="{StatementId}",
        attributes={"Id": "{StatementId}"},
        replace=_PERMISSION,
    ),
    "AWS::Lambda::Version": Resource(
        required={"FunctionName"},
        create=[Call("lambda", "PublishVersion", drop={"ProvisionedConcurrencyConfig", "RuntimePolicy"})],
        delete=[Call("lambda", "DeleteFunction", lambda view: {"FunctionName": view.id}, gone=_GONE)],
        id="{FunctionArn}",
        attributes={"Version": "{Version}", "FunctionArn": "{FunctionArn}"},
        replace={"CodeSha256", "Description", "FunctionName"},
        ignore={"ProvisionedConcurrencyConfig", "RuntimePolicy"},
    ),
    "AWS::Lambda::Alias": Resource(
        required={"FunctionName", "FunctionVersion", "Name"},
        create=[Call("lambda", "CreateAlias", _alias)],
        update=[Call("lambda", "UpdateAlias", _alias)],
        delete=[Call("lambda", "DeleteAlias", _members("FunctionName", "Name"), gone=_GONE)],
        id="{AliasArn}",
        attributes={"AliasArn": "{AliasArn}"},
        replace={"FunctionName", "Name"},
        ignore={"ProvisionedConcurrencyConfig"},
    ),
    "AWS::Lambda::LayerVersion": Resource(
        required={"Content"},
        create=[Call("lambda", "PublishLayerVersion", _layer)],
        delete=[Call("lambda", "DeleteLayerVersion", _layer_version)],
        id="{LayerVersionArn}",
        attributes={"LayerVersionArn": "{LayerVersionArn}"},
        replace={
            "CompatibleArchitectures",
            "CompatibleRuntimes",
            "Content",
            "Description",
            "LayerName",
            "LicenseInfo",
        },
    ),
    "AWS::Lambda::LayerVersionPermission": Resource(
        required={"Action", "LayerVersionArn", "Principal"},
        create=[Call("lambda", "AddLayerVersionPermission", _layer_permission)],
        delete=[Call("lambda", "RemoveLayerVersionPermission", _layer_statement, gone=_GONE)],
        id="{LayerVersionArn}#{stack_name}-{logical_id}",
        attributes={"Id": "{LayerVersionArn}#{stack_name}-{logical_id}"},
        replace={"Action", "LayerVersionArn", "OrganizationId", "Principal"},
    ),
    "AWS::Lambda::EventSourceMapping": Resource(
        required={"FunctionName"},
        create=[Call("lambda", "CreateEventSourceMapping", _mapping)],
        update=[
            Call("lambda", "UpdateEventSourceMapping", _update_mapping),
            Call("lambda", "UntagResource", _untag(_mapping_arn), when={"Tags"}),
            Call("lambda", "TagResource", _tag(_mapping_arn), when={"Tags"}),
        ],
        delete=[Call("lambda", "DeleteEventSourceMapping", lambda view: {"UUID": view.id}, gone=_GONE)],
        id="{UUID}",
        attributes={"Id": "{UUID}", "EventSourceMappingArn": "{EventSourceMappingArn}"},
        replace=_MAPPING_FIXED,
    ),
    "AWS::Lambda::EventInvokeConfig": Resource(
        required={"FunctionName", "Qualifier"},
        create=[Call("lambda", "PutFunctionEventInvokeConfig")],
        update=[Call("lambda", "PutFunctionEventInvokeConfig")],
        delete=[
            Call(
                "lambda",
                "DeleteFunctionEventInvokeConfig",
                _members("FunctionName", "Qualifier"),
                gone=_GONE,
            )
        ],
        id="{stack_name}-{logical_id}",
        replace={"FunctionName", "Qualifier"},
    ),
}
