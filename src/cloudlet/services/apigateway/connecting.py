"""The way of a handshake: throttle, authorize, check parameters, run `$connect`; then the upgrade, or why not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from ...aws.sigv4 import Unauthenticated
from ...net.messages import Request, Response, Upgrade
from . import model, policies
from .authorizers import Refused, failed
from .events import Handshake
from .scope import Answer, Scope
from .serving import Route, Stage
from .session import Session

if TYPE_CHECKING:
    from .gateway import Gateway

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAYABLE = re.compile(r"[\0\r\n]")


async def connect(gateway: Gateway, request: Request, stage: Stage) -> Response | Upgrade:
    session = gateway.new_session(
        stage, request.peer[0] or "127.0.0.1", request.headers.get("user-agent", "")
    )
    scope = gateway.scope(session, "$connect", "CONNECT")
    route = stage.connect
    answer = Answer()
    if route is not None:
        shake = scope.handshake = Handshake(request, stage.domain, _port(request))
        try:
            await _admit(route, request, scope, shake, session)
        except Refused as refused:
            gateway.note(scope, Answer(refused.status, log=refused.why))
            return _refusal(refused.status, refused.body, refused.kind, scope.request_id)
        if route.integration is not None:
            event = orjson.dumps(shake.event(scope.context, stage.variables))
            answer = _sayable(await gateway.within(route, scope, event))
            gateway.note(scope, answer)
            if answer.failure is not None:
                return _failure(answer, session, scope)
            if not 200 <= answer.status < 300:
                return Response(answer.status, _headers(answer, scope.request_id), answer.body)
    await gateway.remember(session)
    return Upgrade(
        session,
        subprotocol=answer.headers.get("sec-websocket-protocol"),
        max_message=model.MAX_MESSAGE,
        max_frame=model.MAX_FRAME,
    )


async def _admit(route: Route, request: Request, scope: Scope, shake: Handshake, session: Session) -> None:
    """Everything that can refuse before the integration runs. Raises `Refused`."""
    if route.bucket is not None and not route.bucket.take():
        raise Refused(429, {"message": model.THROTTLED}, "TooManyRequestsException")
    if route.authorization == "AWS_IAM":
        await _admit_signer(request, scope, session)
    if route.authorization == "CUSTOM":
        if route.authorizer is None:
            raise failed("the route's authorizer is not in the deployment")
        session.authorizer = await route.authorizer.authorize(scope, shake)
        scope.forget_context()
    missing = [name for name in route.required if not scope.mapped(name)]
    if missing:
        names = ", ".join(name.rpartition(".")[2] for name in missing)
        raise Refused(
            400, {"message": f"Missing required request parameters: [{names}]"}, "BadRequestException"
        )


async def _admit_signer(request: Request, scope: Scope, session: Session) -> None:
    header = request.headers.get("authorization", "")
    if not header.startswith("AWS4-HMAC-SHA256 ") and "X-Amz-Signature=" not in request.query:
        raise Refused(403, {"message": model.NO_TOKEN}, "MissingAuthenticationTokenException")
    try:
        session.signer = await policies.signer(request, session)
    except Unauthenticated as error:
        kind = {"signature_mismatch": "InvalidSignatureException", "expired_token": "ExpiredTokenException"}
        raise Refused(
            403, {"message": error.message}, kind.get(error.kind, "UnrecognizedClientException")
        ) from None
    why = await policies.refusal(session.signer, request, session)
    if why is not None:
        raise Refused(403, {"Message": why}, "AccessDeniedException", why)
    scope.forget_context()


def _sayable(answer: Answer) -> Answer:
    """The answer, if HTTP can say it: a function or a back end can put anything into its status and headers."""
    if 200 <= answer.status <= 599 and all(
        _TOKEN.fullmatch(name) and _UNSAYABLE.search(value) is None for name, value in answer.headers.items()
    ):
        return answer
    return Answer(
        502, failure=model.INTERNAL, log="the integration answered with a status or header that can't be sent"
    )


def _failure(answer: Answer, session: Session, scope: Scope) -> Response:
    body = {"message": answer.failure, "connectionId": session.id, "requestId": scope.request_id}
    return _refusal(answer.status, body, "InternalServerErrorException", scope.request_id)


def _refusal(status: int, body: dict[str, Any], kind: str, request_id: str) -> Response:
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", request_id),
        ("x-amzn-ErrorType", kind),
    ]
    return Response(status, headers, orjson.dumps(body))


def _headers(answer: Answer, request_id: str) -> list[tuple[str, str]]:
    """What a refusing integration said, without what belongs to the connection."""
    kept = [
        (name, value)
        for name, value in answer.headers.items()
        if name not in ("connection", "content-length", "date", "transfer-encoding", "upgrade")
    ]
    if "content-type" not in answer.headers:
        kept.append(("Content-Type", "application/json"))
    return [*kept, ("x-amzn-RequestId", request_id)]


def _port(request: Request) -> str:
    port = request.host.rpartition(":")[2]
    return port if port.isdigit() else "443" if request.scheme == "https" else "80"
