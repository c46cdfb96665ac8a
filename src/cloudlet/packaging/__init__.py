"""Local code made ready to deploy: what `sam build` and `sam package` do, for a template that lies in a folder.

A library of the command line, without a node: it needs the standard library and PyYAML. `package` finds the template,
builds one zip per folder of code that it names, and gives back the template's text with the paths replaced by the
zips' places in the bucket `cloudlet-artifacts`. Nothing else in the text is touched, so that its lines stay what they
are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from .build import Artifact, Builder
from .rewrite import Edit, LocalCode, apply, find_code

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
    folder = template.resolve().parent
    text = template.read_text(encoding="utf-8")
    builder = Builder(build_dir, progress)
    artifacts: dict[str, Artifact] = {}
    edits: list[Edit] = []
    for code in find_code(text):
        source = (folder / code.path).resolve()
        if not source.exists():
            raise UserError(
                f"{template}:{code.line}: {code.resource} has its code at {code.path}, which is not there"
            )
        artifact = builder.build(source, code.runtime, layer=code.layer)
        artifacts[artifact.sha] = artifact
        edits.append(code.edit(_place(code, artifact)))
    return Package(apply(text, edits), list(artifacts.values()), folder)


def _place(code: LocalCode, artifact: Artifact) -> str:
    """The artifact's place in the form that the property takes, on one line and good in YAML and JSON."""
    key = f"{artifact.sha}.zip"
    if code.as_uri:
        return f'"s3://{BUCKET}/{key}"'
    return f'{{"S3Bucket": "{BUCKET}", "S3Key": "{key}"}}'
