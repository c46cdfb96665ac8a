"""A custom resource: puts the page's files and its config.json into the website's bucket, and takes everything out in
the end. Its package is the application's folder, so the files of `web/` lie beside it.
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
ALWAYS_NEW = ("index.html", "config.json")


def handler(event, context):
    try:
        serve(event)
    except Exception as error:
        done(event, context, "FAILED", f"{type(error).__name__}: {error}")
        raise
    done(event, context, "SUCCESS")


def serve(event):
    settings = event["ResourceProperties"]
    bucket = boto3.resource("s3").Bucket(settings["Bucket"])
    wanted = {"config.json": json.dumps({"socket": settings["Socket"]}).encode()}
    if event["RequestType"] == "Delete":
        wanted = {}
    else:
        for path in sorted(WEB.rglob("*")):
            if path.is_file():
                wanted[path.relative_to(WEB).as_posix()] = path.read_bytes()
    for key, content in wanted.items():
        put(bucket, key, content)
    for there in bucket.objects.all():
        if there.key not in wanted:
            there.delete()


def put(bucket, key, content):
    kind = TYPES.get(os.path.splitext(key)[1]) or mimetypes.guess_type(key)[0] or "application/octet-stream"
    age = "no-cache" if key in ALWAYS_NEW else "public, max-age=60"
    bucket.put_object(Key=key, Body=content, ContentType=kind, CacheControl=age)


def done(event, context, status, reason=""):
    """Tell CloudFormation."""
    body = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body |= {"Status": status, "Reason": reason or f"see {context.log_stream_name}"}
    body["PhysicalResourceId"] = f"website-in-{event['ResourceProperties']['Bucket']}"
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    urllib.request.urlopen(request).close()
