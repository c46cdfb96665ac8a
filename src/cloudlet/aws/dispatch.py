"""The one way of a request through the house, in AWS's own order of failure:

    authenticate → route → parse → constrain → authorize → validate → run → serialize

`handle` is the outer door (HTTP), `call` the inner one (`ctx.call`): the same constraints, validation and errors.
An `AwsError` becomes bytes in one place, `Dispatcher._failed`; any other exception is a bug: 500, logged with its
traceback and the request id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import ModuleType
from typing import Any

import orjson

from ..context import Context, Encoded, KnownKey, Node, Principal, Service
from ..errors import AwsError, PeerGone
from ..names import request_id, snake
from ..net.messages import Plan, Request, Response
from ..net.requests import Refused
from . import constraints, ec2, json, query, rest, restxml, shapes
from .authorize import Authorizer
from .identity import Identities
from .json import Reader, Writer
from .model import Model, Models, Operation, patch_of, with_forms
from .route import Match, NoService, Router, UnknownOperation
from .sigv4 import Signature, SignatureMismatch, Unauthenticated

PROTOCOLS: dict[str, ModuleType] = {
    "ec2": ec2,
    "json": json,
    "query": query,
    "rest-json": rest,
    "rest-xml": restxml,
}
INTERNAL = "The request processing has failed because of an unknown error, exception or failure."
DEFAULT_LIMIT = 16 * 1024 * 1024
COLLECTED = 1024 * 1024
"""Bodies up to this size are not streamed: it would cost more than it saves."""
STREAM = Plan(stream=True)
ANONYMOUS = Principal("anonymous", "", "")
ROLE_MARGIN = 900.0
ROLES_REMEMBERED = 1024


class Bound:
    """An operation joined to the code that does it: everything about it that doesn't change between requests."""

    __slots__ = (
        "body",
        "decoder",
        "dress",
        "input",
        "inspect",
        "model",
        "operation",
        "patient",
        "permissions",
        "plan",
        "read",
        "run",
        "validate",
        "write",
    )

    def __init__(self, operation: Operation, service: Service, plan: Plan) -> None:
        protocol = PROTOCOLS[operation.model.protocol]
        name = snake(operation.name)
        self.operation = operation
        self.model = operation.model
        self.plan = plan
        self.decoder = (service.decoders or {}).get(operation.name)
        self.dress = service.dress
        self.inspect = service.inspect if _reads_document(operation) else None
        self.patient = operation.name in service.patient
        self.permissions = service.permissions
        payload = operation.output.members.get(operation.output.payload) if operation.output else None
        self.body = payload.name if payload is not None and payload.shape.type == "blob" else ""
        self.read: Reader = protocol.reader(operation, self.decoder)
        self.write: Writer = protocol.writer(operation)
        self.validate: Callable[[dict[str, Any]], dict[str, Any]] | None = getattr(
            service.validation, name, None
        )
        self.run: Callable[[Context, dict[str, Any]], Awaitable[dict[str, Any] | Encoded | None]] = getattr(
            service.operations, name
        )


