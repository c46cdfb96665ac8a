"""A custom resource: puts the page into the bucket, and has the first picture drawn.

Its package is the application's folder, so the files of `web/` lie beside it.
"""

from pathlib import Path

import boto3
import website

WEB = Path(__file__).resolve().parent.parent / "web"


def handler(event, context):
    website.serve(event, context, publish)


def publish(bucket, properties):
    for key, content in website.files(WEB, properties["Socket"]).items():
        website.put(bucket, key, content, ACL="public-read")
    boto3.client("lambda").invoke(
        FunctionName=properties["FirstPicture"], InvocationType="Event", Payload=b"{}"
    )
