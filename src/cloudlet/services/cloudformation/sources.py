"""From a request to what a stack is to become: its template read, translated, planned, and held to its capabilities."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from ...context import Context
from ...errors import AwsError
from . import acting, model, outputs, parameters, plan, runtime, template, transform
from .storage import Record

ARTIFACTS = "cloudlet-artifacts"
NO_KEY = "S3 error: The specified key does not exist."


@dataclass(slots=True)
class Source:
    fields: dict[str, Any]
    """The fields of a stack's record that come from the request (`deploy.TARGET`)."""
    plan: plan.Plan


async def text_of(ctx: Context, request: Mapping[str, Any], stack: Mapping[str, Any] | None = None) -> str:
    """The template's text: given, at a URL, or the stack's own."""
    if request.get("UsePreviousTemplate"):
        if stack is None or not stack.get("template"):
            raise model.validation_error("The stack has no previous template.")
        return str(stack["template"])
    if request.get("TemplateBody"):
        return str(request["TemplateBody"])
    return await _fetch(ctx, str(request["TemplateURL"]))


async def read(
    ctx: Context, request: Mapping[str, Any], stack: Mapping[str, Any], *, expand: bool = True
) -> Source:
    """Everything about the request that can be known before it is carried out. `stack` is the stack's record, or, for
    one that isn't there yet, its id and name. `expand`: transforms need CAPABILITY_AUTO_EXPAND."""
    await acting.check_role(ctx, request.get("RoleARN", ""))
    text = await text_of(ctx, request, stack)
    given = template.parse(text)
    plan.check_structure(given)
    declared = parameters.declared(given.body)
    values = parameters.given(declared, request.get("Parameters") or (), stack.get("values") or {})
    capabilities = list(request.get("Capabilities") or stack.get("capabilities") or ())
    if transform.check(given.body) and expand:
        require(["CAPABILITY_AUTO_EXPAND"] if needs_expansion(given.body) else [], capabilities)
    resolved = parameters.resolved(declared, values)
    processed = await runtime.of(ctx.node).translator.translate(given, resolved, ctx.region)
    tags = request["Tags"] if "Tags" in request else stack.get("tags") or []
    fields = {
        "template": text,
        "processed": processed,
        "values": values,
        "description": str(given.body.get("Description") or ""),
        "capabilities": capabilities,
        "tags": list(tags),
        "notification_arns": list(request.get("NotificationARNs") or stack.get("notification_arns") or ()),
        "role": request.get("RoleARN") or stack.get("role") or "",
    }
    made = runtime.of(ctx.node).plan_of(fields, ctx, dict(stack))
    require(needed(made.template.body)[0], capabilities)
    await outputs.load_exports(ctx, made.resolver)
    return Source(fields, made)


def needs_expansion(body: Mapping[str, Any]) -> bool:
    return any(name != model.LANGUAGE_EXTENSIONS for name in transform.transforms(body))


def needed(body: Mapping[str, Any]) -> tuple[list[str], str]:
    """The IAM capability that the resources need, and why."""
    resources: Iterable[Mapping[str, Any]] = (body.get("Resources") or {}).values()
    iam = [resource for resource in resources if resource.get("Type") in model.IAM_TYPES]
    if not iam:
        return [], ""
    named = [
        resource
        for resource in iam
        if model.NAMED_IAM.get(resource["Type"], "") in (resource.get("Properties") or {})
        or resource["Type"] == "AWS::IAM::UserToGroupAddition"
    ]
    types = ", ".join(sorted({resource["Type"] for resource in named or iam}))
    capability = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    return [capability], f"The following resource(s) require capabilities: [{types}]"


def require(capabilities: Iterable[str], given: Iterable[str]) -> None:
    have = set(given)
    if "CAPABILITY_NAMED_IAM" in have:
        have.add("CAPABILITY_IAM")
    missing = [capability for capability in capabilities if capability not in have]
    if missing:
        raise model.insufficient_capabilities(missing)


async def _fetch(ctx: Context, url: str) -> str:
    """A template that was uploaded: to the node's artifacts or to a bucket, under any of the forms of its URL."""
    bucket, key = _bucket_and_key(url)
    if not bucket:
        raise model.validation_error("TemplateURL must be a supported URL.")
    if bucket == ARTIFACTS:
        content = await _artifact(ctx, key)
    else:
        try:
            content = (await ctx.call("s3", "GetObject", {"Bucket": bucket, "Key": key}))["Body"]
        except AwsError as error:
            raise model.validation_error(f"S3 error: {error.message}") from None
    if len(content) > model.MAX_TEMPLATE:
        raise model.validation_error(f"Template may not exceed {model.MAX_TEMPLATE} bytes in size.")
    return content.decode("utf-8", "replace")


async def _artifact(ctx: Context, key: str) -> bytes:
    folder = (ctx.node.data / "artifacts").resolve()
    path = (folder / key).resolve()
    if not path.is_relative_to(folder):
        raise model.validation_error(NO_KEY)
    try:
        return await asyncio.to_thread(_read_limited, path)
    except (FileNotFoundError, IsADirectoryError):
        raise model.validation_error(NO_KEY) from None


def _bucket_and_key(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    path = unquote(parts.path).lstrip("/")
    host = parts.hostname or ""
    if path.startswith("_cloudlet/artifacts/"):
        return ARTIFACTS, path.removeprefix("_cloudlet/artifacts/")
    if parts.scheme == "s3":
        return parts.netloc, path
    if parts.scheme in ("http", "https"):
        first, _, rest = host.partition(".")
        if rest.startswith(("s3.", "s3-")):
            return first, path
        bucket, _, key = path.partition("/")
        return bucket, key
    return "", ""


def _read_limited(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(model.MAX_TEMPLATE + 1)


def summary(body: Mapping[str, Any]) -> dict[str, Any]:
    """What GetTemplateSummary and ValidateTemplate have in common."""
    capabilities, reason = needed(body)
    declared_transforms = transform.transforms(body)
    if model.SAM_TRANSFORM in declared_transforms:
        capabilities = [*capabilities, "CAPABILITY_AUTO_EXPAND"]
        reason = reason or f"The following resource(s) require capabilities: [{model.SAM_TRANSFORM}]"
    result: dict[str, Any] = {"Parameters": [], "Description": str(body.get("Description") or "")}
    if not result["Description"]:
        del result["Description"]
    if capabilities:
        result |= {"Capabilities": capabilities, "CapabilitiesReason": reason}
    if declared_transforms:
        result["DeclaredTransforms"] = declared_transforms
    return result


def metadata_text(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body["Metadata"]).decode() if body.get("Metadata") else ""


def new_stack(name: str, stack_id: str, now: float) -> Record:
    """A stack of which nothing is known but its name."""
    return {
        "id": stack_id,
        "name": name,
        "status": "REVIEW_IN_PROGRESS",
        "reason": "",
        "created": now,
        "updated": 0.0,
        "deleted": 0.0,
        "template": "",
        "processed": None,
        "values": {},
        "parameters": [],
        "description": "",
        "capabilities": [],
        "tags": [],
        "notification_arns": [],
        "role": "",
        "outputs": [],
        "imports": [],
        "on_failure": "ROLLBACK",
        "disable_rollback": False,
        "termination_protection": False,
        "policy": "",
        "token": "",
        "timeout": 0,
        "operation": "",
        "target": None,
        "change_set_id": "",
        "retain": [],
    }
