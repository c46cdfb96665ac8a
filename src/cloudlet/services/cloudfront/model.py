"""CloudFront's facts: quotas, limits of the cache, errors with their texts, what isn't built.

Quotas are those of "Quotas" in the CloudFront Developer Guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import AwsError
from .resources import RESOURCES as RESOURCES

MAX_DISTRIBUTIONS = 500
MAX_ALIASES = 100
MAX_ORIGINS = 100
MAX_ORIGIN_GROUPS = 10
MAX_BEHAVIORS = 75
MAX_CUSTOM_HEADERS = 30
MAX_FORWARDED_HEADERS = 10
MAX_COOKIES = 10
MAX_QUERY_STRINGS = 10
MAX_IDENTITIES = 100
MAX_ACCESS_CONTROLS = 100
MAX_POLICIES = 20
MAX_RESPONSE_HEADERS = 10
MAX_CSP = 1783
MAX_PATHS = 3000
MAX_TAGS = 50
MAX_URL = 8192
MAX_NAME = 128
PAGE = 100

CACHE_BYTES = 128 * 1024 * 1024
"""Of all distributions together; then what was used least recently goes. Ours: an edge location's isn't told."""
OBJECT_BYTES = 16 * 1024 * 1024
"""A larger object passes through without being kept. AWS keeps up to 50 GB."""
BODY_BYTES = 16 * 1024 * 1024
"""Of a request to a host of this node that isn't a bucket."""
COMPRESS_MIN, COMPRESS_MAX = 1_000, 10_000_000
"""Sizes that are compressed: "Serve compressed files"."""
ERROR_TTL = 10
"""Seconds for which an error is kept: "Control how long CloudFront caches errors"."""
ALWAYS_CACHED_ERRORS = frozenset((404, 414, 500, 501, 502, 503, 504))
SOMETIMES_CACHED_ERRORS = frozenset((400, 403, 405, 412, 415))
"""Kept if there is a custom error response for it, or if the origin says for how long."""
CUSTOM_ERROR_CODES = frozenset((400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504))
RESPONSE_CODES = CUSTOM_ERROR_CODES | {200}
POP = "LCL50-C1"
METHODS = (
    frozenset(("GET", "HEAD")),
    frozenset(("GET", "HEAD", "OPTIONS")),
    frozenset(("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")),
)
"""The sets of methods that a behavior can allow; the first two it can cache."""

