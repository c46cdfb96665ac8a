"""What the template says about the canvas, and what follows from it."""

import os

WIDTH = int(os.environ.get("WIDTH", "1024"))
HEIGHT = int(os.environ.get("HEIGHT", "1024"))
BITS = int(os.environ.get("BITS_PER_PIXEL", "4"))
BITMAP_BYTES = WIDTH * HEIGHT * BITS // 8

PAPER, INK = 0, 1
PALETTE = {
    1: ["#ffffff", "#000000"],
    4: [
        "#ffffff", "#1b1b1f", "#868e96", "#d0d4d9", "#8d5a3b", "#e03131", "#f76707", "#fcc419",
        "#94d82d", "#2f9e44", "#22b8cf", "#1c7ed6", "#3b3fb6", "#9c36b5", "#f783ac", "#ffd8a8",
    ],
}[BITS]  # fmt: skip

MOST_POINTS = 256
"""Points of one message."""

RATE_POINTS = int(os.environ.get("RATE_POINTS", "5000"))
RATE_SECONDS = int(os.environ.get("RATE_SECONDS", "5"))
LEAST_COST = 25
"""What a message costs however few points it has: a function runs for it."""

KEPT_MS = 180_000
"""How long points stay in the cache: the guide's two minutes, and one for whoever is late."""

YOUNG_MS = 10_000
"""So old a connection must be before a 410 means that it is gone, and not that its $connect still runs."""
