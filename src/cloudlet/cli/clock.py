"""`cloudlet clock`: show or move a running node's time, to see TTLs, retention and time-outs happen."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime

from ..errors import UserError
from .client import Client

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def run(args: argparse.Namespace) -> int:
    client = Client(args.endpoint)
    if args.value is not None and args.action in ("show", "reset"):
        raise UserError(f"clock {args.action} takes no value")
    if args.action == "show":
        answer = client.json("GET", "/_cloudlet/clock")
    else:
        answer = client.json("POST", "/_cloudlet/clock", _wish(args.action, args.value))
    now = datetime.fromtimestamp(answer["now"], UTC).isoformat(timespec="seconds")
    ahead = answer["ahead"]
    print(now + (f" ({ahead:+,.0f} s from the machine's clock)" if abs(ahead) >= 1 else ""))
    return 0


def _wish(action: str, value: str | None) -> dict[str, object]:
    if action == "reset":
        return {"reset": True}
    if value is None:
        raise UserError(
            f"clock {action} needs a value, e.g. " + ("3d" if action == "advance" else "2030-01-01T00:00:00Z")
        )
    if action == "set":
        return {"set": _moment(value)}
    return {"advance": _duration(value)}


def _moment(value: str) -> float:
    try:
        when = datetime.fromisoformat(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise UserError(f"{value} is not an ISO 8601 time, e.g. 2030-01-01T00:00:00Z") from None


def _duration(value: str) -> float:
    if not re.fullmatch(r"(\d+(\.\d+)?[smhdw])+|\d+(\.\d+)?", value):
        raise UserError(f"{value} is not a duration: 90, 10m, 1h30m, 2d (to go back, set a time or reset)")
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhdw]?)", value))
