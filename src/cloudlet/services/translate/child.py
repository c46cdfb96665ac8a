"""A child process that answers questions: each ends with a NUL, and so does each answer.

It is started at its first question, serves one caller after the other, and goes after a while in which nobody asked.
If it ends, errs or takes too long it is killed with all that it started, and the next question finds a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence

from ...clock import Clock, Handle
from . import model

ANSWER_MAX = 16 * 1024 * 1024


class Broken(Exception):
    """No answer came."""


class Busy(Exception):
    """Too many wait already."""


class Child:
    def __init__(self, command: Sequence[str], clock: Clock) -> None:
        self._command = command
        self._clock = clock
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._idle: Handle | None = None
        self._waiting = 0
        self.last = 0.0
        """When it was asked last, by the machine's clock."""

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    async def ask(self, questions: Sequence[bytes]) -> list[bytes]:
        """The answers, in order. Raises `Broken` and `Busy`."""
        if self._waiting >= model.CHILD_QUEUE:
            raise Busy
        self.last = self._clock.monotonic()
        self._waiting += 1
        try:
            async with self._lock:
                return await self._asked(questions)
        finally:
            self._waiting -= 1

    async def _asked(self, questions: Sequence[bytes]) -> list[bytes]:
        if self._idle is not None:
            self._idle.cancel()
        try:
            return await asyncio.wait_for(self._exchange(questions), model.CHILD_PATIENCE)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            await self._kill()
            raise Broken(f"{type(error).__name__}: {error}") from error
        except asyncio.CancelledError:
            await self._kill()
            raise
        finally:
            if self._process is not None:
                self._idle = self._clock.call_later(model.CHILD_IDLE, self._rest)

    async def _exchange(self, questions: Sequence[bytes]) -> list[bytes]:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath)},
                start_new_session=True,
                limit=ANSWER_MAX,
            )
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"".join(question + b"\0" for question in questions))
        return [(await process.stdout.readuntil(b"\0"))[:-1] for _ in questions]

    def _rest(self) -> None:
        """Nobody asked for a while. Its input ends, and so does it."""
        if not self._lock.locked() and self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process = None

    async def end(self) -> None:
        """Once whoever waits has been answered."""
        async with self._lock:
            if self._idle is not None:
                self._idle.cancel()
            await self._kill()

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
