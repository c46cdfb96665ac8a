"""Who asks: from a request's signature to a principal.

- `test` (and every key that nobody made) is the root of the node's account; a key of 12 digits the root of that
  account.
- `ASIA…` keys are temporary credentials; STS knows them. `AKIA…` keys belong to users; IAM knows them. Both are
  asked through their runtimes: `await runtime.known(access_key)` gives a `KnownKey`, or None. What they sign is
  verified.
- An unsigned request acts as the root of the node's account.
- The root is believed on this machine only.

An Authorization header up to its `Signature=` is the same all day for a client, so what it says is remembered by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..context import KnownKey, Node, Principal
from ..errors import AwsError
from ..net.messages import Request
from . import sigv4, verify

REMEMBERED = 4096
LOCAL = "127.0.0.1"
INVALID_TOKEN = "The security token included in the request is invalid."
OWNERS = {"ASIA": "sts", "AKIA": "iam"}
"""Which runtime knows a key, by its first letters."""
SIGNED_CHUNKS = f"STREAMING-{verify.CHUNK_ALGORITHM}"
REFUSALS = {"ExpiredToken": "expired_token", "InvalidClientTokenId": "invalid_token"}
"""The codes with which a runtime refuses a key, and what dispatch calls them."""


@dataclass(slots=True, frozen=True)
class Identity:
    service: str
    region: str
    access_key: str
    principal: Principal | None
    """None: it must be asked for."""
    expires: float = 0.0
    """When a presigned request ends; 0: never."""
    signature: sigv4.Signature = sigv4.UNSIGNED


class Identities:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[str, Identity] = {}
        self._keys: dict[str, KnownKey] = {}
        node.clock.when_set_back(lambda seconds: self._keys.clear())
        self._unsigned = Identity("", node.config.region, "", self._root(node.config.account, ""))

    def of(self, request: Request) -> Identity:
        authorization = request.headers.get("authorization")
        if authorization is not None:
            prefix = authorization[: authorization.rfind("Signature=")]
            known = self._known.get(prefix)
            if known is None:
                has_date = "x-amz-date" in request.headers or "date" in request.headers
                known = self._identify(sigv4.read_header(authorization, has_date))
                if "Credential=" in prefix:
                    if len(self._known) >= REMEMBERED:
                        self._known.clear()
                    self._known[prefix] = known
            return known
        if "X-Amz-Credential=" in request.query or "X-Amz-Algorithm=" in request.query:
            return self._identify(sigv4.read_query(request.query))
        if "AWSAccessKeyId=" in request.query and "Expires=" in request.query:
            return self._identify(sigv4.read_old_query(request.query))
        return self._unsigned

    def signed_for(self, request: Request) -> str:
        """The service in the signature's scope, "" if there is none that can be read."""
        try:
            return self.of(request).service
        except sigv4.Unauthenticated:
            return ""

    async def principal(self, identity: Identity, request: Request) -> Principal:
        """Ask the key's owner, verify what was signed, and believe the answer for as long as it says."""
        known = await self.known(identity.access_key)
        if known is None:
            return self._root(self._node.config.account, identity.access_key)
        self._verify(request, identity, known)
        return known.principal

    def refuse_strangers(self, request: Request) -> None:
        """The administrator sits at this machine: from elsewhere, where a node listens there, come only known keys."""
        if not request.from_here:
            raise sigv4.Unauthenticated("invalid_token", INVALID_TOKEN, 403)

    async def of_form(self, key: str, token: str, peer: str) -> tuple[Principal, str]:
        """Whose key a form names, and the secret that has to have signed it, "" of the administrator's."""
        identity = self._identify(sigv4.Signature(key, service="s3"))
        known = await self.known(key) if identity.principal is None else None
        if known is None:
            if peer != LOCAL:
                raise sigv4.Unauthenticated("invalid_token", INVALID_TOKEN, 403)
            return identity.principal or self._root(self._node.config.account, key), ""
        if known.token and token != known.token:
            raise sigv4.Unauthenticated("invalid_token", INVALID_TOKEN, 403)
        return known.principal, known.secret

    async def known(self, key: str) -> KnownKey | None:
        remembered = self._keys.get(key)
        if remembered is not None and self._node.clock.now() < remembered.until:
            return remembered
        found = await self._ask(key)
        if found is not None:
            if len(self._keys) >= REMEMBERED:
                self._keys.clear()
            self._keys[key] = found
        return found

    def _verify(self, request: Request, identity: Identity, known: KnownKey) -> None:
        signature = identity.signature
        given = signature.token or request.headers.get("x-amz-security-token", "")
        if known.token and given != known.token:
            raise sigv4.Unauthenticated("invalid_token", INVALID_TOKEN, 403)
        authorization = request.headers.get("authorization")
        made = sigv4.signature_in(authorization) if authorization is not None else signature.signature
        try:
            verify.check(request, signature, known.secret, made)
        except verify.Mismatch as mismatch:
            signature = replace(signature, signature=made)
            raise sigv4.SignatureMismatch(mismatch.canonical, mismatch.to_sign, signature) from mismatch
        if request.headers.get("x-amz-content-sha256", "").startswith(SIGNED_CHUNKS):
            request.chunks = verify.Chunks(request, signature, known.secret, made)

    async def _ask(self, key: str) -> KnownKey | None:
        runtime = self._node.runtimes.get(OWNERS[key[:4]])
        if runtime is None:
            return None
        try:
            found: KnownKey | None = await runtime.known(key)
        except AwsError as error:
            raise sigv4.Unauthenticated(REFUSALS[error.code], error.message, 403) from error
        return found

    def _identify(self, signature: sigv4.Signature) -> Identity:
        key = signature.access_key
        region = signature.region or self._node.config.region
        if key[:4] in OWNERS:
            principal = None
        else:
            account = key if len(key) == 12 and key.isdigit() else self._node.config.account
            principal = self._root(account, key)
        return Identity(signature.service, region, key, principal, signature.expires, signature)

    def _root(self, account: str, access_key: str) -> Principal:
        return Principal("root", account, f"arn:aws:iam::{account}:root", account, access_key)
