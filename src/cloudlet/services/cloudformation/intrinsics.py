"""The intrinsic functions, pseudo parameters and conditions.

`Resolver.resolve(value)` gives a value with every function replaced by what it stands for; a property whose value is
`AWS::NoValue` disappears. What a function can't know by itself (a resource's physical id, an export) it asks the
resolver's callbacks, which may answer with text that stands for a value that is not known yet.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...names import zones
from . import model

PSEUDO = frozenset(
    {
        "AWS::AccountId",
        "AWS::NotificationARNs",
        "AWS::NoValue",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)
SUB_VARIABLE = re.compile(r"\$\{([^{}]+)\}")
"""`${name}`, and `${!name}`, which stands for `${name}` itself."""
DYNAMIC_REFERENCE = re.compile(r"\{\{resolve:[^{}]*\}\}")
BOOLEAN_FUNCTIONS = frozenset({"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or", "Condition"})


class _NoValue:
    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE = _NoValue()


def function_of(value: Any) -> str:
    """The name of the intrinsic function that `value` is a call of, or ""."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        if name == "Ref" or name == "Condition" or name.startswith("Fn::"):
            return str(name)
    return ""


def text(value: Any) -> str:
    """A scalar as a function that makes strings sees it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def not_yet_known(value: Any) -> bool:
    """Whether something in it will be known only when the resources are there."""
    if isinstance(value, list):
        return any(not_yet_known(item) for item in value)
    return isinstance(value, str) and model.KNOWN_AFTER_APPLY in value


def _checked(value: str) -> str:
    dynamic = DYNAMIC_REFERENCE.search(value)
    if dynamic:
        raise model.validation_error(f"Dynamic references are not supported here: {dynamic.group()}")
    return value


def get_att(value: Any) -> tuple[str, str]:
    """The resource and attribute of a Fn::GetAtt's argument."""
    if isinstance(value, str):
        value = value.split(".", 1)
    if isinstance(value, list) and len(value) >= 2 and all(isinstance(part, str) and part for part in value):
        return value[0], ".".join(value[1:])
    raise model.validation_error(
        "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource"
        " name and the resource attribute"
    )


def sub_parts(value: Any) -> tuple[str, dict[str, Any]]:
    """The text and the variables of a Fn::Sub's argument."""
    if isinstance(value, str):
        return value, {}
    if (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], dict)
    ):
        return value[0], value[1]
    raise model.validation_error(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments."
        " Specify a string as"
        " first argument, and an optional second argument to specify a mapping of values to replace"
        " in the string"
    )


@dataclass(slots=True, frozen=True)
class Reference:
    """Something that a value names: kind is "Ref", "GetAtt" or "Condition"."""

    kind: str
    name: str
    attribute: str = ""


def _get_att_references(value: Any) -> Iterator[Reference]:
    if isinstance(value, list) and len(value) == 2 and function_of(value[1]):
        yield Reference("GetAtt", str(value[0]))
        yield from references(value[1])
    else:
        yield Reference("GetAtt", *get_att(value))


def references(value: Any) -> Iterator[Reference]:
    """Every Ref, GetAtt, Sub variable and condition in a value, without resolving anything."""
    name = function_of(value)
    if name == "Ref":
        if isinstance(value["Ref"], str):
            yield Reference("Ref", value["Ref"])
        return
    if name == "Condition":
        if isinstance(value["Condition"], str):
            yield Reference("Condition", value["Condition"])
        return
    if name == "Fn::GetAtt":
        yield from _get_att_references(value["Fn::GetAtt"])
        return
    if name == "Fn::Sub":
        source, variables = sub_parts(value["Fn::Sub"])
        for variable in SUB_VARIABLE.findall(source):
            variable = variable.strip()
            if variable in variables or variable.startswith("!"):
                continue
            resource, dot, attribute = variable.partition(".")
            yield Reference("GetAtt", resource, attribute) if dot else Reference("Ref", variable)
        yield from references(variables)
        return
    if name == "Fn::If" and isinstance(value[name], list) and value[name] and isinstance(value[name][0], str):
        yield Reference("Condition", value[name][0])
        yield from references(value[name][1:])
        return
    if isinstance(value, dict):
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def _unknown_ref(name: str) -> Any:
    raise model.unresolved([name], "Resources")


def _unknown_att(name: str, attribute: str) -> Any:
    raise model.validation_error(
        f"Template error: instance of Fn::GetAtt references undefined resource {name}"
    )


def _unknown_export(name: str) -> str:
    raise model.no_export(name)


