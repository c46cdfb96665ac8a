"""The AWS CLI and Node.js programs that `./test` installs, aimed at a node."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.harness import REGION, ROOT

TOOLS = ROOT / ".runtimes" / "tools"


def run(node: Any, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """A program that calls the AWS CLI; it must succeed."""
    if not (TOOLS / "bin" / "aws").exists():
        pytest.skip("no AWS CLI in .runtimes/tools: run ./test")
    environment = os.environ | {
        "PATH": f"{TOOLS / 'bin'}:{TOOLS / 'node_modules' / '.bin'}:{os.environ['PATH']}",
        "NODE_PATH": str(TOOLS / "node_modules"),
        "AWS_ENDPOINT_URL": node.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_PAGER": "",
    }
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done
