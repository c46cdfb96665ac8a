"""Translate's runtime: Apertium's pipelines, as they are found on this machine, and the helper that detects languages.

Apertium describes a pair of languages as a pipeline of programs, a *mode*: a file with the command line. With `-z` each
of its programs answers at a NUL and stays, so that a message costs a millisecond and only the first one the start (0.1
to 0.4 s). Pipelines are children of the node, one per pair, a few at once; where no mode leads straight from one
language to the other, two are joined, stream to stream.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import orjson

from ...context import Context, Node
from . import model
from .child import Broken, Busy, Child

DETECTOR = Path(__file__).with_name("detector.py")
Modes = dict[tuple[str, str], Path]
MISSING = (
    "Translate: {what}; on Debian and Ubuntu `apt install apertium apertium-eng-spa` brings English and Spanish, "
    "and `apt-cache search apertium` lists the other pairs"
)


class Engine:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._children: dict[str, Child] = {}
        self._detector = Child([sys.executable, str(DETECTOR)], node.clock)
        self._told: set[str] = set()

    async def start(self) -> None:
        """Children start when they are asked."""

    async def stop(self) -> None:
        for child in (*self._children.values(), self._detector):
            await child.end()

    def languages(self) -> list[str]:
        """AWS's codes of the languages that can be translated from or to."""
        spoken = {language for pair in modes() for language in pair}
        return [code for code in model.LANGUAGES if spoken & set(names(code))]

    def route(self, source: str, target: str) -> list[Path]:
        """The modes that lead from one language to the other. Raises UnsupportedLanguagePairException."""
        found = modes()
        way = _way(found, source, target)
        if way:
            return way
        if source in model.LANGUAGES and target in model.LANGUAGES:
            what = f"no pair leads from {source} to {target}" if found else "Apertium is not installed"
            if what not in self._told:
                self._told.add(what)
                self._node.log.warning(MISSING.format(what=what))
        raise model.unsupported_pair(source, target)

    async def translate(self, way: Sequence[Path], segments: list[bytes]) -> list[bytes]:
        for mode in way:
            segments = await self._ask(await self._child(mode), segments)
        return segments

    async def detect(self, text: str) -> list[tuple[str, float]]:
        """The likeliest languages, as the detector names them, with its confidence."""
        (answer,) = await self._ask(self._detector, [text.replace("\0", " ").encode()])
        return [(language, score) for language, score in orjson.loads(answer)]

    async def _ask(self, child: Child, questions: list[bytes]) -> list[bytes]:
        try:
            return await child.ask(questions)
        except Busy as error:
            raise model.too_busy() from error
        except Broken as error:
            self._node.log.warning("Translate: a child of the engine failed: %s", error)
            raise model.unavailable() from error

    async def _child(self, mode: Path) -> Child:
        child = self._children.get(mode.stem)
        if child is None:
            command = await asyncio.to_thread(_command, mode)
            child = self._children.get(mode.stem)
        if child is None:
            child = self._children[mode.stem] = Child(command, self._node.clock)
            if len(self._children) > model.CHILDREN_MAX:
                others = (name for name in self._children if name != mode.stem)
                oldest = min(others, key=lambda name: self._children[name].last)
                await self._children.pop(oldest).end()
        return child


def engine(ctx: Context) -> Engine:
    return cast(Engine, ctx.node.runtimes["translate"])


def modes() -> Modes:
    """By source and target, as `names` names them. What is installed meanwhile counts: the folder has another time."""
    program = shutil.which("apertium")
    if program is None:
        return {}
    data = os.environ.get("APERTIUM_DATADIR") or Path(program).resolve().parents[1] / "share" / "apertium"
    folder = os.path.join(data, "modes")
    try:
        return _modes_in(folder, os.stat(folder).st_mtime_ns)
    except FileNotFoundError:
        return {}


@lru_cache(maxsize=8)
def _modes_in(folder: str, changed: int) -> Modes:
    found: Modes = {}
    for mode in sorted(Path(folder).glob("*.mode")):
        source, dash, target = mode.stem.partition("-")
        if dash and "-" not in target:
            found.setdefault((_short(source), _short(target)), mode)
    return found


def names(code: str) -> tuple[str, ...]:
    return model.SPOKEN_AS.get(code, (code,))


def _short(name: str) -> str:
    language, underscore, variant = name.partition("_")
    return model.SHORT.get(language, language) + underscore + variant


def _way(found: Modes, source: str, target: str) -> list[Path]:
    ends = [(one, other) for one in names(source) for other in names(target)]
    for pair in ends:
        if pair in found:
            return [found[pair]]
    between = sorted({language for pair in found for language in pair} - set(model.PIVOTS))
    for pivot in (*model.PIVOTS, *between):
        for one, other in ends:
            if (one, pivot) in found and (pivot, other) in found:
                return [found[one, pivot], found[pivot, other]]
    return []


def _command(mode: Path) -> list[str]:
    """The pipeline, told to stay. Its own two parameters: no marks at words that it doesn't know, one tagging."""
    told: Any = subprocess.run(["apertium-wblank-mode", "-z", str(mode)], capture_output=True, check=False)
    line = told.stdout.decode() if told.returncode == 0 else mode.read_text()
    return ["/bin/sh", "-c", line, "apertium", "-n", ""]