class Dispatcher:
    """`services` by the botocore model names that they answer for."""

    def __init__(self, node: Node, services: Mapping[str, Service]) -> None:
        self.node = node
        self._account = node.config.account
        self.models = Models()
        self.services = {form: services[name] for form, name in with_forms(services)}
        self.router = Router(self.services, self.models)
        self._streamers = frozenset(name for name in self.services if patch_of(name).get("streams"))
        self.identities = Identities(node)
        self.authorizer = Authorizer(node)
        self._roles: dict[tuple[str, str, str, str], KnownKey] = {}
        self._bound: dict[tuple[str, str], Bound] = {}
        self._targets: dict[str, tuple[Bound, Match]] = {}
        self._plans: dict[str, Plan] = {}
        self._default_plan = Plan(DEFAULT_LIMIT, too_large=self._too_large)

    def plan(self, request: Request) -> Plan:
        """How large a body may be, told from the head alone."""
        known = self._targets.get(request.headers.get("x-amz-target", ""))
        if known is not None:
            return known[0].plan
        name = self.identities.signed_for(request)
        if (
            request.method in ("PUT", "POST")
            and (name in self._streamers or not name)
            and self._streams(request, name)
        ):
            return STREAM
        return self._plan_of(name) if name in self.services else self._default_plan

    def _streams(self, request: Request, name: str) -> bool:
        """Whether the request's body goes to its operation piece by piece. Small ones that say so are collected."""
        length = request.headers.get("content-length", "")
        if (
            not self._streamers
            or "x-amz-target" in request.headers
            or (length.isdigit() and int(length) <= COLLECTED)
        ):
            return False
        try:
            operation = self.router.find(request, name).operation
        except AwsError:
            return False
        payload = operation.input.members.get(operation.input.payload)
        return (
            operation.model.name in self._streamers and payload is not None and payload.shape.type == "blob"
        )

    def handle(self, request: Request) -> Coroutine[Any, Any, Response]:
        return self.handle_operation(request)

    async def handle_operation(
        self,
        request: Request,
        service: str = "",
        operation: str = "",
        labels: Mapping[str, str] | None = None,
        principal: Principal | None = None,
    ) -> Response:
        """Answer a request. An edge that knows better which operation it is for names it, with the path's variables.
        One that asks on its own behalf says as whom."""
        id = request_id()
        bound: Bound | None = None
        try:
            identity = self.identities.of(request)
            if operation:
                bound = self._bind(service, operation)
                match = Match(bound.model, bound.operation, dict(labels or {}))
            else:
                bound, match = self._route(request, identity.service)
            if identity.expires and self.node.clock.now() > identity.expires:
                raise self._expired(bound.model, identity.signature)
            if principal is None:
                principal = identity.principal or await self.identities.principal(identity, request)
                if not identity.access_key and bound.model.patch.get("anonymous"):
                    principal = ANONYMOUS
                elif principal.kind == "root" and request.peer[0] != "127.0.0.1":
                    self.identities.refuse_strangers(request)
            if bound.inspect is not None:
                bound.inspect(request, bound.operation)
            params = bound.read(request, match)
            ctx = Context(self.node, principal, principal.account, identity.region, id, request)
            if principal.kind != "root" or principal.account != self._account:
                await self._authorize(ctx, bound, params)
            if bound.validate is not None:
                params = bound.validate(params)
            request.patient = bound.patient
            answer = bound.write(await bound.run(ctx, params), id)
        except (PeerGone, Refused):
            raise
        except Exception as error:
            answer = self._failed(error, bound.model if bound is not None else None, request, id)
        if bound is not None and bound.dress is not None:
            await bound.dress(self.node, request, match.labels, answer)
        return answer

    async def call(
        self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The inner door: `params` and result in boto3's form."""
        bound = self._bind(service, operation)
        refusal = constraints.check(bound.operation.input, dict(params))
        if refusal is not None:
            raise bound.model.failure("validation", refusal)
        given = dict(params)
        if self._is_asked(ctx.principal):
            await self._authorize(ctx, bound, given)
        if bound.decoder is not None:
            given = bound.decoder(shapes.dumps(shapes.to_json(bound.operation.input, given)))
        if bound.validate is not None:
            given = bound.validate(given)
        result = await bound.run(ctx, given)
        if isinstance(result, Encoded):
            assert bound.operation.output is not None
            return dict(shapes.from_json(bound.operation.output, orjson.loads(result.body)))
        if result is not None and bound.body:
            await _collect(result, bound.body)
        return result or {}

    def _is_asked(self, who: Principal) -> bool:
        """The administrator of this machine is not asked; the roots of other accounts are."""
        return who.kind != "root" or who.account != self._account

    async def _authorize(self, ctx: Context, bound: Bound, params: dict[str, Any]) -> None:
        await self.authorizer.hold(ctx)
        await self.authorizer.check(ctx, bound.model, bound.operation.name, bound.permissions, params)

    async def permits(self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]) -> bool:
        """See `Context.permits`."""
        if not self._is_asked(ctx.principal):
            return True
        permissions = self.services[service].permissions
        await self.authorizer.hold(ctx)
        try:
            await self.authorizer.check(ctx, self.models[service], operation, permissions, dict(params))
        except AwsError:
            return False
        return True

    async def assume(self, ctx: Context, service: str, role: str, session: str, source: str) -> Context:
        """See `Context.as_role`. A session is used until a quarter of an hour before its end."""
        key = service, role, session, source
        known = self._roles.get(key)
        if known is None or known.until < self.node.clock.now() + ROLE_MARGIN:
            if len(self._roles) >= ROLES_REMEMBERED:
                self._roles.clear()
            asked = {"RoleArn": role, "RoleSessionName": session}
            answer = await ctx.as_service(service, source).call("sts", "AssumeRole", asked)
            known = await self.identities.known(answer["Credentials"]["AccessKeyId"])
            assert known is not None
            self._roles[key] = known
        return Context(self.node, known.principal, known.principal.account, ctx.region, ctx.request_id)

    def _route(self, request: Request, signed_for: str) -> tuple[Bound, Match]:
        target = request.headers.get("x-amz-target", "")
        known = self._targets.get(target)
        if known is not None:
            return known
        match = self.router.find(request, signed_for)
        found = self._bind(match.model.name, match.operation.name), match
        if target:
            self._targets[target] = found
        return found

    def _bind(self, service: str, operation: str) -> Bound:
        """The operation, ready to run, or the error that says why there is none."""
        bound = self._bound.get((service, operation))
        if bound is not None:
            return bound
        owner = self.services.get(service)
        if owner is None:
            raise AwsError(
                "NotImplemented", f"Cloudlet does not have the service '{service}' yet", status=501
            )
        model = self.models[service]
        described = model.operations.get(operation)
        if operation in model.left_out:
            raise Unsupported(model, f"Cloudlet does not support {operation}: {model.patch['others']}")
        if described is None:
            raise UnknownOperation(model, f"{service} has no operation {operation}", 400)
        if not hasattr(owner.operations, snake(operation)) or model.protocol not in PROTOCOLS:
            reason = owner.model.UNSUPPORTED.get(operation, "it is not built yet")
            raise Unsupported(model, f"Cloudlet does not support {operation}: {reason}")
        bound = self._bound[service, operation] = Bound(described, owner, self._plan_of(service))
        return bound

    def _plan_of(self, service: str) -> Plan:
        plan = self._plans.get(service)
        if plan is None:
            limit = self.models[service].patch.get("body_limit", DEFAULT_LIMIT)
            plan = self._plans[service] = Plan(limit, too_large=self._too_large)
        return plan

    def _expired(self, model: Model, signature: Signature) -> AwsError:
        error = model.failure("expired_request", "Request has expired", status=403)
        now = shapes.format_timestamp(int(self.node.clock.now()), "iso8601")
        end = shapes.format_timestamp(int(signature.expires), "iso8601")
        error.fields = {"Expires": end, "ServerTime": now}
        if signature.lifetime:
            error.fields["X-Amz-Expires"] = signature.lifetime
        return error

    def _too_large(self, request: Request) -> Response:
        model = self._model_spoken(request)
        limit = self.plan(request).limit
        text = f"Request must be smaller than {limit} bytes"
        return self._failed(model.failure("too_large", text, status=413), model, request, request_id())

    def _failed(self, error: Exception, model: Model | None, request: Request, id: str) -> Response:
        """Any error as the service's own answer."""
        if isinstance(error, UnknownOperation | Unsupported):
            model = error.model
        elif model is None:
            model = self._model_spoken(request)
        if isinstance(error, Unauthenticated):
            text = model.patch.get("texts", {}).get(error.detail)
            status = 400 if model.protocol == "json" or text is not None else error.status
            failure = model.failure(error.kind, text or error.message, status=status)
            if isinstance(error, SignatureMismatch):
                _explain(failure, error, model)
            error = failure
        elif not isinstance(error, AwsError):
            self.node.log.error("request %s to %s failed", id, model.name, exc_info=error)
            error = model.failure("internal", INTERNAL, status=500)
        protocol = PROTOCOLS.get(model.protocol, query)
        response: Response = protocol.failure(model, error, id)
        return response

    def _model_spoken(self, request: Request) -> Model:
        """The model in whose form an early error is told: the service that is meant, else one of the same protocol."""
        try:
            return self.router.find(request, self.identities.signed_for(request)).model
        except UnknownOperation as error:
            return error.model
        except NoService as error:
            return Model.nameless(error.protocol)


