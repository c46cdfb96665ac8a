"""`cloudlet start`: run a node until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys

import uvloop

from ..app import CloudletNode
from ..config import Config
from . import config_of


def run(args: argparse.Namespace) -> int:
    config = config_of(args)
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(config, until_stdin_closes=args.until_stdin_closes))


async def serve(config: Config, *, until_stdin_closes: bool = False) -> int:
    """Start, say so on one line, serve until told to stop, stop."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    node = CloudletNode(config, logging.getLogger("cloudlet"))
    await node.start()
    if until_stdin_closes:
        loop.add_reader(0, lambda: stopped.set() if not os.read(0, 1024) else None)
    gc.collect()
    gc.freeze()  # what start-up made stays; no collection need look at it again
    print(f"cloudlet ready {node.url}", flush=True)
    await stopped.wait()
    if until_stdin_closes:
        loop.remove_reader(0)
    await node.stop()
    return 0
