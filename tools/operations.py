"""Writes docs/operations.md: every operation of every service that Cloudlet has, from the services themselves.

.venv/bin/python -m tools.operations          # write it
.venv/bin/python -m tools.operations --check  # fail if it is not up to date
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from cloudlet.aws.model import Model, Models
from cloudlet.context import Service
from cloudlet.names import snake
from cloudlet.services import FOLDERS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
TITLE = """# Operations

What each service answers. An operation that is not supported says so, with the service's own kind of error and 501.
This page is made from the code by `python -m tools.operations`.
"""


def page() -> str:
    models = Models()
    parts = [TITLE]
    for folder in FOLDERS:
        service: Service = importlib.import_module(f"cloudlet.services.{folder}").SERVICE
        for name in service.models:
            parts.append(_section(name, service, models[name]))
        if resources := getattr(service.model, "RESOURCES", None):
            parts.append("CloudFormation: " + ", ".join(f"`{kind}`" for kind in sorted(resources)) + "\n")
    return "\n".join(parts)


def _section(name: str, service: Service, model: Model) -> str:
    operations = list(model.operations)
    built = sorted(o for o in operations if hasattr(service.operations, snake(o)))
    rest = sorted(set(operations) - set(built))
    count = len(operations) + len(model.left_out)
    lines = [f"## {name}", "", f"{len(built)} of {count} operations.", "", ", ".join(built), ""]
    if model.left_out:
        lines += [f"Not supported: the others; {model.patch['others']}.", ""]
    if rest:
        lines += ["| not supported | because |", "|---|---|"]
        reasons: dict[str, list[str]] = {}
        for operation in rest:
            reasons.setdefault(service.model.UNSUPPORTED.get(operation, "not built yet"), []).append(
                operation
            )
        lines += [f"| {', '.join(names)} | {reason} |" for reason, names in reasons.items()]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text() != page():
            sys.exit("docs/operations.md is not up to date: run `python -m tools.operations`")
    else:
        PAGE.write_text(page())
