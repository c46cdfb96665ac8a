"""TLS on the same port, and the authority behind it."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import urllib3
from websockets.asyncio.client import connect as dial

from cloudlet.net.authority import Authority
from cloudlet.net.messages import Request, Response, Tunnel, Upgrade

from .kit import Client, Listener, echo, settle, until


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.ca_bundle()))


async def secured(here: Any, trust: ssl.SSLContext, name: str = "localhost") -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", here.port, ssl=trust, server_hostname=name))


class TestOnePort:
    async def test_both_are_served(self, serve: Any, authority: Authority, trust: ssl.SSLContext) -> None:
        here = await serve(tls=authority)

        def run() -> list[bytes]:
            bodies = []
            for connection in (
                http.client.HTTPConnection("127.0.0.1", here.port),
                http.client.HTTPSConnection("127.0.0.1", here.port, context=trust),
                http.client.HTTPSConnection("localhost", here.port, context=trust),
            ):
                for _ in range(2):
                    connection.request("POST", "/", body=b"x" * 100_000)
                    bodies.append(connection.getresponse().read())
                connection.close()
            return bodies

        http_text, https_text = b"POST /? http 100000", b"POST /? https 100000"
        assert await asyncio.to_thread(run) == [http_text] * 2 + [https_text] * 4

    async def test_a_hello_may_come_in_pieces(
        self, serve: Any, authority: Authority, trust: ssl.SSLContext
    ) -> None:
        here = await serve(tls=authority)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trust.wrap_bio(incoming, outgoing, server_hostname="localhost")
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        for _ in range(10):
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    writer.write(bytes((byte,)))
                    await settle(3)
                incoming.write(await reader.read(10_000))
        assert tls.version() == "TLSv1.3"
        writer.close()

    async def test_websockets_run_over_it(
        self, serve: Any, authority: Authority, trust: ssl.SSLContext
    ) -> None:
        listener = Listener()

        async def handle(request: Request) -> Upgrade:
            await asyncio.sleep(0)
            return Upgrade(listener)

        here = await serve(handle, tls=authority)
        async with dial(f"wss://localhost:{here.port}/", ssl=trust) as client:
            await client.send(b"x" * 100_000)
            assert await client.recv() == b"x" * 100_000
            listener.socket.close(4000, "enough")
            await asyncio.wait_for(client.wait_closed(), 5)
            assert client.close_code == 4000
        assert (await listener.end())[0] == 4000
        await until(lambda: not here.connected)

    async def test_flow_control_reaches_through_it(
        self, serve: Any, authority: Authority, trust: ssl.SSLContext
    ) -> None:
        listener = Listener(echo=False)

        async def handle(request: Request) -> Upgrade:
            return Upgrade(listener)

        here = await serve(handle, tls=authority)
        client = await secured(here, trust)
        await client.handshake()
        client.writer.transport.pause_reading()
        for _ in range(1000):
            listener.socket.send_binary(bytes(100_000))
            await asyncio.sleep(0)
            if listener.socket.buffered > 1_000_000:
                break
        assert listener.socket.buffered > 1_000_000
        client.writer.transport.resume_reading()
        reading = asyncio.ensure_future(client.rest())
        await until(lambda: listener.drains)
        reading.cancel()
        client.writer.close()

    async def test_garbage_and_silence_in_a_handshake_end_it(self, serve: Any, authority: Authority) -> None:
        here = await serve(tls=authority)
        client = Client(*await asyncio.open_connection("127.0.0.1", here.port))
        client.send(b"\x16\x03\x01\x00\x05hello" * 3)
        await client.rest()
        client.writer.close()
        client = Client(*await asyncio.open_connection("127.0.0.1", here.port))
        client.send(b"\x16")
        client.writer.close()
        await until(lambda: not here.connected)

    async def test_a_client_that_distrusts_does_no_harm(self, serve: Any, authority: Authority) -> None:
        here = await serve(tls=authority)
        with pytest.raises(ssl.SSLCertVerificationError):
            await secured(here, ssl.create_default_context(cafile=None, capath="/nonexistent"))
        await until(lambda: not here.connected)

    async def test_without_an_authority_tls_is_hung_up_on(self, serve: Any, trust: ssl.SSLContext) -> None:
        here = await serve()
        with pytest.raises(OSError):
            await secured(here, trust)

    async def test_the_handler_knows_scheme_and_peer(
        self, serve: Any, authority: Authority, trust: ssl.SSLContext
    ) -> None:
        async def handle(request: Request) -> Response:
            return Response(body=repr((request.scheme, request.peer)).encode())

        client = await secured(await serve(handle, tls=authority), trust)
        client.send("GET / HTTP/1.1\nHost: x\n\n")
        assert await client.text() == repr(("https", client.writer.get_extra_info("sockname")))
        client.writer.close()

    async def test_a_broken_request_is_answered_and_closed(
        self, serve: Any, authority: Authority, trust: ssl.SSLContext
    ) -> None:
        client = await secured(await serve(tls=authority), trust)
        client.send("nonsense\n\n")
        assert (await client.answer())[0] == 400
        assert await client.rest() == b""
        client.writer.close()

    async def test_stopping_closes_them(
        self, serve: Any, authority: Authority, trust: ssl.SSLContext
    ) -> None:
        here = await serve(tls=authority)
        client = await secured(here, trust)
        client.send("GET / HTTP/1.1\nHost: x\n\n")
        await client.answer()
        await asyncio.wait_for(here.server.stop(grace=5), 5)
        assert await client.rest() == b""
        client.writer.close()


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "localhost",
            "abc123.execute-api.us-east-1.amazonaws.com",
            "ABC124.execute-api.eu-central-1.amazonaws.com",
            "dynamodb.us-east-1.amazonaws.com",
            "sts.amazonaws.com",
            "amazonaws.com",
            "abc.execute-api.us-east-1.localhost",
            "one.localhost",
        ],
    )
    async def test_a_name_of_awss_or_ours_gets_its_certificate(
        self, serve: Any, authority: Authority, trust: ssl.SSLContext, name: str
    ) -> None:
        client = await secured(await serve(tls=authority), trust, name)
        client.send("GET / HTTP/1.1\nHost: x\n\n")
        assert await client.text() == "GET /? https 0"
        client.writer.close()

    @pytest.mark.parametrize("name", ["example.com", "evilamazonaws.com", "amazonaws.com.example.com"])
    async def test_another_name_does_not(
        self, serve: Any, authority: Authority, trust: ssl.SSLContext, name: str
    ) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            await secured(await serve(tls=authority), trust, name)

    def test_neighbours_share_one(self, authority: Authority) -> None:
        authority.ca_bundle()
        first = authority.context_for("a.execute-api.us-east-1.amazonaws.com")
        assert first is authority.context_for("b.execute-api.us-east-1.amazonaws.com")
        assert first is not authority.context_for("b.execute-api.us-west-2.amazonaws.com")
        assert authority.context_for("x" * 64 + ".y" * 200 + ".amazonaws.com") is None


class TestFiles:
    def test_the_authority_is_made_once_and_its_key_is_private(self, tmp_path: Path) -> None:
        bundle = Authority(tmp_path / "tls").ca_bundle()
        key = (tmp_path / "tls" / "ca.key").read_bytes()
        assert stat.S_IMODE((tmp_path / "tls" / "ca.key").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
        first = bundle.read_bytes()
        assert Authority(tmp_path / "tls").ca_bundle().read_bytes() == first
        assert (tmp_path / "tls" / "ca.key").read_bytes() == key

    def test_an_authority_that_ends_soon_is_made_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cloudlet.net.authority.AUTHORITY_DAYS", 30)
        Authority(tmp_path).ca_bundle()
        monkeypatch.undo()
        old = (tmp_path / "ca.pem").read_bytes()
        assert Authority(tmp_path).ca_bundle().read_bytes().count(old) == 0
        new = (tmp_path / "ca.pem").read_bytes()
        assert Authority(tmp_path).ca_bundle().read_bytes().count(new) == 1

    def test_the_bundle_has_the_systems_and_ours(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        bundle = authority.ca_bundle().read_text()
        assert authority.certificate.read_text() in bundle
        assert bundle.count("BEGIN CERTIFICATE") > 1

    def test_nothing_is_made_or_imported_before_it_is_needed(self, tmp_path: Path) -> None:
        program = (
            "import sys, pathlib; from cloudlet.net.authority import Authority; import cloudlet.net.server;"
            f"authority = Authority(pathlib.Path({str(tmp_path / 'tls')!r}));"
            "[authority.ca_bundle() for _ in sys.argv[1:]]; print('cryptography' in sys.modules)"
        )

        def imports(*arguments: str) -> bool:
            command = [sys.executable, "-c", program, *arguments]
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            return run.stdout.strip() == "True"

        assert not imports()
        assert not (tmp_path / "tls").exists()
        assert imports("bundle")
        assert not imports("bundle")


class TestTunnel:
    async def test_a_proxied_https_request_ends_here(
        self, serve: Any, authority: Authority, trust: ssl.SSLContext
    ) -> None:
        async def handle(request: Request) -> Any:
            if request.method == "CONNECT":
                return Tunnel()
            return Response(body=f"{request.scheme} {request.host} {request.path}".encode())

        here = await serve(handle, tls=authority)

        def run() -> list[bytes]:
            with urllib3.ProxyManager(f"http://127.0.0.1:{here.port}", ssl_context=trust) as proxy:
                base = "https://abc.execute-api.us-east-1.amazonaws.com"
                return [proxy.request("GET", f"{base}/{n}").data for n in range(3)]

        host = "https abc.execute-api.us-east-1.amazonaws.com"
        assert await asyncio.to_thread(run) == [f"{host} /{n}".encode() for n in range(3)]

    @pytest.mark.parametrize("eager", [False, True])
    async def test_plain_http_may_come_through_too(self, serve: Any, connect: Any, eager: bool) -> None:
        async def handle(request: Request) -> Any:
            return Tunnel() if request.method == "CONNECT" else await echo(request)

        client = await connect(await serve(handle))
        inner = "GET /inner HTTP/1.1\nHost: x\n\n"
        client.send("CONNECT h:80 HTTP/1.1\nHost: h:80\n\n" + (inner if eager else ""))
        assert (await client.head())[0] == 200
        if not eager:
            client.send(inner)
        assert await client.text() == "GET /inner? http 0"
