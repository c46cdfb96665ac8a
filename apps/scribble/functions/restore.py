"""The bitmap outside the cache: a copy beside the picture, and what the table has that is newer."""

import os
import zlib

import settings
import table

STATE = "state/bitmap"


def bitmap():
    """The bitmap as far as it was saved; an empty one if nothing was."""
    id, pixels = _copy()
    pixels = bytearray(pixels)
    for x, y, colour in table.after(id):
        if x < settings.WIDTH and y < settings.HEIGHT:
            set_pixel(pixels, y * settings.WIDTH + x, colour)
    return bytes(pixels)


def set_pixel(pixels, index, colour):
    at = index * settings.BITS
    shift = 8 - settings.BITS - at % 8
    mask = 2**settings.BITS - 1
    pixels[at // 8] = pixels[at // 8] & ~(mask << shift) & 255 | min(colour, mask) << shift


def keep(id, pixels):
    """Save a copy, so that a restoring has less to read from the table."""
    _s3().put_object(
        Bucket=os.environ["BUCKET"],
        Key=STATE,
        Body=zlib.compress(pixels),
        Metadata={"id": str(id), **_shape()},
    )


def _copy():
    """The saved copy and the id up to which it has everything; if it is of this canvas."""
    s3 = _s3()
    try:
        found = s3.get_object(Bucket=os.environ["BUCKET"], Key=STATE)
    except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
        return 0, bytes(settings.BITMAP_BYTES)
    if any(found["Metadata"].get(name) != value for name, value in _shape().items()):
        return 0, bytes(settings.BITMAP_BYTES)
    return int(found["Metadata"]["id"]), zlib.decompress(found["Body"].read())


def _shape():
    return {"width": str(settings.WIDTH), "height": str(settings.HEIGHT), "bits": str(settings.BITS)}


def _s3():
    """Imported only where it is used: the drawing path does without boto3."""
    import boto3

    return boto3.client("s3")
