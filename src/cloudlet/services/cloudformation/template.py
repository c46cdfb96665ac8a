"""A template's text made into plain data, with the line of everything in it.

JSON and YAML with the short forms (`!Ref`, `!GetAtt A.B`, `!Sub`, ...), which become the long ones. As in
CloudFormation a date stays text and anchors are refused. A number that Python would write differently (`000123`,
`1.10`) stays the text that it was; the service that gets it turns it into a number if it wants one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import AwsError
from . import model

if TYPE_CHECKING:
    from yaml import Node

Path = tuple[str | int, ...]

SHORT_FORMS = frozenset(
    f"!{name}"
    for name in (
        *(
            "And",
            "Base64",
            "Cidr",
            "Equals",
            "FindInMap",
            "GetAZs",
            "If",
            "ImportValue",
            "Join",
            "Length",
            "Not",
        ),
        *("Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
    )
)


@dataclass(slots=True)
class Template:
    text: str
    body: dict[str, Any]
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, *path: str | int) -> int:
        """The line of what is at `path`, or of the nearest thing around it. A resource that a transform made is where
        the resource stands from whose name its own was made."""
        if len(path) > 1 and path[0] == "Resources" and path[:2] not in self.lines:
            origin = self._origin(str(path[1]))
            path = ("Resources", origin) if origin else path
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def _origin(self, logical_id: str) -> str:
        known = (str(path[1]) for path in self.lines if len(path) == 2 and path[0] == "Resources")
        return max((name for name in known if logical_id.startswith(name)), key=len, default="")


def parse(text: str) -> Template:
    """The template in `text`. Raises the ValidationError that CloudFormation answers to what it
    can't read."""
    stripped = text.lstrip("\ufeff \t\r\n")
    lines: dict[Path, int] = {}
    if stripped.startswith("{"):
        body = _json(text, lines)
    else:
        body = _yaml(text, lines)
    if not isinstance(body, dict):
        raise model.validation_error("Template format error: unsupported structure.")
    return Template(text, body, lines)


def _json(text: str, lines: dict[Path, int]) -> Any:
    try:
        body = json.loads(text.lstrip("\ufeff"))
    except json.JSONDecodeError as error:
        where = f"(line {error.lineno}, column {error.colno})"
        raise model.validation_error(f"Template format error: JSON not well-formed. {where}") from None
    except RecursionError:
        raise model.validation_error("Template format error: unsupported structure.") from None
    try:
        root = _compose(text.replace("\t", " "), "JSON")
        if root is not None:
            _Reader(lines).read(root, ())
    except AwsError:
        lines.clear()  # the few texts that are JSON and not YAML go without their lines
    return body


def _yaml(text: str, lines: dict[Path, int]) -> Any:
    root = _compose(text, "YAML")
    return None if root is None else _Reader(lines).read(root, ())


def _compose(text: str, language: str) -> Node | None:
    import yaml  # deferred: nothing needs it until a template comes

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root: Node | None = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise model.validation_error(f"Template format error: {language} not well-formed.{where}") from None
    except (yaml.YAMLError, RecursionError):
        raise model.validation_error(f"Template format error: {language} not well-formed.") from None
    return root


class _Reader:
    """Nodes of the YAML parser to data."""

    def __init__(self, lines: dict[Path, int]) -> None:
        self._lines = lines
        self._seen: set[int] = set()

    def read(self, node: Node, path: Path) -> Any:
        if id(node) in self._seen:
            raise model.validation_error(
                "Template error: YAML aliases are not allowed in CloudFormation templates"
            )
        self._seen.add(id(node))
        self._lines.setdefault(path, node.start_mark.line + 1)
        if node.tag.startswith("!"):
            return self._short_form(node, path)
        return self._plain(node, path)

    def _plain(self, node: Node, path: Path) -> Any:
        if isinstance(node.value, list) and _is_mapping(node):
            return self._mapping(node, path)
        if isinstance(node.value, list):
            return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
        return _scalar(node.tag, str(node.value))

    def _mapping(self, node: Node, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node.value, str) else ""
            if not isinstance(key_node.value, str) or key_node.tag == "tag:yaml.org,2002:merge":
                raise _not_well_formed(key_node)
            self._lines[(*path, key)] = key_node.start_mark.line + 1
            result[key] = self.read(value_node, (*path, key))
        return result

    def _short_form(self, node: Node, path: Path) -> Any:
        tag = node.tag
        scalar = isinstance(node.value, str)
        if tag in ("!Ref", "!Condition") and scalar:
            return {tag[1:]: str(node.value)}
        if tag == "!GetAtt":
            if scalar:
                resource, _, attribute = str(node.value).partition(".")
                return {"Fn::GetAtt": [resource, attribute]}
            return {"Fn::GetAtt": self._plain(node, path)}
        if tag in SHORT_FORMS:
            value = str(node.value) if scalar else self._plain(node, (*path, f"Fn::{tag[1:]}"))
            return {f"Fn::{tag[1:]}": value}
        raise model.validation_error(
            f"Template format error: Unknown tag {tag} (line {node.start_mark.line + 1})"
        )


def _is_mapping(node: Node) -> bool:
    from yaml import MappingNode

    return isinstance(node, MappingNode)


def _not_well_formed(node: Node) -> AwsError:
    mark = node.start_mark
    where = f"(line {mark.line + 1}, column {mark.column + 1})"
    return model.validation_error(f"Template format error: YAML not well-formed. {where}")


def _scalar(tag: str, text: str) -> Any:
    kind = tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if kind in ("int", "float"):
        try:
            number = int(text) if kind == "int" else float(text)
        except ValueError:
            return text
        return number if str(number) == text else text
    return text
