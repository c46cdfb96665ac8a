"""Where API Gateway keeps things, and the only place that builds its keys.

| key                              | value                                                                        |
|----------------------------------|------------------------------------------------------------------------------|
| ("api", account, region, api)    | the API as GetApi gives it                                                   |
| ("part", api, kind, parent, id)  | what belongs to an API, as its Get… gives it; `parent` is the route's or the |
|                                  | integration's id for their responses, else ""                                |
| ("snapshot", api, deployment)    | what a deployment captured, see `operations.deployments.capture`             |
| ("served", api, stage)           | all that the gateway needs to serve a stage; written with what changes it    |
| ("tags", arn)                    | tags of an API or a stage                                                    |
| ("connection", node, connection) | an open connection, until its $disconnect                                    |

Values are JSON.
"""

from __future__ import annotations

from typing import Any

import orjson

from ...store.interface import Transaction
from ...store.keys import Subspace

_SPACE = Subspace("apigateway")
_APIS = _SPACE.sub("api")
_PARTS = _SPACE.sub("part")
_SNAPSHOTS = _SPACE.sub("snapshot")
_SERVED = _SPACE.sub("served")
_TAGS = _SPACE.sub("tags")
_CONNECTIONS = _SPACE.sub("connection")

Record = dict[str, Any]


async def _get(tx: Transaction, key: bytes) -> Record | None:
    value = await tx.get(key)
    return None if value is None else orjson.loads(value)


async def get_api(tx: Transaction, account: str, region: str, api_id: str) -> Record | None:
    return await _get(tx, _APIS.pack(account, region, api_id))


async def put_api(tx: Transaction, account: str, region: str, api: Record) -> None:
    await tx.put(_APIS.pack(account, region, api["ApiId"]), orjson.dumps(api))


async def list_apis(tx: Transaction, account: str, region: str) -> list[Record]:
    begin, end = _APIS.range(account, region)
    return [orjson.loads(value) for _, value in await tx.range(begin, end)]


async def delete_api(tx: Transaction, account: str, region: str, api_id: str) -> None:
    """The API and all that belongs to it."""
    await tx.delete(_APIS.pack(account, region, api_id))
    for space in (_PARTS, _SNAPSHOTS, _SERVED):
        begin, end = space.range(api_id)
        await tx.delete_range(begin, end)


async def get_part(tx: Transaction, api_id: str, kind: str, id: str, parent: str = "") -> Record | None:
    return await _get(tx, _PARTS.pack(api_id, kind, parent, id))


async def put_part(
    tx: Transaction, api_id: str, kind: str, id: str, record: Record, parent: str = ""
) -> None:
    await tx.put(_PARTS.pack(api_id, kind, parent, id), orjson.dumps(record))


async def delete_part(tx: Transaction, api_id: str, kind: str, id: str, parent: str = "") -> None:
    await tx.delete(_PARTS.pack(api_id, kind, parent, id))


async def list_parts(tx: Transaction, api_id: str, kind: str, parent: str = "") -> list[Record]:
    begin, end = _PARTS.range(api_id, kind, parent)
    return [orjson.loads(value) for _, value in await tx.range(begin, end)]


async def delete_parts(tx: Transaction, api_id: str, kind: str, parent: str) -> None:
    begin, end = _PARTS.range(api_id, kind, parent)
    await tx.delete_range(begin, end)


async def get_snapshot(tx: Transaction, api_id: str, deployment_id: str) -> Record | None:
    return await _get(tx, _SNAPSHOTS.pack(api_id, deployment_id))


async def put_snapshot(tx: Transaction, api_id: str, deployment_id: str, snapshot: Record) -> None:
    await tx.put(_SNAPSHOTS.pack(api_id, deployment_id), orjson.dumps(snapshot))


async def delete_snapshot(tx: Transaction, api_id: str, deployment_id: str) -> None:
    await tx.delete(_SNAPSHOTS.pack(api_id, deployment_id))


async def get_served(tx: Transaction, api_id: str, stage: str) -> Record | None:
    return await _get(tx, _SERVED.pack(api_id, stage))


async def put_served(tx: Transaction, api_id: str, stage: str, served: Record) -> None:
    await tx.put(_SERVED.pack(api_id, stage), orjson.dumps(served))


async def delete_served(tx: Transaction, api_id: str, stage: str) -> None:
    await tx.delete(_SERVED.pack(api_id, stage))


def served_prefix() -> bytes:
    return _SERVED.pack()


async def get_tags(tx: Transaction, arn: str) -> dict[str, str]:
    return await _get(tx, _TAGS.pack(arn)) or {}


async def put_tags(tx: Transaction, arn: str, tags: dict[str, str]) -> None:
    if tags:
        await tx.put(_TAGS.pack(arn), orjson.dumps(tags))
    else:
        await tx.delete(_TAGS.pack(arn))


async def put_connection(tx: Transaction, node: int, id: str, record: Record) -> None:
    await tx.put(_CONNECTIONS.pack(node, id), orjson.dumps(record))


async def delete_connection(tx: Transaction, node: int, id: str) -> None:
    await tx.delete(_CONNECTIONS.pack(node, id))


async def list_connections(tx: Transaction, node: int) -> list[Record]:
    begin, end = _CONNECTIONS.range(node)
    return [orjson.loads(value) for _, value in await tx.range(begin, end)]
