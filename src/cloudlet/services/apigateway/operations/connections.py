"""`@connections`: what a back end does to an open connection.

A message that is too large is 413 whoever it is for. An id that can't be one is 400, one that names nobody who is
connected is 410.
"""

from __future__ import annotations

from typing import Any

from ....context import Context
from .. import gateway, identifiers, model
from ..session import Session


def _find(ctx: Context, request: dict[str, Any]) -> Session:
    id = request["ConnectionId"]
    session = gateway.of(ctx).find(id)
    if session is None:
        raise model.gone() if identifiers.well_formed(id) else model.invalid_connection(id)
    return session


async def post_to_connection(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    data = request["Data"]
    if len(data) > model.MAX_MESSAGE:
        raise model.too_large()
    session = _find(ctx, request)
    if not session.send(data):
        raise model.client_full()
    events = ctx.node.events
    if events.listeners:
        stage = session.stage
        events.emit("ws.post", api=stage.api_id, stage=stage.name, connection=session.id, size=len(data))
    return {}


async def get_connection(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    session = _find(ctx, request)
    return {
        "ConnectedAt": session.connected_ms / 1000,
        "Identity": {"SourceIp": session.source_ip, "UserAgent": session.user_agent},
        "LastActiveAt": session.last_active,
    }


async def delete_connection(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    _find(ctx, request).close(*model.CLOSED_BY_API)
    return {}
