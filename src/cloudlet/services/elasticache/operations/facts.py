"""What the service tells of itself: engine versions, and events of the last days."""

from __future__ import annotations

from typing import Any

from ....context import Context
from .. import model, parameters, storage
from ..pages import by_marker

Response = dict[str, Any]


async def describe_cache_engine_versions(ctx: Context, request: dict[str, Any]) -> Response:
    found = []
    for engine, versions in model.VERSIONS.items():
        for version in versions:
            family = parameters.family_of(engine, version)
            found.append(
                {
                    "Engine": engine,
                    "EngineVersion": version,
                    "CacheParameterGroupFamily": family,
                    "CacheEngineDescription": "Valkey" if engine == "valkey" else "Redis",
                    "CacheEngineVersionDescription": f"{engine} version {version}, served by Valkey",
                }
            )
    wanted = {
        "Engine": request.get("Engine"),
        "EngineVersion": request.get("EngineVersion"),
        "CacheParameterGroupFamily": request.get("CacheParameterGroupFamily"),
    }
    found = [each for each in found if all(value in (None, each[name]) for name, value in wanted.items())]
    if request.get("DefaultOnly"):
        newest = {(each["Engine"], each["CacheParameterGroupFamily"]): each for each in found}
        found = list(newest.values())
    return by_marker(request, "CacheEngineVersions", found)


async def describe_events(ctx: Context, request: dict[str, Any]) -> Response:
    now = ctx.clock.now_ms()
    end = int(request["EndTime"] * 1000) if "EndTime" in request else now + 1
    minutes = request.get("Duration", model.EVENT_MINUTES)
    begin = int(request["StartTime"] * 1000) if "StartTime" in request else end - minutes * 60_000
    source, about = request.get("SourceType"), request.get("SourceIdentifier")
    if about is not None and source is None:
        raise model.combination("SourceType is needed with SourceIdentifier.")
    records = await ctx.store.read(lambda tx: storage.events(tx, ctx.account, ctx.region, begin, end))
    found = [
        {
            "SourceIdentifier": record["name"],
            "SourceType": model.EVENT_SOURCES[record["kind"]],
            "Message": record["message"],
            "Date": record["at"] / 1000,
        }
        for record in records
        if source in (None, model.EVENT_SOURCES[record["kind"]]) and about in (None, record["name"])
    ]
    return by_marker(request, "Events", found)
