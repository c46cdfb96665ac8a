"""S3's facts: quotas, error codes with their texts and statuses, canned ACLs, what isn't built.

Quotas are those of "Amazon S3 objects overview", "Multipart upload limits" and "Bucket naming rules" in the User Guide.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from ...errors import AwsError
from .resources import RESOURCES as RESOURCES

MAX_OBJECT = 5 * 1024**4
MAX_PUT = 5 * 1024**3
MIN_PART = 5 * 1024**2
MAX_PARTS = 10_000
MAX_KEY = 1024
MAX_METADATA = 2048
MAX_POLICY = 20 * 1024
MAX_OBJECT_TAGS = 10
MAX_BUCKET_TAGS = 50
MAX_DELETES = 1000
MAX_ROUTING_RULES = 50
MAX_BUCKETS = 10_000
"""Of one page of ListBuckets."""
PAGE = 1000
INLINE = 64 * 1024
"""Bodies up to this size lie in the store, larger ones in files."""

STORAGE_CLASSES = frozenset((
    "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
    "DEEP_ARCHIVE", "GLACIER_IR",
))  # fmt: skip
ATTRIBUTES = frozenset(("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"))
OWNERSHIPS = frozenset(("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"))
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
CANNED: dict[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((ALL_USERS, "READ"),),
    "public-read-write": ((ALL_USERS, "READ"), (ALL_USERS, "WRITE")),
    "authenticated-read": ((AUTHENTICATED, "READ"),),
    "aws-exec-read": (),
    "log-delivery-write": ((LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")),
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
}
PERMISSIONS = frozenset(("FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"))
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

ERRORS: dict[str, tuple[int, str]] = {
    "AccessControlListNotSupported": (400, "The bucket does not allow ACLs"),
    "AccessForbidden": (403, "CORSResponse: This CORS request is not allowed."),
    "IllegalVersioningConfigurationException": (
        400, "The Versioning element must be specified",
    ),
    "InvalidBucketAclWithObjectOwnership": (
        400, "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    ),
    "InvalidBucketAclWithBlockPublicAccessError": (
        400, "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
    ),
    "MissingSecurityHeader": (400, "Your request was missing a required header"),
    "AccessDenied": (403, "Access Denied"),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "BadRequest": (400, f"Object tags cannot be greater than {MAX_OBJECT_TAGS}"),
    "BucketAlreadyExists": (
        409,
        ("The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        "Please select a different name and try again."),
    ),
    "BucketAlreadyOwnedByYou": (
        409, "Your previous request to create the named bucket succeeded and you already own it.",
    ),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty"),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed size"),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed size"),
    "IllegalLocationConstraintException": (
        400,
        ("The unspecified location constraint is incompatible for the region specific endpoint this request was "
        "sent to."),
    ),
    "IncompleteBody": (
        400, "You did not provide the number of bytes specified by the Content-Length HTTP header",
    ),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidDigest": (400, "The Content-MD5 you specified was invalid."),
    "InvalidLocationConstraint": (400, "The specified location-constraint is not valid"),
    "InvalidPart": (
        400,
        ("One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
        "specified entity tag may not match the part's entity tag."),
    ),
    "InvalidPartNumber": (416, "The requested partnumber is not satisfiable"),
    "InvalidPartOrder": (
        400, "The list of parts was not in ascending order. Parts must be ordered by part number.",
    ),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InvalidRedirectLocation": (
        400, "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    ),
    "InvalidRequest": (400, "Invalid Request"),
    "InvalidStorageClass": (400, "The storage class you specified is not valid"),
    "InvalidTag": (400, "The TagValue you have provided is invalid"),
    "KeyTooLongError": (400, "Your key is too long"),
    "MalformedACLError": (
        400, "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    "MalformedPolicy": (400, "Policies must be valid JSON and the first byte must be '{'"),
    "MalformedXML": (
        400, "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    "MalformedTrailerError": (
        400,
        ("The request contained trailing data that was not well-formed or did not conform to our published "
        "schema."),
    ),
    "MalformedPOSTRequest": (
        400, "The body of your POST request is not well-formed multipart/form-data.",
    ),
    "MaxPostPreDataLengthExceededError": (
        400, "Your POST request fields preceding the upload file were too large.",
    ),
    "InvalidPolicyDocument": (
        400, "The content of the form does not meet the conditions specified in the policy document.",
    ),
    "SignatureDoesNotMatch": (403, ""),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed metadata size"),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchBucketPolicy": (404, "The bucket policy does not exist"),
    "NoSuchCORSConfiguration": (404, "The CORS configuration does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchPublicAccessBlockConfiguration": (404, "The public access block configuration was not found"),
    "NoSuchTagSet": (404, "The TagSet does not exist"),
    "NoSuchUpload": (
        404,
        ("The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
        "or completed."),
    ),
    "NoSuchWebsiteConfiguration": (404, "The specified bucket does not have a website configuration"),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "NotImplemented": (501, "A header you provided implies functionality that is not implemented"),
    "OwnershipControlsNotFoundError": (404, "The bucket ownership controls were not found"),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "XAmzContentSHA256Mismatch": (
        400, "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
}  # fmt: skip


def error(code: str, message: str = "", **fields: Any) -> AwsError:
    status, text = ERRORS[code]
    return AwsError(code, message or text, status=status, fields=fields)


def invalid(name: str, value: Any, message: str) -> AwsError:
    fields = {"ArgumentName": name, "ArgumentValue": value}
    return AwsError("InvalidArgument", message, status=400, fields=fields)


def not_modified(etag: str, modified: str, control: str | None) -> AwsError:
    """`control`: the object's Cache-Control, which lets a cache keep it for longer."""
    fields = {"ETag": etag, "last-modified": modified, **({"cache-control": control} if control else {})}
    return AwsError("NotModified", "Not Modified", status=304, fields=fields)


