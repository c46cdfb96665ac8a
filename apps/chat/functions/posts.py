"""Frames to clients: PostToConnection, many in flight, and what API Gateway knows of a connection."""

import hashlib
import json
import os
import time
from urllib.parse import quote, urlsplit

from aws import Service

TRIES = 3
PAUSE = 0.05
OPEN = 200
GONE = 410

_url = urlsplit(os.environ.get("apiGwEndpoint", ""))  # noqa: SIM112 - the workshop's name
_api = Service("execute-api", _url.netloc)


def text(frame):
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def post(connection, frame):
    """The status."""
    return post_all({connection: text(frame)})[connection]


def post_same(connections, frame):
    """One frame to many; the status that each got."""
    return post_all(dict.fromkeys(connections, text(frame)))


def post_all(frames):
    """{connection: text} to each; the status that each got. What fails otherwise than by 410 is tried again."""
    bodies = {
        frame: (frame.encode(), hashlib.sha256(frame.encode()).hexdigest()) for frame in set(frames.values())
    }
    statuses, left = {}, list(frames)
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE * attempt)
        answers = _api.send([_api.request(_path(id), *bodies[frames[id]]) for id in left])
        for id, answer in zip(left, answers, strict=True):
            statuses[id] = answer.status
            if answer.status not in (OPEN, GONE):
                print(f"PostToConnection {id}: {answer.status} {answer.body[:300]!r}")
        left = [id for id, answer in zip(left, answers, strict=True) if answer.again]
        if not left:
            break
    return statuses


def connection_info(connection):
    """What GetConnection says."""
    answer = _api.send([_api.request(_path(connection), b"", method="GET")])[0]
    return json.loads(answer.body) if answer.status == OPEN else {}


def _path(id):
    return f"{_url.path}/@connections/{quote(id, safe='')}"
