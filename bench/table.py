"""The table that `bench` prints: each figure with what is to be reached, beside its floor from the same run."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    target: float
    most: bool
    """True: the figure is to stay at or below the target; False: to reach it."""
    floor: str = ""
    """What the same machine does at best in the same run, e.g. "fork and exec 4.1 ms"."""
    note: str = ""

    @property
    def reached(self) -> bool:
        return self.value <= self.target if self.most else self.value >= self.target


def show(figures: list[Figure]) -> None:
    rows = [("figure", "measured", "to reach", "", "floor of the same run")]
    for f in figures:
        sign = "≤" if f.most else "≥"
        mark = "ok" if f.reached else "MISSED"
        rows.append(
            (f.name, f"{_number(f.value)} {f.unit}", f"{sign} {_number(f.target)} {f.unit}", mark, f.floor)
        )
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    print(
        f"\npython {platform.python_version()}, {sys.platform}, absolute times mean little: compare with the floor"
    )
    for number, row in enumerate(rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    for f in figures:
        if f.note:
            print(f"{f.name}: {f.note}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
