"""A stage as the gateway serves it: its deployment's records compiled into a routing table.

A `Stage` lives as long as somebody is connected to it or asks for it; `load` puts a newer deployment into the same
object, so that sessions see it with their next message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ...context import Context, Node, Principal
from ...names import arn
from . import events, selection
from .accesslog import AccessLog
from .authorizers import Authorizer
from .integrations import Broken, Integration, NewContext, compile_integration, with_variables
from .schema import Schema
from .scope import NOT_JSON, Scope
from .storage import Record
from .throttle import Bucket, bucket

if TYPE_CHECKING:
    from .session import Session

SERVICE = "apigateway.amazonaws.com"
ROLE_SESSION = "BackplaneAssumeRoleSession"


class Route:
    __slots__ = (
        "authorization", "authorizer", "bucket", "integration", "key", "models", "prefix", "required", "text_to_binary",
        "two_way",
    )  # fmt: skip

    def __init__(self, record: Record, stage: Stage, served: Record) -> None:
        snapshot = served["Snapshot"]
        self.key: str = record["RouteKey"]
        self.prefix = events.message_prefix(self.key)
        self.integration, integration = _integration(record, stage, snapshot)
        self.text_to_binary = integration.get("ContentHandlingStrategy") == "CONVERT_TO_BINARY"
        self.two_way = bool(record["Responses"])
        self.authorization: str = record["AuthorizationType"]
        self.authorizer = stage.authorizers.get(record.get("AuthorizerId", ""))
        self.required = [
            name for name, rule in record.get("RequestParameters", {}).items() if rule.get("Required")
        ]
        settings = {
            **served["Stage"]["DefaultRouteSettings"],
            **served["Stage"]["RouteSettings"].get(self.key, {}),
        }
        self.bucket: Bucket | None = bucket(stage.node.clock, settings)
        self.models: Models | None = None
        if record.get("RequestModels") and not snapshot["DisableSchemaValidation"]:
            self.models = Models(record, snapshot["Models"])


class Models:
    """Which schema a message has to keep to."""

    def __init__(self, route: Record, records: list[Record]) -> None:
        schemas = {record["Name"]: Schema(orjson.loads(record["Schema"])) for record in records}
        self._selection = selection.parse(route.get("ModelSelectionExpression", "\\$default"))
        self._schemas = {
            key: schemas[name] for key, name in route["RequestModels"].items() if name in schemas
        }

    def refuses(self, scope: Scope) -> str | None:
        """Why the message isn't what the model says; None if it is, or if no model is selected."""
        key = self._selection.select(scope.lookup)
        schema = self._schemas.get(key) if key is not None else None
        if schema is None:
            schema = self._schemas.get("$default")
        if schema is None:
            return None
        if scope.parsed is NOT_JSON:
            return "not JSON"
        return schema.check(scope.parsed)


def _integration(record: Record, stage: Stage, snapshot: Record) -> tuple[Integration | None, Record]:
    target = record.get("Target")
    if target is None:
        return None, {}
    id = target.removeprefix("integrations/")
    for integration in snapshot["Integrations"]:
        if integration["IntegrationId"] == id:
            role = with_variables(integration.get("CredentialsArn", ""), stage.variables)
            caller = stage.caller(f"{stage.arn}/{record['RouteKey']}", role)
            return compile_integration(integration, stage.variables, caller), integration
    return Broken(f"the route's integration {id} is not in the deployment"), {}


class Stage:
    """One stage of one API, as it is served now."""

    def __init__(self, node: Node, served: Record) -> None:
        self.node = node
        self.account: str = served["Account"]
        self.region: str = served["Region"]
        self.api_id: str = served["ApiId"]
        self.name: str = served["Stage"]["StageName"]
        self.domain = f"{self.api_id}.execute-api.{self.region}.amazonaws.com"
        self.arn = arn("execute-api", self.region, self.account, f"{self.api_id}/{self.name}")
        self.sessions: set[Session] = set()
        self._served: Record = {}
        self._authorizers_from: Any = None
        self.authorizers: dict[str, Authorizer] = {}
        self.load(served)

    def load(self, served: Record) -> None:
        """Serve what the record says from now on."""
        if served == self._served:
            return
        self._served = served
        stage, snapshot = served["Stage"], served["Snapshot"]
        self.variables: Mapping[str, str] = stage["StageVariables"]
        origin = (snapshot["Authorizers"], stage["StageVariables"], served["Flush"])
        if origin != self._authorizers_from:
            self._authorizers_from = origin
            self.authorizers = {
                record["AuthorizerId"]: Authorizer(record, self.variables, self._authorizing(record))
                for record in snapshot["Authorizers"]
            }
        routes = {record["RouteKey"]: Route(record, self, served) for record in snapshot["Routes"]}
        self.connect = routes.pop("$connect", None)
        self.disconnect = routes.pop("$disconnect", None)
        self.default = routes.pop("$default", None)
        self._routes = routes
        self._selection = selection.parse(snapshot["RouteSelectionExpression"])
        self._member = _one_member(self._selection)
        self.log = AccessLog.of(stage.get("AccessLogSettings"), self)
        for session in self.sessions:
            session.stage_changed()

    def caller(self, source: str, role: str = "") -> NewContext:
        """Makes contexts for calls on behalf of `source`, an ARN: as the gateway, or as the role it is given."""
        principal = Principal("service", self.account, SERVICE, source)

        async def context() -> Context:
            made = Context(self.node, principal, self.account, self.region)
            return await made.as_role(SERVICE, role, ROLE_SESSION, source) if role else made

        return context

    def _authorizing(self, record: Record) -> NewContext:
        id = record["AuthorizerId"]
        source = arn("execute-api", self.region, self.account, f"{self.api_id}/authorizers/{id}")
        return self.caller(source, record.get("AuthorizerCredentialsArn", ""))

    def route_for(self, session: Session, payload: bytes) -> Route | None:
        """The route of a message: the one that the expression selects, else $default."""
        if self._member is not None:
            try:
                body = orjson.loads(payload)
            except orjson.JSONDecodeError:
                return self.default
            key = body.get(self._member) if type(body) is dict else None
            if key is None:
                return self.default
            if type(key) is not str:
                key = selection.stringify(key)
        else:
            scope = Scope(session, "", "MESSAGE", "", 0, payload)
            key = self._selection.select(scope.lookup)
        return self._routes.get(key, self.default)


def _one_member(expression: selection.Selection) -> str | None:
    """The name, if the expression is `$request.body.name`: what nearly every API has."""
    parts = expression.parts
    if len(parts) == 1 and isinstance(parts[0], selection.Reference):
        reference = parts[0]
        if reference.root == "request" and reference.source == "body" and len(reference.steps) == 1:
            return str(reference.steps[0])
    return None
