"""The node's end of a zygote and of the processes it makes.

Everything here is callbacks on the loop: descriptors are read when they are readable and written at once, without a
transport between, because an invocation is one small frame each way and its latency is what people feel.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

SCRIPT = Path(__file__).with_name("zygote.py")
MAX_FRAME = 8 * 1024 * 1024
"""Workers refuse to answer with more than 6 MB; one that sends more than this is broken and is ended."""
READ = 256 * 1024
ENVIRONMENT = {"LANG": "C.UTF-8", "HOME": os.devnull, "AWS_CONFIG_FILE": os.devnull}
"""Of a zygote, which is to see nothing of the person's settings; workers get their own."""


class Listener(Protocol):
    """Who hears of a process. `on_exit` comes last, once, after all output."""

    def on_frame(self, kind: int, body: bytes) -> None: ...
    def on_output(self, data: bytes) -> None: ...
    def on_exit(self, status: int) -> None: ...


class Process:
    """One worker process: a channel of frames, a pipe of output, a pid and its end."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: Listener,
        channel: socket.socket,
        output: int,
        speaks: bool,
    ) -> None:
        self.pid = 0
        self.exited = False
        self._loop = loop
        self._listener = listener
        self._channel = channel
        self._output = output
        self._speaks = speaks
        self._buffer = bytearray()
        self._backlog = bytearray()
        self._doomed = False
        loop.add_reader(channel.fileno(), self._readable)
        loop.add_reader(output, self.drain)

    def send(self, frame: bytes) -> None:
        if self.exited:
            return
        if self._backlog:
            self._backlog += frame
            return
        try:
            sent = self._channel.send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # it is dying; its end will be reported
        if sent < len(frame):
            self._backlog += memoryview(frame)[sent:]
            self._loop.add_writer(self._channel.fileno(), self._writable)

    def drain(self) -> None:
        """Take all output that is there."""
        while not self.exited:
            try:
                data = os.read(self._output, READ)
            except BlockingIOError:
                return
            if not data:
                self._loop.remove_reader(self._output)
                return
            self._listener.on_output(data)
            if len(data) < READ:
                return

    def memory(self, which: str) -> int:
        """Its resident memory in KB, now ("VmRSS") or at most ("VmHWM"); 0 where the machine doesn't tell."""
        with contextlib.suppress(OSError), open(f"/proc/{self.pid}/status") as file:
            for line in file:
                if line.startswith(which):
                    return int(line.split()[1])
        return 0

    def kill(self) -> None:
        """End the process and all it started. `on_exit` follows."""
        self._doomed = True
        if self.pid and not self.exited:
            for end in (os.killpg, os.kill):  # right after its birth it leads no group yet
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    end(self.pid, signal.SIGKILL)

    def born(self, pid: int) -> None:
        self.pid = pid
        if self._doomed:
            self.kill()

    def ended(self, status: int) -> None:
        if self.exited:
            return
        while self._readable():
            pass
        self.drain()
        self.exited = True
        self._loop.remove_reader(self._channel.fileno())
        self._loop.remove_writer(self._channel.fileno())
        self._loop.remove_reader(self._output)
        self._channel.close()
        os.close(self._output)
        self._listener.on_exit(status)

    def _writable(self) -> None:
        try:
            sent = self._channel.send(self._backlog)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._backlog)
        del self._backlog[:sent]
        if not self._backlog:
            self._loop.remove_writer(self._channel.fileno())

    def _readable(self) -> bool:
        """Take what is there; whether there may be more."""
        try:
            data = self._channel.recv(READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._channel.fileno())
            if self._speaks:
                self.kill()
            return False
        if not self._buffer and len(data) >= 5 and int.from_bytes(data[:4], "big") + 4 == len(data):
            self._listener.on_frame(data[4], data[5:])
        else:
            self._buffer += data
            self._take_frames()
        return True

    def _take_frames(self) -> None:
        buffer = self._buffer
        while len(buffer) >= 5:
            size = int.from_bytes(buffer[:4], "big") + 4
            if size > MAX_FRAME:
                self.kill()
                return
            if len(buffer) < size:
                return
            kind, body = buffer[4], bytes(memoryview(buffer)[5:size])
            del buffer[:size]
            self._listener.on_frame(kind, body)


class Zygote:
    """One zygote process. `warm`: it loads what Python functions want; else it only starts other programs."""

    def __init__(self, executable: str, *, warm: bool, path: Sequence[str] = ()) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._processes: dict[int, Process] = {}
        self._next_id = 0
        self._lines = b""
        self.alive = True
        self._control, theirs = socket.socketpair()
        options = {"control": theirs.fileno(), "warm": warm, "path": list(path)}
        self._process = subprocess.Popen(
            [executable, "-I", "-S", str(SCRIPT), json.dumps(options)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=ENVIRONMENT,
        )
        theirs.close()
        self._control.setblocking(False)
        self._loop.add_reader(self._control.fileno(), self._readable)

    async def ready(self) -> None:
        await asyncio.shield(self._ready)

    def spawn(self, kind: str, spec: dict[str, Any], listener: Listener) -> Process:
        """Start a worker ("py": a fork that runs a Python function, "ex": another program); it reads `spec` first."""
        ours, theirs = socket.socketpair()
        output_read, output_write = os.pipe()
        ours.setblocking(False)
        os.set_blocking(output_read, False)
        self._next_id += 1
        process = Process(self._loop, listener, ours, output_read, kind == "py" or bool(spec["channel"]))
        self._processes[self._next_id] = process
        record = kind.encode().ljust(8, b"\0") + self._next_id.to_bytes(8, "big")
        fds = array.array("i", [theirs.fileno(), output_write]).tobytes()
        try:
            self._control.sendmsg([record], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        except OSError:
            self._loop.call_soon(process.ended, signal.SIGKILL.value)
        finally:
            theirs.close()
            os.close(output_write)
        text = json.dumps(spec).encode()
        process.send(len(text).to_bytes(4, "big") + text)
        return process

    def _readable(self) -> None:
        try:
            data = self._control.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._died()
            return
        *lines, self._lines = (self._lines + data).split(b"\n")
        for line in lines:
            self._heard(line.split())

    def _heard(self, words: list[bytes]) -> None:
        if words[0] == b"ready":
            if not self._ready.done():
                self._ready.set_result(None)
        elif words[0] == b"born":
            self._processes[int(words[1])].born(int(words[2]))
        else:
            self._processes.pop(int(words[1])).ended(int(words[2]))

    def _died(self) -> None:
        """Without its zygote a worker dies too (it asked the kernel for that, or it is killed here)."""
        if not self.alive:
            return
        self.alive = False
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        self._process.wait()
        if not self._ready.done():
            self._ready.set_exception(
                RuntimeError(f"the zygote exited with status {self._process.returncode}")
            )
            self._ready.exception()
        for process in list(self._processes.values()):
            process.kill()
            process.ended(signal.SIGKILL.value)
        self._processes.clear()

    def stop(self) -> None:
        """Closing the line is the message: the zygote kills its workers and goes."""
        if self.alive:
            self._control.shutdown(socket.SHUT_WR)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
            if self._process.returncode is None:
                self._process.kill()
            self._died()
