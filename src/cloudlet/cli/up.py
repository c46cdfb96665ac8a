"""`cloudlet up`: a node, an application on it, and what happens there, until Ctrl-C.

The node is a child process that stops when this one goes, however it goes: it watches its standard input. Where a
Cloudlet already answers on the port, the application is deployed to it, and Ctrl-C ends only the watching.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import urllib.parse
from dataclasses import fields
from pathlib import Path
from types import FrameType

from ..config import Config
from ..errors import UserError
from . import config_of, option_of
from .client import Client
from .show import paint, say, show_event, show_outputs
from .stacks import SITE_URL, Deployed, deploy, local_url, parameters_of, prepare, stack_name


def run(args: argparse.Namespace) -> int:
    if not args.path.exists():
        raise UserError(f"{args.path} is not there; give a folder with a template.yaml, e.g. apps/pubsub")
    signal.signal(signal.SIGTERM, _interrupt)
    config = config_of(args)
    running = _running(config)
    child = None if running else _spawn(args)
    try:
        made = prepare(args.path, say)
        client = running or _wait_ready(child, config)
        stack = stack_name(args.path, args.stack)
        deployed = deploy(client, made, stack, parameters_of(args.parameter), say)
        say("")
        say(paint(f"{stack} is up at {client.endpoint}", "bold"))
        show_outputs(deployed, client.endpoint)
        _show_page(client, made.folder, deployed)
        say(paint("What happens, live; Ctrl-C stops " + ("watching." if running else "everything."), "dim"))
        _watch(client)
    except KeyboardInterrupt:
        say("")
    finally:
        if child is not None:
            _stop(child)
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _running(config: Config) -> Client | None:
    """The node that already has the port, or None."""
    if config.port == 0:
        return None
    client = Client(f"http://{config.host}:{config.port}")
    return client if client.health() is not None else None


def _spawn(args: argparse.Namespace) -> subprocess.Popen[str]:
    options = [f"{option_of(field.name)}={getattr(args, field.name)}" for field in fields(Config)]
    command = [sys.executable, "-m", "cloudlet", "start", "--until-stdin-closes", *options]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def _wait_ready(child: subprocess.Popen[str] | None, config: Config) -> Client:
    if child is None or child.stdout is None:
        raise UserError("the node did not start")
    line = child.stdout.readline()
    if not line.startswith("cloudlet ready "):
        child.wait()
        raise UserError("the node did not start; its reason stands above")
    return Client(line.split()[-1])


def _show_page(client: Client, folder: Path, deployed: Deployed) -> None:
    """The address of the application's page: a website of its own, or its `web/` folder, served by the node. The page
    is told where its APIs are, as a browser doesn't find AWS's host names here."""
    outputs = {name: local_url(value, client.endpoint) for name, value in deployed.outputs.items()}
    sites = [outputs[name] for name, value in deployed.outputs.items() if SITE_URL.fullmatch(value)]
    web = folder / "web"
    if sites:
        sockets = [value for value in outputs.values() if value.startswith("ws://")]
        url = f"{sites[0]}/" + (
            f"?{urllib.parse.urlencode({'socket': sockets[0]}, safe=':/')}" if sockets else ""
        )
    elif (web / "index.html").is_file():
        mounted = client.json("PUT", f"/_cloudlet/apps/{deployed.stack}", {"web": str(web.resolve())})["url"]
        url = f"{mounted}?{urllib.parse.urlencode(outputs)}"
    else:
        return
    say(f"  {paint('Page', 'bold')}  {url}")


def _watch(client: Client) -> None:
    for event in client.events():
        show_event(event)
    raise UserError("the node stopped")


def _stop(child: subprocess.Popen[str]) -> None:
    """Ask, wait, and only then insist."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child.terminate()
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
