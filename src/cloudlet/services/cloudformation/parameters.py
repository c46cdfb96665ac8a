"""Parameters: their declarations, and the values that a request gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import model
from .intrinsics import text

MASK = "****"
SCALAR_TYPES = frozenset({"String", "Number"})
LIST_TYPES = frozenset({"CommaDelimitedList", "List<Number>", "List<String>"})
ATTRIBUTES = frozenset(
    {
        "AllowedPattern",
        "AllowedValues",
        "ConstraintDescription",
        "Default",
        "Description",
        "MaxLength",
        "MaxValue",
        "MinLength",
        "MinValue",
        "NoEcho",
        "Type",
    }
)


_BOOTSTRAP = re.compile(r"/cdk-bootstrap/[^/]+/version")
"""Every template of CDK has a parameter of this default for a rule alone, and rules are not evaluated here."""


@dataclass(slots=True, frozen=True)
class Parameter:
    name: str
    type: str
    declared: Mapping[str, Any]

    @property
    def default(self) -> str | None:
        default = self.declared.get("Default")
        return None if default is None else text(default)

    @property
    def no_echo(self) -> bool:
        return text(self.declared.get("NoEcho", False)).lower() == "true"

    def value(self, given: str) -> Any:
        """The value as functions see it: text, or a list of texts. Raises what CloudFormation
        answers to a bad one."""
        given = given.strip() if self.type == "Number" else given
        values: list[str] = [part.strip() for part in given.split(",")] if self._is_list else [given]
        for value in values:
            self._check(value)
        return values if self._is_list else given

    @property
    def _is_list(self) -> bool:
        return self.type == "CommaDelimitedList" or self.type.startswith("List<")

    def _check(self, value: str) -> None:
        declared = self.declared
        allowed = declared.get("AllowedValues")
        if isinstance(allowed, list) and value not in [text(one) for one in allowed]:
            raise self._refused("must be one of AllowedValues")
        pattern = declared.get("AllowedPattern")
        if pattern is not None and re.fullmatch(_java_pattern(str(pattern)), value) is None:
            raise self._refused(f"must match pattern {pattern}")
        if "Number" in self.type:
            self._check_number(value)
        else:
            if "MinLength" in declared and len(value) < int(declared["MinLength"]):
                raise self._refused(f"must contain at least {declared['MinLength']} characters")
            if "MaxLength" in declared and len(value) > int(declared["MaxLength"]):
                raise self._refused(f"must contain at most {declared['MaxLength']} characters")

    def _check_number(self, value: str) -> None:
        try:
            number = float(value)
        except ValueError:
            raise self._refused("must be a number") from None
        if "MinValue" in self.declared and number < float(self.declared["MinValue"]):
            raise self._refused(f"must be a number not less than {self.declared['MinValue']}")
        if "MaxValue" in self.declared and number > float(self.declared["MaxValue"]):
            raise self._refused(f"must be a number not greater than {self.declared['MaxValue']}")

    def _refused(self, what: str) -> Exception:
        described = self.declared.get("ConstraintDescription")
        if described:
            return model.validation_error(f"Parameter {self.name} failed to satisfy constraint: {described}")
        return model.validation_error(f"Parameter '{self.name}' {what}")


def _java_pattern(pattern: str) -> str:
    """Parameters' patterns are Java's; the classes that templates use have other names here."""
    return (
        pattern.replace(r"\p{Alnum}", "[A-Za-z0-9]").replace(r"\p{L}", r"[^\W\d_]").replace(r"\p{N}", r"\d")
    )


def declared(body: Mapping[str, Any]) -> dict[str, Parameter]:
    """The template's parameters. Raises for what isn't a declaration."""
    block = body.get("Parameters") or {}
    if not isinstance(block, dict):
        raise model.validation_error("Template format error: Parameters must be an object.")
    if len(block) > model.MAX_PARAMETERS:
        raise model.validation_error(
            f"Template format error: Number of parameters, {len(block)}, is greater than maximum"
            f" allowed, {model.MAX_PARAMETERS}"
        )
    return {name: _declaration(name, declaration) for name, declaration in block.items()}


def _declaration(name: str, declaration: Any) -> Parameter:
    if not isinstance(declaration, dict) or "Type" not in declaration:
        raise model.validation_error(
            "Template format error: Every Parameters object must contain a Type member."
        )
    unknown = [attribute for attribute in declaration if attribute not in ATTRIBUTES]
    if unknown:
        raise model.validation_error(f"Invalid template parameter property '{unknown[0]}'")
    if not name.isalnum():
        raise model.validation_error(f"Template format error: Parameter name {name} is non alphanumeric.")
    kind = str(declaration["Type"])
    if kind.startswith("AWS::SSM::") and not _BOOTSTRAP.fullmatch(str(declaration.get("Default", ""))):
        raise model.validation_error(
            f"Parameter {name}: type {kind} needs Systems Manager, which is not supported here"
        )
    if kind not in SCALAR_TYPES and kind not in LIST_TYPES and not kind.startswith(("AWS::", "List<AWS::")):
        raise model.validation_error(f"Template format error: Unrecognized parameter type: {kind}")
    return Parameter(name, kind, declaration)


def given(
    parameters: Mapping[str, Parameter], entries: Iterable[Mapping[str, Any]], previous: Mapping[str, str]
) -> dict[str, str]:
    """The text of every parameter: from the request's entries, the stack's previous values or the
    defaults."""
    values: dict[str, str] = {}
    unknown: list[str] = []
    for entry in entries:
        name = str(entry.get("ParameterKey", ""))
        if name not in parameters:
            unknown.append(name)
        elif entry.get("UsePreviousValue"):
            if name not in previous:
                raise model.validation_error(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true"
                    " for a parameter key"
                    " not in the previous template"
                )
            values[name] = previous[name]
        else:
            values[name] = str(entry.get("ParameterValue", ""))
    if unknown:
        raise model.validation_error(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing: list[str] = []
    for name, parameter in parameters.items():
        if name in values:
            continue
        if parameter.default is None:
            missing.append(name)
        else:
            values[name] = parameter.default
    if missing:
        raise model.validation_error(f"Parameters: [{', '.join(missing)}] must have values")
    return values


def resolved(parameters: Mapping[str, Parameter], values: Mapping[str, str]) -> dict[str, Any]:
    """The values as functions see them, each held against its constraints."""
    return {name: parameter.value(values[name]) for name, parameter in parameters.items()}


def shown(parameters: Mapping[str, Parameter], values: Mapping[str, str]) -> list[dict[str, str]]:
    """As DescribeStacks tells them: what must not be seen is masked."""
    return [
        {"ParameterKey": name, "ParameterValue": MASK if parameter.no_echo else values[name]}
        for name, parameter in parameters.items()
        if name in values
    ]
