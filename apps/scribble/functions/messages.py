"""What a client may say, checked; what is wrong is said in words for whoever wrote the client."""

import json
from dataclasses import dataclass

from settings import BITS, HEIGHT, INK, LEAST_COST, MOST_POINTS, WIDTH

LARGEST_REF = 2**53 - 1
EXAMPLE = '{"action": "sendMessage", "points": [[x, y, colour], …], "ref": 1}'


class Bad(ValueError):
    """Says what is wrong with a message; `ref` is its ref, if it has one."""

    def __init__(self, what, ref=None):
        super().__init__(what)
        self.ref = ref


@dataclass
class Draw:
    points: list
    ref: int | None

    @property
    def cost(self):
        return max(LEAST_COST, len(self.points))


@dataclass
class Cursor:
    at: list
    cost = LEAST_COST


@dataclass
class Ping:
    number: int
    cost = LEAST_COST


def parse(body):
    """A Draw, a Cursor or a Ping; raises Bad."""
    try:
        message = json.loads(body or "")
    except (ValueError, RecursionError):
        raise Bad(f"the message is not JSON; say {EXAMPLE}") from None
    if not isinstance(message, dict):
        raise Bad(f"the message is not an object; say {EXAMPLE}")
    ref = message.get("ref")
    if ref is not None and not _integer(ref, -LARGEST_REF, LARGEST_REF):
        raise Bad("ref must be an integer of at most 53 bits")
    try:
        return _checked(message, ref)
    except Bad as error:
        error.ref = ref
        raise


def _checked(message, ref):
    if message.get("action") != "sendMessage":
        raise Bad(f"there is no such action; say {EXAMPLE}")
    if "points" in message:
        return Draw(_points(message["points"]), ref)
    if "cursor" in message:
        if not isinstance(message["cursor"], list) or len(message["cursor"]) != 2:
            raise Bad("cursor must be [x, y]")
        return Cursor(_place("cursor", *message["cursor"]))
    if "ping" in message:
        if not _integer(message["ping"], -LARGEST_REF, LARGEST_REF):
            raise Bad("ping must be an integer of at most 53 bits")
        return Ping(message["ping"])
    if "x" in message and "y" in message:
        return Draw([[*_place("point", message["x"], message["y"]), INK]], ref)
    raise Bad(f"there are no coordinates; say {EXAMPLE}")


def _points(points):
    if not isinstance(points, list) or not points:
        raise Bad("points must be a list of [x, y, colour], with one at least")
    if len(points) > MOST_POINTS:
        raise Bad(f"{len(points)} points are too many for one message; at most {MOST_POINTS}")
    for number, point in enumerate(points):
        name = f"points[{number}]"
        if not isinstance(point, list) or len(point) != 3:
            raise Bad(f"{name} must be [x, y, colour]")
        _place(name, point[0], point[1])
        if not _integer(point[2], 0, 2**BITS - 1):
            raise Bad(f"{name}: the colour must be an integer from 0 to {2**BITS - 1}")
    return points


def _place(name, x, y):
    if not _integer(x, 0, WIDTH - 1):
        raise Bad(f"{name}: x must be an integer from 0 to {WIDTH - 1}")
    if not _integer(y, 0, HEIGHT - 1):
        raise Bad(f"{name}: y must be an integer from 0 to {HEIGHT - 1}")
    return [x, y]


def _integer(value, least, most):
    return type(value) is int and least <= value <= most