@dataclass(slots=True)
class Resolver:
    parameters: Mapping[str, Any]
    """Parameters and pseudo parameters by name: text, or a list of texts."""
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    """As declared in the template."""
    ref: Callable[[str], Any] = _unknown_ref
    att: Callable[[str, str], Any] = _unknown_att
    export: Callable[[str], Any] = _unknown_export
    known: dict[str, bool] = field(default_factory=dict)
    """Conditions evaluated so far."""
    exports: set[str] = field(default_factory=set)
    """The names of the exports that were asked for."""

    # Conditions

    def condition(self, name: str, trail: tuple[str, ...] = ()) -> bool:
        if name not in self.known:
            if name not in self.conditions:
                raise model.validation_error(f"Template error: unresolved condition dependency {name}")
            if name in trail:
                raise model.validation_error(
                    f"Template error: Circular dependency between conditions: [{', '.join(trail)}]"
                )
            self.known[name] = self._test(self.conditions[name], (*trail, name))
        return self.known[name]

    def _test(self, value: Any, trail: tuple[str, ...]) -> bool:
        name = function_of(value)
        if name == "Condition":
            return self.condition(str(value["Condition"]), trail)
        if name == "Fn::Equals":
            pair = value[name]
            if not isinstance(pair, list) or len(pair) != 2:
                raise model.validation_error(
                    "Template error: every Fn::Equals object requires a list of 2 string parameters."
                )
            left, right = (self.resolve(side) for side in pair)
            if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
                return bool(left == right)
            return text(left) == text(right)
        if name == "Fn::Not":
            terms = value[name]
            if not isinstance(terms, list) or len(terms) != 1:
                raise model.validation_error(
                    "Template error: every Fn::Not object requires one boolean parameter."
                )
            return not self._test(terms[0], trail)
        if name in ("Fn::And", "Fn::Or"):
            terms = value[name]
            if not isinstance(terms, list) or not 2 <= len(terms) <= 10:
                raise model.validation_error(
                    f"Template error: every {name} object requires a list of at least 2 and at most"
                    " 10 boolean parameters."
                )
            results = [self._test(term, trail) for term in terms]
            return all(results) if name == "Fn::And" else any(results)
        raise model.validation_error(
            "Template format error: Conditions can only be boolean operations on parameters and"
            " other conditions"
            f" [{trail[0] if trail else ''}]"
        )

    # Values

    def prune(self, value: Any) -> Any:
        """`value` with each Fn::If replaced by its branch and AWS::NoValue gone, all else as it was."""
        name = function_of(value)
        if name == "Fn::If":
            return self.prune(self._branch(value[name]))
        if name == "Ref" and value["Ref"] == "AWS::NoValue":
            return NO_VALUE
        if isinstance(value, dict):
            pruned = {key: self.prune(child) for key, child in value.items()}
            return {key: child for key, child in pruned.items() if child is not NO_VALUE}
        if isinstance(value, list):
            return [child for child in map(self.prune, value) if child is not NO_VALUE]
        return value

    def resolve(self, value: Any) -> Any:
        name = function_of(value)
        if name:
            function = _FUNCTIONS.get(name)
            if function is None and name in BOOLEAN_FUNCTIONS:
                # A resource property may be called Condition (a policy statement's is).
                return {name: self.resolve(value[name])} if name == "Condition" else self._test(value, ())
            if function is None:
                raise model.validation_error(f"Template error: {name} is not supported")
            return function(self, value[name])
        if isinstance(value, dict):
            resolved = {key: self.resolve(child) for key, child in value.items()}
            return {key: child for key, child in resolved.items() if child is not NO_VALUE}
        if isinstance(value, list):
            return [child for child in map(self.resolve, value) if child is not NO_VALUE]
        return _checked(value) if isinstance(value, str) else value

    def _branch(self, value: Any) -> Any:
        if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], str):
            raise model.validation_error(
                "Template error: Fn::If requires a list argument with three elements"
            )
        return value[1] if self.condition(value[0]) else value[2]

    def _if(self, value: Any) -> Any:
        return self.resolve(self._branch(value))

    def _ref(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise model.validation_error(
                "Template format error: Every Ref object must have a single String value."
            )
        if value == "AWS::NoValue":
            return NO_VALUE
        if value in self.parameters:
            return self.parameters[value]
        return self.ref(value)

    def _get_att(self, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2:
            value = [value[0], self.resolve(value[1])]
        return self.att(*get_att(value))

    def _sub(self, value: Any) -> str:
        source, variables = sub_parts(value)

        def variable(match: re.Match[str]) -> str:
            name = match.group(1).strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in variables:
                found = self.resolve(variables[name])
            elif "." in name:
                found = self.att(*name.split(".", 1))
            else:
                found = self._ref(name)
            if isinstance(found, (dict, list)):
                raise model.validation_error("Template error: every value of Fn::Sub must be a string")
            return text(found)

        return _checked(SUB_VARIABLE.sub(variable, source))

    def _join(self, value: Any) -> str:
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
            items = self.resolve(value[1])
            if items == model.KNOWN_AFTER_APPLY:
                return model.KNOWN_AFTER_APPLY
            if isinstance(items, list) and not any(isinstance(item, (dict, list)) for item in items):
                return _checked(value[0].join(text(item) for item in items))
        raise model.validation_error(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter"
            " and (2) a list of strings"
            " to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        )

    def _split(self, value: Any) -> list[str]:
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and value[0]:
            source = self.resolve(value[1])
            if not_yet_known(source):
                return [model.KNOWN_AFTER_APPLY]
            if not isinstance(source, (dict, list)):
                return text(source).split(value[0])
        raise model.validation_error(
            "Template error: every Fn::Split object requires two parameters, (1) a string delimiter"
            " and (2) a string to be"
            " split or a function that returns a string to be split."
        )

    def _select(self, value: Any) -> Any:
        if not isinstance(value, list) or len(value) != 2:
            raise model.validation_error(
                "Template error: Fn::Select requires a list argument with two elements: an integer"
                " index and a list"
            )
        index, items = self.resolve(value[0]), self.resolve(value[1])
        if not_yet_known(index) or not_yet_known(items):
            return model.KNOWN_AFTER_APPLY
        if not str(index).isdigit() or not isinstance(items, list):
            raise model.validation_error(
                "Template error: Fn::Select requires a list argument with two elements: an integer"
                " index and a list"
            )
        if int(index) >= len(items):
            raise model.validation_error(
                f"Template error: Fn::Select cannot select nonexistent value at index {index}"
            )
        return items[int(index)]

    def _base64(self, value: Any) -> str:
        source = self.resolve(value)
        if isinstance(source, (dict, list)):
            raise model.validation_error(
                "Template error: every Fn::Base64 object must have a String-typed value."
            )
        return base64.b64encode(text(source).encode()).decode()

    def _find_in_map(self, value: Any) -> Any:
        if not isinstance(value, list) or len(value) not in (3, 4):
            raise model.validation_error(
                "Template error: every Fn::FindInMap object requires three parameters, the map name,"
                " map key and the"
                " attribute for return value"
            )
        name, first, second = (text(self.resolve(part)) for part in value[:3])
        try:
            return self.resolve(self.mappings[name][first][second])
        except (KeyError, TypeError):
            if not_yet_known([name, first, second]):
                return model.KNOWN_AFTER_APPLY
            if len(value) == 4 and isinstance(value[3], dict) and "DefaultValue" in value[3]:
                return self.resolve(value[3]["DefaultValue"])
            raise model.validation_error(
                f"Template error: Unable to get mapping for {name}::{first}::{second}"
            ) from None

    def _import_value(self, value: Any) -> Any:
        name = text(self.resolve(value))
        self.exports.add(name)
        return self.export(name)

    def _get_azs(self, value: Any) -> list[str]:
        region = text(self.resolve(value)) or text(self.parameters["AWS::Region"])
        return zones(region)

    def _cidr(self, value: Any) -> list[str]:
        value = self.resolve(value)
        if not_yet_known(value):
            return [model.KNOWN_AFTER_APPLY]
        try:
            block, count, *bits = (text(part) for part in value)
            network = ipaddress.ip_network(block)
            prefix = network.max_prefixlen - int(bits[0] if bits else 8)
            subnets = network.subnets(new_prefix=prefix)
            return [str(next(subnets)) for _ in range(int(count))]
        except (ValueError, TypeError, StopIteration):
            raise model.validation_error(f"Template error: Fn::Cidr can't divide {value}") from None

    def _length(self, value: Any) -> int:
        items = self.resolve(value)
        if items == model.KNOWN_AFTER_APPLY:
            return 0
        if not isinstance(items, list):
            raise model.validation_error("Template error: every Fn::Length object requires a list")
        return len(items)

    def _to_json_string(self, value: Any) -> str:
        return json.dumps(self.resolve(value), separators=(",", ":"), ensure_ascii=False)

    def _transform(self, value: Any) -> Any:
        name = value.get("Name") if isinstance(value, dict) else value
        raise model.validation_error(f"Fn::Transform is not supported here: {name}")


_FUNCTIONS: dict[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver._ref,
    "Fn::Base64": Resolver._base64,
    "Fn::Cidr": Resolver._cidr,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::GetAZs": Resolver._get_azs,
    "Fn::If": Resolver._if,
    "Fn::ImportValue": Resolver._import_value,
    "Fn::Join": Resolver._join,
    "Fn::Length": Resolver._length,
    "Fn::Select": Resolver._select,
    "Fn::Split": Resolver._split,
    "Fn::Sub": Resolver._sub,
    "Fn::ToJsonString": Resolver._to_json_string,
    "Fn::Transform": Resolver._transform,
}
