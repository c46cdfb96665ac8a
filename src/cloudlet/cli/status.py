"""`cloudlet status`: the services, stacks and outputs of a node."""

from __future__ import annotations

import argparse

from ..errors import UserError
from .client import Client
from .show import say, show_outputs
from .stacks import Deployed


def run(args: argparse.Namespace) -> int:
    client = Client(args.endpoint)
    health = client.health()
    if health is None:
        raise UserError(f"no node answers at {client.endpoint}; `cloudlet start` runs one")
    say(f"cloudlet {health['version']} at {client.endpoint}, data in {health['data']}")
    say("services: " + ", ".join(health["services"]))
    for member in client.cloudformation("DescribeStacks", {}).iterfind("Stacks/member"):
        outputs = {
            o.findtext("OutputKey", ""): o.findtext("OutputValue", "")
            for o in member.iterfind("Outputs/member")
        }
        stack = Deployed(member.findtext("StackName", ""), member.findtext("StackStatus", ""), outputs, False)
        say(f"stack {stack.stack}: {stack.status}")
        show_outputs(stack, client.endpoint)
    return 0