def precondition(name: str) -> AwsError:
    return error("PreconditionFailed", Condition=name)


@lru_cache(maxsize=1024)
def canonical_id(account: str) -> str:
    """The canonical user id of an account."""
    return hashlib.sha256(f"canonical user of {account}".encode()).hexdigest()


_LATER = "it is not built yet"
_AREAS = {
    "it needs lifecycle rules, which are not built yet": ("Lifecycle",),
    "it needs replication, which is not built yet": ("Replication",),
    "notifications are not built yet": ("Notification",),
    "nothing is encrypted here that could be encrypted anew": ("UpdateObjectEncryption",),
    "Object Lock is not built yet": ("ObjectLock", "Retention", "LegalHold"),
    "S3 Metadata and annotations have no counterpart here": ("Metadata", "Annotation"),
    "S3's reports and tiers have no counterpart here": (
        "Analytics", "Intelligent", "Inventory", "Metrics", "Logging", "Accelerate", "RequestPayment", "Torrent",
        "Abac",
    ),
    "directory buckets have no counterpart here": ("DirectoryBuckets", "CreateSession", "RenameObject"),
    "archives and queries on objects have no counterpart here": (
        "RestoreObject", "SelectObject", "WriteGetObject",
    ),
}  # fmt: skip
_OPERATIONS = """
CreateBucketMetadataConfiguration CreateBucketMetadataTableConfiguration CreateSession
DeleteBucketAnalyticsConfiguration DeleteBucketIntelligentTieringConfiguration
DeleteBucketInventoryConfiguration DeleteBucketLifecycle DeleteBucketMetadataConfiguration
DeleteBucketMetadataTableConfiguration DeleteBucketMetricsConfiguration DeleteBucketReplication
DeleteObjectAnnotation GetBucketAbac GetBucketAccelerateConfiguration GetBucketAnalyticsConfiguration
GetBucketIntelligentTieringConfiguration GetBucketInventoryConfiguration GetBucketLifecycle
GetBucketLifecycleConfiguration GetBucketLogging GetBucketMetadataConfiguration GetBucketMetadataTableConfiguration
GetBucketMetricsConfiguration GetBucketNotification GetBucketNotificationConfiguration GetBucketReplication
GetBucketRequestPayment GetObjectAnnotation GetObjectLegalHold GetObjectLockConfiguration
GetObjectRetention GetObjectTorrent ListBucketAnalyticsConfigurations ListBucketIntelligentTieringConfigurations
ListBucketInventoryConfigurations ListBucketMetricsConfigurations ListDirectoryBuckets ListObjectAnnotations
PutBucketAbac PutBucketAccelerateConfiguration PutBucketAnalyticsConfiguration
PutBucketIntelligentTieringConfiguration PutBucketInventoryConfiguration PutBucketLifecycle
PutBucketLifecycleConfiguration PutBucketLogging PutBucketMetricsConfiguration PutBucketNotification
PutBucketNotificationConfiguration PutBucketReplication PutBucketRequestPayment PutObjectAnnotation
PutObjectLegalHold PutObjectLockConfiguration PutObjectRetention RenameObject RestoreObject SelectObjectContent
UpdateBucketMetadataAnnotationTableConfiguration UpdateBucketMetadataInventoryTableConfiguration
UpdateBucketMetadataJournalTableConfiguration UpdateObjectEncryption WriteGetObjectResponse
"""


def _reason(operation: str) -> str:
    for reason, words in _AREAS.items():
        if any(word in operation for word in words):
            return reason
    return _LATER


UNSUPPORTED: dict[str, str] = {operation: _reason(operation) for operation in _OPERATIONS.split()}
