"""What the nouns share: roles and users are entities of a kind; lists come in pages; documents leave URL-encoded."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ....errors import AwsError
from ....names import random_id
from ....store.interface import Transaction
from .. import model, storage

Record = dict[str, Any]

ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def new_id(prefix: str) -> str:
    """A unique id of 21 characters, e.g. AROA for a role's; access keys have 20."""
    return prefix + random_id(17, ID_ALPHABET)


def encoded(document: str) -> str:
    """Policies leave IAM percent-encoded as RFC 3986 has it; the SDKs decode them."""
    return quote(document, safe="~")


async def existing(tx: Transaction, account: str, kind: str, name: str) -> Record:
    """The role or user of that name, or NoSuchEntity."""
    found = await storage.entity(tx, account, kind, name)
    if found is None:
        raise model.no_such_entity(kind, name)
    return found


def page(
    request: dict[str, Any], items: Sequence[Any], member: str, key: str | None = None
) -> dict[str, Any]:
    """One page of `items`, which are in the order of `key` (None: they are the names themselves)."""

    def name(item: Any) -> str:
        return str(item if key is None else item[key])

    after = _after(request["Marker"]) if "Marker" in request else ""
    ordered = sorted(items, key=name)
    rest = [item for item in ordered if name(item) > after]
    size = request.get("MaxItems", model.PAGE)
    result: dict[str, Any] = {member: rest[:size], "IsTruncated": len(rest) > size}
    if result["IsTruncated"]:
        result["Marker"] = base64.urlsafe_b64encode(name(rest[size - 1]).encode()).decode()
    return result


def _after(marker: str) -> str:
    try:
        return base64.urlsafe_b64decode(marker).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AwsError("ValidationError", f"Invalid Marker: {marker}") from error


def under(request: dict[str, Any], records: Sequence[Record]) -> list[Record]:
    """Those whose path begins as the request asks."""
    prefix = request.get("PathPrefix", "/")
    return [record for record in records if record["Path"].startswith(prefix)]


def with_tags(record: Record, tags: Sequence[dict[str, str]]) -> Record:
    """The record with tags added; a key that is there in other case is replaced."""
    kept = {tag["Key"].lower(): tag for tag in record.get("Tags", ())}
    kept.update({tag["Key"].lower(): {"Key": tag["Key"], "Value": tag["Value"]} for tag in tags})
    if len(kept) > model.TAGS:
        raise model.too_many_tags()
    return {**record, "Tags": list(kept.values())}


def without_tags(record: Record, keys: Sequence[str]) -> Record:
    dropped = {key.lower() for key in keys}
    return {**record, "Tags": [tag for tag in record.get("Tags", ()) if tag["Key"].lower() not in dropped]}


async def refuse_if_used(tx: Transaction, account: str, kind: str, name: str) -> None:
    """An entity with policies can't be deleted."""
    if await storage.attached(tx, account, kind, name):
        raise model.must_detach()
    if await storage.inlines(tx, account, kind, name):
        raise model.must_delete_policies()
