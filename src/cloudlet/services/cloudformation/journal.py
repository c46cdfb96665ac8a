"""What a deployment writes down: a stack's and its resources' statuses, each with its event, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from ...context import Context
from ...names import request_id
from ...store.interface import Transaction
from . import model
from .storage import Home, Record


class Journal:
    """The journal of one stack."""

    def __init__(self, ctx: Context, stack: Record) -> None:
        self._ctx = ctx
        self._home = Home(ctx.account, ctx.region)
        self.stack = stack

    async def resource(
        self, record: Record, status: str, reason: str = "", *, of: Record | None = None, gone: bool = False
    ) -> None:
        """Write a resource's status and its event. `of` is the copy that the event is about, if it isn't the present
        one (then the resource's own status stays); `gone` takes the record away."""
        now = self._ctx.clock.now()
        about = record if of is None else of
        if of is None:
            record.update(status=status, reason=reason, updated=now)
        event = self._event(
            record["logical_id"],
            about["physical_id"],
            record["type"],
            status,
            reason,
            now,
            about["properties"],
        )

        async def body(tx: Transaction) -> None:
            if gone:
                await self._home.delete_resource(tx, self.stack["id"], record["logical_id"])
            else:
                await self._home.put_resource(tx, self.stack["id"], record)
            await self._home.put_event(tx, self.stack["id"], event)

        await self._ctx.store.transact(body)
        self._tell(event)

    async def save(self, record: Record) -> None:
        async def body(tx: Transaction) -> None:
            await self._home.put_resource(tx, self.stack["id"], record)

        await self._ctx.store.transact(body)

    async def status(
        self,
        status: str,
        reason: str = "",
        also: Callable[[Transaction, Home], Awaitable[None]] | None = None,
        **fields: Any,
    ) -> None:
        """Move the stack to a status. `also` writes more in the same transaction; if it raises, all
        is as it was."""
        stack = {**self.stack, **fields, "status": status, "reason": reason}
        event = stack_event(stack, self._ctx.clock.now())

        async def body(tx: Transaction) -> None:
            await self._home.put_stack(tx, stack)
            await self._home.put_event(tx, stack["id"], event)
            if also is not None:
                await also(tx, self._home)

        await self._ctx.store.transact(body)
        self.stack.update(stack)
        self._tell(event)

    def _event(
        self,
        logical_id: str,
        physical_id: str,
        type: str,
        status: str,
        reason: str,
        now: float,
        properties: Any,
    ) -> Record:
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        event = {
            "EventId": f"{logical_id}-{status}-{moment}",
            "StackId": self.stack["id"],
            "StackName": self.stack["name"],
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": type,
            "Timestamp": now,
            "ResourceStatus": status,
            "ResourceProperties": orjson.dumps(properties).decode(),
        }
        return _complete(event, reason, self.stack)

    def _tell(self, event: Record) -> None:
        tell(self._ctx, event)


def stack_event(stack: Record, now: float) -> Record:
    """The event of the stack's present status."""
    event = {
        "EventId": request_id(),
        "StackId": stack["id"],
        "StackName": stack["name"],
        "LogicalResourceId": stack["name"],
        "PhysicalResourceId": stack["id"],
        "ResourceType": model.STACK_TYPE,
        "Timestamp": now,
        "ResourceStatus": stack["status"],
    }
    return _complete(event, stack["reason"], stack)


def _complete(event: Record, reason: str, stack: Record) -> Record:
    if reason:
        event["ResourceStatusReason"] = reason
    if stack.get("token"):
        event["ClientRequestToken"] = stack["token"]
    return event


def tell(ctx: Context, event: Record) -> None:
    """Tell the people who watch the node."""
    ctx.node.events.emit(
        "cfn.event",
        stack=event["StackName"],
        logical_id=event["LogicalResourceId"],
        type=event["ResourceType"],
        status=event["ResourceStatus"],
        reason=event.get("ResourceStatusReason", ""),
    )
