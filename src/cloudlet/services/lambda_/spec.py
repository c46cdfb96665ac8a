"""What `operations` hands to `workers`: a published function as it is to be run, and what came of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True, frozen=True)
class FunctionSpec:
    arn: str
    """As invoked, with the qualifier if one was given: the context's `invoked_function_arn`."""
    name: str
    version: str
    """"$LATEST" or a number."""
    account: str
    region: str
    role: str
    runtime: str
    """"python3.12", "nodejs20.x", "provided.al2023", ..."""
    handler: str
    code: Path
    """The unpacked code, read-only, named by its content."""
    layers: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 3
    memory: int = 128
    storage: int = 512
    log_group: str = ""
    reserved: int | None = None
    """Reserved concurrency; 0 throttles everything."""
    revision: str = ""
    """Changes with code or configuration; workers of an older revision finish their invocation and go."""


@dataclass(slots=True, frozen=True)
class Outcome:
    payload: bytes
    error: str | None = None
    """None, "Handled" or "Unhandled": the header X-Amz-Function-Error."""
    log: bytes = b""
    """The last 4 KB of the invocation's log."""
