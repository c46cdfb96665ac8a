"""JSON schema, draft 4, as models use it: enough to say whether a message is what its model says.

Not known: `$ref` to other models, `dependencies`, `format`. A keyword that is not known refuses nothing.
"""

from __future__ import annotations

import re
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}


class Schema:
    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def check(self, value: Any) -> str | None:
        """What is wrong with the value, or None."""
        try:
            return _check(self._schema, value, "", self._schema)
        except (AttributeError, TypeError, ValueError, RecursionError, re.error) as error:
            return f"can't be checked, because its model's schema is wrong: {error}"


def _check(schema: Any, value: Any, where: str, root: dict[str, Any]) -> str | None:
    if not isinstance(schema, dict):
        return None
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        schema = _resolve(root, reference)
    for check in (_basics, _numbers, _strings, _arrays, _objects, _combined):
        wrong = check(schema, value, where, root)
        if wrong is not None:
            return wrong
    return None


def _resolve(root: dict[str, Any], reference: str) -> dict[str, Any]:
    found: Any = root
    for name in reference[2:].split("/"):
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _is(value: Any, name: str) -> bool:
    if name in ("integer", "number"):
        if isinstance(value, bool):
            return False
        return isinstance(value, int) or (
            isinstance(value, float) and (name == "number" or value.is_integer())
        )
    return isinstance(value, _TYPES.get(name, object))


def _said(where: str, text: str) -> str:
    return f"{where or 'the message'} {text}"


def _basics(schema: dict[str, Any], value: Any, where: str, root: dict[str, Any]) -> str | None:
    types = schema.get("type")
    if types is not None:
        names = types if isinstance(types, list) else [types]
        if not any(_is(value, name) for name in names):
            return _said(where, f"must be of type {' or '.join(names)}")
    if "enum" in schema and value not in schema["enum"]:
        return _said(where, "must be one of the enumerated values")
    return None


def _numbers(schema: dict[str, Any], value: Any, where: str, root: dict[str, Any]) -> str | None:
    if not _is(value, "number"):
        return None
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and (value < low or (schema.get("exclusiveMinimum") is True and value == low)):
        return _said(where, f"must not be less than {low}")
    if high is not None and (value > high or (schema.get("exclusiveMaximum") is True and value == high)):
        return _said(where, f"must not be greater than {high}")
    if schema.get("multipleOf") and value % schema["multipleOf"]:
        return _said(where, f"must be a multiple of {schema['multipleOf']}")
    return None


def _strings(schema: dict[str, Any], value: Any, where: str, root: dict[str, Any]) -> str | None:
    if not isinstance(value, str):
        return None
    if len(value) < schema.get("minLength", 0):
        return _said(where, "is too short")
    if len(value) > schema.get("maxLength", len(value)):
        return _said(where, "is too long")
    if "pattern" in schema and re.search(schema["pattern"], value) is None:
        return _said(where, "does not match the pattern")
    return None


def _arrays(schema: dict[str, Any], value: Any, where: str, root: dict[str, Any]) -> str | None:
    if not isinstance(value, list):
        return None
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return _said(where, "has the wrong number of items")
    if schema.get("uniqueItems") and any(item in value[:at] for at, item in enumerate(value)):
        return _said(where, "has an item twice")
    items = schema.get("items")
    for at, item in enumerate(value):
        rule = items[at] if isinstance(items, list) and at < len(items) else items
        wrong = _check(rule, item, f"{where}[{at}]", root) if isinstance(rule, dict) else None
        if wrong is not None:
            return wrong
    return None


def _objects(schema: dict[str, Any], value: Any, where: str, root: dict[str, Any]) -> str | None:
    if not isinstance(value, dict):
        return None
    for name in schema.get("required", ()):
        if name not in value:
            return _said(where, f"lacks {name}")
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return _said(where, "has the wrong number of members")
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    extra = schema.get("additionalProperties", True)
    for name, member in value.items():
        rules = [rule for pattern, rule in patterns.items() if re.search(pattern, name)]
        if name in properties:
            rules.append(properties[name])
        elif not rules:
            if extra is False:
                return _said(where, f"must not have {name}")
            rules.append(extra)
        for rule in rules:
            wrong = _check(rule, member, f"{where}.{name}".lstrip("."), root)
            if wrong is not None:
                return wrong
    return None


def _combined(schema: dict[str, Any], value: Any, where: str, root: dict[str, Any]) -> str | None:
    for rule in schema.get("allOf", ()):
        wrong = _check(rule, value, where, root)
        if wrong is not None:
            return wrong
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            fitting = sum(_check(rule, value, where, root) is None for rule in schema[keyword])
            if fitting == 0 or (keyword == "oneOf" and fitting > 1):
                return _said(where, f"does not fit {keyword}")
    if "not" in schema and _check(schema["not"], value, where, root) is None:
        return _said(where, "is what it must not be")
    return None
