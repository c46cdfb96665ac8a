"""What functions find beside their own code: boto3 for Python, the AWS SDK v3 for Node.js, each in a folder of its own.

The folders lie under `.runtimes/` beside the checkout (or under the prefix of an installed Cloudlet), are made once,
and hold nothing of Cloudlet's own dependencies. `python -m cloudlet.services.lambda_.runtimes [python] [node]`
makes them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cloudlet.errors import UserError

LIST = ".packages"
STALE_SECONDS = 3600
PYTHON_PACKAGES = ("boto3>=1.40",)
NODE_PACKAGES = tuple(
    f"@aws-sdk/{name}"
    for name in (
        "client-apigatewaymanagementapi", "client-apigatewayv2", "client-cloudformation",
        "client-cloudfront", "client-cloudwatch-logs", "client-dynamodb", "client-dynamodb-streams",
        "client-ec2", "client-elasticache", "client-eventbridge", "client-iam", "client-lambda",
        "client-s3", "client-scheduler", "client-secrets-manager", "client-sns", "client-sqs", "client-ssm",
        "client-sts", "client-translate", "lib-dynamodb", "lib-storage", "s3-request-presigner",
        "util-dynamodb",
    )
)  # fmt: skip


def root() -> Path:
    """`.runtimes` beside the checkout this package lies in, else under the Python prefix."""
    checkout = Path(__file__).resolve().parents[5]
    base = checkout if (checkout / "pyproject.toml").exists() else Path(sys.prefix)
    return base / ".runtimes"


def python_dir() -> Path:
    return root() / "python"


def node_dir() -> Path:
    return root() / "node"


def ensure_python() -> Path:
    """The folder that has boto3, made if it isn't there."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--root-user-action=ignore", "--no-input", "--target", "."]
    return _ensure(python_dir(), "boto3 for Python functions", command, PYTHON_PACKAGES)


def ensure_node() -> Path:
    """The folder whose node_modules has the AWS SDK, made if it isn't there."""
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", "."]
    return _ensure(node_dir(), "the AWS SDK for Node.js functions", command, NODE_PACKAGES)


def _ensure(target: Path, what: str, command: list[str], packages: tuple[str, ...]) -> Path:
    """Install into a folder beside the target, which then takes its place: a half-made one is never seen.

    The list of packages is kept in it, so that a longer list is noticed.
    """
    wanted = "\n".join(packages)
    if _has(target, wanted):
        return target
    if shutil.which(command[0]) is None:
        raise UserError(f"{what} can't be installed: there is no {command[0]} on the PATH")
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f"{target.name}.*"):
        if left.stat().st_mtime < time.time() - STALE_SECONDS:  # whoever made it was killed
            shutil.rmtree(left, ignore_errors=True)
    print(f"Installing {what} …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{target.name}.", dir=target.parent, ignore_cleanup_errors=True
    ) as folder:
        work = Path(folder) / "new"
        work.mkdir()
        done = subprocess.run(
            [*command, *packages],
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            detail = (done.stderr or done.stdout).strip()[-2000:]
            raise UserError(
                f"Installing {what} failed ({command[0]} exited with {done.returncode}):\n{detail}"
            )
        (work / LIST).write_text(wanted)
        _replace(target, work, Path(folder) / "old", wanted)
    return target


def _has(target: Path, wanted: str) -> bool:
    try:
        return (target / LIST).read_text() == wanted
    except FileNotFoundError:
        return False


def _replace(target: Path, new: Path, old: Path, wanted: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.rename(target, old)
    try:
        os.rename(new, target)
    except OSError:
        if not _has(target, wanted):  # else another process was faster
            raise
