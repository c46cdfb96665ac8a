"""`cloudlet reset`: delete the data directory of a node that is not running."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys

from ..errors import UserError


def run(args: argparse.Namespace) -> int:
    data = args.data.absolute()
    if not data.exists():
        print(f"nothing at {data}")
        return 0
    lock = data / "lock"
    if not lock.exists():
        raise UserError(f"{data} is not a data directory of Cloudlet; nothing was deleted")
    with open(lock, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"a node uses {data}; stop it first") from None
    if not args.yes:
        if not os.isatty(0):
            raise UserError("say --yes to delete without being asked")
        if input(f"Delete {data} and everything in it? [y/N] ").strip().lower() != "y":
            return 1
    shutil.rmtree(data)
    print(f"deleted {data}", file=sys.stderr)
    return 0
