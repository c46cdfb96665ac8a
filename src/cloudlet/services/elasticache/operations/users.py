"""Users and user groups: who may do what in a cache, by Valkey's own access control."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import access, launch, model, storage
from ..names import arn_of, named, tags
from ..pages import by_marker
from ..storage import Name, Record

Response = dict[str, Any]
DEFAULT_ID = "default"
OPEN_RULES = "on ~* +@all"


def _default(engine: str = "redis") -> Record:
    """The user that is there without being made."""
    return {
        "name": DEFAULT_ID, "login": DEFAULT_ID, "engine": engine, "access": access.OPEN, "digests": [], "tags": {},
    }  # fmt: skip


async def _user(tx: Transaction, name: Name) -> Record:
    found = await storage.find(tx, name)
    if found is None and name.name == DEFAULT_ID:
        return _default()
    return found if found is not None else await storage.need(tx, name)


async def _groups_of(tx: Transaction, name: Name) -> list[Record]:
    groups = await storage.every(tx, name.account, name.region, "usergroup")
    return [group for group in groups if name.name in group["users"]]


async def _described(tx: Transaction, name: Name, user: Record) -> Response:
    groups = [group["name"] for group in await _groups_of(tx, name)]
    passwords = len(user["digests"])
    kind = {"Type": "password", "PasswordCount": passwords} if passwords else {"Type": "no-password"}
    return {
        "UserId": user["name"],
        "UserName": user["login"],
        "Status": "active",
        "Engine": user["engine"],
        "MinimumEngineVersion": "7.2" if user["engine"] == "valkey" else "6.0",
        "AccessString": OPEN_RULES if user["access"] == access.OPEN else user["access"],
        "UserGroupIds": groups,
        "Authentication": kind,
        "ARN": arn_of(name),
    }


def _digests(request: dict[str, Any]) -> list[str] | None:
    """What the request says of passwords: none needed, some, or (None) nothing."""
    mode = request.get("AuthenticationMode", {})
    passwords = request.get("Passwords") or mode.get("Passwords")
    if passwords:
        return [access.digest(password) for password in passwords]
    if request.get("NoPasswordRequired") or mode.get("Type") == "no-password-required":
        return []
    return None


async def create_user(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, "user", request["UserId"])
    digests = _digests(request)
    if digests is None:
        raise model.invalid("A user needs a password, or NoPasswordRequired.")
    user = {
        "name": name.name,
        "login": request["UserName"],
        "engine": request["Engine"],
        "access": request["AccessString"],
        "digests": digests,
        "tags": tags(request),
    }
    await access.check(ctx.node, user["access"])

    async def body(tx: Transaction) -> Response:
        if name.name == DEFAULT_ID:
            raise model.exists("user", DEFAULT_ID)
        if len(await storage.every(tx, ctx.account, ctx.region, "user")) >= model.MAX_USERS:
            raise model.too_many("user", "UserQuotaExceededFault", model.MAX_USERS)
        await storage.add(tx, name, user)
        return await _described(tx, name, user)

    return await ctx.store.transact(body)


async def modify_user(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, "user", request["UserId"])
    if name.name == DEFAULT_ID:
        raise model.is_default("user", DEFAULT_ID)
    digests = _digests(request)
    old = await ctx.store.read(lambda tx: storage.need(tx, name))
    rules = str(request.get("AccessString", old["access"]))
    if request.get("AppendAccessString"):
        rules = f"{rules} {request['AppendAccessString']}"
    if rules != old["access"]:
        await access.check(ctx.node, rules)

    async def body(tx: Transaction) -> Response:
        user = await storage.need(tx, name)
        user = user | {
            "access": rules,
            "digests": user["digests"] if digests is None else digests,
            "engine": request.get("Engine") or user["engine"],
        }
        await storage.put(tx, name, user)
        for group in await _groups_of(tx, name):
            owner = named(ctx, "usergroup", group["name"])
            await _check_users(tx, owner, group)
            await _spread(tx, owner)
        return await _described(tx, name, user)

    return await ctx.store.transact(body)


async def delete_user(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, "user", request["UserId"])
    if name.name == DEFAULT_ID:
        raise model.is_default("user", DEFAULT_ID)

    async def body(tx: Transaction) -> Response:
        user = await storage.need(tx, name)
        groups = await _groups_of(tx, name)
        if user["login"] == DEFAULT_ID and any(group["engine"] == "redis" for group in groups):
            raise model.default_user_in_group(name.name)
        await storage.delete(tx, name)
        for group in groups:
            owner = named(ctx, "usergroup", group["name"])
            left = [id for id in group["users"] if id != name.name]
            await storage.put(tx, owner, group | {"users": left})
            await _spread(tx, owner)
        return await _described(tx, name, user) | {"Status": "deleting"}

    return await ctx.store.transact(body)


async def describe_users(ctx: Context, request: dict[str, Any]) -> Response:
    wanted = request.get("UserId")

    async def body(tx: Transaction) -> list[Response]:
        if wanted is not None:
            users = [await _user(tx, named(ctx, "user", wanted))]
        else:
            users = [_default(), *await storage.every(tx, ctx.account, ctx.region, "user")]
        described = [await _described(tx, named(ctx, "user", user["name"]), user) for user in users]
        engine = request.get("Engine", "").lower()
        described = [user for user in described if not engine or user["Engine"] == engine]
        return [user for user in described if _passes(user, request.get("Filters", []))]

    return by_marker(request, "Users", await ctx.store.read(body))


_FILTERS: dict[str, Callable[[Response], list[str]]] = {
    "user-id": lambda user: [user["UserId"]],
    "user-name": lambda user: [user["UserName"]],
    "user-group-id": lambda user: user["UserGroupIds"],
    "status": lambda user: [user["Status"]],
    "engine": lambda user: [user["Engine"]],
}


def _passes(user: Response, filters: list[dict[str, Any]]) -> bool:
    for each in filters:
        if each["Name"] not in _FILTERS:
            raise model.invalid(f"Invalid filter: {each['Name']}")
        if not set(each["Values"]) & set(_FILTERS[each["Name"]](user)):
            return False
    return True


# --- groups


async def _users_of(tx: Transaction, name: Name, group: Record) -> list[Record]:
    return [await _user(tx, name._replace(kind="user", name=id)) for id in group["users"]]


async def lines(tx: Transaction, ctx: Context, cache: Record) -> list[str]:
    """The users of a cache with its user group; all the world is one's own without."""
    if not cache["user_group"]:
        return access.open_to_all()
    name = named(ctx, "usergroup", cache["user_group"])
    group = await storage.need(tx, name)
    if (cache["engine"], group["engine"]) == ("redis", "valkey"):
        raise model.group_of_valkey(name.name)
    return access.of_users(await _users_of(tx, name, group))


