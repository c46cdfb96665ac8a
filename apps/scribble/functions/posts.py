"""Frames to clients: PostToConnection, many in flight."""

import hashlib
import os
import time
from functools import partial
from urllib.parse import quote, urlsplit

from aws import Service

TRIES = 3
PAUSE = 0.05

_url = urlsplit(os.environ.get("API_URL", ""))
_api = Service("execute-api", _url.netloc)


def post(connection, *frames):
    """The frames to one connection, in order; the status of the last that was sent."""
    for frame in frames:
        status = post_all([connection], frame)[connection]
        if status != 200:
            break
    return status


def post_all(connections, frame):
    """One frame to many connections; the status that each got."""
    frame = frame.encode() if isinstance(frame, str) else frame
    digest = hashlib.sha256(frame).hexdigest()
    statuses, left = {}, list(connections)
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE * attempt)
        answers = _api.send([partial(_api.request, _path(id), frame, digest) for id in left])
        statuses.update((id, answer.status) for id, answer in zip(left, answers, strict=True))
        left = [id for id, answer in zip(left, answers, strict=True) if answer.again]
        if not left:
            break
    return statuses


def disconnect(connections):
    """Close connections: what one of them has missed it gets when it comes back."""
    _api.send([_api.request(_path(id), b"", method="DELETE") for id in connections])


def _path(id):
    return f"{_url.path}/@connections/{quote(id, safe='')}"
