"""Invoke: the hot path. A warm synchronous call resolves its version from shared records and goes to a worker."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from ....context import Context
from .. import runs
from ..arns import parse

Response = dict[str, Any]


async def invoke(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))
    payload = request.get("Payload") or b"{}"
    kind = request.get("InvocationType", "RequestResponse")
    if kind == "Event":
        await runs.enqueue(ctx, ref, payload, request.get("ClientContext", ""))
        return {"StatusCode": 202, "Payload": b""}
    spec = await runs.spec_of(ctx, ref)
    if kind == "DryRun":
        return {"StatusCode": 204, "Payload": b""}
    outcome = await runs.workers(ctx.node).invoke(
        spec, payload, request_id=ctx.request_id, client_context=request.get("ClientContext", "").encode()
    )
    response: Response = {"StatusCode": 200, "Payload": outcome.payload, "ExecutedVersion": spec.version}
    if outcome.error is not None:
        response["FunctionError"] = outcome.error
    if request.get("LogType") == "Tail":
        response["LogResult"] = b64encode(outcome.log).decode()
    return response


async def invoke_async(ctx: Context, request: dict[str, Any]) -> Response:
    """The older form of an asynchronous invocation."""
    ref = parse(ctx, request["FunctionName"])
    await runs.enqueue(ctx, ref, request["InvokeArgs"] or b"{}", "")
    return {"Status": 202}
