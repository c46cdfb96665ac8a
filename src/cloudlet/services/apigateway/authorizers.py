"""Lambda REQUEST authorizers on $connect: identity sources, the function's answer, how long it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ...errors import AwsError
from . import model, policies, selection
from .integrations import NewContext, function_of, with_variables
from .scope import NOT_JSON, Scope, parse_json
from .storage import Record

if TYPE_CHECKING:
    from .events import Handshake


class Refused(Exception):
    """The connection is refused with this status and body."""

    def __init__(self, status: int, body: dict[str, Any], kind: str, why: str = "") -> None:
        super().__init__(why or body)
        self.status = status
        self.body = body
        self.kind = kind
        """The gateway response's type, as in `x-amzn-ErrorType`."""
        self.why = why


def unauthorized() -> Refused:
    return Refused(401, {"message": model.UNAUTHORIZED}, "UnauthorizedException")


def failed(why: str) -> Refused:
    """What AWS says when the authorizer itself is at fault."""
    return Refused(500, {"message": model.INTERNAL}, "AuthorizerFailureException", why)


class Authorizer:
    def __init__(self, record: Record, variables: Mapping[str, str], context: NewContext) -> None:
        self._function = function_of(with_variables(record["AuthorizerUri"], variables))
        self._sources: list[str] = record.get("IdentitySource", [])
        self._ttl: int = record.get("AuthorizerResultTtlInSeconds", 0)
        self._context = context
        self._cache: dict[tuple[str, ...], tuple[float, dict[str, Any]]] = {}

    async def authorize(self, scope: Scope, shake: Handshake) -> dict[str, Any]:
        """What `requestContext.authorizer` is from now on. Raises `Refused`."""
        identity = []
        for source in self._sources:
            value = scope.mapped(source)
            if not value:
                raise unauthorized()
            identity.append(value)
        stage = scope.session.stage
        arn = f"{stage.arn}/$connect"
        clock = scope.session.gateway.clock
        began = clock.monotonic()
        returned = await self._ask(tuple(identity), scope, shake, arn)
        latency = int((clock.monotonic() - began) * 1000)
        values = {"aws:SourceIp": scope.session.source_ip, "aws:UserAgent": scope.session.user_agent}
        try:
            verdict = policies.decide(returned["policyDocument"], arn, values)
        except policies.BadPolicy as error:
            raise failed(f"Invalid policy document: {error}") from None
        if verdict == policies.DENIED:
            raise Refused(403, {"Message": model.DENIED}, "AccessDeniedException")
        if verdict == policies.EXPLICITLY_DENIED:
            raise Refused(403, {"Message": model.DENIED_EXPLICITLY}, "AccessDeniedException")
        context = {key: selection.stringify(value) for key, value in (returned.get("context") or {}).items()}
        return {"principalId": returned["principalId"], **context, "integrationLatency": latency}

    async def _ask(
        self, identity: tuple[str, ...], scope: Scope, shake: Handshake, arn: str
    ) -> dict[str, Any]:
        now = scope.session.gateway.clock.now()
        remembered = self._cache.get(identity)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        event = shake.authorizer_event(arn, scope.context, scope.session.stage.variables)
        work = self._invoke(orjson.dumps(event))
        returned = await scope.session.gateway.at_most(model.INTEGRATION_MILLIS / 1000, work, cancels=False)
        if returned is None:
            raise failed("the authorizer's function took too long")
        if self._ttl > 0 and identity:
            if len(self._cache) >= model.AUTHORIZER_CACHE:
                self._cache.clear()
            self._cache[identity] = (now + self._ttl, returned)
        return returned

    async def _invoke(self, event: bytes) -> dict[str, Any]:
        if self._function is None:
            raise failed("the authorizer's URI names no function")
        try:
            result = await (await self._context()).call(
                "lambda", "Invoke", {"FunctionName": self._function, "Payload": event}
            )
        except AwsError as error:
            raise failed(f"{error.code}: {error.message}") from None
        payload: bytes = result.get("Payload", b"")
        returned = parse_json(payload)
        if "FunctionError" in result:
            # AWS: a function that fails with exactly this message says 401
            if isinstance(returned, dict) and returned.get("errorMessage") == model.UNAUTHORIZED:
                raise unauthorized()
            raise failed(payload.decode(errors="replace"))
        return _checked(returned, payload)


def _checked(returned: Any, payload: bytes) -> dict[str, Any]:
    if returned is NOT_JSON or not isinstance(returned, dict):
        raise failed("the authorizer's function returned no object")
    if not isinstance(returned.get("principalId"), str) or "policyDocument" not in returned:
        raise failed("the authorizer's function must return principalId and policyDocument")
    context = returned.get("context")
    if context is not None and (
        not isinstance(context, dict)
        or not all(isinstance(value, str | int | float | bool) for value in context.values())
    ):
        raise failed("the context that an authorizer's function returns has strings, numbers and booleans")
    if len(payload) > model.AUTHORIZER_RESULT_BYTES:
        raise failed("the authorizer's result is larger than 8 KB")
    return returned
