"""The resource types: what the services declare, each type's properties, and values as operations want them."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from ...aws.model import Models, Shape
from ...resources import Call, Resource
from .. import FOLDERS
from . import model
from .intrinsics import text

if TYPE_CHECKING:
    from .plan import Wanted
    from .template import Template

CUSTOM = ("Custom::",)
CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"
WORD = re.compile(r"[A-Z][A-Za-z0-9]*")
FIELD = re.compile(r"\{([A-Za-z_][\w.*]*(?::time)?)\}")
FALSE_TRUE = {"false": False, "true": True}


class PropertyError(Exception):
    """A property has the wrong form; the text is that of a schema's check."""


def is_custom(type: str) -> bool:
    return type == CUSTOM_RESOURCE or type.startswith(CUSTOM)


def collect() -> dict[str, Resource]:
    """The RESOURCES of every service's model."""
    found: dict[str, Resource] = {}
    for folder in FOLDERS:
        module = importlib.import_module(f"cloudlet.services.{folder}.model")
        found.update(getattr(module, "RESOURCES", {}))
    return found


class Catalog:
    def __init__(self, resources: Mapping[str, Resource], models: Models) -> None:
        self._resources = resources
        self._models = models
        self._properties: dict[str, frozenset[str] | None] = {}

    def __getitem__(self, type: str) -> Resource:
        return self._resources[type]

    def declaration(self, type: str) -> Resource | None:
        """None for the types that aren't data: custom resources and nested stacks."""
        return self._resources.get(type)

    def types(self) -> list[str]:
        return sorted(self._resources)

    def has(self, type: str) -> bool:
        return type in self._resources or is_custom(type) or type == model.STACK_TYPE

    def has_attribute(self, type: str, name: str) -> bool:
        if is_custom(type):
            return True
        if type == model.STACK_TYPE:
            return name.startswith("Outputs.")
        return name in self._resources[type].attributes

    def input(self, call: Call) -> Shape:
        return self._models[call.service].operations[call.operation].input

    # Properties

    def properties(self, type: str) -> frozenset[str] | None:
        """The names of the properties of a type; None where anything goes.

        They are what the operations take, what the declaration names, and what its functions read: a function of
        `params` asks for a property by a constant, so the constants of its code are the properties that it knows.
        """
        if is_custom(type) or type == model.STACK_TYPE:
            return None
        if type not in self._properties:
            self._properties[type] = self._find_properties(self._resources[type])
        return self._properties[type]

    def _find_properties(self, resource: Resource) -> frozenset[str] | None:
        if not resource.create:
            return None
        names = {resource.name} | resource.required | resource.ignore | resource.replace
        for call in resource.create:
            names |= set(self.input(call).members)
        for call in (*resource.create, *resource.update):
            names |= call.drop | (call.when or frozenset())
            if call.params is not None:
                names |= _constants(call.params)
        return frozenset(names)

    def check_properties(self, resources: Iterable[Wanted], template: Template) -> None:
        """Raises for properties that a type doesn't have, and for those that it needs and that
        aren't there."""
        for wanted in resources:
            known = self.properties(wanted.type)
            if known is None:
                continue
            place = ("Resources", wanted.logical_id, "Properties")
            for name in wanted.properties:
                if name not in known:
                    line = template.line(*place, name)
                    raise _failed(wanted.logical_id, f"#: extraneous key [{name}] is not permitted", line)
            for name in sorted(self._resources[wanted.type].required - wanted.properties.keys()):
                raise _failed(wanted.logical_id, f"#: required key [{name}] not found", wanted.line)

    # Values

    def coerce(self, call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
        """The input of a call in the types of the operation's shape. Raises `PropertyError`."""
        coerced: dict[str, Any] = coerce(self.input(call), dict(params), "#")
        return coerced


def _failed(logical_id: str, what: str, line: int) -> Exception:
    return model.validation_error(
        f"Properties validation failed for resource {logical_id} with message: [{what}] (line {line})"
    )


def _constants(function: Callable[..., Any]) -> set[str]:
    """The capitalised words among the constants of a function and of those of its module that it calls."""
    words: set[str] = set()
    seen: set[int] = set()
    todo: list[Any] = [function]
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, FunctionType):
            todo.append(item.__code__)
            todo.extend(item.__globals__.get(name) for name in item.__code__.co_names)
            todo.extend(cell.cell_contents for cell in item.__closure__ or ())
        elif isinstance(item, CodeType):
            todo.extend(item.co_consts)
        elif isinstance(item, (tuple, list, set, frozenset, dict)):
            todo.extend(item)
        elif isinstance(item, str) and WORD.fullmatch(item):
            words.add(item)
    return words


