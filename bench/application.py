"""An application of this repository on a node: deployed, and how long the way from its folder to its address is."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.harness import ROOT, Node


def deployed(node: Node, path: str) -> dict[str, str]:
    """Deploys it; the outputs of its stack, which has the folder's name."""
    command = [sys.executable, "-m", "cloudlet", "deploy", path, "--endpoint", node.endpoint]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    stack = node.client("cloudformation").describe_stacks(StackName=Path(path).name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def median_up(path: str, output: str, data: Path, rounds: int) -> float:
    """Seconds from the command to the line with this output, on data directories of its own."""
    return statistics.median(_up(path, output, data.with_name(f"{data.name}{n}")) for n in range(rounds))


def _up(path: str, output: str, data: Path) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "cloudlet", "up", path, "--port=0", f"--data={data}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.strip().startswith(output):
            break
    took = time.perf_counter() - began
    process.terminate()
    process.stdout.read()
    process.stdout.close()
    process.wait(timeout=20)
    assert any(line.strip().startswith(output) for line in said), "".join(said)
    return took