async def _caches_with(tx: Transaction, name: Name) -> list[tuple[Name, Record]]:
    found = []
    for kind in ("serverless", "group"):
        for cache in await storage.every(tx, name.account, name.region, kind):
            if cache["user_group"] == name.name:
                found.append((name._replace(kind=kind, name=cache["name"]), cache))
    return found


async def _spread(tx: Transaction, name: Name) -> None:
    """Tell all caches of a user group who its users are by now."""
    group = await storage.need(tx, name)
    users = access.of_users(await _users_of(tx, name, group))
    for _, cache in await _caches_with(tx, name):
        await launch.change(tx, cache, users=users)


async def _check_users(tx: Transaction, name: Name, group: Record) -> None:
    users = await _users_of(tx, name, group)
    logins = [user["login"] for user in users]
    for login in logins:
        if logins.count(login) > 1:
            raise model.duplicate_user(login)
    for user in users:
        if group["engine"] == "redis" and user["engine"] == "valkey":
            raise model.user_of_valkey(user["name"])
        if group["engine"] == "valkey" and not user["digests"]:
            raise model.user_without_password(user["name"])
    if group["engine"] == "redis" and DEFAULT_ID not in logins:
        raise model.default_user_required()
    if len(users) > model.MAX_USERS_IN_GROUP:
        raise model.too_many("user", "UserQuotaExceededFault", model.MAX_USERS_IN_GROUP)


async def _group_described(tx: Transaction, name: Name, group: Record) -> Response:
    caches = await _caches_with(tx, name)
    return {
        "UserGroupId": group["name"],
        "Status": "active",
        "Engine": group["engine"],
        "UserIds": group["users"],
        "MinimumEngineVersion": "7.2" if group["engine"] == "valkey" else "6.0",
        "ReplicationGroups": [cache["name"] for owner, cache in caches if owner.kind == "group"],
        "ServerlessCaches": [cache["name"] for owner, cache in caches if owner.kind == "serverless"],
        "ARN": arn_of(name),
    }


async def create_user_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, "usergroup", request["UserGroupId"])
    group = {
        "name": name.name,
        "engine": request["Engine"],
        "users": list(dict.fromkeys(id.lower() for id in request.get("UserIds", []))),
        "tags": tags(request),
    }

    async def body(tx: Transaction) -> Response:
        if len(await storage.every(tx, ctx.account, ctx.region, "usergroup")) >= model.MAX_USER_GROUPS:
            raise model.too_many("usergroup", "UserGroupQuotaExceededFault", model.MAX_USER_GROUPS)
        await _check_users(tx, name, group)
        await storage.add(tx, name, group)
        return await _group_described(tx, name, group)

    return await ctx.store.transact(body)


async def modify_user_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, "usergroup", request["UserGroupId"])
    added = [id.lower() for id in request.get("UserIdsToAdd", [])]
    removed = [id.lower() for id in request.get("UserIdsToRemove", [])]
    if not added and not removed and "Engine" not in request:
        raise model.combination("UserIdsToAdd or UserIdsToRemove must be given.")

    async def body(tx: Transaction) -> Response:
        group = await storage.need(tx, name)
        for id in removed:
            if id not in group["users"]:
                raise model.not_found("user", id)
        users = [id for id in group["users"] if id not in removed]
        group = group | {
            "users": users + [id for id in added if id not in users],
            "engine": request.get("Engine") or group["engine"],
        }
        await _check_users(tx, name, group)
        await storage.put(tx, name, group)
        await _spread(tx, name)
        return await _group_described(tx, name, group)

    return await ctx.store.transact(body)


async def delete_user_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, "usergroup", request["UserGroupId"])

    async def body(tx: Transaction) -> Response:
        group = await storage.need(tx, name)
        if await _caches_with(tx, name):
            raise model.group_in_use(name.name)
        await storage.delete(tx, name)
        return await _group_described(tx, name, group) | {"Status": "deleting"}

    return await ctx.store.transact(body)


async def describe_user_groups(ctx: Context, request: dict[str, Any]) -> Response:
    wanted = request.get("UserGroupId")

    async def body(tx: Transaction) -> list[Response]:
        if wanted is not None:
            groups = [await storage.need(tx, named(ctx, "usergroup", wanted))]
        else:
            groups = await storage.every(tx, ctx.account, ctx.region, "usergroup")
        return [await _group_described(tx, named(ctx, "usergroup", group["name"]), group) for group in groups]

    return by_marker(request, "UserGroups", await ctx.store.read(body))
