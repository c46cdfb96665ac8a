"""What functions find beside their own code: boto3 for Python, the AWS SDK v3 for Node.js, each in a folder of its own.

The folders lie under `.runtimes/` beside the checkout (or under the prefix of an installed Cloudlet), are made once,
and hold nothing of Cloudlet's own dependencies. `python -m cloudlet.services.lambda_.runtimes.install [python] [node]`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cloudlet.errors import UserError

PYTHON_PACKAGES = ("boto3>=1.40",)
NODE_PACKAGES = tuple(
    f"@aws-sdk/{name}"
    for name in (
        "client-apigatewaymanagementapi", "client-cloudwatch-logs", "client-dynamodb", "client-eventbridge",
        "client-lambda", "client-s3", "client-scheduler", "client-secrets-manager", "client-sns", "client-sqs",
        "client-ssm", "client-sts", "lib-dynamodb", "lib-storage", "s3-request-presigner", "util-dynamodb",
    )
)  # fmt: skip


def root() -> Path:
    """`.runtimes` beside the checkout this package lies in, else under the Python prefix."""
    checkout = Path(__file__).resolve().parents[4]
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
    return _ensure(python_dir(), "boto3", "boto3 for Python functions", [*command, *PYTHON_PACKAGES])


def ensure_node() -> Path:
    """The folder whose node_modules has the AWS SDK, made if it isn't there."""
    npm = shutil.which("npm")
    if npm is None and not (node_dir() / "node_modules").is_dir():
        raise UserError(
            "The AWS SDK for Node.js functions can't be installed: no npm on the PATH. Install Node.js with npm."
        )
    command = [
        npm or "npm",
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--prefix",
        ".",
    ]
    return _ensure(
        node_dir(), "node_modules", "the AWS SDK for Node.js functions", [*command, *NODE_PACKAGES]
    )


def _ensure(target: Path, proof: str, what: str, command: list[str]) -> Path:
    """Install into a folder beside the target and rename it, so that a half-made one is never seen."""
    if (target / proof).is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    print(f"Installing {what} …", file=sys.stderr, flush=True)
    work = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        done = subprocess.run(
            command, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            detail = (done.stderr or done.stdout).strip()[-2000:]
            raise UserError(
                f"Installing {what} failed ({command[0]} exited with {done.returncode}):\n{detail}"
            )
        work.chmod(0o755)
        try:
            os.rename(work, target)
        except OSError:
            if not (target / proof).is_dir():  # else another process was faster
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def main() -> None:
    wanted = sys.argv[1:] or ["python"]
    for name in wanted:
        print({"python": ensure_python, "node": ensure_node}[name]())


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
