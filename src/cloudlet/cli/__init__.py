"""The command line. Each command has a file of its own, imported when it is called."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path

from .. import __version__
from ..config import Config
from ..errors import UserError

DEFAULT_ENDPOINT = "http://127.0.0.1:4566"


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = import_module(f"{__name__}.{args.module}").run
    try:
        return command(args)
    except UserError as error:
        print(f"cloudlet: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def option_of(setting: str) -> str:
    """The command line option of one of Config's fields."""
    return f"--{setting.replace('_', '-')}"


def config_of(args: argparse.Namespace) -> Config:
    config = Config(**{field.name: getattr(args, field.name) for field in fields(Config)})
    config.data = config.data.absolute()
    return config


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cloudlet",
        description="Serverless realtime applications on your own machine, from the template that deploys them to AWS.",
        epilog="cloudlet COMMAND --help says more of each.",
    )
    parser.add_argument("--version", action="version", version=f"cloudlet {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = _command(commands, "up", "start a node, deploy an application, show what happens until Ctrl-C")
    up.add_argument("path", type=Path, help="folder with a template.yaml, e.g. apps/pubsub")
    _stack_options(up)
    _node_options(up)

    start = _command(commands, "start", "run a node alone")
    _node_options(start)
    start.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)

    deploy = _command(commands, "deploy", "deploy a folder's template to a running node")
    deploy.add_argument("path", type=Path, help="folder with a template.yaml, or the template")
    _stack_options(deploy)
    _endpoint_option(deploy)

    delete = _command(commands, "delete", "delete a stack and what it made")
    delete.add_argument("stack", help="name of the stack")
    _endpoint_option(delete)

    status = _command(commands, "status", "what runs on a node: services, stacks and their outputs")
    _endpoint_option(status)

    logs = _command(commands, "logs", "follow what happens on a running node")
    _endpoint_option(logs)

    clock = _command(commands, "clock", "show or move a running node's time")
    clock.add_argument("action", nargs="?", default="show", choices=["show", "advance", "set", "reset"])
    clock.add_argument("value", nargs="?", help="advance: 90, 10m, 1h30m, 2d; set: an ISO 8601 time")
    _endpoint_option(clock)

    reset = _command(commands, "reset", "delete the data directory of a node that is not running")
    reset.add_argument("--data", type=Path, default=Path(".cloudlet"), help="data directory (.cloudlet)")
    reset.add_argument("--yes", action="store_true", help="don't ask")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.set_defaults(module=name)
    return parser


def _node_options(parser: argparse.ArgumentParser) -> None:
    for field in fields(Config):
        default = field.default if field.default is not MISSING else None
        kind = type(default) if isinstance(default, int) else Path if isinstance(default, Path) else str
        choices = ["full", "relaxed"] if field.name == "durability" else None
        text = f"{field.metadata['help']} ({default})"
        parser.add_argument(option_of(field.name), type=kind, default=default, choices=choices, help=text)


def _stack_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", help="name of the stack (the folder's name)")
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the template"
    )


def _endpoint_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--endpoint", default=None, help=f"the node (AWS_ENDPOINT_URL, else {DEFAULT_ENDPOINT})"
    )
