"""The local certificate authority: made once per data directory, trusted by the node's workers and by who wants to.

Nothing of it exists until a TLS connection comes or the bundle is asked for, and `cryptography` isn't imported before.
The authority's key lies in the directory, readable by its owner only. Leaves are minted per name as clients ask for
them, one for a whole domain where a wildcard may stand, and kept in memory; they share a key made at each start.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import os
import re
import ssl
import tempfile
import threading
import time
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DOMAINS = ("amazonaws.com", "api.aws", "on.aws", "cloudfront.net", "localhost")
OWN_NAMES = ("localhost", "127.0.0.1", "::1")
HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
KEPT = 256
AUTHORITY_DAYS = 3650
LEAF_DAYS = 397  # the longest that Apple's clients accept
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/etc/openssl/cert.pem",
)


class Authority:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key: Any = None
        self._certificate: Any = None
        self._leaf_key: Any = None
        self._default: ssl.SSLContext | None = None
        self._making: asyncio.Task[ssl.SSLContext] | None = None
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()
        self._bundle: Path | None = None
        self._lock = threading.RLock()

    @property
    def certificate(self) -> Path:
        return self._directory / "ca.pem"

    async def server_context(self) -> ssl.SSLContext:
        """The context of new TLS connections; by the name that a client asks for it hands over to another one."""
        if self._default is None:
            if self._making is None:
                self._making = asyncio.ensure_future(asyncio.to_thread(self._make_default))
            self._default = await asyncio.shield(self._making)
        return self._default

    def ca_bundle(self) -> Path:
        """A PEM file with the system's authorities and this one. May be called in a thread."""
        with self._lock:
            if self._bundle is None:
                if not self._is_made():
                    self._load()
                bundle = self._directory / "bundle.pem"
                text = b"\n".join((_system_roots(), self.certificate.read_bytes()))
                if not bundle.exists() or bundle.read_bytes() != text:
                    _write(bundle, text, 0o644)
                self._bundle = bundle
            return self._bundle

    def _is_made(self) -> bool:
        """Whether the directory has an authority that is good for a while yet; told without `cryptography`."""
        if not (self._directory / "ca.key").exists() or not self.certificate.exists():
            return False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.certificate)
        ends = context.get_ca_certs()[0]["notAfter"]
        return ssl.cert_time_to_seconds(str(ends)) > time.time() + LEAF_DAYS * 86400

    def _make_default(self) -> ssl.SSLContext:
        with self._lock:
            self._load()
            context = self._context(OWN_NAMES)
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: Any, name: str | None, context: ssl.SSLContext) -> None:
        """OpenSSL asks which certificate to show to a client that wants `name`."""
        if name:
            chosen = self.context_for(name.lower())
            if chosen is not None:
                connection.context = chosen

    def context_for(self, name: str) -> ssl.SSLContext | None:
        """None: the default one will do."""
        ours = any(name == domain or name.endswith("." + domain) for domain in DOMAINS)
        if name in OWN_NAMES or not ours or not HOST_NAME.fullmatch(name):
            return None
        parent = name.partition(".")[2]
        # A wildcard for a top-level domain ("*.localhost") is not accepted by clients.
        key = f"*.{parent}" if "." in parent else name
        context = self._contexts.get(key)
        if context is None:
            context = self._context((key, parent) if key != name else (name,))
            self._contexts[key] = context
            if len(self._contexts) > KEPT:
                self._contexts.popitem(last=False)
        else:
            self._contexts.move_to_end(key)
        return context

    def _context(self, names: tuple[str, ...]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.NamedTemporaryFile(dir=self._directory, prefix="leaf-") as file:  # made with mode 0600
            file.write(self._leaf(names))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _load(self) -> None:
        """The authority's key and certificate, made if they aren't there."""
        if self._certificate is not None:
            return
        # Deferred: importing it costs more than the rest of the node's start.
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        self._directory.mkdir(parents=True, exist_ok=True)
        os.chmod(self._directory, 0o700)
        key_file = self._directory / "ca.key"
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        if self._is_made():
            self._key = serialization.load_pem_private_key(key_file.read_bytes(), None)
            self._certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        else:
            self._key = ec.generate_private_key(ec.SECP256R1())
            certificate = _self_signed(self._key)
            self.certificate.unlink(
                missing_ok=True
            )  # a crash here must not leave the old one beside the new key
            _write(key_file, _pem_key(self._key), 0o600)
            _write(self.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
            self._certificate = certificate

    def _leaf(self, names: tuple[str, ...]) -> bytes:
        """Key and certificate for `names`, as PEM."""
        from cryptography import x509  # deferred, as above
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        alternatives = [
            x509.IPAddress(ipaddress.ip_address(n)) if ":" in n or n[-1].isdigit() else x509.DNSName(n)
            for n in names
        ]
        now = _now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
            .issuer_name(self._certificate.subject)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=LEAF_DAYS - 1))
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        return _pem_key(self._leaf_key) + certificate.public_bytes(serialization.Encoding.PEM)


def _now() -> datetime.datetime:
    """Of the machine, not of the node: clients check certificates by it."""
    return datetime.datetime.now(datetime.UTC)


def _self_signed(key: Any) -> Any:
    from cryptography import x509  # deferred, as above
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cloudlet local authority")])
    usage = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    now = _now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _pem_key(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization  # deferred, as above

    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem


def _system_roots() -> bytes:
    """The authorities that programs on this machine trust; botocore's list where the system has none."""
    candidates = [ssl.get_default_verify_paths().cafile, *SYSTEM_BUNDLES]
    spec = find_spec("botocore")
    if spec is not None and spec.origin is not None:
        candidates.append(str(Path(spec.origin).with_name("cacert.pem")))
    for candidate in candidates:
        if candidate:
            with contextlib.suppress(OSError):
                return Path(candidate).read_bytes()
    return b""


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others than meant."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with open(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
    os.replace(name, path)
