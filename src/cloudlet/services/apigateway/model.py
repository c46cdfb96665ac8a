"""API Gateway as data: quotas, defaults, errors, what isn't supported, and the CloudFormation resources.

Quotas are those of "Quotas for configuring and running a WebSocket API in API Gateway". Those that an account can have
raised (500 new connections a second, 10,000 messages a second) are left out: the machine sets them.
"""

from __future__ import annotations

from ...errors import AwsError
from .resources import RESOURCES

__all__ = ["RESOURCES", "UNSUPPORTED"]

MAX_MESSAGE = 128 * 1024
MAX_FRAME = 32 * 1024
IDLE_SECONDS = 600.0
CONNECTION_SECONDS = 7200.0
INTEGRATION_MILLIS = 29_000
MIN_INTEGRATION_MILLIS = 50
ROUTES_PER_API = 300
INTEGRATIONS_PER_API = 300
AUTHORIZERS_PER_API = 10
STAGES_PER_API = 10
TEMPLATE_BYTES = 300 * 1024
ACCESS_LOG_FORMAT_BYTES = 3 * 1024
AUTHORIZER_RESULT_BYTES = 8 * 1024
URL_CHARACTERS = 4096

OUTBOX_BYTES = 1024 * 1024
"""What may wait for a client that doesn't read; one byte more and it is cut off, so that nobody waits for it."""

IN_FLIGHT = 32
"""Messages of one connection whose integrations run at once; the socket isn't read further until one is done."""

AUTHORIZER_CACHE = 1024
"""Authorizer results remembered per stage."""

PAGE = 100
"""Items of a list when MaxResults isn't given."""

MAX_PAGE = 500

DEFAULT_API_KEY_SELECTION = "$request.header.x-api-key"
DEFAULT_RESPONSE_SELECTION = "${integration.response.statuscode}"
DEFAULT_ROUTE_SETTINGS = {"DataTraceEnabled": False, "DetailedMetricsEnabled": False, "LoggingLevel": "OFF"}

AUTO_DEPLOYED = "Automatic deployment triggered by changes to the Api configuration"
NO_ROUTES = "Unable to deploy API because no routes exist in this API"

FORBIDDEN = "Forbidden"
INTERNAL = "Internal server error"
TIMED_OUT = "Endpoint request timed out"
THROTTLED = "Too Many Requests"
BAD_BODY = "Invalid request body"
UNAUTHORIZED = "Unauthorized"
TOO_LONG = "Message too long"
UNSUPPORTED_MEDIA = "Unsupported Media Type"
MASK = "*" * 8
"""Stands for the first digits of an account where it is told to who may not."""
NO_TOKEN = "Missing Authentication Token"
DENIED = "User is not authorized to access this resource"
DENIED_EXPLICITLY = "User is not authorized to access this resource with an explicit deny"

GOING_AWAY = (1001, "Going away")
CLOSED_BY_API = (1000, "Connection Closed Normally")
NO_BINARY = (1003, "")
NOT_READING = (1008, "Client does not read")

CLOSE_REASONS = {
    1001: "Going away",
    1005: "Client-side close frame status not set",
    1006: "Connection closed abnormally",
    1009: TOO_LONG,
}
"""The disconnectReason of closes that came without one."""


def not_found(message: str) -> AwsError:
    return AwsError("NotFoundException", message, status=404)


def bad_request(message: str) -> AwsError:
    return AwsError("BadRequestException", message, status=400)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, status=409)


def api_not_found(account: str, api_id: str) -> AwsError:
    return not_found(f"Invalid API identifier specified {account}:{api_id}")


def child_not_found(noun: str) -> AwsError:
    return not_found(f"Invalid {noun} identifier specified")


def http_api() -> AwsError:
    return bad_request("ProtocolType HTTP is not supported by Cloudlet; APIs of ProtocolType WEBSOCKET are")


def over_quota(what: str) -> AwsError:
    return AwsError(
        "TooManyRequestsException", f"Maximum number of {what} for this API has been reached", status=429
    )


def route_exists(key: str) -> AwsError:
    return conflict(f"Route with key {key} already exists for this API")


def stage_exists() -> AwsError:
    return conflict("Stage already exists")


def integration_in_use(routes: list[str]) -> AwsError:
    ids = ", ".join(routes)
    return conflict(
        f"Cannot delete Integration because it is referenced by the following Routes with Ids: [{ids}]"
    )


def authorizer_in_use(routes: list[str]) -> AwsError:
    ids = ", ".join(routes)
    return conflict(
        f"Cannot delete Authorizer because it is referenced by the following Routes with Ids: [{ids}]"
    )


def deployment_in_use() -> AwsError:
    return bad_request("Active stages pointing to this deployment must be moved or deleted")


def no_routes() -> AwsError:
    return bad_request(NO_ROUTES)


def gone() -> AwsError:
    return AwsError("GoneException", status=410)


def invalid_connection(connection_id: str) -> AwsError:
    return bad_request(f"Invalid connectionId: {connection_id}")


def too_large() -> AwsError:
    return AwsError("PayloadTooLargeException", TOO_LONG, status=413)


def client_full() -> AwsError:
    return AwsError("LimitExceededException", status=429)


_PORTAL = "developer portals are not offered"
_DOMAIN = "custom domain names are not offered; APIs are reached by their own host names"
_VPC = "there are no VPCs on this machine"
_OPENAPI = "OpenAPI import and export belong to HTTP APIs"

UNSUPPORTED: dict[str, str] = {
    **dict.fromkeys(
        (
            "CreatePortal", "CreatePortalProduct", "CreateProductPage", "CreateProductRestEndpointPage",
            "DeletePortal", "DeletePortalProduct", "DeletePortalProductSharingPolicy", "DeleteProductPage",
            "DeleteProductRestEndpointPage", "DisablePortal", "GetPortal", "GetPortalProduct",
            "GetPortalProductSharingPolicy", "GetProductPage", "GetProductRestEndpointPage", "ListPortalProducts",
            "ListPortals", "ListProductPages", "ListProductRestEndpointPages", "PreviewPortal", "PublishPortal",
            "PutPortalProductSharingPolicy", "UpdatePortal", "UpdatePortalProduct", "UpdateProductPage",
            "UpdateProductRestEndpointPage",
        ),
        _PORTAL,
    ),
    **dict.fromkeys(
        (
            "CreateApiMapping", "CreateDomainName", "CreateRoutingRule", "DeleteApiMapping", "DeleteDomainName",
            "DeleteRoutingRule", "GetApiMapping", "GetApiMappings", "GetDomainName", "GetDomainNames",
            "GetRoutingRule", "ListRoutingRules", "PutRoutingRule", "UpdateApiMapping", "UpdateDomainName",
        ),
        _DOMAIN,
    ),
    **dict.fromkeys(("CreateVpcLink", "DeleteVpcLink", "GetVpcLink", "GetVpcLinks", "UpdateVpcLink"), _VPC),
    **dict.fromkeys(("ExportApi", "ImportApi", "ReimportApi"), _OPENAPI),
    "DeleteCorsConfiguration": "CORS belongs to HTTP APIs",
    "GetModelTemplate": "sample templates are not generated",
}  # fmt: skip
