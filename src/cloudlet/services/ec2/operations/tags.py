"""Tags of any resource, and those that a creation brings with it."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....errors import AwsError
from .. import model
from ..filters import page, select
from ..network import change, look
from ..storage import Network, Record
from ..validation import check_tag

Response = dict[str, Any]

_FILTERS = {
    "key": "Key",
    "resource-id": "ResourceId",
    "resource-type": "ResourceType",
    "value": "Value",
}


def given(request: dict[str, Any], kind: str) -> list[Record]:
    """The tags of a new resource, by the request's TagSpecifications."""
    tags: dict[str, str] = {}
    for specification in request.get("TagSpecifications", ()):
        if specification.get("ResourceType") != kind:
            raise model.invalid(
                f"'{specification.get('ResourceType')}' is not a valid taggable resource type for this operation."
            )
        for tag in specification.get("Tags", ()):
            check_tag(tag)
            tags[tag["Key"]] = tag.get("Value", "")
    return _listed(tags)


def _listed(tags: dict[str, str]) -> list[Record]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


async def _place(net: Network, id: str) -> tuple[str, str, Record, Record]:
    """Kind and id of the record that has the resource's tags, that record, and the part of it that is the resource."""
    kind = model.KINDS.get(id.rpartition("-")[0])
    if kind is None:
        raise model.no_such_resource(id)
    if kind != "security-group-rule":
        record = await net.get(kind, id)
        return kind, id, record, record
    for group in await net.all("security-group"):
        for rule in group["rules"]:
            if rule["SecurityGroupRuleId"] == id:
                return "security-group", group["GroupId"], group, rule
    raise model.not_found(kind, id)


async def create_tags(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        for id in request["Resources"]:
            kind, owner, record, tagged = await _place(net, id)
            tags = {tag["Key"]: tag["Value"] for tag in tagged["Tags"]}
            tags |= {tag["Key"]: tag.get("Value", "") for tag in request["Tags"]}
            if len(tags) > model.MAX_TAGS:
                raise AwsError(
                    "TagLimitExceeded", "The maximum number of Tags for a resource has been reached."
                )
            tagged["Tags"] = _listed(tags)
            await net.put(kind, owner, record)
        return {}

    return await change(ctx, request, body)


async def delete_tags(ctx: Context, request: dict[str, Any]) -> Response:
    """Without tags all go; a tag with a value only if it has that value."""

    async def body(net: Network) -> Response:
        for id in request["Resources"]:
            kind, owner, record, tagged = await _place(net, id)
            doomed = request.get("Tags")
            tagged["Tags"] = [
                tag for tag in tagged["Tags"] if doomed and not any(_means(d, tag) for d in doomed)
            ]
            await net.put(kind, owner, record)
        return {}

    return await change(ctx, request, body)


def _means(doomed: Record, tag: Record) -> bool:
    return bool(doomed.get("Key") == tag["Key"] and doomed.get("Value", tag["Value"]) == tag["Value"])


async def describe_tags(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        found: list[Record] = []
        for start, kind in model.KINDS.items():
            if kind == "security-group-rule":
                continue
            for record in await net.all(kind):
                id = next(v for v in record.values() if isinstance(v, str) and v.startswith(f"{start}-"))
                found += [{"ResourceId": id, "ResourceType": kind, **tag} for tag in record["Tags"]]
                for rule in record.get("rules", ()):
                    place = {"ResourceId": rule["SecurityGroupRuleId"], "ResourceType": "security-group-rule"}
                    found += [{**place, **tag} for tag in rule["Tags"]]
        shown, more = page(_select(found, request), request)
        return {"Tags": shown, **more}

    return await look(ctx, body)


def _select(found: list[Record], request: dict[str, Any]) -> list[Record]:
    """`tag:Key` asks for the tag itself here."""
    wishes = [
        part
        for wish in request.get("Filters", ())
        for part in (
            [
                {"Name": "key", "Values": [wish["Name"][4:]]},
                {"Name": "value", "Values": wish.get("Values", [])},
            ]
            if wish.get("Name", "").startswith("tag:")
            else [wish]
        )
    ]
    return select(found, {"Filters": wishes}, _FILTERS)
