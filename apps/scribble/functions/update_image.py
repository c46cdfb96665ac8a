"""The schedule: draws the bitmap as a PNG for those who come, and keeps a few old ones for the replay."""

import io
import json
import os
import time

import board
import boto3
import restore
import settings
import update_db
from PIL import Image

PICTURE = "image.png"
HISTORY = "history/index.json"
MOST_PICTURES = 200
LATE_MS = 5_000
MAX_AGE = "public, max-age=60"

_s3 = boto3.client("s3")
_bucket = os.environ["BUCKET"]


def handler(event, context):
    save_late()
    published = published_id()
    id, bitmap = board.picture()
    if published > id:  # the cache came back older than it was
        board.make_whole(force=True)
        id, bitmap = board.picture()
    if published != id:
        publish(id, bitmap)
    return {"id": id, "drawn": published != id}


def save_late():
    """Points whose queue message never came to its end."""
    for id, points in board.unsaved(LATE_MS):
        update_db.save({str(id): (id, points)})


def published_id():
    """The id up to which the published picture has everything; 0 if there is none of this canvas."""
    try:
        found = _s3.head_object(Bucket=_bucket, Key=PICTURE)["Metadata"]
    except _s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (403, 404):
            raise
        return 0
    return int(found["id"]) if found.get("shape") == shape() else 0


def shape():
    return f"{settings.WIDTH}x{settings.HEIGHT}x{settings.BITS}"


def publish(id, bitmap):
    png = draw(bitmap)
    put(PICTURE, png, "image/png", {"id": str(id), "shape": shape()})
    restore.keep(id, bitmap)
    remember(id, png)


def draw(bitmap):
    """The PNG of a bitmap; its pixels lie as a PNG wants them, so it is a copy."""
    image = Image.frombytes("P", (settings.WIDTH, settings.HEIGHT), bitmap, "raw", f"P;{settings.BITS}")
    image.putpalette(bytes.fromhex("".join(colour[1:] for colour in settings.PALETTE)))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", bits=settings.BITS)
    return buffer.getvalue()


def put(key, body, kind, metadata=None, max_age=MAX_AGE):
    _s3.put_object(
        Bucket=_bucket,
        Key=key,
        Body=body,
        ACL="public-read",
        ContentType=kind,
        CacheControl=max_age,
        Metadata=metadata or {},
    )


# The replay


def remember(id, png):
    now = int(time.time() * 1000)
    name = f"history/{now}.png"
    put(name, png, "image/png", {"id": str(id)}, "public, max-age=31536000, immutable")
    kept, dropped = thinned([*history(), {"id": id, "at": now, "url": name}])
    put(HISTORY, json.dumps({"pictures": kept}).encode(), "application/json")
    if dropped:
        objects = [{"Key": picture["url"]} for picture in dropped]
        _s3.delete_objects(Bucket=_bucket, Delete={"Objects": objects, "Quiet": True})


def history():
    try:
        found = _s3.get_object(Bucket=_bucket, Key=HISTORY)
    except _s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (403, 404):
            raise
        return []
    return json.loads(found["Body"].read())["pictures"]


def thinned(pictures):
    """At most MOST_PICTURES: of the older half every second one goes, so the past is told in ever larger steps."""
    if len(pictures) <= MOST_PICTURES:
        return pictures, []
    half = len(pictures) // 2
    older, newer = pictures[:half], pictures[half:]
    return older[::2] + newer, older[1::2]
