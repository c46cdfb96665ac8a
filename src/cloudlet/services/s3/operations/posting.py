"""Objects that browsers upload with a form: PostObject, which no SDK has but for the making of its policy."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from ....aws import sigv4, verify
from ....aws.xml import DECLARATION, escape
from ....context import Context
from ....store.interface import Transaction
from .. import model, permissions, promises, scope, validation
from ..contents import Taken
from ..forms import Form, boundary
from . import writing

Request = dict[str, Any]
Record = dict[str, Any]
Fields = dict[str, str]

MEMBERS = {
    "key": "Key", "acl": "ACL", "cache-control": "CacheControl", "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding", "content-type": "ContentType", "expires": "Expires",
    "x-amz-storage-class": "StorageClass", "x-amz-website-redirect-location": "WebsiteRedirectLocation",
    "x-amz-server-side-encryption": "ServerSideEncryption", "x-amz-checksum-crc32": "ChecksumCRC32",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId", "x-amz-checksum-crc32c": "ChecksumCRC32C",
    "x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
    "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME", "x-amz-checksum-sha1": "ChecksumSHA1",
    "x-amz-checksum-sha256": "ChecksumSHA256",
}  # fmt: skip
META = "x-amz-meta-"
_HEADER = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
SIGNED_4 = ("x-amz-signature", "x-amz-credential", "x-amz-date")
SIGNED_2 = ("signature", "awsaccesskeyid")
ONE_FILE = "POST requires exactly one file upload per request."


class _File:
    """The form's file in the form of a request's body, of which nobody said how long it is."""

    def __init__(self, form: Form, most: int) -> None:
        self.length: int | None = None
        self.sha256 = self.trailer = ""
        self.trailers: dict[str, str] = {}
        self._form = form
        self._most = most

    async def pieces(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._form.file():
            size += len(piece)
            if size > self._most:
                raise model.error("EntityTooLarge", ProposedSize=size, MaxSizeAllowed=self._most)
            yield piece

    def whole(self) -> bytes | None:
        return None


async def post_object(ctx: Context, request: Request) -> dict[str, Any]:
    form = Form(request["Body"].pieces(), boundary(request.get("ContentType", "")))
    fields = await form.fields()
    if not form.has_file:
        raise model.invalid("file", 0, ONE_FILE)
    _needed(fields, "key")
    fields["key"] = fields["key"].replace("${filename}", form.filename)
    asked = _asked(request["Bucket"], fields)
    validation.put_object(asked)
    ctx, least, most = await _promised(ctx, request["Bucket"], fields)
    await permissions.needs(ctx, "PutObject", asked)
    record = writing.described(asked)
    if "tagging" in fields:
        record["tags"] = _tagging(fields["tagging"])
    await ctx.store.read(lambda tx: scope.bucket(tx, ctx, asked, "PutObject", asked["Key"]))

    async def write(tx: Transaction, taken: Taken) -> Record:
        if taken.size < least:
            raise model.error("EntityTooSmall", ProposedSize=taken.size, MinSizeAllowed=least)
        bucket = await scope.bucket(tx, ctx, asked, "PutObject", asked["Key"])
        return await writing.put_version(tx, ctx, bucket, asked, record, taken)

    wanted = writing.wanted(asked)
    wanted.measured = False
    made = await writing.taking(ctx, _File(form, most), wanted, write)
    return _answer(ctx, asked, fields, made)


def _needed(fields: Fields, *names: str) -> None:
    for name in names:
        if name not in fields:
            text = (
                f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the "
                "fields."
            )
            raise model.invalid(name, "", text)


def _asked(bucket: str, fields: Fields) -> Request:
    """What the form asks for, as PutObject would be asked."""
    for name, value in fields.items():
        if (name in MEMBERS and name != "key") or name.startswith((META, "success_action")):
            validation.one_line(name, value)
            if not _HEADER.fullmatch(name):
                raise model.error("MalformedPOSTRequest")
    asked: Request = {member: fields[name] for name, member in MEMBERS.items() if name in fields}
    asked |= {"Bucket": bucket, "Body": b""}
    meta = {name.removeprefix(META): value for name, value in fields.items() if name.startswith(META)}
    if meta:
        asked["Metadata"] = meta
    return asked


async def _promised(ctx: Context, bucket: str, fields: Fields) -> tuple[Context, int, int]:
    """Who promised the upload, and the sizes that he promised; nobody, if the form has no policy."""
    given = [name for name in (*SIGNED_4, *SIGNED_2) if name in fields]
    if "policy" not in fields:
        if given:
            _needed(fields, "policy")
        return ctx, 0, promises.MOST
    old = "awsaccesskeyid" in fields
    _needed(fields, *(SIGNED_2 if old else SIGNED_4))
    if old:
        key = fields["awsaccesskeyid"]
    else:
        key, *place = fields["x-amz-credential"].rsplit("/", 4)
        if len(place) != 4 or place[3] != "aws4_request" or place[2] != "s3":
            text = (
                'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
            )
            raise model.invalid("x-amz-credential", fields["x-amz-credential"], text)
    identities = ctx.node.dispatcher.identities
    who, secret = await identities.of_form(key, fields.get("x-amz-security-token", ""), ctx.source_ip)
    if secret:
        _verify(fields, secret, old=old)
    least, most = promises.check(fields["policy"], fields | {"bucket": bucket}, ctx.clock.now())
    asking = Context(ctx.node, who, who.account, ctx.region, ctx.request_id, ctx.request)
    await ctx.node.dispatcher.authorizer.hold(asking)
    return asking, least, most


def _verify(fields: Fields, secret: str, *, old: bool) -> None:
    policy = fields["policy"].encode()
    if old:
        made, given = hmac.digest(secret.encode(), policy, "sha1"), fields["signature"]
        fits = hmac.compare_digest(b64encode(made).decode(), given)
    else:
        _, date, region, service, _ = fields["x-amz-credential"].rsplit("/", 4)
        made = hmac.digest(verify.signing_key(secret, date, region, service), policy, "sha256")
        fits = hmac.compare_digest(made.hex(), fields["x-amz-signature"])
    if not fits:
        raise model.error("SignatureDoesNotMatch", sigv4.MISMATCH)


def _answer(ctx: Context, asked: Request, fields: Fields, made: Record) -> dict[str, Any]:
    place = scope.place(ctx, asked["Bucket"], asked["Key"])
    result = {"ETag": made["etag"], "Location": place, **writing.written(made), **writing.shown_sums(made)}
    target = fields.get("success_action_redirect", fields.get("redirect", ""))
    if target.startswith(("http://", "https://")):
        named = (
            f"bucket={quote(asked['Bucket'])}&key={quote(asked['Key'], safe='')}&etag={quote(made['etag'])}"
        )
        return result | {"Location": f"{target}{'&' if '?' in target else '?'}{named}", "Status": 303}
    status = fields.get("success_action_status", "204")
    if status != "201":
        return result | {"Status": 200 if status == "200" else 204}
    told = {"Location": place, "Bucket": asked["Bucket"], "Key": asked["Key"], "ETag": made["etag"]}
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items())
    document = f"{DECLARATION}<PostResponse>{inner}</PostResponse>"
    return result | {"Status": 201, "ContentType": "application/xml", "Document": document}


def _tagging(text: str) -> dict[str, str]:
    """The form's field is a document, where PutObject's header is a query string."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise model.error("MalformedXML") from error
    found = [
        {"Key": tag.findtext("{*}Key") or "", "Value": tag.findtext("{*}Value") or ""}
        for tag in root.iter()
        if tag.tag.rpartition("}")[2] == "Tag"
    ]
    return validation.tags(found, model.MAX_OBJECT_TAGS)
