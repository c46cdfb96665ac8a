"""One Valkey server as a process: its files, its start, its end.

A server listens on a socket file in its folder, which is the node's private way to it. If its cache is reached without
TLS it gets its TCP port once it is ready, else the node has the port. Its folder is its working directory:

    valkey.conf users.acl     written at each start
    appendonlydir/            the data: whatever was acknowledged has been written to it
    valkey.log                what the server said in this life
    valkey.pid                so that a server whose node was killed can be told from others and ended

In cluster mode a server that starts as a primary refuses work for two seconds, to give the others time to tell it
otherwise. One that is alone has nobody to wait for: it starts as the replica of a primary that doesn't exist, and takes
over at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from . import resp

ANNOUNCED = "localhost"
SLOTS = 16384
DATABASES = 16
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
READY_STEPS = (0.005, 0.005, 0.01, 0.01, 0.02)
READY_STEP = 0.05
STOP_SECONDS = 10.0


class StartError(Exception):
    """The server did not start; the text is what it said."""


class _Child(asyncio.SubprocessProtocol):
    def __init__(self, ended: asyncio.Future[None]) -> None:
        self._ended = ended

    def process_exited(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


class ValkeyProcess:
    def __init__(
        self, program: str, folder: Path, socket: Path, hosts: Sequence[str], record: dict[str, Any]
    ) -> None:
        self.record = record
        self.socket = socket
        self._program = program
        self._folder = folder
        self._hosts = hosts
        self._password = secrets.token_hex(16)
        self._transport: asyncio.SubprocessTransport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int:
        return self._transport.get_pid() if self._transport is not None else 0

    async def start(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Returns when the server answers. Raises `StartError`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        end_left_over(self._folder)
        self._write_files()
        with open(self._folder / "valkey.log", "wb") as log:
            self._transport, _ = await asyncio.get_running_loop().subprocess_exec(
                lambda: _Child(self.ended),
                self._program,
                str(self._folder / "valkey.conf"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=str(self._folder),
                env={"LANG": "C.UTF-8"},
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )
        steps = iter(READY_STEPS)
        while not await self._answers():
            if self.ended.done():
                raise StartError(self._last_words())
            await sleep(next(steps, READY_STEP))
        if self.record["tls"] == "off":
            await self.ask(("CONFIG", "SET", "port", str(self.record["port"])))

    async def _answers(self) -> bool:
        """Whether the server is there and has loaded its data; in cluster mode it is made to take its slots."""
        try:
            await self.ask(("PING",))
            return not self.record["cluster"] or await self._has_its_slots()
        except (OSError, asyncio.IncompleteReadError):
            return False
        except resp.RespError as error:
            if str(error).startswith("LOADING"):
                return False
            raise

    async def _has_its_slots(self) -> bool:
        if self.record["peers"]:
            (info,) = await self.ask(("CLUSTER", "INFO"))
            return "cluster_state:ok" in info
        ghost = node_id(self.record["uid"] + " ghost")
        (nodes,) = await self.ask(("CLUSTER", "NODES"))
        if ghost in nodes:
            await self.ask(("CLUSTER", "FAILOVER", "TAKEOVER"), ("CLUSTER", "FORGET", ghost))
        return True

    async def ask(self, *commands: tuple[str, ...]) -> list[Any]:
        return await resp.ask(self.socket, self._password, *commands)

    async def stop(self) -> None:
        """A clean end: the server writes out what it has. After a while it is made to go."""
        if self._transport is None:
            return
        for end in (self._transport.terminate, self._transport.kill):
            if not self.ended.done():
                with contextlib.suppress(ProcessLookupError):
                    end()
                await asyncio.wait([self.ended], timeout=STOP_SECONDS)
        self._transport.close()

    async def change(self, record: dict[str, Any]) -> None:
        """Take over memory limit, settings and users of a newer record."""
        self.record = record
        self._write_files()
        settings = [word for pair in _changeable(record).items() for word in pair]
        await self.ask(("CONFIG", "SET", *settings), ("ACL", "LOAD"))

    def _write_files(self) -> None:
        record = self.record
        _write(self._folder / "users.acl", _users(record["users"], self._password))
        _write(self._folder / "valkey.conf", self._configuration())
        if record["cluster"]:
            _write(self._folder / "nodes.conf", _nodes(record))

    def _configuration(self) -> str:
        record = self.record
        direct = record["tls"] == "off"
        lines: list[tuple[str, ...]] = [
            ("port", "0"),
            ("bind", *(_binding(self._hosts) if direct else ["127.0.0.1"])),
            ("protected-mode", "no"),
            ("unixsocket", "valkey.sock"),
            ("unixsocketperm", "700"),
            ("dir", str(self._folder)),
            ("pidfile", "valkey.pid"),
            ("aclfile", str(self._folder / "users.acl")),
            ("set-proc-title", "no"),
            ("save", ""),
            ("appendonly", "yes"),
            ("appendfsync", "everysec"),
        ]
        if record["cluster"]:
            lines += [
                ("cluster-enabled", "yes"),
                ("cluster-config-file", "nodes.conf"),
                ("cluster-port", str(record["bus"])),
                ("cluster-announce-port", str(record["port"])),
                ("cluster-announce-ip", "127.0.0.1"),
                ("cluster-announce-hostname", ANNOUNCED),
                ("cluster-preferred-endpoint-type", "hostname"),
            ]
        else:
            lines.append(("databases", str(record.get("databases", DATABASES))))
        lines += _changeable(record).items()
        return "".join(" ".join(map(_word, line)) + "\n" for line in lines)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self._folder / "valkey.log").read_text(errors="replace").strip().splitlines()
            return "; ".join(lines[-3:])
        return "it said nothing"


def _binding(hosts: Sequence[str]) -> list[str]:
    """Addresses after the first may be missing on this machine."""
    return [hosts[0], *(f"-{host}" for host in hosts[1:])]


def _word(text: str) -> str:
    if text and not set(text) & set(" \"'\\\n"):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _changeable(record: dict[str, Any]) -> dict[str, str]:
    return {"maxmemory": str(record["memory"]), "maxmemory-policy": "volatile-lru", **record["settings"]}


def _users(users: list[str], password: str) -> str:
    digest = hashlib.sha256(password.encode()).hexdigest()
    lines = [f"{resp.ADMIN} on #{digest} ~* &* +@all", *users]
    return "".join(f"user {line}\n" for line in lines)  # words are split at blanks, nothing is quoted


def node_id(text: str) -> str:
    """A cluster node's id: 40 hexadecimal digits that stay the same for the same server."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _nodes(record: dict[str, Any]) -> str:
    """What the server finds as its memory of the cluster: its shards; or, alone, itself as a ghost's replica."""
    me = node_id(record["uid"])
    if not record["peers"]:
        ghost = node_id(record["uid"] + " ghost")
        shard = f"tls-port=0,shard-id={node_id(record['uid'] + ' shard')}"
        return (
            f"{me} {_address(record)} myself,slave {ghost} 0 0 1 connected\n"
            f"{ghost} 127.0.0.1:1@2,,{shard} master - 0 0 1 connected 0-{SLOTS - 1}\n"
            "vars currentEpoch 1 lastVoteEpoch 0\n"
        )
    shards = sorted([record, *record["peers"]], key=lambda shard: int(shard["slots"][0]))
    lines = []
    for epoch, shard in enumerate(shards, 1):
        flags = "myself,master" if shard["uid"] == record["uid"] else "master"
        first, last = shard["slots"]
        line = f"{node_id(shard['uid'])} {_address(shard)} {flags} - 0 0 {epoch} connected {first}-{last}\n"
        lines.append(line)
    return "".join(lines) + f"vars currentEpoch {len(shards)} lastVoteEpoch 0\n"


def _address(shard: dict[str, Any]) -> str:
    place = f"127.0.0.1:{shard['port']}@{shard['bus']},{ANNOUNCED}"
    return f"{place},tls-port=0,shard-id={node_id(shard['uid'] + ' shard')}"


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    os.replace(temporary, path)


def _die_with(parent: int) -> Callable[[], None] | None:
    """Linux ends the server when its node dies, whatever of."""
    libc = _libc
    if libc is None:
        return None

    def bind() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL.value, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return bind


def end_left_over(folder: Path) -> None:
    """End the server that a killed node left behind in this folder, if the pid is still that server's."""
    file = folder / "valkey.pid"
    try:
        pid = int(file.read_text())
    except (OSError, ValueError):
        return
    if str(folder / "valkey.conf") in _command_line(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    file.unlink(missing_ok=True)


def _command_line(pid: int) -> str:
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    asked = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout


def remove(folder: Path) -> None:
    end_left_over(folder)
    shutil.rmtree(folder, ignore_errors=True)
