"""The role of a target: whether its trust policy lets the scheduler assume it, and assuming it."""

from __future__ import annotations

from urllib.parse import unquote

from ...context import Context, Node, Principal
from ...errors import AwsError
from ...policies.decision import decide
from ...policies.documents import BadPolicy, Who, parsed
from . import model

SESSION = "scheduler"


class Roles:
    """The scheduler's runtime: the roles that it has assumed, by ARN, until their credentials end."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[tuple[str, str], tuple[Principal, float]] = {}

    async def start(self) -> None:
        """Roles are assumed when a schedule fires."""

    async def stop(self) -> None:
        """Nothing is held."""

    async def context(self, account: str, region: str, role: str) -> Context:
        """A context that acts as the role. Raises AwsError if it can't be assumed."""
        now = self._node.clock.now()
        known = self._known.get((account, role))
        if known is None or known[1] < now + model.ROLE_MARGIN:
            self._known = {key: one for key, one in self._known.items() if one[1] > now}
            known = self._known[account, role] = await self._assume(account, region, role)
        return self._node.context(known[0], account=account, region=region)

    async def _assume(self, account: str, region: str, role: str) -> tuple[Principal, float]:
        asking = self._node.context(
            Principal("service", account, model.SERVICE_PRINCIPAL), account=account, region=region
        )
        answer = await asking.call("sts", "AssumeRole", {"RoleArn": role, "RoleSessionName": SESSION})
        who, keys = answer["AssumedRoleUser"], answer["Credentials"]
        principal = Principal("role", account, who["Arn"], who["AssumedRoleId"], keys["AccessKeyId"])
        return principal, float(keys["Expiration"])


async def check_trust(ctx: Context, role: str, group_arn: str) -> None:
    """Whether the role is there and trusts the scheduler, on behalf of the schedule's group, as AWS asks it."""
    there = ctx.node.context(account=role.split(":")[4], region=ctx.region)
    try:
        found = (await there.call("iam", "GetRole", {"RoleName": role.rpartition("/")[2]}))["Role"]
    except AwsError as error:
        raise model.bad_role() from error
    policy = unquote(found["AssumeRolePolicyDocument"])
    if found["Arn"] != role or not trusts(ctx, policy, role, group_arn):
        raise model.bad_role()


def trusts(ctx: Context, policy: str, role: str, group_arn: str) -> bool:
    facts = {"aws:sourceaccount": (ctx.account,), "aws:sourcearn": (group_arn,)}
    scheduler = Who("service", ctx.account, model.SERVICE_PRINCIPAL)
    try:
        trust = parsed(policy)
    except BadPolicy:
        return False
    return decide(scheduler, None, "sts:AssumeRole", role, facts.get, resource_policy=trust).allowed
