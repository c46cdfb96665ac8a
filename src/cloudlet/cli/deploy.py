"""`cloudlet deploy`: deploy a folder's template to a running node and print the outputs."""

from __future__ import annotations

import argparse

from .client import Client
from .show import say, show_outputs
from .stacks import deploy, parameters_of, prepare, stack_name


def run(args: argparse.Namespace) -> int:
    client = Client(args.endpoint)
    made = prepare(args.path, say)
    deployed = deploy(client, made, stack_name(args.path, args.stack), parameters_of(args.parameter), say)
    say(f"stack {deployed.stack}: {deployed.status if deployed.changed else 'nothing to change'}")
    show_outputs(deployed, client.endpoint)
    return 0
