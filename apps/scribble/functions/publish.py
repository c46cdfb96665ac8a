"""A custom resource: puts the page's files and its config.json into the bucket, and takes everything out in the end.

Its package is the application's folder, so the files of `web/` lie beside it.
"""

import json
import mimetypes
import os
import urllib.request
from pathlib import Path

import boto3

WEB = Path(__file__).resolve().parent.parent / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
MAX_AGE = "public, max-age=60"


def handler(event, context):
    try:
        done(event, context, "SUCCESS", serve(event))
    except Exception as error:
        done(event, context, "FAILED", {}, f"{type(error).__name__}: {error}")
        raise


def serve(event):
    settings = event["ResourceProperties"]
    bucket = boto3.resource("s3").Bucket(settings["Bucket"])
    if event["RequestType"] == "Delete":
        bucket.objects.all().delete()
        return {}
    for path in sorted(WEB.rglob("*")):
        if path.is_file():
            put(bucket, path.relative_to(WEB).as_posix(), path.read_bytes())
    put(bucket, "config.json", json.dumps({"socket": settings["Socket"]}).encode())
    boto3.client("lambda").invoke(
        FunctionName=settings["FirstPicture"], InvocationType="Event", Payload=b"{}"
    )
    return {}


def put(bucket, key, content):
    kind = TYPES.get(os.path.splitext(key)[1]) or mimetypes.guess_type(key)[0] or "application/octet-stream"
    bucket.put_object(Key=key, Body=content, ACL="public-read", ContentType=kind, CacheControl=MAX_AGE)


def done(event, context, status, data, reason=""):
    """Tell CloudFormation."""
    body = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body |= {"Status": status, "Data": data, "Reason": reason or f"see {context.log_stream_name}"}
    body["PhysicalResourceId"] = (
        event.get("PhysicalResourceId") or f"page-of-{event['ResourceProperties']['Bucket']}"
    )
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    urllib.request.urlopen(request).close()