ERRORS: dict[str, tuple[int, str]] = {
    "BatchTooLarge": (413, "Your request contains more paths than are allowed in one invalidation."),
    "CNAMEAlreadyExists": (
        409, "One or more of the CNAMEs you provided are already associated with a different resource.",
    ),
    "CachePolicyAlreadyExists": (409, "A cache policy with this name already exists."),
    "CachePolicyInUse": (409, "The specified policy is currently associated with a distribution."),
    "CloudFrontOriginAccessIdentityAlreadyExists": (
        409, "The caller reference you attempted to create the origin access identity with is already in use.",
    ),
    "CloudFrontOriginAccessIdentityInUse": (
        409, "The CloudFront origin access identity you are trying to delete is still in use.",
    ),
    "DistributionAlreadyExists": (
        409,
        ("The caller reference that you are using to create a distribution is associated with another "
        "distribution."),
    ),
    "DistributionNotDisabled": (409, "The distribution you are trying to delete has not been disabled."),
    "IllegalDelete": (400, "You cannot delete a policy that is managed by AWS."),
    "IllegalOriginAccessConfiguration": (
        400, "An origin can't have both an origin access control and an origin access identity.",
    ),
    "IllegalUpdate": (400, "The update contains modifications that are not allowed."),
    "InconsistentQuantities": (400, "The value of Quantity and the size of Items do not match."),
    "InvalidArgument": (400, "The argument is invalid."),
    "InvalidDefaultRootObject": (
        400, "The default root object file name is too big or contains an invalid character.",
    ),
    "InvalidErrorCode": (400, "The error code is not one for which there can be a custom error response."),
    "InvalidIfMatchVersion": (400, "The If-Match version is missing or not valid for the resource."),
    "InvalidOrigin": (400, "The specified origin server does not exist or is not valid."),
    "InvalidOriginAccessControl": (400, "The specified origin access control does not exist or is not valid."),
    "InvalidOriginAccessIdentity": (400, "The specified origin access identity does not exist or is not valid."),
    "InvalidRelativePath": (
        400, "The relative path is too big, is not URL-encoded, or does not begin with a slash (/).",
    ),
    "InvalidResponseCode": (400, "The response code is not valid."),
    "InvalidTTLOrder": (400, "The TTL order specified is not valid: minimum, default and maximum must not decrease."),
    "InvalidTagging": (400, "The tagging specified is not valid."),
    "InvalidViewerCertificate": (
        400,
        ("To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate "
        "that validates your authorization to use the domain name."),
    ),
    "NoSuchCachePolicy": (404, "The specified cache policy does not exist."),
    "NoSuchCloudFrontOriginAccessIdentity": (404, "The specified origin access identity does not exist."),
    "NoSuchDistribution": (404, "The specified distribution does not exist."),
    "NoSuchInvalidation": (404, "The specified invalidation does not exist."),
    "NoSuchOrigin": (404, "One or more of your origins or origin groups do not exist."),
    "NoSuchOriginAccessControl": (404, "The specified origin access control does not exist."),
    "NoSuchOriginRequestPolicy": (404, "The specified origin request policy does not exist."),
    "NoSuchResource": (404, "The specified resource does not exist."),
    "NoSuchResponseHeadersPolicy": (404, "The specified response headers policy does not exist."),
    "OriginAccessControlAlreadyExists": (409, "An origin access control with this name already exists."),
    "OriginAccessControlInUse": (409, "The origin access control is in use by a distribution."),
    "OriginRequestPolicyAlreadyExists": (409, "An origin request policy with this name already exists."),
    "OriginRequestPolicyInUse": (409, "The specified policy is currently associated with a distribution."),
    "PreconditionFailed": (
        412, "The request failed because it didn't meet the preconditions in one or more request-header fields.",
    ),
    "ResponseHeadersPolicyAlreadyExists": (409, "A response headers policy with this name already exists."),
    "ResponseHeadersPolicyInUse": (409, "The specified policy is currently associated with a distribution."),
    "TooLongCSPInResponseHeadersPolicy": (400, f"A Content-Security-Policy has up to {MAX_CSP} characters."),
    "TooManyCacheBehaviors": (400, f"A distribution has up to {MAX_BEHAVIORS} cache behaviors."),
    "TooManyCachePolicies": (400, f"There can be {MAX_POLICIES} cache policies in an account."),
    "TooManyCloudFrontOriginAccessIdentities": (
        400, f"There can be {MAX_IDENTITIES} origin access identities in an account.",
    ),
    "TooManyCookieNamesInWhiteList": (400, f"A behavior forwards up to {MAX_COOKIES} cookies by name."),
    "TooManyCookiesInCachePolicy": (400, f"A cache policy names up to {MAX_COOKIES} cookies."),
    "TooManyCookiesInOriginRequestPolicy": (400, f"An origin request policy names up to {MAX_COOKIES} cookies."),
    "TooManyCustomHeadersInResponseHeadersPolicy": (
        400, f"A response headers policy has up to {MAX_RESPONSE_HEADERS} custom headers.",
    ),
    "TooManyDistributionCNAMEs": (400, f"A distribution has up to {MAX_ALIASES} alternate domain names."),
    "TooManyDistributions": (400, f"There can be {MAX_DISTRIBUTIONS} distributions in an account."),
    "TooManyHeadersInCachePolicy": (400, f"A cache policy names up to {MAX_FORWARDED_HEADERS} headers."),
    "TooManyHeadersInForwardedValues": (400, f"A behavior forwards up to {MAX_FORWARDED_HEADERS} headers by name."),
    "TooManyHeadersInOriginRequestPolicy": (
        400, f"An origin request policy names up to {MAX_FORWARDED_HEADERS} headers.",
    ),
    "TooManyOriginAccessControls": (
        400, f"There can be {MAX_ACCESS_CONTROLS} origin access controls in an account.",
    ),
    "TooManyOriginCustomHeaders": (400, f"An origin has up to {MAX_CUSTOM_HEADERS} custom headers."),
    "TooManyOriginGroupsPerDistribution": (400, f"A distribution has up to {MAX_ORIGIN_GROUPS} origin groups."),
    "TooManyOriginRequestPolicies": (400, f"There can be {MAX_POLICIES} origin request policies in an account."),
    "TooManyOrigins": (400, f"A distribution has up to {MAX_ORIGINS} origins."),
    "TooManyQueryStringParameters": (400, f"A behavior names up to {MAX_QUERY_STRINGS} query string parameters."),
    "TooManyQueryStringsInCachePolicy": (400, f"A cache policy names up to {MAX_QUERY_STRINGS} query strings."),
    "TooManyQueryStringsInOriginRequestPolicy": (
        400, f"An origin request policy names up to {MAX_QUERY_STRINGS} query strings.",
    ),
    "TooManyRemoveHeadersInResponseHeadersPolicy": (
        400, f"A response headers policy removes up to {MAX_RESPONSE_HEADERS} headers.",
    ),
    "TooManyResponseHeadersPolicies": (400, f"There can be {MAX_POLICIES} response headers policies in an account."),
}  # fmt: skip


