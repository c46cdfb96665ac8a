"""What a fresh checkout needs before anything else: a virtual environment and the functions' own packages.

Run by `./cloudlet` and `./test` with the machine's Python; standard library only. It is done once, and again when
`pyproject.toml` changed; it says what it does on standard error.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = ROOT / ".venv"


def main(extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs: list[str] = project["dependencies"]
    wanted = {"ready": _state(needs)}
    for extra in extras:
        needs = needs + project["optional-dependencies"][extra]
        wanted[f"ready-{extra}"] = _state(needs)
    stamps = {ENVIRONMENT / name: state for name, state in wanted.items()}
    if not all(stamp.exists() and stamp.read_text() == state for stamp, state in stamps.items()):
        _install(needs)
    for stamp, state in stamps.items():
        stamp.write_text(state)


def _state(needs: list[str]) -> str:
    return hashlib.sha256("\n".join([str(ROOT), sys.version, *needs]).encode()).hexdigest()


def _install(needs: list[str]) -> None:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        _say("first use: making a virtual environment in .venv")
        _make_environment(python)
    _say(f"installing {len(needs)} packages (a minute or less; once)")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *needs], check=True
    )
    packages = next((ENVIRONMENT / "lib").glob("python3.*")) / "site-packages"
    (packages / "cloudlet.pth").write_text(f"{ROOT / 'src'}\n")
    subprocess.run([python, "-m", "compileall", "-q", ROOT / "src"], check=True)
    _say("installing what Python functions find beside their own packages")
    subprocess.run(
        [python, "-m", "cloudlet.services.lambda_.runtimes", "python"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    _say("done")


def _make_environment(python: Path) -> None:
    try:
        venv.create(ENVIRONMENT, with_pip=True)
    except subprocess.CalledProcessError:  # a Debian without python3-venv has no ensurepip, but may have pip
        venv.create(ENVIRONMENT, with_pip=False, clear=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"], check=True
        )


def _say(line: str) -> None:
    print(f"cloudlet: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        _say(f"{Path(error.cmd[0]).name} failed ({error.returncode}); what it said stands above")
        sys.exit(1)
