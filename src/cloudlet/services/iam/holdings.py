"""What a principal holds: its policies, compiled, remembered until something of the account's IAM changes.

Every write of IAM's storage sets the account's generation anew, in its own transaction; who holds an older one reads
again. So a policy that was changed counts from the next request on.
"""

from __future__ import annotations

from typing import Any

from ...context import Node, Principal
from ...policies.decision import Holdings
from ...policies.documents import BadPolicy, Policy, parsed
from ...store.interface import Transaction
from . import managed, model, storage

REMEMBERED = 1024
Remembered = tuple[bytes, Holdings]


class Holder:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._told: set[str] = set()
        self._known: dict[tuple[str, str, tuple[str, ...]], Remembered] = {}

    async def holdings(self, principal: Principal) -> Holdings:
        """Of a user or of a role's session. One that is gone holds nothing."""
        key = principal.account, principal.role or principal.arn, principal.session

        async def body(tx: Transaction) -> Remembered:
            generation = await storage.generation(tx, principal.account)
            known = self._known.get(key)
            if known is not None and known[0] == generation:
                return known
            return generation, await _holdings(tx, principal, unknown)

        unknown: set[str] = set()
        found = await self._node.store.read(body)
        self._tell(principal, unknown)
        if len(self._known) >= REMEMBERED and key not in self._known:
            self._known.clear()
        self._known[key] = found
        return found[1]

    def _tell(self, principal: Principal, unknown: set[str]) -> None:
        """Policies of AWS's own whose content isn't known here allow nothing, which nobody would guess."""
        for arn in sorted(unknown - self._told):
            self._told.add(arn)
            self._node.log.warning(
                "IAM: the content of %s isn't known here, so it allows nothing to %s; an inline policy with what is"
                " needed of it does",
                arn,
                principal.role or principal.arn,
            )
            self._node.events.emit("iam.unknown", policy=arn, who=principal.role or principal.arn)

    async def trust(self, role: str) -> str | None:
        """The trust policy of the role with that ARN; None if there is none."""
        parts = role.split(":", 5)
        if len(parts) != 6 or not parts[5].startswith("role/"):
            return None

        async def body(tx: Transaction) -> dict[str, Any] | None:
            return await storage.entity(tx, parts[4], "role", role.rpartition("/")[2])

        found = await self._node.store.read(body)
        return found["AssumeRolePolicyDocument"] if found is not None and found["Arn"] == role else None


async def _holdings(tx: Transaction, principal: Principal, unknown: set[str]) -> Holdings:
    """`unknown` takes the ARNs of AWS's policies whose content isn't known here."""
    kind = "user" if principal.kind == "user" else "role"
    name = (principal.role or principal.arn).rpartition("/")[2]
    account = principal.account
    record = await storage.entity(tx, account, kind, name)
    if record is None:
        return Holdings()
    texts = [text for _, text in await sources(tx, account, kind, name, unknown)]
    bound = record.get("PermissionsBoundary")
    bounds = (
        await documents(tx, account, bound["PermissionsBoundaryArn"], unknown) if bound is not None else []
    )
    session: list[Policy] | None = None
    if principal.session:
        session = []
        for limit in principal.session:
            session += _compiled(
                await documents(tx, account, limit, unknown) if limit.startswith("arn:") else [limit]
            )
    boundary = _compiled(bounds) or [Policy((), True)] if bound is not None else [None]
    return Holdings(_compiled(texts), boundary[0], session)


async def sources(
    tx: Transaction, account: str, kind: str, name: str, unknown: set[str]
) -> list[tuple[str, str]]:
    """The identity policies of a user, role or group: what the simulator calls each, and its document."""
    owners = [(kind, name)]
    if kind == "user":
        owners += [("group", group) for group in await storage.groups_of(tx, account, name)]
    found: list[tuple[str, str]] = []
    for owner_kind, owner in owners:
        found += [
            (f"{owner_kind}_{owner}_{each['PolicyName']}", each["PolicyDocument"])
            for each in await storage.inlines(tx, account, owner_kind, owner)
        ]
        for each in await storage.attached(tx, account, owner_kind, owner):
            texts = await documents(tx, account, each["PolicyArn"], unknown)
            found += [(each["PolicyName"], text) for text in texts]
    return found


async def documents(tx: Transaction, account: str, arn: str, unknown: set[str]) -> list[str]:
    """The document of a managed policy; none if its content isn't known here."""
    if arn.startswith(model.AWS_MANAGED_PREFIX):
        found = managed.aws_managed().get(arn)
        if found is None:
            unknown.add(arn)
        return [found["Document"]] if found is not None else []
    name = arn.rpartition("/")[2]
    record = await storage.policy(tx, account, name)
    if record is None or record["Arn"] != arn:
        return []
    version = await storage.version(tx, account, name, int(record["DefaultVersionId"][1:]))
    return [version["Document"]] if version is not None else []


def _compiled(texts: list[str]) -> list[Policy]:
    """What was stored has the right form; a condition that nobody knows makes its policy allow nothing."""
    made = []
    for text in texts:
        try:
            made.append(parsed(text))
        except BadPolicy:
            continue
    return made
