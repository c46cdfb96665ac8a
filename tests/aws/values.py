"""Values for a shape, drawn at random: what a client could send or a service answer."""

from __future__ import annotations

from random import Random
from typing import Any

from cloudlet.aws.model import Member, Shape

TEXT = "abcXYZ019 äß€\U0001f600<>&\"'%/+=?#:.\n\\"
ASCII = "abcXYZ019-_"


def draw(shape: Shape, random: Random, depth: int = 0, location: str = "") -> Any:
    """A value in boto3's form; no empty collections, which some protocols can't say, and whole seconds."""
    kind = shape.type
    if kind == "structure":
        return structure(shape, random, depth)
    if kind == "list":
        assert shape.member is not None
        return [draw(shape.member.shape, random, depth + 1, location) for _ in range(random.randint(1, 3))]
    if kind == "map":
        assert shape.key is not None
        assert shape.value is not None
        keys = [draw(shape.key.shape, random, depth + 1, location) for _ in range(random.randint(1, 3))]
        return {key: draw(shape.value.shape, random, depth + 1, location) for key in keys}
    if kind == "string":
        if shape.enum:
            return random.choice(shape.enum)
        return "".join(random.choices(ASCII if location else TEXT, k=random.randint(1, 12)))
    if kind == "blob":
        return random.randbytes(random.randint(1, 20))
    if kind == "boolean":
        return random.random() < 0.5
    if kind == "timestamp":
        return float(random.randint(0, 4_000_000_000))
    if kind in ("float", "double"):
        return random.randint(-1000, 1000) / 8
    least = int(shape.min or 0)
    return random.randint(least, int(min(shape.max or least + 1000, least + 1000)))


def structure(shape: Shape, random: Random, depth: int) -> dict[str, Any]:
    members = [m for m in shape.members.values() if not m.shape.event_stream and not m.shape.document]
    required = [m for m in members if m.name in shape.required or m.location == "uri"]
    rest = [m for m in members if m not in required and (depth < 3 or not nested(m))]
    chosen = required + random.sample(rest, random.randint(0, len(rest)))
    if not chosen and rest:
        chosen = [random.choice(rest)]
    values = {}
    for member in chosen:
        if depth < 6 or not nested(member):
            values[member.name] = draw(member.shape, random, depth + 1, member.location)
    return values


def nested(member: Member) -> bool:
    return member.shape.type in ("structure", "list", "map")
