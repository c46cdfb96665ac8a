"""The rules of the house that a machine can check: see `design/architecture.md`, section 7."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cloudlet

PACKAGE = Path(cloudlet.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
SERVICES = sorted(p.name for p in (PACKAGE / "services").iterdir() if (p / "__init__.py").exists())
MAY_IMPORT = {
    "net": {"net", "errors"},
    "store": {"store", "errors", "clock"},
    "aws": {"aws", "errors", "names", "context", "net", "policies", "permissions"},
    "policies": {"policies"},
}
IN_A_WORKER = "runtimes"
"""Code that runs in a function's process, where nothing of ours is."""


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def imports(path: Path) -> set[tuple[str, ...]]:
    """What a file imports of this package, as paths from its root."""
    found = set()
    here = path.relative_to(PACKAGE).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level]
            module = tuple((node.module or "").split(".")) if node.module else ()
            found.add(base + module if module else (*base, node.names[0].name))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cloudlet."):
            found.add(tuple((node.module or "").split(".")[1:]))
    return found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_says_what_it_is_for_and_is_not_too_long(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree) or not text.strip(), "no docstring"
    assert text.count("\n") <= 800
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 80, f"{node.name} is too long"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_one_way(path: Path) -> None:
    parts = path.relative_to(PACKAGE).parts
    for target in imports(path):
        if parts[0] in MAY_IMPORT:
            assert target[0] in MAY_IMPORT[parts[0]], f"imports {'.'.join(target)}"
        if parts[0] == "services" and len(parts) > 2 and target[0] == "services" and target[1:2]:
            assert target[1] == parts[1] or target[1] not in SERVICES, (
                f"imports {'.'.join(target)}, another service"
            )


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_four_files(service: str) -> None:
    folder = PACKAGE / "services" / service
    for part in ("operations", "validation", "storage", "model"):
        assert (folder / f"{part}.py").exists() or (folder / part / "__init__.py").exists(), part


@pytest.mark.parametrize("path", [p for p in FILES if IN_A_WORKER not in p.parts], ids=name)
def test_the_node_does_not_import_what_is_heavy(path: Path) -> None:
    """At module level; a function may import what it needs once."""
    heavy = {"botocore", "boto3", "cryptography", "samtranslator", "airspeed", "rich"}
    for node in ast.parse(path.read_text()).body:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        assert not heavy & {n.split(".")[0] for n in names}, names
