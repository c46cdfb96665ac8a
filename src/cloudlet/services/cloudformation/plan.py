"""What a template asks for, with these parameters: which resources, in which order, with which outputs.

`make` checks everything that can be known before anything is created, in the order and the words of CloudFormation,
and adds the line of the template to what it refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import model, parameters
from .catalog import Catalog
from .intrinsics import PSEUDO, Reference, Resolver, references, text
from .template import Template

SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Globals",
        "Hooks",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
    }
)
RESOURCE_ATTRIBUTES = frozenset(
    {
        "Condition",
        "Connectors",
        "CreationPolicy",
        "DeletionPolicy",
        "DependsOn",
        "Description",
        "Metadata",
        "Properties",
        "Type",
        "UpdatePolicy",
        "UpdateReplacePolicy",
        "Version",
    }
)
POLICIES = frozenset({"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"})
WITH_SNAPSHOTS = frozenset({"AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup"})
"""The types of this node whose deletion can leave a snapshot."""


@dataclass(slots=True, frozen=True)
class Wanted:
    """One resource of the template whose condition holds."""

    logical_id: str
    type: str
    properties: dict[str, Any]
    """With each Fn::If decided, other functions unresolved."""
    depends: frozenset[str]
    line: int
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: Any = None
    description: str = ""


@dataclass(slots=True)
class Plan:
    resources: dict[str, Wanted]
    """Each after those that it depends on."""
    outputs: dict[str, dict[str, Any]]
    resolver: Resolver
    parameters: dict[str, parameters.Parameter]
    values: dict[str, str]
    """The text of each parameter."""
    template: Template
    extra: dict[str, Any] = field(default_factory=dict)


def make(
    template: Template,
    catalog: Catalog,
    entries: Iterable[Mapping[str, Any]],
    previous: Mapping[str, str],
    env: Mapping[str, Any],
) -> Plan:
    """`entries` are a request's Parameters, `previous` the stack's values, `env` the pseudo
    parameters by name."""
    check_structure(template)
    declared = parameters.declared(template.body)
    values = parameters.given(declared, entries, previous)
    resolver = Resolver(
        parameters={**parameters.resolved(declared, values), **env},
        mappings=_section(template, "Mappings"),
        conditions=_section(template, "Conditions"),
    )
    _check_conditions(template, resolver, declared)
    _check_types(template, catalog)
    check_references(template, catalog, declared)
    resources = _wanted(template, resolver)
    _check_absent(resources, template)
    outputs = {}
    for name, output in _section(template, "Outputs").items():
        if "Condition" not in output or resolver.condition(str(output["Condition"])):
            outputs[name] = resolver.prune(
                {key: value for key, value in output.items() if key != "Condition"}
            )
    _check_absent_outputs(resources, outputs, template)
    ordered = in_order({name: wanted.depends for name, wanted in resources.items()}, template)
    plan = Plan({name: resources[name] for name in ordered}, outputs, resolver, declared, values, template)
    catalog.check_properties(plan.resources.values(), template)
    return plan


def check_structure(template: Template) -> None:
    """The form of the sections and of each resource and output."""
    body = template.body
    unknown = [name for name in body if name not in SECTIONS]
    if unknown:
        raise model.validation_error(f"Invalid template property or properties [{', '.join(unknown)}]")
    version = body.get("AWSTemplateFormatVersion", "2010-09-09")
    if version != "2010-09-09":
        raise model.validation_error(
            f"Template format error: unsupported value for AWSTemplateFormatVersion. {version}"
        )
    for name in SECTIONS & {"Conditions", "Mappings", "Metadata", "Outputs", "Parameters", "Resources"}:
        if name in body and not isinstance(body[name], dict):
            raise model.validation_error(f"Template format error: [/{name}] must be an object.")
    resources = body.get("Resources")
    if not resources:
        raise model.validation_error("Template format error: At least one Resources member must be defined.")
    if len(resources) > model.MAX_RESOURCES:
        raise model.validation_error(
            f"Template format error: Number of resources, {len(resources)}, is greater than maximum"
            f" allowed, {model.MAX_RESOURCES}"
        )
    for name, resource in resources.items():
        _check_resource(name, resource, template)
    for name in ("Resources", "Outputs"):
        _check_null(body.get(name), (name,), template)
    for name, output in _section(template, "Outputs").items():
        if not isinstance(output, dict) or "Value" not in output:
            line = template.line("Outputs", name)
            raise model.validation_error(
                "Template format error: Every Outputs member must contain a Value object. (Output"
                f" {name}, line {line})"
            )


def _check_resource(name: str, resource: Any, template: Template) -> None:
    line = template.line("Resources", name)
    if not name.isalnum():
        raise model.validation_error(
            f"Template format error: Resource name {name} is non alphanumeric. (line {line})"
        )
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        raise model.validation_error(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a Type"
            f" member. (line {line})"
        )
    unknown = [attribute for attribute in resource if attribute not in RESOURCE_ATTRIBUTES]
    if unknown:
        line = template.line("Resources", name, unknown[0])
        raise model.validation_error(
            f"Invalid template resource property '{unknown[0]}' (resource {name}, line {line})"
        )
    if not isinstance(resource.get("Properties") or {}, dict):
        raise model.validation_error(
            f"Template format error: [/Resources/{name}/Properties] must be an object. (line {line})"
        )
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.get(attribute, "Delete")
        if isinstance(policy, str) and policy not in POLICIES:
            raise model.validation_error(
                f"Template error: Unrecognized {attribute} {policy} for resource {name}"
            )
        if policy == "Snapshot" and resource["Type"] not in WITH_SNAPSHOTS:
            words = {"DeletionPolicy": "deletion policy", "UpdateReplacePolicy": "update replace policy"}
            raise model.validation_error(
                f"Template error: resource type {resource['Type']} does not support {words[attribute]} Snapshot"
            )


def _check_null(value: Any, path: tuple[str | int, ...], template: Template) -> None:
    if isinstance(value, dict):
        for key, child in value.items():
            if child is None:
                where = "/".join(map(str, (*path, key)))
                line = template.line(*path, key)
                raise model.validation_error(
                    f"Template format error: [/{where}] 'null' values are not allowed in templates (line {line})"
                )
            _check_null(child, (*path, key), template)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _check_null(child, (*path, index), template)


def _section(template: Template, name: str) -> dict[str, Any]:
    return template.body.get(name) or {}


def _check_conditions(template: Template, resolver: Resolver, declared: Mapping[str, Any]) -> None:
    known = set(declared) | PSEUDO
    for condition in _section(template, "Conditions").values():
        strange = [
            each.name for each in references(condition) if each.kind != "Condition" and each.name not in known
        ]
        if strange:
            raise model.validation_error(
                f"Template format error: Unresolved dependencies [{', '.join(strange)}]. Cannot"
                " reference resources in the"
                " Conditions block of the template"
            )
    for name in resolver.conditions:
        resolver.condition(name)
    for block in ("Resources", "Outputs"):
        for logical_id, entry in _section(template, block).items():
            used = [entry["Condition"]] if isinstance(entry.get("Condition"), str) else []
            inside = entry.get("Properties") if block == "Resources" else entry.get("Value")
            used += [each.name for each in references(inside) if each.kind == "Condition"]
            for name in used:
                if name not in resolver.conditions:
                    raise model.validation_error(
                        f"Template format error: Unresolved condition dependency {name} in the"
                        f" {block} block of the template"
                        f" (line {template.line(block, logical_id)})"
                    )


def _check_types(template: Template, catalog: Catalog) -> None:
    unknown: dict[str, list[str]] = {}
    for logical_id, resource in _section(template, "Resources").items():
        if not catalog.has(resource["Type"]):
            line = template.line("Resources", logical_id)
            unknown.setdefault(resource["Type"], []).append(f"{logical_id}, line {line}")
    if unknown:
        where = "; ".join(place for places in unknown.values() for place in places)
        raise model.validation_error(
            f"Template format error: Unrecognized resource types: [{', '.join(sorted(unknown))}] ({where})"
        )


def check_references(template: Template, catalog: Catalog, declared: Mapping[str, Any]) -> None:
    """Every name that a resource or an output uses is that of something."""
    resources = _section(template, "Resources")
    known = set(resources) | set(declared) | PSEUDO
    for block in ("Resources", "Outputs"):
        missing: dict[str, int] = {}
        for logical_id, entry in _section(template, block).items():
            line = template.line(block, logical_id)
            for each in references(entry.get("Properties") if block == "Resources" else entry):
                if each.kind == "Ref" and each.name not in known:
                    missing.setdefault(each.name, line)
                elif each.kind == "GetAtt":
                    _check_attribute(each, resources, catalog, line)
            for name in _depends_on(entry):
                if name not in resources:
                    missing.setdefault(name, line)
        if missing:
            raise model.unresolved(sorted(missing), block, _at(missing.values()))


def _check_attribute(each: Reference, resources: Mapping[str, Any], catalog: Catalog, line: int) -> None:
    if each.name not in resources:
        raise model.validation_error(
            f"Template error: instance of Fn::GetAtt references undefined resource {each.name} (line {line})"
        )
    if each.attribute and not catalog.has_attribute(resources[each.name]["Type"], each.attribute):
        raise model.validation_error(
            f"Template error: resource {each.name} does not support attribute type {each.attribute}"
            " in Fn::GetAtt"
            f" (line {line})"
        )


def _at(lines: Iterable[int]) -> str:
    distinct = sorted(set(lines))
    return f"(line{'s' if len(distinct) > 1 else ''} {', '.join(map(str, distinct))})"


def _depends_on(resource: Mapping[str, Any]) -> list[str]:
    depends = resource.get("DependsOn") or []
    return [depends] if isinstance(depends, str) else [str(name) for name in depends]


def _wanted(template: Template, resolver: Resolver) -> dict[str, Wanted]:
    wanted: dict[str, Wanted] = {}
    resources = _section(template, "Resources")
    for logical_id, resource in resources.items():
        if "Condition" in resource and not resolver.condition(str(resource["Condition"])):
            continue
        properties = resolver.prune(resource.get("Properties") or {})
        depends = {each.name for each in references(properties) if each.name in resources}
        depends |= set(_depends_on(resource))
        wanted[logical_id] = Wanted(
            logical_id,
            resource["Type"],
            properties,
            frozenset(depends),
            template.line("Resources", logical_id),
            text(resolver.resolve(resource.get("DeletionPolicy", "Delete"))),
            text(resolver.resolve(resource.get("UpdateReplacePolicy", "Delete"))),
            resource.get("Metadata"),
            str(resource.get("Description", "")),
        )
    # What a resource only names in DependsOn may be left out by its condition; what it refers to may not.
    for logical_id, each in wanted.items():
        only_named = set(_depends_on(resources[logical_id])) - {
            ref.name for ref in references(each.properties)
        }
        gone = {name for name in only_named if name not in wanted}
        if gone:
            wanted[logical_id] = Wanted(
                each.logical_id,
                each.type,
                each.properties,
                each.depends - gone,
                each.line,
                each.deletion_policy,
                each.update_replace_policy,
                each.metadata,
                each.description,
            )
    return wanted


def _check_absent(resources: Mapping[str, Wanted], template: Template) -> None:
    """A reference to a resource whose condition doesn't hold."""
    absent: dict[str, int] = {}
    for wanted in resources.values():
        for name in wanted.depends:
            if name not in resources:
                absent.setdefault(name, wanted.line)
    if absent:
        raise model.unresolved(sorted(absent), "Resources", _at(absent.values()))


