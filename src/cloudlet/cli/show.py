"""What the command line shows of a node: lines that fit a terminal, in colour when it is one."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import Any

from .stacks import Deployed, local_url

PLATFORM = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
"""Lines of the platform, not of the function; "lambda.report" says the same."""
COLOURS = {"ws": "36", "lambda": "33", "cfn": "34", "error": "31", "dim": "2", "bold": "1"}


def paint(text: str, colour: str) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"


def say(line: str) -> None:
    print(line, flush=True)


def show_outputs(deployed: Deployed, endpoint: str) -> None:
    width = max((len(name) for name in deployed.outputs), default=0)
    for name, value in deployed.outputs.items():
        say(f"  {paint(name.ljust(width), 'bold')}  {local_url(value, endpoint)}")


def show_event(event: dict[str, Any]) -> None:
    """One live event as one line; kinds that say nothing to a person are left out."""
    text = _text(event)
    if text is not None:
        at = datetime.fromtimestamp(event["at"]).strftime("%H:%M:%S.%f")[:-3]
        group = event["kind"].split(".")[0]
        failed = (
            event.get("error") or event["kind"] == "iam.denied" or "FAILED" in str(event.get("status", ""))
        )
        colour = "error" if failed else group if group in COLOURS else "dim"
        say(f"{paint(at, 'dim')}  {paint(text, colour)}")


def _text(e: dict[str, Any]) -> str | None:
    connection = str(e.get("connection", ""))[:8]
    match e["kind"]:
        case "ws.open":
            return f"● {connection}  connected from {e.get('ip', '?')} to {e.get('api')}/{e.get('stage')}"
        case "ws.message":
            return f"→ {connection}  {e.get('route')}  {e.get('size')} bytes"
        case "ws.post":
            return f"← {connection}  {e.get('size')} bytes"
        case "ws.close":
            reason = f" {e['reason']}" if e.get("reason") else ""
            return f"○ {connection}  closed {e.get('code')}{reason}"
        case "lambda.report":
            cold = ", cold" if e.get("cold") else ""
            error = f"  {e['error']}" if e.get("error") else ""
            return f"λ {e.get('function')}  {float(e.get('ms', 0)):.1f} ms{cold}{error}"
        case "lambda.log":
            line = str(e.get("line", "")).rstrip()
            return (
                None if line.startswith(PLATFORM) or not e.get("function") else f"  {e['function']} | {line}"
            )
        case "cfn.event":
            reason = f"  {e['reason']}" if e.get("reason") else ""
            return f"▲ {e.get('stack')}  {e.get('logical_id')} {e.get('status')}{reason}"
        case "iam.denied":
            return _denial(e)
        case "layer.install":
            return f"λ installing {e.get('package')} for {e.get('runtime')} with pip (once)"
        case "listening":
            return None
        case kind:
            rest = "  ".join(f"{k}={v}" for k, v in e.items() if k not in ("at", "kind"))
            return f"{kind}  {rest}"


def _denial(e: dict[str, Any]) -> str:
    """Who was refused what, and which statement would allow it or forbids it."""
    who = str(e.get("role") or e.get("who", "")).rpartition("/")[2]
    forbidden = "explicit deny" in str(e.get("reason", ""))
    remedy = "this statement denies it" if forbidden else f"missing in the policies of {who}"
    return f"✗ {who} may not {e.get('action')} on {e.get('resource')}; {remedy}: {e.get('statement')}"
