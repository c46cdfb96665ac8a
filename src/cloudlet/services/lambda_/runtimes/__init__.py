"""The languages. `resolve` says how a runtime's functions are run on this machine.

- `python3.x`: a fork of a zygote of that interpreter, or of the nearest that the machine has
- `nodejsN.x`: the machine's `node` with `nodejs/worker.js`
- `provided…`: the function's own `bootstrap`, over the Runtime API
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

KINDS = ("python", "nodejs", "provided")


@dataclass(slots=True, frozen=True)
class Language:
    kind: str
    """"python", "nodejs" or "provided"."""
    executable: str = ""
    substitute: str = ""
    """What runs in place of the version asked for, e.g. "Python 3.11"; "" when it is the version asked for."""


def kind_of(runtime: str) -> str:
    """ "" for a runtime that can't be run here."""
    match = re.fullmatch(r"(python|nodejs|provided)[\w.]*", runtime)
    return match[1] if match else ""


async def resolve(runtime: str) -> Language | None:
    """None when the machine has nothing that could run it."""
    kind = kind_of(runtime)
    if kind == "python":
        return await _python(runtime.removeprefix("python"))
    if kind == "nodejs":
        return await _node(runtime.removeprefix("nodejs").removesuffix(".x"))
    return Language(kind) if kind else None


def own_python() -> str:
    """The interpreter that runs Cloudlet, outside of its virtual environment."""
    return getattr(sys, "_base_executable", "") or sys.executable


async def _python(wanted: str) -> Language:
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    executable = own_python()
    if wanted == own:
        return Language("python", executable)
    found = shutil.which(f"python{wanted}")
    probe = "import sys; print('%d.%d' % sys.version_info[:2])"
    if found and await _said([found, "-I", "-S", "-c", probe]) == wanted:
        return Language("python", found)
    return Language("python", executable, f"Python {own}")


async def _node(wanted: str) -> Language | None:
    found = shutil.which("node")
    if found is None:
        return None
    version = (await _said([found, "--version"])).removeprefix("v")
    substitute = "" if version.partition(".")[0] == wanted else f"Node.js {version}"
    return Language("nodejs", found, substitute)


async def _said(command: list[str]) -> str:
    """The output of a short program, "" if it fails (a version manager's stand-in for a version that isn't there)."""
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
