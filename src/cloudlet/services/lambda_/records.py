"""What is told of an asynchronous event when it is over: invocation records for destinations, dead letters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from ...context import Context
from ...errors import AwsError
from . import model
from .arns import Reference
from .configuration import timestamp
from .destinations import Attributes, deliver
from .spec import FunctionSpec, Outcome

ERROR_BYTES = 1024
"""Of an error's message, in a dead letter's attributes."""


class Event:
    """What is known of one event, for those who are told."""

    def __init__(
        self,
        ctx: Context,
        acting: Callable[[FunctionSpec], Awaitable[Context]],
        ref: Reference,
        about: dict[str, Any],
        payload: bytes,
        spec: FunctionSpec,
        rules: dict[str, Any],
        dead_letters: dict[str, Any],
    ) -> None:
        self._ctx = ctx
        self._acting = acting
        self._ref = ref
        self._about = about
        self._payload = payload or b"{}"
        self._spec = spec
        self._destinations = rules.get("DestinationConfig", {})
        self._dead_letters = dead_letters.get("TargetArn", "")

    async def succeeded(self, tries: int, outcome: Outcome) -> None:
        target = self._destinations.get("OnSuccess", {}).get("Destination", "")
        if target:
            await self._send(target, self._record("Success", tries, outcome))

    async def failed(self, condition: str, tries: int, outcome: Outcome | None) -> None:
        """A function may have both, a destination and a queue or topic for dead letters; each gets its own form."""
        target = self._destinations.get("OnFailure", {}).get("Destination", "")
        self._ctx.node.log.warning(
            "an event for %s is given up after %d tries: %s", self._ref.qualified, tries, condition
        )
        if target:
            await self._send(target, self._record(condition, tries, outcome))
        if self._dead_letters:
            await self._send(self._dead_letters, self._payload, self._attributes(condition, outcome))

    async def _send(self, target: str, text: bytes, attributes: Attributes | None = None) -> None:
        """Hand it over, in the name of the function's role."""
        try:
            await deliver(await self._acting(self._spec), target, text, attributes or {})
        except AwsError as error:
            self._ctx.node.log.warning(
                "an event for %s can't go to %s: %s", self._ref.qualified, target, error
            )

    def _record(self, condition: str, tries: int, outcome: Outcome | None) -> bytes:
        """The invocation record, as destinations get it."""
        qualifier = self._ref.qualifier or model.LATEST
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": timestamp(self._ctx.clock.now()).replace("+0000", "Z"),
            "requestContext": {
                "requestId": self._about["request_id"],
                "functionArn": self._ref._replace(qualifier=qualifier).qualified,
                "condition": condition,
                "approximateInvokeCount": tries,
            },
            "requestPayload": orjson.Fragment(self._payload),
        }
        if outcome is not None:
            response = {"statusCode": 200, "executedVersion": self._spec.version}
            if outcome.error:
                response["functionError"] = outcome.error
            record["responseContext"] = response
            record["responsePayload"] = orjson.Fragment(outcome.payload or b"null")
        return orjson.dumps(record)

    def _attributes(self, condition: str, outcome: Outcome | None) -> dict[str, dict[str, str]]:
        """A dead letter's message attributes: which event, and what its last try ended with."""
        if outcome is not None:
            code, text = "200", _message(outcome.payload)
        elif condition == "ZeroReservedConcurrency":
            code, text = "429", model.NO_CONCURRENCY
        else:
            code, text = "429", model.RATE_EXCEEDED
        text = text.encode()[:ERROR_BYTES].decode(errors="ignore")
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": self._about["request_id"]},
            "ErrorCode": {"DataType": "Number", "StringValue": code},
        }
        if text:
            attributes["ErrorMessage"] = {"DataType": "String", "StringValue": text}
        return attributes


def _message(payload: bytes) -> str:
    """The `errorMessage` of a function's error."""
    try:
        error = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return ""
    return str(error.get("errorMessage") or "") if isinstance(error, dict) else ""
