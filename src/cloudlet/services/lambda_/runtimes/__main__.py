"""`python -m cloudlet.services.lambda_.runtimes [python] [node]`: install what functions find, and say where."""

from __future__ import annotations

import sys

from cloudlet.errors import UserError

from .install import ensure_node, ensure_python


def main() -> None:
    wanted = sys.argv[1:] or ["python"]
    for name in wanted:
        print({"python": ensure_python, "node": ensure_node}[name]())


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