def error(code: str, message: str = "") -> AwsError:
    status, text = ERRORS[code]
    return AwsError(code, message or text, status=status)


def invalid(message: str) -> AwsError:
    return error("InvalidArgument", message)


def not_here(what: str) -> AwsError:
    """A part of a configuration that isn't built."""
    return AwsError("UnsupportedOperation", f"Cloudlet does not support {what}", status=400)


@dataclass(slots=True, frozen=True)
class Noun:
    """What has a configuration, a version and an id, beside distributions: how its operations and errors are called."""

    key: str
    member: str
    path: str
    unique: str
    """The member of the configuration that no other of the account may have."""
    missing: str
    exists: str
    in_use: str
    too_many: str
    most: int

    @property
    def config(self) -> str:
        return f"{self.member}Config"


CACHE_POLICY = Noun(
    "cache-policy", "CachePolicy", "cache-policy", "Name", "NoSuchCachePolicy", "CachePolicyAlreadyExists",
    "CachePolicyInUse", "TooManyCachePolicies", MAX_POLICIES,
)  # fmt: skip
ORIGIN_REQUEST_POLICY = Noun(
    "origin-request-policy", "OriginRequestPolicy", "origin-request-policy", "Name", "NoSuchOriginRequestPolicy",
    "OriginRequestPolicyAlreadyExists", "OriginRequestPolicyInUse", "TooManyOriginRequestPolicies", MAX_POLICIES,
)  # fmt: skip
RESPONSE_HEADERS_POLICY = Noun(
    "response-headers-policy", "ResponseHeadersPolicy", "response-headers-policy", "Name",
    "NoSuchResponseHeadersPolicy", "ResponseHeadersPolicyAlreadyExists", "ResponseHeadersPolicyInUse",
    "TooManyResponseHeadersPolicies", MAX_POLICIES,
)  # fmt: skip
ACCESS_CONTROL = Noun(
    "origin-access-control", "OriginAccessControl", "origin-access-control", "Name", "NoSuchOriginAccessControl",
    "OriginAccessControlAlreadyExists", "OriginAccessControlInUse", "TooManyOriginAccessControls",
    MAX_ACCESS_CONTROLS,
)  # fmt: skip
ACCESS_IDENTITY = Noun(
    "origin-access-identity", "CloudFrontOriginAccessIdentity", "origin-access-identity/cloudfront",
    "CallerReference", "NoSuchCloudFrontOriginAccessIdentity", "CloudFrontOriginAccessIdentityAlreadyExists",
    "CloudFrontOriginAccessIdentityInUse", "TooManyCloudFrontOriginAccessIdentities", MAX_IDENTITIES,
)  # fmt: skip

DEFAULTS: dict[str, Any] = {
    "Aliases": {"Quantity": 0},
    "DefaultRootObject": "",
    "OriginGroups": {"Quantity": 0},
    "CacheBehaviors": {"Quantity": 0},
    "CustomErrorResponses": {"Quantity": 0},
    "Comment": "",
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
    "PriceClass": "PriceClass_All",
    "ViewerCertificate": {
        "CloudFrontDefaultCertificate": True, "SSLSupportMethod": "vip", "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
    },
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    "WebACLId": "",
    "HttpVersion": "http2",
    "IsIPV6Enabled": False,
    "ContinuousDeploymentPolicyId": "",
    "Staging": False,
}  # fmt: skip
"""What a distribution's configuration has where the request is silent."""

