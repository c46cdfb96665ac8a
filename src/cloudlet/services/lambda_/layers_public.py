"""Public layers of the Klayers project, which are packages of Python's package index: installed here with pip, once.

`arn:aws:lambda:{region}:770693421928:layer:Klayers-p312-Pillow:5` means the package Pillow for Python 3.12. It is
installed for the Python that runs python3.12 functions on this machine, into

    .runtimes/layers/<runtime>/<package>/       `python/` as in the layer, `.made-for` names the Python

beside the checkout, so that another node, or an empty data directory, finds it there. It is made in a folder beside
the target and renamed: a download that is cut off leaves nothing that anyone looks at, and of two who make the same
the second finds it made. Which release of the package a layer's version number stands for is not known here: it is the
newest.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from ...errors import UserError
from .runtimes import Language, install, own_python

ACCOUNT = "770693421928"
_NAME = re.compile(
    r"Klayers-p(?:ython)?3(?P<minor>[0-9]{1,2})-(?:arm64-)?(?P<package>[A-Za-z0-9][A-Za-z0-9_-]*)"
)
_MARK = ".made-for"
_DATE = (1980, 1, 1, 0, 0, 0)
_NO_NETWORK = ("NewConnectionError", "Failed to establish", "Connection refused", "name resolution", "timed out",
               "Network is unreachable", "ProxyError", "ConnectTimeout", "Max retries exceeded")  # fmt: skip


class Package(NamedTuple):
    runtime: str
    """"python3.12"."""
    name: str

    def __str__(self) -> str:
        return f"{self.runtime}/{self.name}"

    @property
    def python(self) -> str:
        return self.runtime.removeprefix("python")


def package_of(account: str, layer: str) -> Package | None:
    """The package that a layer of another account stands for; None for all but Klayers'."""
    match = _NAME.fullmatch(layer) if account == ACCOUNT else None
    return Package(f"python3.{match['minor']}", match["package"]) if match else None


def folder(package: str) -> Path:
    """Where a package's layer is, by what a function keeps of it."""
    return install.root() / "layers" / package


def package_in(path: Path) -> Package | None:
    """The package whose folder this is, if it is one."""
    parts = path.parts[-2:]
    return Package(*parts) if path == folder("/".join(parts)) else None


async def ensure(package: Package, language: Language) -> Path:
    """The layer's folder, made now unless it is there for this Python. Raises `UserError` with what to do."""
    target = folder(str(package))
    version = language.substitute.rpartition(" ")[2] or package.python
    if _is_made(target, version):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear(target)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{package.name}.{os.getpid()}."))
    try:
        work = staging / "new"
        work.mkdir()
        await _pip(package, language, work)
        (work / _MARK).write_text(version)
        with contextlib.suppress(FileNotFoundError):
            os.rename(target, staging / "old")
        try:
            os.rename(work, target)
        except OSError:
            if not _is_made(target, version):
                raise
    finally:
        await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
    return target


def zipped(layer: Path) -> bytes:
    """The layer as a zip, the same for the same content. For a thread."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(path for path in layer.rglob("*") if path.is_file() and path.name != _MARK):
            info = zipfile.ZipInfo(path.relative_to(layer).as_posix(), _DATE)
            info.external_attr = path.stat().st_mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())
    return buffer.getvalue()


def _is_made(target: Path, version: str) -> bool:
    try:
        return (target / _MARK).read_text() == version
    except FileNotFoundError:
        return False


def _clear(target: Path) -> None:
    """Remove what nodes left that were killed while they installed."""
    for left in target.parent.glob(f".{target.name}.*"):
        pid = left.name.removeprefix(f".{target.name}.").partition(".")[0]
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            shutil.rmtree(left, ignore_errors=True)
        except (PermissionError, ValueError):
            continue


async def _pip(package: Package, language: Language, work: Path) -> None:
    """Install the package in the folder. Cancelled, it takes pip with it."""
    command = [sys.executable, "-m", "pip"]
    if language.executable != own_python():
        command += ["--python", language.executable]
    command += [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        "--no-input",
    ]
    command += ["--prefer-binary", "--retries=2", "--timeout=30", "--target", "python", package.name]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=work,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        await process.wait()
        raise
    if process.returncode:
        raise UserError(_reason(package, said.decode(errors="replace")))


def _reason(package: Package, said: str) -> str:
    if any(sign in said for sign in _NO_NETWORK):
        return (
            "the package index can't be reached. Connect once, so that the package can be installed, "
            "or publish a layer of your own with PublishLayerVersion and name that"
        )
    if "No matching distribution" in said:
        return f"the package index has no {package.name} for the Python that runs {package.runtime} here"
    return "pip said: " + " ".join(said.strip().splitlines()[-3:])[-600:]
