"""Where a template names local code, and the text with other words there.

The text is edited, not parsed and written anew: comments, anchors of the eye and line numbers stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import yaml

REMOTE = ("s3://", "http://", "https://")

PROPERTIES = {
    "AWS::Serverless::Function": ("CodeUri", True, False),
    "AWS::Serverless::LayerVersion": ("ContentUri", True, True),
    "AWS::Lambda::Function": ("Code", False, False),
    "AWS::Lambda::LayerVersion": ("Content", False, True),
}
"""The property of each type that may be a path, whether it takes a URI (else a bucket and a key), and whether it is
a layer's."""

NESTED = {"AWS::CloudFormation::Stack": "TemplateURL"}
"""The property of each type that may be the path of another template."""


@dataclass(slots=True, frozen=True)
class Edit:
    """Words to put in the place of what stands from (line, column) to (line, column)."""

    begin: tuple[int, int]
    end: tuple[int, int]
    text: str


@dataclass(slots=True, frozen=True)
class LocalCode:
    resource: str
    path: str
    runtime: str
    as_uri: bool
    layer: str
    """For a layer, the language that its Metadata's BuildMethod says; "" to take the folder as it is."""
    begin: tuple[int, int]
    end: tuple[int, int]

    @property
    def line(self) -> int:
        return self.begin[0] + 1

    def edit(self, text: str) -> Edit:
        return Edit(self.begin, self.end, text)


def find_code(text: str) -> list[LocalCode]:
    """Every local path of code in the template. A text that can't be parsed has none; whoever gets it says why."""
    template = _template(text)
    shared = _members(_members(template.get("Globals")).get("Function"))
    default_runtime = _text(shared.get("Runtime"))
    found: list[LocalCode] = []
    runtimes: list[str] = []
    for name, node in _members(template.get("Resources")).items():
        resource = _members(node)
        kind = _text(resource.get("Type"))
        if kind not in PROPERTIES:
            continue
        property, as_uri, is_layer = PROPERTIES[kind]
        properties = _members(resource.get("Properties"))
        runtime = _text(properties.get("Runtime")) or (
            default_runtime if kind.startswith("AWS::Serverless") else ""
        )
        runtimes.append(runtime)
        layer = _text(_members(resource.get("Metadata")).get("BuildMethod")) if is_layer else ""
        if is_layer and not runtime:
            runtime = layer
        found.extend(_local(name, properties.get(property), runtime, as_uri, layer))
    runtime = default_runtime or next(filter(None, runtimes), "")
    found.extend(_local("Globals", shared.get("CodeUri"), runtime, True, ""))
    return found


def find_templates(text: str) -> list[LocalCode]:
    """Every path of another template in the template."""
    found: list[LocalCode] = []
    for name, node in _members(_template(text).get("Resources")).items():
        resource = _members(node)
        if property := NESTED.get(_text(resource.get("Type"))):
            found.extend(_local(name, _members(resource.get("Properties")).get(property), "", True, ""))
    return found


def _template(text: str) -> dict[str, yaml.Node]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _members(yaml.compose(text.replace("\t", " "), Loader=loader))
    except yaml.YAMLError:
        return {}


def _local(name: str, node: yaml.Node | None, runtime: str, as_uri: bool, layer: str) -> Iterator[LocalCode]:
    path = _text(node)
    if node is not None and path and not path.startswith(REMOTE):
        begin = (node.start_mark.line, node.start_mark.column)
        end = (node.end_mark.line, node.end_mark.column)
        yield LocalCode(name, path, runtime, as_uri, layer, begin, end)


def _members(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _text(node: yaml.Node | None) -> str:
    """A scalar's text; "" for what is absent, a structure, or the call of a function."""
    if isinstance(node, yaml.ScalarNode) and not node.tag.startswith("!"):
        return str(node.value)
    return ""


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits, which don't overlap."""
    lines = text.splitlines(keepends=True)
    for edit in sorted(edits, key=lambda edit: edit.begin, reverse=True):
        (first, start), (last, stop) = edit.begin, edit.end
        head, tail = lines[first][:start], lines[last][stop:]
        lines[first : last + 1] = [head + edit.text + tail, *[""] * (last - first)]
    return "".join(lines)
