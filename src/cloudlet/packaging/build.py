"""Folders of code to zips: dependencies installed, the same bytes for the same content.

Under the build folder:

    zips/<sha256>.zip           what was built
    templates/<sha256>.template templates that others name, with their paths replaced
    prints/<fingerprint>        the SHA-256 of the zip that was built of files with these names, sizes and times
    dependencies/<key>/         what pip or npm installed for these requirements and this runtime
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError

LEFT_OUT = frozenset(
    {
        ".aws-sam",
        ".cloudlet",
        ".DS_Store",
        ".git",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".venv",
        "__pycache__",
    }
)
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip: the first that the format has."""
SAID = 12
"""Lines of a failed installer's output that are passed on."""


@dataclass(slots=True, frozen=True)
class Artifact:
    sha: str
    path: Path
    kind: str = "zip"

    @property
    def name(self) -> str:
        return f"{self.sha}.{self.kind}"


class Builder:
    def __init__(self, folder: Path, progress: Callable[[str], None]) -> None:
        self._folder = folder
        self._progress = progress
        for name in ("zips", "templates", "prints", "dependencies"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def template(self, text: str) -> Artifact:
        """A template that another one names."""
        content = text.encode()
        sha = hashlib.sha256(content).hexdigest()
        path = self._folder / "templates" / f"{sha}.template"
        path.write_bytes(content)
        return Artifact(sha, path, "template")

    def build(self, source: Path, runtime: str, *, layer: str = "") -> Artifact:
        """The zip of a folder or file of code. `layer` is the language of a layer whose dependencies are to be
        installed in the folder where that language looks for them."""
        if source.is_file() and source.suffix in (".zip", ".jar"):
            content = source.read_bytes()
            return self._kept(hashlib.sha256(content).hexdigest(), content)
        inside = _layer_folder(layer)
        files = _files(source)
        roots = [(dependencies, inside) for dependencies in self._dependencies(source, runtime or layer)]
        extra = {f"{prefix}{name}": path for root, prefix in roots for name, path in _files(root).items()}
        everything = {**extra, **{f"{inside}{name}": path for name, path in files.items()}}
        fingerprint = self._folder / "prints" / _fingerprint(everything)
        if fingerprint.exists():
            artifact = self._at(fingerprint.read_text())
            if artifact.path.exists():
                return artifact
        self._progress(f"packing {source.name}")
        content = _zip(everything)
        artifact = self._kept(hashlib.sha256(content).hexdigest(), content)
        _write(fingerprint, artifact.sha.encode())
        return artifact

    def _at(self, sha: str) -> Artifact:
        return Artifact(sha, self._folder / "zips" / f"{sha}.zip")

    def _kept(self, sha: str, content: bytes) -> Artifact:
        artifact = self._at(sha)
        if not artifact.path.exists():
            _write(artifact.path, content)
        return artifact

    # Dependencies

    def _dependencies(self, source: Path, runtime: str) -> list[Path]:
        """Folders whose content goes beside the code."""
        if not source.is_dir():
            return []
        found = []
        requirements = source / "requirements.txt"
        if requirements.is_file() and not runtime.startswith(("nodejs", "provided")) and _asks(requirements):
            found.append(self._pip(source, requirements, runtime))
        manifest = source / "package.json"
        if manifest.is_file() and not (source / "node_modules").exists() and _depends(manifest):
            found.append(self._npm(source, manifest, runtime))
        return found

    def _pip(self, source: Path, requirements: Path, runtime: str) -> Path:
        interpreter = _interpreter(runtime)
        version = runtime if interpreter else f"python{sys.version_info[0]}.{sys.version_info[1]}"

        def install(target: Path) -> None:
            self._progress(f"installing the requirements of {source.name} with pip")
            choice = ["--python", interpreter] if interpreter else []
            options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--no-input"]
            command = [sys.executable, "-m", "pip", *choice, "install", *options]
            _run([*command, "--target", str(target), "--requirement", str(requirements)], source)

        return self._installed([requirements.read_bytes(), version.encode()], install)

    def _npm(self, source: Path, manifest: Path, runtime: str) -> Path:
        lock = source / "package-lock.json"
        files = [manifest, *([lock] if lock.is_file() else [])]

        def install(target: Path) -> None:
            npm = shutil.which("npm")
            if npm is None:
                raise UserError(
                    f"{manifest} has dependencies, and there is no npm; install Node.js, or node_modules there"
                )
            self._progress(f"installing the dependencies of {source.name} with npm")
            for file in files:
                shutil.copy(file, target / file.name)
            verb = "ci" if lock.is_file() else "install"
            _run([npm, verb, "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"], target)

        return self._installed([*(file.read_bytes() for file in files), runtime.encode()], install)

    def _installed(self, key: Sequence[bytes], install: Callable[[Path], None]) -> Path:
        """The folder of dependencies for the key, installed now if it isn't yet."""
        digest = hashlib.sha256(b"\0".join(key)).hexdigest()[:32]
        folder = self._folder / "dependencies" / digest
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=self._folder / "dependencies") as draft:
                install(Path(draft))
                shutil.copytree(draft, f"{draft}.done", symlinks=True)
                os.replace(f"{draft}.done", folder)
        return folder


def _interpreter(runtime: str) -> str | None:
    """The machine's Python of that version, if it has one that runs: a version manager puts a stand-in on the PATH for
    versions that aren't chosen."""
    found = shutil.which(runtime) if runtime.startswith("python") else None
    if found is None or subprocess.run([found, "-I", "-S", "-c", ""], capture_output=True).returncode:
        return None
    return found


def _asks(requirements: Path) -> bool:
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return any(line.strip() and not line.strip().startswith("#") for line in lines)


def _depends(manifest: Path) -> bool:
    try:
        return bool(json.loads(manifest.read_text(encoding="utf-8")).get("dependencies"))
    except (json.JSONDecodeError, AttributeError):
        raise UserError(f"{manifest} is not well-formed JSON") from None


def _layer_folder(layer: str) -> str:
    """Where a layer that is built has its content; `sam build` puts it there, too."""
    if not layer:
        return ""
    for language in ("python", "nodejs"):
        if layer.startswith(language):
            return f"{language}/"
    raise UserError(
        f"BuildMethod {layer} is not supported; build the layer's folder yourself and leave it out"
    )


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-SAID:])
        tool = "pip" if "pip" in command else Path(command[0]).name
        raise UserError(f"{tool} could not install what {folder.name} needs:\n{said}")


# Zips


def _files(source: Path) -> dict[str, Path]:
    """Name in the zip to file, sorted by name."""
    if source.is_file():
        return {source.name: source}
    found: dict[str, Path] = {}
    for folder, folders, names in os.walk(source, followlinks=True):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in names:
            if name not in LEFT_OUT and not name.endswith(".pyc"):
                path = Path(folder, name)
                found[path.relative_to(source).as_posix()] = path
    return dict(sorted(found.items()))


def _fingerprint(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        stat = path.stat()
        digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}\0{stat.st_mode}\n".encode())
    return digest.hexdigest()


def _zip(files: dict[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, path in sorted(files.items()):
            info = zipfile.ZipInfo(name, EPOCH)
            executable = path.stat().st_mode & 0o111
            info.external_attr = (0o100755 if executable else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, whoever else writes it at the same time."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
