"""Templates with a `Transform`: handed to the translator, which lives in a process of its own (see `sam`).

The process starts at the first need and ends when it was idle for a while.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from ...clock import Clock, Handle
from . import model
from .template import Template

IDLE_SECONDS = 60.0
NAMED = re.compile(r"Resource with id \[(\w+)\]")
LINE_LIMIT = 64 * 1024 * 1024


def transforms(body: Mapping[str, Any]) -> list[str]:
    """The names that the template's Transform section has."""
    section = body.get("Transform") or []
    entries = section if isinstance(section, list) else [section]
    return [str(entry.get("Name", "")) if isinstance(entry, dict) else str(entry) for entry in entries]


def check(body: Mapping[str, Any]) -> list[str]:
    """The transforms; raises for one that isn't known."""
    names = transforms(body)
    for name in names:
        if name not in (model.SAM_TRANSFORM, model.LANGUAGE_EXTENSIONS):
            raise model.validation_error(f"No transform named {name} found.")
    return names


class Translator:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._idle: Handle | None = None

    async def translate(self, template: Template, parameters: Mapping[str, Any], region: str) -> str | None:
        """The template as CloudFormation's own, as JSON; None if there is nothing to translate."""
        if model.SAM_TRANSFORM not in check(template.body):
            return None
        request = {
            "template": template.body,
            "parameters": dict(parameters),
            "region": region,
            "partition": "aws",
        }
        answer = await self._ask(json.dumps(request).encode() + b"\n")
        if "error" in answer:
            said = answer["error"]
            places = [f"{id}, line {template.line('Resources', id)}" for id in NAMED.findall(said)]
            where = f" ({'; '.join(places)})" if places else ""
            raise model.validation_error(f"Transform {model.SAM_TRANSFORM} failed with: {said}{where}")
        body = answer["template"]
        body.pop("Transform", None)
        return json.dumps(body)

    async def _ask(self, line: bytes) -> dict[str, Any]:
        async with self._lock:
            if self._idle is not None:
                self._idle.cancel()
            process = await self._running()
            assert process.stdin is not None and process.stdout is not None
            try:
                process.stdin.write(line)
                await process.stdin.drain()
                answer = await process.stdout.readline()
            except BaseException:
                self._end()  # its answer would be taken for that to the next question
                raise
            if not answer:
                self._process = None
                raise RuntimeError(f"the SAM translator ended with {await process.wait()}")
            self._idle = self._clock.call_later(IDLE_SECONDS, self._end)
            result: dict[str, Any] = json.loads(answer)
            return result

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "cloudlet.services.cloudformation.sam",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_LIMIT,
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    async def stop(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        process = self._process
        self._end()
        if process is not None:
            await process.wait()
