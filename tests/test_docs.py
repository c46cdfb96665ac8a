"""The documents say what is so."""

from __future__ import annotations

import re

import pytest

from tests.harness import ROOT
from tools import operations


def test_the_table_of_operations_is_up_to_date() -> None:
    assert operations.PAGE.read_text() == operations.page(), "run python -m tools.operations"


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("d*/*.md")), ids=lambda p: p.name
)
def test_links_lead_somewhere(page: object) -> None:
    text = page.read_text()  # type: ignore[attr-defined]
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target  # type: ignore[attr-defined]


def test_the_readme_names_every_command() -> None:
    source = (ROOT / "README.md").read_text()
    from cloudlet.cli import _parser

    commands = re.findall(r"^    (\w+) ", _parser().format_help(), re.M)
    assert len(commands) >= 8
    for command in commands:
        assert f"`{command}" in source, command
