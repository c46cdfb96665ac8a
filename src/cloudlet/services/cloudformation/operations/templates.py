"""Reading templates, of stacks and of nobody yet."""

from __future__ import annotations

from typing import Any

from ....context import Context
from .. import model, parameters, plan, runtime, sources, template, transform
from ..intrinsics import text
from ..parameters import Parameter
from ..storage import home
from .changesets import find_change_set


async def get_template(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)
    source: dict[str, Any] | None
    if request.get("ChangeSetName"):
        source = (await find_change_set(ctx, request))["source"]
    else:
        source = await ctx.store.read(lambda tx: here.find(tx, request.get("StackName", "")))
        if source is None:
            raise model.stack_does_not_exist(request.get("StackName", ""))
    assert source is not None
    original = request.get("TemplateStage") == "Original" or not source["processed"]
    return {
        "TemplateBody": source["template"] if original else source["processed"],
        "StagesAvailable": ["Original", "Processed"],
    }


async def get_template_summary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)
    stack = None
    if request.get("StackName"):
        stack = await ctx.store.read(lambda tx: here.find(tx, request["StackName"]))
        if stack is None:
            raise model.stack_does_not_exist(request["StackName"])
        given = template.parse(stack["template"])
    else:
        given = template.parse(await sources.text_of(ctx, request))
    plan.check_structure(given)
    body = given.body
    result = sources.summary(body)
    result["Parameters"] = [_declaration(each) for each in parameters.declared(body).values()]
    result["ResourceTypes"] = sorted({str(each["Type"]) for each in body["Resources"].values()})
    result["Version"] = str(body.get("AWSTemplateFormatVersion", "2010-09-09"))
    if metadata := sources.metadata_text(body):
        result["Metadata"] = metadata
    return result


def _declaration(parameter: Parameter) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ParameterKey": parameter.name,
        "ParameterType": parameter.type,
        "NoEcho": parameter.no_echo,
        "ParameterConstraints": {},
    }
    if parameter.default is not None:
        result["DefaultValue"] = parameter.default
    if "Description" in parameter.declared:
        result["Description"] = str(parameter.declared["Description"])
    if "AllowedValues" in parameter.declared:
        allowed = [text(value) for value in parameter.declared["AllowedValues"]]
        result["ParameterConstraints"] = {"AllowedValues": allowed}
    return result


async def validate_template(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    given = template.parse(await sources.text_of(ctx, request))
    plan.check_structure(given)
    transform.check(given.body)
    declared = parameters.declared(given.body)
    if not transform.transforms(given.body):
        plan.check_references(given, runtime.of(ctx.node).catalog, declared)
    result = sources.summary(given.body)
    for parameter in declared.values():
        entry: dict[str, Any] = {"ParameterKey": parameter.name, "NoEcho": parameter.no_echo}
        if parameter.default is not None:
            entry["DefaultValue"] = parameter.default
        if "Description" in parameter.declared:
            entry["Description"] = str(parameter.declared["Description"])
        result["Parameters"].append(entry)
    return result
