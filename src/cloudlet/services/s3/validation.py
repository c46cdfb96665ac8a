"""What can be said of a request from itself: names of buckets, lengths of keys, tags, metadata, storage classes."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl

from . import checksums, encryption, model

Request = dict[str, Any]

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ONCE = re.compile(r"[A-Za-z0-9._-]{3,255}")
"""Names that buckets could have in former times."""
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_TAG = re.compile(r"[\w\s+\-=.:/@]*")


def bucket_name(name: str) -> None:
    odd = (
        ".." in name
        or _ADDRESS.fullmatch(name)
        or name.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
        or name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"))
    )
    if not _NAME.fullmatch(name) or odd:
        raise model.error("InvalidBucketName", BucketName=name)


def could_be_bucket(name: str) -> None:
    """What can't even be asked for."""
    if not _ONCE.fullmatch(name):
        raise model.error("InvalidBucketName", BucketName=name)


def key(value: str) -> None:
    size = len(value.encode())
    if size > model.MAX_KEY:
        raise model.error("KeyTooLongError", Size=size, MaxSizeAllowed=model.MAX_KEY)
    if not value:
        raise model.error("InvalidRequest", "Missing required parameter: Key")


def one_line(name: str, value: str) -> None:
    """What is to be a header's value one day."""
    if any(character in value for character in "\r\n\0"):
        raise model.invalid(name, value, f"{name} must not have a line break.")


def page_size(request: Request, member: str, name: str) -> int:
    """How many entries a page has. `name` is what the service calls the parameter."""
    value = request.get(member, model.PAGE)
    if not 0 <= value < 2**31:
        raise model.invalid(name, value, f"Argument {name} must be an integer between 0 and 2147483647")
    return min(int(value), model.PAGE)


def encoding(request: Request) -> None:
    if request.get("EncodingType") not in (None, "url"):
        raise model.invalid(
            "encoding-type", request["EncodingType"], "Invalid Encoding Method specified in Request"
        )


def tag_pairs(text: str) -> dict[str, str]:
    """The header x-amz-tagging."""
    pairs = parse_qsl(text, keep_blank_values=True)
    if len({name for name, _ in pairs}) != len(pairs):
        raise model.error(
            "InvalidArgument",
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without "
            "tag name duplicates.",
            ArgumentName="x-amz-tagging",
            ArgumentValue=text,
        )
    return tags([{"Key": name, "Value": value} for name, value in pairs], model.MAX_OBJECT_TAGS)