_JSON_TYPES = {"structure": "JSONObject", "map": "JSONObject", "list": "JSONArray"}


def coerce(shape: Shape, value: Any, path: str) -> Any:
    """A template's value in the type of a shape: `"5"` as 5, `true` as "true", a document as its JSON."""
    kind = shape.type
    if kind in _JSON_TYPES:
        return _coerce_container(shape, value, path)
    if kind == "string":
        if isinstance(value, (dict, list)):
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return text(value)
    if isinstance(value, (dict, list)):
        raise PropertyError(f"{path}: expected type: {kind.capitalize()}, found: {_found(value)}")
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        if str(value).lower() not in FALSE_TRUE:
            raise PropertyError(f"{path}: expected type: Boolean, found: String")
        return FALSE_TRUE[str(value).lower()]
    if kind in ("integer", "long", "float", "double"):
        try:
            return int(value) if kind in ("integer", "long") else float(value)
        except (TypeError, ValueError):
            raise PropertyError(f"{path}: expected type: Number, found: {_found(value)}") from None
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value


def _coerce_container(shape: Shape, value: Any, path: str) -> Any:
    if shape.document:
        return value
    kind = shape.type
    if kind == "list" and isinstance(value, list):
        member = shape.member
        assert member is not None
        return [coerce(member.shape, item, f"{path}/{index}") for index, item in enumerate(value)]
    if kind == "list" or not isinstance(value, dict):
        raise PropertyError(f"{path}: expected type: {_JSON_TYPES[kind]}, found: {_found(value)}")
    if kind == "map":
        member = shape.value
        assert member is not None
        return {str(key): coerce(member.shape, item, f"{path}/{key}") for key, item in value.items()}
    result = {}
    for name, item in value.items():
        known = shape.members.get(name)
        if known is None:
            raise PropertyError(f"{path}: extraneous key [{name}] is not permitted")
        if item is not None:
            result[name] = coerce(known.shape, item, f"{path}/{name}")
    return result


def _found(value: Any) -> str:
    if isinstance(value, dict):
        return "JSONObject"
    if isinstance(value, list):
        return "JSONArray"
    if isinstance(value, bool):
        return "Boolean"
    return "Number" if isinstance(value, (int, float)) else "String"


def _item(value: Any, part: str) -> Any:
    if not isinstance(value, list):
        return value[part]
    if int(part) >= len(value):
        raise KeyError(part)
    return value[int(part)]


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fill(format: str, values: Mapping[str, Any]) -> Any:
    """A format like "{ApiId}" or "arn:…:{Name}" over values; "{A.B}" looks inside, "{A.0}" into a list, "{A.*.B}" into
    each of a list's items, "{A:time}" tells seconds as a date. What isn't there is a `KeyError`.

    A format that is one field alone gives the value as it is."""

    def look(name: str) -> Any:
        value: Any = values
        name, _, kind = name.partition(":")
        parts = name.split(".")
        for place, part in enumerate(parts):
            if part == "*":
                return [fill(f"{{{'.'.join(parts[place + 1 :])}}}", item) for item in value]
            value = _item(value, part)
        return _date(value) if kind == "time" else value

    whole = FIELD.fullmatch(format)
    if whole:
        return look(whole.group(1))
    return FIELD.sub(lambda match: text(look(match.group(1))), format)
