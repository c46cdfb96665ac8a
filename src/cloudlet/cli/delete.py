"""`cloudlet delete`: delete a stack and what it made."""

from __future__ import annotations

import argparse

from .client import Client
from .show import say
from .stacks import delete


def run(args: argparse.Namespace) -> int:
    delete(Client(args.endpoint), args.stack, say)
    say(f"stack {args.stack} is deleted")
    return 0
