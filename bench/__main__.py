"""`python -m bench [--short] [NAME…]`: starts nodes of its own and prints the table of `design/speed.md`.

`--short` runs everything briefly, so that it can't rot; figures of a short run are not worth writing down.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import (
    canvas,
    cdn,
    chat,
    functions,
    http,
    items,
    objects,
    permissions,
    queues,
    schedules,
    start,
    store,
    topics,
    websockets,
)
from bench.table import Figure, show

PARTS: dict[str, Callable[[Path, float], list[Figure]]] = {
    "start": start.figures,
    "http": http.figures,
    "store": store.figures,
    "items": items.figures,
    "permissions": permissions.figures,
    "functions": functions.figures,
    "websockets": websockets.figures,
    "queues": queues.figures,
    "objects": objects.figures,
    "schedules": schedules.figures,
    "topics": topics.figures,
    "cdn": cdn.figures,
    "canvas": canvas.figures,
    "chat": chat.figures,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *PARTS], help="parts to run (all)")
    parser.add_argument("--short", action="store_true", help="a fraction of a second each")
    args = parser.parse_args()
    found: list[Figure] = []
    for name in args.names or PARTS:
        print(f"bench: {name} …", flush=True)
        with tempfile.TemporaryDirectory(prefix="cloudlet-bench-") as folder:
            found += PARTS[name](Path(folder), 0.3 if args.short else 3.0)
    show(found)


main()
