"""Access control: what an access string may say, and the lines that servers get of their users.

Whether the rules are right is for a server to say, because it takes a list of users whole or not at all: a short-lived
one is asked before a user is kept.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...context import Node
from . import binary, model, resp
from .process import ValkeyProcess

OPEN = "on ~* &* +@all"
NO_TOKEN = ""
"""Among a cache's tokens: who has none is welcome, too."""
_NOT_HERE = re.compile(r"[><#!].*|nopass|resetpass|reset")
"""Rules about passwords, which have parameters of their own."""
_PLAIN = re.compile(r"[ -~]+")
_END_OF_SELECTOR = re.compile(r"\)(?=\s|$)")
_PROBE = {
    "cluster": False, "tls": "required", "memory": 0, "settings": {}, "databases": 1, "users": [], "port": 0, "bus": 0,
}  # fmt: skip


def check_form(rules: str) -> None:
    if not _PLAIN.fullmatch(rules) or any(_NOT_HERE.fullmatch(rule) for rule in rules.split()):
        raise model.bad_access("passwords don't belong into it")


async def check(node: Node, rules: str) -> None:
    """Refuse what a server would refuse, in its words."""
    program = binary.find()
    if program is None:
        return
    with tempfile.TemporaryDirectory(prefix="cloudlet-") as name:
        folder = Path(name)
        probe = ValkeyProcess(program, folder, folder / "valkey.sock", ("127.0.0.1",), _PROBE)
        try:
            await probe.start(node.clock.sleep)
            await probe.ask(("ACL", "SETUSER", "probe", "reset", *_restricted(rules).split()))
        except resp.RespError as error:
            raise model.bad_access(str(error)) from error
        finally:
            await probe.stop()


def digest(password: str) -> str:
    """What is kept of a password."""
    return hashlib.sha256(password.encode()).hexdigest()


def _restricted(rules: str) -> str:
    """The rules without what nobody may; selectors give rights of their own, so each is restricted, too."""
    return f"{_END_OF_SELECTOR.sub(f' {model.RESTRICTED})', rules)} {model.RESTRICTED}"


def line(name: str, rules: str, digests: Iterable[str]) -> str:
    """A user as a server's list has it; without a password there is none to ask for."""
    secrets = " ".join(f"#{each}" for each in digests)
    return f"{name} {secrets or 'nopass'} {_restricted(rules)}"


def open_to_all() -> list[str]:
    """The users of a cache without access control."""
    return [line("default", OPEN, ())]


def by_token(digests: Sequence[str]) -> list[str]:
    return [line("default", OPEN, () if NO_TOKEN in digests else digests)]


def of_users(users: Iterable[dict[str, Any]]) -> list[str]:
    """The lines for a user group's users. Nobody is `default` unless one of them is."""
    lines = [line(user["login"], user["access"], user["digests"]) for user in users]
    if not any(text.startswith("default ") for text in lines):
        lines.append("default off resetpass")
    return lines
