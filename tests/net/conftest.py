"""Fixtures: a server per test, clients of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvloop

from cloudlet.net.authority import Authority
from cloudlet.net.messages import Limits, Plan, Upgrade

from .kit import Client, Handle, Here, Listener, echo


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """The server is made for uvloop."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def serve(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Callable[..., Any]]:
    """Starts servers. Each must be without work and without bugs at the end of the test, but for those in `bugs`."""
    servers: list[Here] = []

    async def start(
        handle: Handle = echo,
        *,
        plan: Plan | None = None,
        limits: Limits | None = None,
        tls: Authority | None = None,
    ) -> Here:
        here = Here(handle, plan or Plan(), limits or Limits(), tls)
        await here.server.start("127.0.0.1", 0)
        servers.append(here)
        return here

    yield start
    for here in servers:
        await here.server.stop(grace=0.0)
    if "bugs" not in caplog.text:
        assert not [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR], caplog.text


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[Here], Any]]:
    clients: list[Client] = []

    async def dial(here: Here) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", here.port))
        clients.append(client)
        return client

    yield dial
    for client in clients:
        client.writer.close()


@pytest.fixture
async def socket(serve: Any, connect: Any) -> Callable[..., Any]:
    """Opens a WebSocket: the client behind the handshake, the server's listener, and the server."""

    async def open(echo: bool = True, **options: int) -> tuple[Client, Listener, Here]:
        listener = Listener(echo)

        async def accept(request: Any) -> Any:
            return Upgrade(listener, **options)  # type: ignore[arg-type]

        here = await serve(accept)
        client = await connect(here)
        assert (await client.handshake())[0] == 101
        return client, listener, here

    return open
