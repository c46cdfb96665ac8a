"""`cloudlet logs`: follow what happens on a running node until Ctrl-C."""

from __future__ import annotations

import argparse

from ..errors import UserError
from .client import Client
from .show import show_event


def run(args: argparse.Namespace) -> int:
    client = Client(args.endpoint)
    if client.health() is None:
        raise UserError(f"no node answers at {client.endpoint}; `cloudlet start` runs one")
    try:
        for event in client.events():
            show_event(event)
    except KeyboardInterrupt:
        return 0
    print("the node stopped")
    return 0
