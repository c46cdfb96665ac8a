"""A page in a bucket, as a custom resource: its files and its config.json are put there when the stack is deployed, and
everything is taken out when the stack goes.
"""

import json
import mimetypes
import os
import urllib.request

import boto3

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
A_MINUTE = "public, max-age=60"


def serve(event, context, publish):
    """`publish(bucket, properties of the resource)`, or an empty bucket; CloudFormation is told how it went."""
    try:
        properties = event["ResourceProperties"]
        bucket = boto3.resource("s3").Bucket(properties["Bucket"])
        if event["RequestType"] == "Delete":
            bucket.objects.all().delete()
        else:
            publish(bucket, properties)
    except Exception as error:
        _done(event, context, "FAILED", f"{type(error).__name__}: {error}")
        raise
    _done(event, context, "SUCCESS")


def files(folder, socket):
    """{key: content} of the page's folder, and of the file that says where its socket is."""
    found = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    config = json.dumps({"socket": socket}).encode()
    return {key: path.read_bytes() for key, path in found.items()} | {"config.json": config}


def put(bucket, key, content, age=A_MINUTE, **more):
    kind = TYPES.get(os.path.splitext(key)[1]) or mimetypes.guess_type(key)[0] or "application/octet-stream"
    bucket.put_object(Key=key, Body=content, ContentType=kind, CacheControl=age, **more)


def _done(event, context, status, reason=""):
    """Another bucket is another resource: then CloudFormation has the old one emptied."""
    bucket = event["ResourceProperties"]["Bucket"]
    id = event.get("PhysicalResourceId", "")
    body = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body |= {"Status": status, "Reason": reason or f"see {context.log_stream_name}"}
    body["PhysicalResourceId"] = id if id.endswith(bucket) else f"page-of-{bucket}"
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    urllib.request.urlopen(request).close()
