"""Who asks: from a request's signature to a principal.

- `test` (and every key that nobody made) is the root of the node's account; a key of 12 digits the root of that
  account.
- `ASIA…` keys are temporary credentials; STS knows them. `AKIA…` keys belong to users; IAM knows them. Both are
  asked through their runtimes: `await runtime.principal(access_key)` gives the principal and until when to believe
  it, or None.
- An unsigned request acts as the root of the node's account.

An Authorization header up to its `Signature=` is the same all day for a client, so what it says is remembered by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..context import Node, Principal
from ..errors import AwsError
from ..net.messages import Request
from . import sigv4

REMEMBERED = 4096
OWNERS = {"ASIA": "sts", "AKIA": "iam"}
"""Which runtime knows a key, by its first letters."""
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


class Identities:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[str, Identity] = {}
        self._principals: dict[str, tuple[Principal, float]] = {}
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

    async def principal(self, identity: Identity) -> Principal:
        """Ask the key's owner, and believe the answer for as long as it says."""
        key = identity.access_key
        now = self._node.clock.now()
        remembered = self._principals.get(key)
        if remembered is not None and now < remembered[1]:
            return remembered[0]
        found = await self._ask(key)
        if found is None:
            return self._root(self._node.config.account, key)
        if len(self._principals) >= REMEMBERED:
            self._principals.clear()
        self._principals[key] = found
        return found[0]

    async def _ask(self, key: str) -> tuple[Principal, float] | None:
        runtime = self._node.runtimes.get(OWNERS[key[:4]])
        if runtime is None:
            return None
        try:
            found: tuple[Principal, float] | None = await runtime.principal(key)
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
        return Identity(signature.service, region, key, principal, signature.expires)

    def _root(self, account: str, access_key: str) -> Principal:
        return Principal("root", account, f"arn:aws:iam::{account}:root", account, access_key)