def _check_absent_outputs(
    resources: Mapping[str, Wanted], outputs: Mapping[str, Any], template: Template
) -> None:
    every = _section(template, "Resources")
    for name, output in outputs.items():
        absent = sorted(
            {each.name for each in references(output) if each.name in every and each.name not in resources}
        )
        if absent:
            raise model.unresolved(absent, "Outputs", _at([template.line("Outputs", name)]))


def in_order(graph: Mapping[str, frozenset[str]], template: Template | None = None) -> list[str]:
    """The names, each after those that it depends on, else in the order given. Raises for a circle."""
    done: dict[str, None] = {}
    waiting = dict(graph)
    while waiting:
        ready = [
            name for name, depends in waiting.items() if all(d in done or d not in graph for d in depends)
        ]
        if not ready:
            raise _circular(waiting, template)
        for name in ready:
            done[name] = None
            del waiting[name]
    return list(done)


def _circular(waiting: Mapping[str, frozenset[str]], template: Template | None) -> Exception:
    """Of the resources that wait, some are in a circle and some only behind one; those in one are named."""
    circle = sorted(name for name in waiting if name in _reachable(name, waiting))
    where = ""
    if template is not None:
        where = " " + _at({template.line("Resources", name) for name in circle})
    return model.validation_error(f"Circular dependency between resources: [{', '.join(circle)}]{where}")


def _reachable(start: str, graph: Mapping[str, frozenset[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for name in graph.get(ahead.pop(), frozenset()):
            if name not in seen:
                seen.add(name)
                ahead.append(name)
    return seen