_LATER = "it is not built yet"
_AREAS = {
    "functions at the edge are not built yet": ("Function", "KeyValueStore"),
    "signed URLs and cookies are not built yet": ("KeyGroup", "PublicKey"),
    "multi-tenant distributions are not built yet": (
        "Tenant", "ConnectionGroup", "Domain", "ManagedCertificate", "VerifyDns",
    ),
    "field-level encryption is not built": ("FieldLevelEncryption",),
    "real-time logs and metrics are not built": ("RealtimeLog", "MonitoringSubscription"),
    "continuous deployment is not built": ("ContinuousDeployment", "Staging"),
    "RTMP distributions are gone at AWS": ("StreamingDistribution",),
    "there is no AWS WAF here": ("WebACL",),
    "it needs parts of AWS's network that have no counterpart here": (
        "AnycastIp", "VpcOrigin", "TrustStore", "ConnectionMode",
    ),
}  # fmt: skip
_OPERATIONS = """
AssociateDistributionTenantWebACL AssociateDistributionWebACL CreateAnycastIpList CreateConnectionFunction
CreateConnectionGroup CreateContinuousDeploymentPolicy CreateDistributionTenant CreateFieldLevelEncryptionConfig
CreateFieldLevelEncryptionProfile CreateFunction CreateInvalidationForDistributionTenant CreateKeyGroup
CreateKeyValueStore CreateMonitoringSubscription CreatePublicKey CreateRealtimeLogConfig CreateStreamingDistribution
CreateStreamingDistributionWithTags CreateTrustStore CreateVpcOrigin DeleteAnycastIpList DeleteConnectionFunction
DeleteConnectionGroup DeleteContinuousDeploymentPolicy DeleteDistributionTenant DeleteFieldLevelEncryptionConfig
DeleteFieldLevelEncryptionProfile DeleteFunction DeleteKeyGroup DeleteKeyValueStore DeleteMonitoringSubscription
DeletePublicKey DeleteRealtimeLogConfig DeleteResourcePolicy DeleteStreamingDistribution DeleteTrustStore
DeleteVpcOrigin DescribeConnectionFunction DescribeFunction DescribeKeyValueStore
DisassociateDistributionTenantWebACL DisassociateDistributionWebACL GetAnycastIpList GetConnectionFunction
GetConnectionGroup GetConnectionGroupByRoutingEndpoint GetContinuousDeploymentPolicy
GetContinuousDeploymentPolicyConfig GetDistributionTenant GetDistributionTenantByDomain GetFieldLevelEncryption
GetFieldLevelEncryptionConfig GetFieldLevelEncryptionProfile GetFieldLevelEncryptionProfileConfig GetFunction
GetInvalidationForDistributionTenant GetKeyGroup GetKeyGroupConfig GetManagedCertificateDetails
GetMonitoringSubscription GetPublicKey GetPublicKeyConfig GetRealtimeLogConfig GetResourcePolicy
GetStreamingDistribution GetStreamingDistributionConfig GetTrustStore GetVpcOrigin ListAnycastIpLists
ListConnectionFunctions ListConnectionGroups ListContinuousDeploymentPolicies ListDistributionTenants
ListDistributionTenantsByCustomization ListDistributionsByAnycastIpListId ListDistributionsByConnectionFunction
ListDistributionsByConnectionMode ListDistributionsByKeyGroup ListDistributionsByOwnedResource
ListDistributionsByRealtimeLogConfig ListDistributionsByTrustStore ListDistributionsByVpcOriginId
ListDistributionsByWebACLId ListDomainConflicts ListFieldLevelEncryptionConfigs ListFieldLevelEncryptionProfiles
ListFunctions ListInvalidationsForDistributionTenant ListKeyGroups ListKeyValueStores ListPublicKeys
ListRealtimeLogConfigs ListStreamingDistributions ListTrustStores ListVpcOrigins PublishConnectionFunction
PublishFunction PutResourcePolicy TestConnectionFunction TestFunction UpdateAnycastIpList UpdateConnectionFunction
UpdateConnectionGroup UpdateContinuousDeploymentPolicy UpdateDistributionTenant UpdateDistributionWithStagingConfig
UpdateDomainAssociation UpdateFieldLevelEncryptionConfig UpdateFieldLevelEncryptionProfile UpdateFunction
UpdateKeyGroup UpdateKeyValueStore UpdatePublicKey UpdateRealtimeLogConfig UpdateStreamingDistribution
UpdateTrustStore UpdateVpcOrigin VerifyDnsConfiguration
"""


def _reason(operation: str) -> str:
    return next((r for r, words in _AREAS.items() if any(word in operation for word in words)), _LATER)


UNSUPPORTED: dict[str, str] = {operation: _reason(operation) for operation in _OPERATIONS.split()}
