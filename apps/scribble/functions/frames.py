"""What clients are told: JSON text, none of it longer than PostToConnection takes."""

import base64
import json
import zlib

from settings import BITS, HEIGHT, INK, LEAST_COST, PALETTE, RATE_POINTS, RATE_SECONDS, WIDTH

LARGEST = 100_000
"""Bytes of a frame; API Gateway takes 128 KB."""

PART = 72_000
"""Bytes of the compressed picture in a frame, before base64."""


def _json(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def batch(by, ref, points):
    """The part of a points frame that is the same for everybody, without its id; kept in the cache as it is."""
    flat = [number for point in points for number in point]
    return _json({"by": by, "ref": ref, "points": flat} if ref is not None else {"by": by, "points": flat})


def points(entries, here, cursors=()):
    """Frames of the entries, (id, batch) each."""
    frames, batches, size = [], [], 0
    for id, batch in entries:
        if size + len(batch) > LARGEST and batches:
            frames.append(_points(batches, here, ()))
            batches, size = [], 0
        batches.append(f'{{"id":{id},{batch[1:]}')
        size += len(batch) + 30
    if batches:
        frames.append(_points(batches, here, cursors))
    return frames


def _points(batches, here, cursors):
    more = f',"cursors":{_json(cursors)}' if cursors else ""
    return f'{{"type":"points","here":{here},"batches":[{",".join(batches)}]{more}}}'


def cursors(cursors, here):
    return _json({"type": "cursors", "here": here, "cursors": cursors})


def welcome(you, here):
    rate = {"points": RATE_POINTS, "seconds": RATE_SECONDS, "least": LEAST_COST}
    return _json(
        {
            "type": "welcome",
            "you": you,
            "here": here,
            "width": WIDTH,
            "height": HEIGHT,
            "bits": BITS,
            "palette": PALETTE,
            "ink": INK,
            "rate": rate,
        }
    )


def picture(id, bitmap):
    data = zlib.compress(bitmap, 6)
    parts = [data[at : at + PART] for at in range(0, len(data), PART)]
    about = {"type": "picture", "id": id, "parts": len(parts), "width": WIDTH, "height": HEIGHT, "bits": BITS}
    return [
        _json({**about, "part": number, "data": base64.b64encode(part).decode()})
        for number, part in enumerate(parts)
    ]


def ready(id):
    return _json({"type": "ready", "id": id})


def here(number):
    return _json({"type": "here", "here": number})


def pong(number, here):
    return _json({"type": "pong", "ping": number, "here": here})


def error(message, ref):
    return _json({"type": "error", "message": message} | ({"ref": ref} if ref is not None else {}))


def slow(wait_ms, ref):
    said = {"type": "slow", "message": "that is too fast; nothing of it was drawn", "retryAfter": wait_ms}
    return _json(said | ({"ref": ref} if ref is not None else {}))
