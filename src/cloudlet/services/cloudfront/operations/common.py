"""What several nouns need: ids, versions, pages, the edge that has to hear of a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ....context import Context
from ....names import UPPER_ALNUM, arn, random_id
from .. import model

Record = dict[str, Any]
Request = dict[str, Any]
T = TypeVar("T")


def new_id() -> str:
    """As distributions, access controls, access identities and versions have them: E and 13 more."""
    return "E" + random_id(13, UPPER_ALNUM)


def distribution_arn(account: str, id: str) -> str:
    return arn("cloudfront", "", account, f"distribution/{id}")


def location(path: str) -> str:
    return f"https://cloudfront.amazonaws.com/2020-05-31/{path}"


def check_version(request: Request, record: Record) -> None:
    wanted = request.get("IfMatch")
    if not wanted:
        raise model.error("InvalidIfMatchVersion")
    if wanted != record["etag"]:
        raise model.error("PreconditionFailed")


def page(request: Request, found: list[T], key: Callable[[T], str]) -> dict[str, Any]:
    """A list as CloudFront gives it, from all there is, in order of `key`; without its Items if it is empty."""
    most = model.PAGE
    if "MaxItems" in request:
        text = str(request["MaxItems"])
        if not text.isdecimal() or int(text) < 1:
            raise model.invalid("The parameter MaxItems is not valid.")
        most = min(int(text), 1000)
    marker = request.get("Marker", "")
    left = [one for one in found if key(one) > marker]
    shown = left[:most]
    result: dict[str, Any] = {
        "Marker": marker,
        "MaxItems": most,
        "IsTruncated": len(left) > len(shown),
        "Quantity": len(shown),
    }
    if shown:
        result["Items"] = shown
    if result["IsTruncated"]:
        result["NextMarker"] = key(shown[-1])
    return result


async def changed(ctx: Context) -> None:
    """Let the edge serve what has been written, before the caller hears that it was."""
    await ctx.node.runtimes["cloudfront"].reload()


def behaviors(config: Record) -> list[Record]:
    return [config["DefaultCacheBehavior"], *(config["CacheBehaviors"].get("Items") or ())]


def uses(noun: model.Noun, config: Record, id: str) -> bool:
    """Whether a distribution's configuration refers to the thing."""
    if noun is model.ACCESS_CONTROL:
        return any(origin.get("OriginAccessControlId") == id for origin in config["Origins"]["Items"])
    if noun is model.ACCESS_IDENTITY:
        return any(identity_of(origin) == id for origin in config["Origins"]["Items"])
    return any(behavior.get(f"{noun.member}Id") == id for behavior in behaviors(config))


def identity_of(origin: Record) -> str:
    """The origin's access identity, "" without one."""
    text = str(origin.get("S3OriginConfig", {}).get("OriginAccessIdentity", ""))
    return text.rpartition("/")[2]
