"""The JavaScript DocumentClient and ElectroDB as clients."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness import ROOT

TOOLS = ROOT / ".runtimes" / "tools"


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("node") or not (TOOLS / "node_modules" / "electrodb").exists(),
    reason="no Node.js, or ./test has not installed ElectroDB",
)
def test_documents_and_entities(node: Any, unique: Callable[[str], str], tmp_path: Path) -> None:
    script = tmp_path / "clients.mjs"
    script.write_text(Path(__file__).with_name("clients.mjs").read_text())
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    done = subprocess.run(
        ["node", "--no-warnings", script, node.endpoint, unique("table")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["updated"] == {
        "pk": "a",
        "sk": "1",
        "n": 2.5,
        "things": [1, "z", {"y": True}],
        "letters": ["p", "q", "r"],
        "nothing": None,
    }
    assert (found["kept"], found["counted"]) == (2.5, 2)
    assert "The conditional request failed" in found["twice"]
    assert found["task"] == {
        "team": "t",
        "id": "1",
        "owner": "ann",
        "points": 6,
        "status": "done",
        "notes": ["x"],
    }
    assert (found["begins"], found["filtered"]) == (11, 15)
    assert found["wide"] == [55, 53, 51]
    assert found["cancelled"] is True
    assert found["ordered"] == ["3", None]
