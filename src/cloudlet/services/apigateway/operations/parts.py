"""What the operations of all nouns share: finding a part of an API or failing as AWS does, merging updates, pages."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable
from typing import Any

from ....context import Context
from ....names import LOWER_ALNUM, random_id
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record

NOUNS = {
    "authorizer": "Authorizer",
    "deployment": "Deployment",
    "integration": "Integration",
    "integrationresponse": "IntegrationResponse",
    "model": "Model",
    "route": "Route",
    "routeresponse": "RouteResponse",
    "stage": "stage",
}


async def require_api(tx: Transaction, ctx: Context, api_id: str) -> Record:
    api = await storage.get_api(tx, ctx.account, ctx.region, api_id)
    if api is None:
        raise model.api_not_found(ctx.account, api_id)
    return api


async def require(tx: Transaction, api_id: str, kind: str, id: str, parent: str = "") -> Record:
    record = await storage.get_part(tx, api_id, kind, id, parent)
    if record is None:
        raise model.child_not_found(NOUNS[kind])
    return record


async def within_quota(tx: Transaction, api_id: str, kind: str, quota: int) -> None:
    if len(await storage.list_parts(tx, api_id, kind)) >= quota:
        raise model.over_quota(f"{kind}s")


def new_id(length: int = 7) -> str:
    return random_id(length, LOWER_ALNUM)


def taken(request: Record, members: Iterable[str]) -> Record:
    """The members that a create request gives."""
    return {name: request[name] for name in members if request.get(name) is not None}


def merged(old: Record, request: Record, members: Iterable[str], maps: Collection[str] = ()) -> Record:
    """The record after an update: given members replace, an empty string removes; members of `maps` are merged key by
    key, and an empty value removes its key."""
    new = dict(old)
    for name in members:
        value = request.get(name)
        if value is None:
            continue
        if name in maps:
            both = {**old.get(name, {}), **value}
            new[name] = {key: entry for key, entry in both.items() if entry != ""}
        elif value == "":
            new.pop(name, None)
        else:
            new[name] = value
    return new


def page(items: list[Record], request: Record) -> dict[str, Any]:
    """One page of the list, and the token of the next."""
    start = _start(request.get("NextToken"), len(items))
    size = _size(request.get("MaxResults"))
    result: dict[str, Any] = {"Items": items[start : start + size]}
    if start + size < len(items):
        result["NextToken"] = base64.urlsafe_b64encode(f"from:{start + size}".encode()).decode()
    return result


def _size(text: str | None) -> int:
    if text is None:
        return model.PAGE
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise model.bad_request(f"Invalid maxResults: {text}")
    return min(int(text), model.MAX_PAGE)


def _start(token: str | None, count: int) -> int:
    if not token:
        return 0
    try:
        kind, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
        start = int(number)
    except ValueError:
        raise model.bad_request("Invalid nextToken") from None
    if kind != "from" or start < 0:
        raise model.bad_request("Invalid nextToken")
    return min(start, count)