def _reads_document(operation: Operation) -> bool:
    payload = operation.input.members.get(operation.input.payload)
    return payload is not None and payload.shape.type != "blob"


def _explain(failure: AwsError, mismatch: SignatureMismatch, model: Model) -> None:
    """What was expected, as the services say it: S3 in members of the error, the JSON protocols in the message."""
    if model.protocol == "rest-xml":
        failure.fields = {
            "AWSAccessKeyId": mismatch.signature.access_key,
            "StringToSign": mismatch.to_sign,
            "SignatureProvided": mismatch.signature.signature,
            "CanonicalRequest": mismatch.canonical,
        }
    elif model.protocol in ("json", "rest-json"):
        failure.message += (
            f"\n\nThe Canonical String for this request should have been\n'{mismatch.canonical}'"
            f"\n\nThe String-to-Sign should have been\n'{mismatch.to_sign}'\n"
        )


async def _collect(result: dict[str, Any], member: str) -> None:
    """A body that would be streamed over the wire is given whole to a caller inside."""
    body = result.get(member)
    if body is not None and not isinstance(body, bytes):
        result[member] = b"".join([piece async for piece in body])


class Unsupported(AwsError):
    """An operation that the service has and Cloudlet has not."""

    def __init__(self, model: Model, message: str) -> None:
        super().__init__(model.failures["unsupported"], message, status=501)
        self.model = model
