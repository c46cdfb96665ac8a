"""Custom resources: a Lambda function makes them, and answers by a PUT to the ResponseURL of its event.

The URL names AWS's host, since functions often send to its port 443 whatever the URL says; from a worker that leads to
the node, where it is an edge, `/_aws/cloudformation/response/{token}`. The token of a question lies in the resource's
record and the answer in the store, so that a deployment that starts again after a kill doesn't ask twice, and finds it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any

import orjson

from ...context import Context, Node
from ...errors import AwsError
from ...names import request_id
from ...net.messages import Request, Response
from ...store.interface import Transaction
from . import witness
from .provision import Failed, Job
from .storage import Record, put_reply, reply_key, take_reply

PATH = "/_aws/cloudformation/response/"
TOKEN = re.compile(r"[0-9a-f-]{36}")
TIMEOUT = 3600.0
"""Seconds that a function has to answer, without a ServiceTimeout ("Custom resources" in the user guide)."""
MAX_ANSWER = 4096


def _host(region: str) -> str:
    return f"cloudformation-custom-resource-response-{region.replace('-', '')}.s3.{region}.amazonaws.com"


class CustomResources:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def create(self, job: Job) -> None:
        record = job.record
        answer = await self._ask(job, "Create")
        record["physical_id"] = str(answer.get("PhysicalResourceId") or record["name"])
        self._take(record, answer)
        await job.save()

    async def update(self, job: Job) -> None:
        """An answer with another physical id means a new resource; the function is asked to delete the old one when
        the stack cleans up."""
        record = job.record
        answer = await self._ask(job, "Update")
        self._take(record, answer)
        record["physical_id"] = str(answer.get("PhysicalResourceId") or record["physical_id"])

    async def delete(self, job: Job) -> None:
        if job.record["physical_id"]:
            await self._ask(job, "Delete")

    def _take(self, record: Record, answer: dict[str, Any]) -> None:
        data = answer.get("Data") or {}
        record["attributes"] = data if isinstance(data, dict) else {}

    async def _ask(self, job: Job, request_type: str) -> dict[str, Any]:
        """Call the function and wait for its answer."""
        made = job.record["made"]
        asked = [request_type, hashlib.sha256(orjson.dumps(job.record["properties"])).hexdigest()]
        if made.get("asked") != asked:
            made.update(token=request_id(), asked=asked)
            await job.save()
        token = made["token"]
        place = (job.stack["id"], job.logical_id, token)
        if not await witness.happened(job.ctx, place):
            await self._invoke(job, witness.context(job.ctx, place), request_type, token)
        seconds = float(job.record["properties"].get("ServiceTimeout") or TIMEOUT)
        try:
            answer = await self._answer(job.ctx, token, seconds)
        finally:
            made.pop("token", None)
            made.pop("asked", None)
        await witness.forget(job.ctx, place)
        if answer is None:
            raise Failed(
                "CloudFormation did not receive a response from your Custom Resource. Please check your logs"
                f" for requestId [{token}]. If you are using the Python cfn-response module, you may need to"
                " update your Lambda function code so that CloudFormation can attach the updated version."
            )
        if answer.get("Status") != "SUCCESS":
            reason = answer.get("Reason") or "See the details in CloudWatch Log Stream"
            raise Failed(
                f"Received response status [FAILED] from custom resource. Message returned: {reason}"
                f" (RequestId: {token})"
            )
        return answer

    async def _invoke(self, job: Job, ctx: Context, request_type: str, token: str) -> None:
        record = job.record
        function = str(record["properties"].get("ServiceToken", ""))
        if not function.startswith("arn:aws:lambda:"):
            raise Failed(
                f"Invalid service token: {function or 'none'}; it must be the ARN of a Lambda function"
            )
        event = {
            "RequestType": request_type,
            "RequestId": token,
            "ResponseURL": f"https://{_host(ctx.region)}{PATH}{token}",
            "ResourceType": record["type"],
            "LogicalResourceId": job.logical_id,
            "StackId": job.stack["id"],
            "ServiceToken": function,
            "ResourceProperties": _texts(record["properties"]),
        }
        if record["physical_id"]:
            event["PhysicalResourceId"] = record["physical_id"]
        if request_type == "Update":
            event["OldResourceProperties"] = _texts(job.old)
        try:
            await ctx.call(
                "lambda",
                "Invoke",
                {"FunctionName": function, "InvocationType": "Event", "Payload": orjson.dumps(event)},
            )
        except AwsError as error:
            raise Failed(f"{error.message} (Service: Lambda, Error Code: {error.code})") from error

    async def _answer(self, ctx: Context, token: str, seconds: float) -> dict[str, Any] | None:
        watch = ctx.store.watch(reply_key(token))
        late = asyncio.Event()
        timer = ctx.clock.call_later(seconds, late.set)
        give_up = asyncio.ensure_future(late.wait())
        try:
            while True:
                answer = await ctx.store.transact(lambda tx: take_reply(tx, token))
                if answer is not None or late.is_set():
                    return answer
                woken = asyncio.ensure_future(watch.wait())
                await asyncio.wait({woken, give_up}, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
        finally:
            timer.cancel()
            give_up.cancel()
            watch.close()


def _texts(value: Any) -> Any:
    """Properties as a function gets them: every scalar is text."""
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class Responses:
    """The edge that takes the functions' answers."""

    paths = (PATH,)

    def __init__(self, node: Node) -> None:
        self._node = node

    def claims(self, host: str, path: str) -> bool:
        return path.startswith(self.paths)

    async def handle(self, request: Request) -> Response:
        token = request.path.removeprefix(PATH)
        if request.method != "PUT" or not TOKEN.fullmatch(token):
            return Response(403)
        try:
            answer = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict):
            answer = {"Status": "FAILED", "Reason": "Invalid Json"}
        if len(request.body) > MAX_ANSWER:
            answer = {"Status": "FAILED", "Reason": "Response object is too long."}

        async def body(tx: Transaction) -> None:
            await put_reply(tx, token, answer)

        await self._node.store.transact(body)
        return Response(200)
