"""The operations of STS."""

from __future__ import annotations

from typing import Any

from ...context import Context, Principal
from ...errors import AwsError
from ...names import arn
from ...store.interface import Transaction
from . import credentials, model, storage


async def get_caller_identity(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    who = ctx.principal
    return {"UserId": who.user_id or who.account, "Account": who.account, "Arn": who.arn}


async def assume_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Whether the role trusts who asks was asked before, as for every permission."""
    role = await _role(ctx, request["RoleArn"])
    seconds = request.get("DurationSeconds", model.DEFAULT_ROLE_SECONDS)
    if seconds > role.get("MaxSessionDuration", model.DEFAULT_ROLE_SECONDS):
        raise model.duration_exceeds_role()
    if ctx.principal.kind == "role" and seconds > model.CHAINED_ROLE_SECONDS:
        raise model.duration_exceeds_chain()
    account = request["RoleArn"].split(":")[4]
    session = request["RoleSessionName"]
    tags = {tag["Key"]: tag["Value"] for tag in (*role.get("Tags", ()), *request.get("Tags", ()))}
    assumed = Principal(
        "role",
        account,
        arn("sts", "", account, f"assumed-role/{role['RoleName']}/{session}"),
        f"{role['RoleId']}:{session}",
        role=role["Arn"],
        session=_limits(request),
        tags=tuple(tags.items()),
    )
    about = {"source_identity": request["SourceIdentity"]} if "SourceIdentity" in request else {}
    answer: dict[str, Any] = {
        "Credentials": await credentials.issue(ctx, assumed, seconds, **about),
        "AssumedRoleUser": {"AssumedRoleId": assumed.user_id, "Arn": assumed.arn},
    }
    if "Policy" in request or "Tags" in request:
        answer["PackedPolicySize"] = min(100, len(request.get("Policy", "")) * 100 // 2048 + 1)
    if "SourceIdentity" in request:
        answer["SourceIdentity"] = request["SourceIdentity"]
    return answer


def _limits(request: dict[str, Any]) -> tuple[str, ...]:
    """The policies that a session is limited to."""
    own = (request["Policy"],) if "Policy" in request else ()
    return (*own, *(each["arn"] for each in request.get("PolicyArns", ())))


async def _role(ctx: Context, role_arn: str) -> dict[str, Any]:
    """The role as IAM has it; a role that isn't there is told as a lack of permission, as STS does."""
    account = role_arn.split(":")[4]
    denied = model.not_authorized(ctx.principal.arn, "sts:AssumeRole", role_arn)
    name = role_arn.rpartition("/")[2]
    there = ctx.node.context(account=account, region=ctx.region)
    try:
        role: dict[str, Any] = (await there.call("iam", "GetRole", {"RoleName": name}))["Role"]
    except AwsError as error:
        raise denied from error
    if role["Arn"] != role_arn:
        raise denied
    return role


async def get_session_token(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    who = ctx.principal
    if who.kind not in ("root", "user") or who.access_key.startswith("ASIA"):
        raise model.session_credentials()
    seconds = request.get("DurationSeconds", model.DEFAULT_SESSION_SECONDS)
    if who.kind == "root":
        seconds = min(seconds, model.ROOT_SESSION_SECONDS)
    return {"Credentials": await credentials.issue(ctx, who, seconds)}


async def get_access_key_info(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key: str = request["AccessKeyId"]

    async def body(tx: Transaction) -> dict[str, Any] | None:
        return await storage.credentials(tx, key)

    if key.startswith("ASIA") and (found := await ctx.store.read(body)) is not None:
        return {"Account": found["account"]}
    users = ctx.node.runtimes.get("iam")
    if key.startswith("AKIA") and users is not None and (owner := await users.owner(key)) is not None:
        return {"Account": owner}
    raise model.invalid_access_key()
