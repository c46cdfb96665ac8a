"""Signed messages: the key, its certificate, and the address under which everybody can fetch it.

The key is made when the first message has to be signed and lies in the data directory, so that what was signed before a
restart still verifies. The certificate is its own issuer, as no authority outside could know it.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import os
from pathlib import Path
from typing import Any

from ...context import Node
from ...net.messages import Request, Response, Tunnel, Upgrade

PREFIX = "/SimpleNotificationService-"
BITS = 2048
DAYS = 3650
NAME = "sns.amazonaws.com"


class Signer:
    """Made by `Signing.ready`. A signature takes about 0.3 ms of the loop: one is made for all subscribers together."""

    def __init__(self, key: Any, certificate: bytes) -> None:
        # heavy, and needed only by who signs
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        self._key = key
        self._padding = padding.PKCS1v15()
        self._hashes: dict[str, Any] = {"1": hashes.SHA1(), "2": hashes.SHA256()}
        self.certificate = certificate
        self.path = f"{PREFIX}{hashlib.sha256(certificate).hexdigest()[:32]}.pem"

    def sign(self, text: str, version: str) -> str:
        """Version 1 signs with SHA-1, 2 with SHA-256."""
        signature = self._key.sign(text.encode(), self._padding, self._hashes[version])
        return base64.b64encode(signature).decode()


class Signing:
    """`turn` is held by who signs, and let go in the next turn of the loop: however many messages wait, a turn has one
    signature, so that requests, publishes above all, are answered between them."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.turn = asyncio.Lock()
        self._signer: Signer | None = None
        self._making: asyncio.Task[Signer] | None = None

    async def ready(self) -> Signer:
        if self._signer is None:
            if self._making is None:
                folder = self._node.data / "sns"
                self._making = asyncio.ensure_future(asyncio.to_thread(_load, folder))
            self._signer = await asyncio.shield(self._making)
        return self._signer


class CertificateEdge:
    """Serves the certificate by its path under whatever name the node is reached, AWS's own included."""

    paths = (PREFIX,)

    def __init__(self, signing: Signing) -> None:
        self._signing = signing

    def claims(self, host: str, path: str) -> bool:
        return path.startswith(self.paths)

    async def handle(self, request: Request) -> Response | Upgrade | Tunnel:
        signer = await self._signing.ready()
        if request.path != signer.path or request.method not in ("GET", "HEAD"):
            return Response(404, (("content-type", "text/plain"),), b"There is no such certificate.\n")
        return Response(200, (("content-type", "application/x-pem-file"),), signer.certificate)


def _load(folder: Path) -> Signer:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = folder / "signing.pem"
    if not path.exists():
        _make(path)
    text = path.read_bytes()
    end = text.index(b"-----BEGIN CERTIFICATE-----")
    return Signer(load_pem_private_key(text[:end], password=None), text[end:])


def _make(path: Path) -> None:
    """A key and its certificate in one file, which is there whole or not at all."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, BITS)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret + certificate.public_bytes(pem))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
