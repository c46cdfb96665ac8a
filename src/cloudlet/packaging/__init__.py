"""Local code made ready to deploy: what `sam build` and `sam package` do, for a template that lies in a folder.

A library of the command line, without a node: it needs the standard library and PyYAML. `package` finds the template,
builds one zip per folder of code that it names, prepares the templates that it names in the same way, and gives back
the template's text with the paths replaced by places in the bucket `cloudlet-artifacts`. Nothing else in the text is
touched, so that its lines stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from .build import Artifact, Builder
from .rewrite import Edit, LocalCode, apply, find_code, find_templates

__all__ = ["BUCKET", "Artifact", "Package", "find_template", "package"]

BUCKET = "cloudlet-artifacts"
TEMPLATES = ("template.yaml", "template.yml", "template.json")


@dataclass(slots=True, frozen=True)
class Package:
    template: str
    artifacts: list[Artifact]
    folder: Path


def find_template(path: Path) -> Path:
    """The template that `path` is, or that lies in the folder that it is."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise UserError(f"{path} is not there; give a folder with a template.yaml, or a template")
    for name in TEMPLATES:
        if (path / name).is_file():
            return path / name
    raise UserError(f"{path} has no {', '.join(TEMPLATES[:-1])} or {TEMPLATES[-1]}")


def package(folder_or_template: Path, build_dir: Path, progress: Callable[[str], None]) -> Package:
    """Build what the template needs. Raises `UserError` for code that isn't there or can't be built."""
    template = find_template(folder_or_template)
    artifacts: dict[str, Artifact] = {}
    text = _rewritten(template, Builder(build_dir, progress), artifacts, ())
    return Package(text, list(artifacts.values()), template.resolve().parent)


def _rewritten(
    template: Path, builder: Builder, artifacts: dict[str, Artifact], within: tuple[Path, ...]
) -> str:
    """The template's text with places in the bucket; what lies there is added to the artifacts."""
    folder = template.resolve().parent
    text = template.read_text(encoding="utf-8")
    edits: list[Edit] = []
    for code in find_code(text):
        artifact = builder.build(_source(template, code, "code"), code.runtime, layer=code.layer)
        artifacts[artifact.sha] = artifact
        edits.append(code.edit(_place(code, artifact)))
    for code in find_templates(text):
        inner = _source(template, code, "template")
        if inner in (*within, folder / template.name):
            raise UserError(f"{template}:{code.line}: {code.resource} is a template within itself")
        artifact = builder.template(_rewritten(inner, builder, artifacts, (*within, folder / template.name)))
        artifacts[artifact.sha] = artifact
        edits.append(code.edit(f'"https://s3.amazonaws.com/{BUCKET}/{artifact.name}"'))
    return apply(text, edits)


def _source(template: Path, code: LocalCode, what: str) -> Path:
    source = (template.resolve().parent / code.path).resolve()
    if not source.exists():
        raise UserError(
            f"{template}:{code.line}: {code.resource} has its {what} at {code.path}, which is not there"
        )
    return source


def _place(code: LocalCode, artifact: Artifact) -> str:
    """The artifact's place in the form that the property takes, on one line and good in YAML and JSON."""
    if code.as_uri:
        return f'"s3://{BUCKET}/{artifact.name}"'
    return f'{{"S3Bucket": "{BUCKET}", "S3Key": "{artifact.name}"}}'