def tags(given: list[dict[str, str]], limit: int) -> dict[str, str]:
    if len(given) > limit:
        kind = "Object" if limit == model.MAX_OBJECT_TAGS else "Bucket"
        what = "Object tags" if kind == "Object" else "Bucket tag count"
        raise model.error("BadRequest", f"{what} cannot be greater than {limit}")
    found: dict[str, str] = {}
    for tag in given:
        name, value = tag.get("Key", ""), tag.get("Value", "")
        if name in found:
            raise model.error("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=name)
        if not 1 <= len(name) <= 128 or not _TAG.fullmatch(name):
            raise model.error("InvalidTag", "The TagKey you have provided is invalid", TagKey=name)
        if len(value) > 256 or not _TAG.fullmatch(value):
            raise model.error(
                "InvalidTag", "The TagValue you have provided is invalid", TagKey=name, TagValue=value
            )
        if name.startswith("aws:"):
            raise model.error("InvalidTag", "System tags cannot be added/updated by requester", TagKey=name)
        found[name] = value
    return found


def md5(request: Request) -> str:
    """Content-MD5 in hex, "" without it."""
    given = request.get("ContentMD5")
    if given is None:
        return ""
    try:
        raw = b64decode(given, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 16:
        raise model.error("InvalidDigest", **{"Content-MD5": given})
    return raw.hex()


def _new_object(request: Request) -> None:
    key(request["Key"])
    if request.get("StorageClass", "STANDARD") not in model.STORAGE_CLASSES:
        raise model.error("InvalidStorageClass", StorageClassRequested=request["StorageClass"])
    if not request.get("WebsiteRedirectLocation", "/").startswith(("/", "http://", "https://")):
        raise model.error("InvalidRedirectLocation")
    metadata = request.get("Metadata", {})
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > model.MAX_METADATA:
        raise model.error("MetadataTooLarge", Size=size, MaxSizeAllowed=model.MAX_METADATA)
    if "ACL" in request and request["ACL"] not in model.CANNED:
        raise model.invalid("x-amz-acl", request["ACL"], "")
    encryption.check_asked(request)
    for member in ("ObjectLockMode", "ObjectLockLegalHoldStatus", "WriteOffsetBytes"):
        if member in request:
            raise model.error("NotImplemented", f"Cloudlet does not have {member} yet")


def put_object(request: Request) -> Request:
    _new_object(request)
    if request.get("IfNoneMatch") not in (None, "*"):
        raise model.error("NotImplemented", Header="If-None-Match")
    return request


def copy_object(request: Request) -> Request:
    _new_object(request)
    for member, name in (("MetadataDirective", "metadata"), ("TaggingDirective", "tagging")):
        if request.get(member, "COPY") not in ("COPY", "REPLACE"):
            raise model.invalid(f"x-amz-{name}-directive", request[member], f"Unknown {name} directive.")
    return request


def create_multipart_upload(request: Request) -> Request:
    _new_object(request)
    if "ChecksumAlgorithm" in request:
        algorithm = checksums.named(request["ChecksumAlgorithm"])
        if request.get("ChecksumType") == "FULL_OBJECT" and algorithm not in checksums.LINEAR:
            raise model.error(
                "InvalidRequest",
                f"The FULL_OBJECT checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
            )
        if request.get("ChecksumType") == "COMPOSITE" and algorithm == "CRC64NVME":
            raise model.error(
                "InvalidRequest",
                "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.",
            )
    return request


def get_object_attributes(request: Request) -> Request:
    asked = request.get("ObjectAttributes")
    if not asked or asked == [""]:
        text = "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"
        raise model.error("InvalidRequest", text)
    for name in asked:
        if name not in model.ATTRIBUTES:
            raise model.invalid("x-amz-object-attributes", name, "Invalid attribute name specified.")
    return request


def list_buckets(request: Request) -> Request:
    most = request.get("MaxBuckets", 1)
    if not 1 <= most <= model.MAX_BUCKETS:
        text = f"Argument max-buckets must be an integer between 1 and {model.MAX_BUCKETS}."
        raise model.invalid("max-buckets", most, text)
    return request


def upload_part(request: Request) -> Request:
    if not 1 <= request["PartNumber"] <= model.MAX_PARTS:
        text = f"Part number must be an integer between 1 and {model.MAX_PARTS}, inclusive"
        raise model.invalid("partNumber", request["PartNumber"], text)
    if "SSECustomerAlgorithm" in request:
        text = (
            "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
            "encryption parameters."
        )
        raise model.error("InvalidRequest", text)
    return request


upload_part_copy = upload_part


def create_bucket(request: Request) -> Request:
    bucket_name(request["Bucket"])
    if request.get("ObjectOwnership", "ObjectWriter") not in model.OWNERSHIPS:
        raise model.invalid(
            "x-amz-object-ownership",
            request["ObjectOwnership"],
            "Invalid x-amz-object-ownership header: " + request["ObjectOwnership"],
        )
    if request.get("ObjectLockEnabledForBucket"):
        raise model.error("NotImplemented", "Cloudlet does not have Object Lock yet")
    return request


def delete_objects(request: Request) -> Request:
    given = request.get("Delete", {}).get("Objects", [])
    if not 1 <= len(given) <= model.MAX_DELETES or any(not one.get("Key") for one in given):
        raise model.error("MalformedXML")
    return request
