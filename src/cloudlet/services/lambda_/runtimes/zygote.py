"""The process that all workers come from: it holds an interpreter with boto3 loaded and forks.

It is started as a script with an isolated interpreter (`python -I -S zygote.py …`), knows nothing of Cloudlet and uses
the standard library only. The node is on the other end of a socket, and a worker is asked for by one small record that
carries two descriptors (SCM_RIGHTS): the worker's channel and the pipe its output goes to. What the worker is to be
comes through its own channel, as the first frame, so that this loop never waits for anyone.

    node -> zygote   16 bytes: kind ("py" or "ex", padded to 8), worker id (8 bytes, big-endian), + 2 descriptors
    zygote -> node   lines: "ready", "born <id> <pid>", "dead <id> <wait status>"

Rule 1: workers are children of this process, each leader of a session of its own; when a worker dies, its whole group
is killed before its pid is given free. Rule 2: when the node is gone (end of file), everything here is killed.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

RECORD = 16
PR_SET_PDEATHSIG = 1
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_RDONLY, MS_REC, MS_PRIVATE = 0x1, 0x4000, 0x40000
OPT = "/opt"
MAX_OPTIONS = 4000
"""A mount's options are one page."""


class Zygote:
    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.children: dict[int, int] = {}  # pid -> worker id
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)
        self.pending = b""
        self.fds: list[int] = []
        self.libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
        self.mounts = self.libc is not None and can_mount(self.libc)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)

    def serve(self) -> None:
        poll = select.poll()
        poll.register(self.control.fileno(), select.POLLIN)
        poll.register(self.wake_read, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self.wake_read:
                    os.read(self.wake_read, 4096)
                    self.reap()
                elif not self.receive():
                    self.kill_all()
                    return

    def receive(self) -> bool:
        try:
            data, ancillary, _, _ = self.control.recvmsg(RECORD * 32, socket.CMSG_SPACE(64 * 4))
        except ConnectionError:  # the node was killed before it had read what it was told
            return False
        for level, kind, raw in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array("i")
                fds.frombytes(raw[: len(raw) - len(raw) % fds.itemsize])
                for fd in fds:
                    os.set_inheritable(fd, False)
                self.fds.extend(fds)
        if not data:
            return False
        self.pending += data
        while len(self.pending) >= RECORD and len(self.fds) >= 2:
            record, self.pending = self.pending[:RECORD], self.pending[RECORD:]
            channel, output = self.fds[:2]
            del self.fds[:2]
            self.fork(record[:8].rstrip(b"\0").decode(), int.from_bytes(record[8:], "big"), channel, output)
        return True

    def fork(self, kind: str, id: int, channel: int, output: int) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                self.become(kind, channel, output)
            except BaseException as error:
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(1)
        os.close(channel)
        os.close(output)
        self.children[pid] = id
        self.say(f"born {id} {pid}\n")

    def become(self, kind: str, channel: int, output: int) -> None:
        os.setsid()
        self.die_with_parent()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        for fd in (output, self.wake_read, self.wake_write):
            os.close(fd)
        self.control.close()
        sock = socket.socket(fileno=channel)
        spec = read_spec(sock)
        if spec["opt"] and self.mounts:
            show_layers(self.libc, spec["opt"])
            self.die_with_parent()  # which credentials that change may undo
        os.chdir(spec["cwd"])
        if kind == "py":
            importlib.import_module("python_worker").main(sock, spec)
        else:
            execute(sock, spec)

    def die_with_parent(self) -> None:
        if self.libc is not None:
            self.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def reap(self) -> None:
        while self.children:
            try:
                pid, status = ended()
            except ChildProcessError:
                return
            if not pid:
                return
            id = self.children.pop(pid, None)
            if id is not None:
                self.say(f"dead {id} {status}\n")

    def say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # the node is gone; the loop sees that itself
            self.control.sendall(line.encode())

    def kill_all(self) -> None:
        for pid in self.children:
            kill_group(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def ended() -> tuple[int, int]:
    """A child that is dead, as waitpid gives it; its group is killed while the pid is still the dead one's."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            kill_group(pid)
        return pid, status
    peek = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if peek is None:
        return 0, 0
    kill_group(peek.si_pid)
    return os.waitpid(peek.si_pid, 0)


def kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def read_spec(sock: socket.socket) -> dict[str, Any]:
    """The first frame of a worker's channel: 4 bytes of length, then JSON."""
    size = int.from_bytes(read_exactly(sock, 4), "big")
    spec: dict[str, Any] = json.loads(read_exactly(sock, size))
    return spec


def read_exactly(sock: socket.socket, size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        part = sock.recv(size - len(parts))
        if not part:
            os._exit(0)  # the node no longer wants this worker
        parts += part
    return parts


def execute(sock: socket.socket, spec: dict[str, Any]) -> NoReturn:
    """Become another program; its channel, if it speaks on one, is descriptor 3."""
    if spec["channel"]:
        if sock.fileno() != 3:
            os.dup2(sock.fileno(), 3)
        else:
            os.set_inheritable(3, True)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execve(spec["argv"][0], spec["argv"], spec["env"])


def show_layers(libc: Any, layers: list[str]) -> bool:
    """Put layers over the machine's /opt, the first on top, for this process and those that it starts; whether the
    kernel let us. Who isn't root does it in a user namespace, in which he stays who he is."""
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNS):
        if libc.unshare(CLONE_NEWNS | CLONE_NEWUSER):
            return False
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    folders = ":".join(folder.replace("\\", "\\\\").replace(":", "\\:") for folder in [*layers, OPT])
    options = f"lowerdir={folders}".encode()
    if len(options) > MAX_OPTIONS or b"," in options:
        return False
    if libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None):
        return False
    failed: int = libc.mount(b"overlay", OPT.encode(), b"overlay", MS_RDONLY, options)
    return not failed


def can_mount(libc: Any) -> bool:
    """Tried by a child: where only half of it is allowed, that half would be left to the worker."""
    pid = os.fork()
    if pid == 0:
        done = False
        try:
            done = show_layers(libc, [os.path.dirname(os.path.abspath(__file__))])
        finally:
            os._exit(0 if done else 1)
    return os.waitpid(pid, 0)[1] == 0


def main() -> None:
    options = json.loads(sys.argv[1])
    control = socket.socket(fileno=options["control"])
    control.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the node's affair; it ends us
    zygote = Zygote(control)
    if options["warm"]:
        sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), *options["path"]]
        worker = importlib.import_module("python_worker")
        worker.Base.modules = frozenset(sys.modules) - {"python_worker"}
        try:
            importlib.import_module("warm").warm_up(options["path"], worker.Redirect.before_send)
        except Exception:
            traceback.print_exc()  # functions start more slowly then; those that don't want boto3 start all the same
        del sys.path[0]
    gc.collect()
    gc.freeze()
    zygote.say("ready\n")
    zygote.serve()


if __name__ == "__main__":
    main()
