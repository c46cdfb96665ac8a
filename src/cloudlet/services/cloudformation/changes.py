"""What separates a resource, or a stack, from what is wanted: the ground of updates and of change sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import model
from .catalog import Catalog, is_custom
from .intrinsics import Reference, references
from .plan import Plan, Wanted
from .storage import Record


@dataclass(slots=True, frozen=True)
class Difference:
    kind: str
    """"none", "update" or "replace"."""
    properties: frozenset[str] = frozenset()
    """The properties that changed."""
    replacing: frozenset[str] = frozenset()
    """Those of them that need a new resource."""


def difference(catalog: Catalog, type: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """The generated name is among the old properties; its absence among the new ones is no change."""
    declared = catalog.declaration(type)
    changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    if declared is not None:
        if declared.name and declared.name not in new:
            changed.discard(declared.name)
        changed -= declared.ignore
    if not changed:
        return Difference("none")
    if is_custom(type):
        replacing = changed & {"ServiceToken"}
    elif declared is None:
        replacing = set()
    else:
        updatable: set[str] = set()
        for call in declared.update:
            updatable |= changed if call.when is None else set(call.when)
        replacing = {name for name in changed if name in declared.replace or name not in updatable}
    return Difference("replace" if replacing else "update", frozenset(changed), frozenset(replacing))


@dataclass(slots=True)
class Change:
    action: str
    """"Add", "Modify" or "Remove"."""
    logical_id: str
    type: str
    physical_id: str = ""
    difference: Difference = field(default_factory=lambda: Difference("none"))
    wanted: Wanted | None = None
    attributes: tuple[str, ...] = ()
    """What else changed: "Metadata", "DeletionPolicy", ..."""


def compare(plan: Plan, resources: Mapping[str, Record], catalog: Catalog) -> list[Change]:
    """The changes that bring the stack's resources to the plan, whose resolver then answers with
    what is known."""
    live = {name: record for name, record in resources.items() if record["status"] != "DELETE_COMPLETE"}
    renewed: set[str] = set()

    def ref(name: str) -> Any:
        if name in live and name not in renewed:
            return live[name]["physical_id"]
        return model.KNOWN_AFTER_APPLY

    def att(name: str, attribute: str) -> Any:
        if name in live and name not in renewed:
            return live[name]["attributes"].get(attribute, model.KNOWN_AFTER_APPLY)
        return model.KNOWN_AFTER_APPLY

    plan.resolver.ref, plan.resolver.att = ref, att
    changes: list[Change] = []
    retyped = [
        name for name, wanted in plan.resources.items() if name in live and live[name]["type"] != wanted.type
    ]
    if retyped:
        raise model.validation_error(
            "Update of resource type is not permitted. The new template modifies resource type of"
            " the following resources:"
            f" [{', '.join(retyped)}]"
        )
    for name, wanted in plan.resources.items():
        record = live.get(name)
        if record is None:
            renewed.add(name)
            plan.resolver.resolve(wanted.properties)
            changes.append(Change("Add", name, wanted.type, wanted=wanted))
            continue
        found = difference(
            catalog, wanted.type, record["properties"], plan.resolver.resolve(wanted.properties)
        )
        attributes = _attributes(record, wanted)
        if found.kind == "replace":
            renewed.add(name)
        if found.kind != "none" or attributes:
            changes.append(
                Change("Modify", name, wanted.type, record["physical_id"], found, wanted, attributes)
            )
    for name, record in live.items():
        if name not in plan.resources:
            changes.append(Change("Remove", name, record["type"], record["physical_id"]))
    return changes


def _attributes(record: Record, wanted: Wanted) -> tuple[str, ...]:
    pairs = {
        "Metadata": (record["metadata"], wanted.metadata),
        "DeletionPolicy": (record["deletion_policy"], wanted.deletion_policy),
        "UpdateReplacePolicy": (record["update_replace_policy"], wanted.update_replace_policy),
    }
    return tuple(name for name, (old, new) in pairs.items() if old != new)


def described(change: Change, plan: Plan) -> dict[str, Any]:
    """The change as DescribeChangeSet tells it."""
    resource: dict[str, Any] = {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "ResourceType": change.type,
        "Scope": [],
        "Details": [],
    }
    if change.physical_id:
        resource["PhysicalResourceId"] = change.physical_id
    if change.action == "Modify":
        resource["Scope"] = sorted({"Properties"} if change.difference.properties else set()) + list(
            change.attributes
        )
        resource["Replacement"] = "True" if change.difference.kind == "replace" else "False"
        resource["Details"] = [_detail(change, name, plan) for name in sorted(change.difference.properties)]
        resource["Details"] += [
            {"Target": {"Attribute": name, "RequiresRecreation": "Never"}, "Evaluation": "Static",
             "ChangeSource": "DirectModification"}
            for name in change.attributes
        ]  # fmt: skip
    return {"Type": "Resource", "ResourceChange": resource}


def _detail(change: Change, name: str, plan: Plan) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "Target": {
            "Attribute": "Properties",
            "Name": name,
            "RequiresRecreation": "Always" if name in change.difference.replacing else "Never",
        },
        "Evaluation": "Static",
        "ChangeSource": "DirectModification",
    }
    cause = _cause(change, name, plan)
    if cause is not None:
        of_parameter = cause.name in plan.parameters
        source = "ResourceReference" if cause.kind == "Ref" else "ResourceAttribute"
        detail["ChangeSource"] = "ParameterReference" if of_parameter else source
        detail["CausingEntity"] = f"{cause.name}.{cause.attribute}" if cause.attribute else cause.name
        detail["Evaluation"] = "Static" if of_parameter else "Dynamic"
    return detail


def _cause(change: Change, name: str, plan: Plan) -> Reference | None:
    """The parameter or resource that the changed property names, if any."""
    if change.wanted is None:
        return None
    for reference in references(change.wanted.properties.get(name)):
        if reference.name in plan.parameters or reference.name in plan.resources:
            return reference
    return None
