"""Where topics, their subscriptions and the outbox lie.

    ("topic", account, region, name)                              -> topic: attributes, tags, when it was made
    ("subscription", account, region, topic, id)                  -> subscription: protocol, endpoint, attributes, ...
    ("endpoint", account, region, topic, protocol, endpoint)      -> id of the subscription of that endpoint
    ("audience", account, region, topic)                          -> numbers confirmed, pending, deleted; a version
    ("token", account, region, token)                             -> topic, id, and a subscription that it brings back
    ("outbox", stamp)                                             -> an e-mail or text message that was captured
    ("sms", account, region)                                      -> attributes of text messages

The audience is written with every change of a topic or its subscriptions: whoever remembers something of them compares
its version. `Since` of a subscription is a stamp; it hears of what was published later.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from ...names import arn
from ...store.interface import Transaction
from ...store.keys import Subspace, successor
from . import model

FANOUT_TASK = "sns.fanout"
DELIVER_TASK = "sns.deliver"
DEAD_TASK = "sns.dead"
TOKEN_TIMER = "sns.token"
OUTBOX_TIMER = "sns.outbox"

_space = Subspace("sns")
_topic = _space.sub("topic")
_subscription = _space.sub("subscription")
_endpoint = _space.sub("endpoint")
_audience = _space.sub("audience")
_token = _space.sub("token")
_outbox = _space.sub("outbox")
_sms = _space.sub("sms")

Record = dict[str, Any]


class Name(NamedTuple):
    """A topic's full name."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        return arn("sns", self.region, self.account, self.name)


def name_of(topic_arn: str, member: str = "TopicArn") -> Name:
    """The topic that an ARN means. Raises InvalidParameter for what is no topic's ARN."""
    parts = topic_arn.split(":")
    if len(parts) < 6:
        raise model.bad_arn(member, topic_arn)
    if parts[0] != "arn" or parts[2] != "sns" or len(parts) != 6 or not all(parts[3:]):
        raise model.invalid(member)
    return Name(parts[4], parts[3], parts[5])


def split(subscription_arn: str) -> tuple[Name, str]:
    """The topic and the id of a subscription."""
    parts = subscription_arn.split(":")
    if len(parts) < 6:
        raise model.bad_arn("SubscriptionArn", subscription_arn)
    if parts[0] != "arn" or parts[2] != "sns" or len(parts) != 7 or not all(parts[3:]):
        raise model.invalid("SubscriptionId")
    return Name(parts[4], parts[3], parts[5]), parts[6]


# --- topics ------------------------------------------------------------


async def find(tx: Transaction, name: Name) -> Record | None:
    """The topic, shared with others: it must not be changed."""
    found: Record | None = await tx.load(_topic.pack(*name), orjson.loads)
    return found


async def topic(tx: Transaction, name: Name) -> Record:
    """The topic, or NotFound."""
    found = await find(tx, name)
    if found is None:
        raise model.no_topic()
    return found


async def put_topic(tx: Transaction, name: Name, record: Record) -> None:
    await tx.put(_topic.pack(*name), orjson.dumps(record))
    await _change(tx, name)


async def delete_topic(tx: Transaction, name: Name) -> None:
    """The topic goes with its subscriptions; tokens of theirs lead nowhere until they expire."""
    await tx.delete(_topic.pack(*name))
    await tx.delete_range(*_subscription.range(*name))
    await tx.delete_range(*_endpoint.range(*name))
    await tx.delete(_audience.pack(*name))


async def topics(tx: Transaction, account: str, region: str, after: list[str], limit: int) -> list[Name]:
    begin, end = _topic.range(account, region)
    if after:
        begin = successor(_topic.pack(account, region, *after))
    return [Name(*_topic.unpack(key)) for key, _ in await tx.range(begin, end, limit=limit)]


# --- audiences ------------------------------------------------------------


class Audience(NamedTuple):
    confirmed: int = 0
    pending: int = 0
    deleted: int = 0
    version: str = ""


def _decode_audience(value: bytes) -> Audience:
    return Audience(*orjson.loads(value))


async def audience(tx: Transaction, name: Name) -> Audience:
    return await tx.load(_audience.pack(*name), _decode_audience) or Audience()


async def _change(
    tx: Transaction, name: Name, confirmed: int = 0, pending: int = 0, deleted: int = 0
) -> None:
    old = await audience(tx, name)
    numbers = (old.confirmed + confirmed, old.pending + pending, old.deleted + deleted)
    await tx.put(_audience.pack(*name), orjson.dumps([*numbers, tx.stamp().hex()]))


# --- subscriptions ------------------------------------------------------------


async def find_subscription(tx: Transaction, name: Name, id: str) -> Record | None:
    value = await tx.get(_subscription.pack(*name, id))
    return None if value is None else orjson.loads(value)


async def subscription(tx: Transaction, name: Name, id: str) -> Record:
    """The subscription, or NotFound."""
    found = await find_subscription(tx, name, id)
    if found is None:
        raise model.no_subscription()
    return found


async def subscribed(tx: Transaction, name: Name, protocol: str, endpoint: str) -> Record | None:
    """The subscription of that endpoint."""
    id = await tx.get(_endpoint.pack(*name, protocol, endpoint))
    return None if id is None else await find_subscription(tx, name, id.decode())


async def put_subscription(tx: Transaction, name: Name, record: Record, old: Record | None = None) -> None:
    """Write a new or changed subscription."""
    await tx.put(_subscription.pack(*name, record["Id"]), orjson.dumps(record))
    if old is None:
        await tx.put(_endpoint.pack(*name, record["Protocol"], record["Endpoint"]), record["Id"].encode())
    was, now = old is not None and old["Pending"], record["Pending"]
    confirmed = int(not now) - int(old is not None and not was)
    await _change(tx, name, confirmed=confirmed, pending=int(now) - int(was))


async def delete_subscription(tx: Transaction, name: Name, record: Record) -> None:
    await tx.delete(_subscription.pack(*name, record["Id"]))
    await tx.delete(_endpoint.pack(*name, record["Protocol"], record["Endpoint"]))
    pending = record["Pending"]
    await _change(tx, name, confirmed=-int(not pending), pending=-int(pending), deleted=int(not pending))


async def subscriptions(
    tx: Transaction, place: tuple[str, ...], after: list[str], limit: int
) -> list[tuple[Name, Record]]:
    """Those of an account's region, or of one topic of it, from a page's beginning."""
    begin, end = _subscription.range(*place)
    if after:
        begin = max(begin, successor(_subscription.pack(*place[:2], *after)))
    rows = await tx.range(begin, end, limit=limit)
    return [(Name(*_subscription.unpack(key)[:3]), orjson.loads(value)) for key, value in rows]


# --- tokens, outbox, text messages ------------------------------------------------------------


async def put_token(tx: Transaction, name: Name, token: str, id: str, record: Record | None) -> None:
    """`record`: the subscription that the token brings back."""
    await tx.put(_token.pack(name.account, name.region, token), orjson.dumps([name.name, id, record]))


async def token(tx: Transaction, name: Name, token: str) -> tuple[str, Record | None] | None:
    """Id and record that the token stands for, if it is one of that topic."""
    value = await tx.get(_token.pack(name.account, name.region, token))
    if value is None:
        return None
    topic, id, record = orjson.loads(value)
    return (id, record) if topic == name.name else None


async def delete_token(tx: Transaction, account: str, region: str, token: str) -> None:
    await tx.delete(_token.pack(account, region, token))


async def put_letter(tx: Transaction, letter: Record) -> bytes:
    stamp = tx.stamp()
    await tx.put(_outbox.pack(stamp), orjson.dumps(letter))
    return stamp


async def delete_letter(tx: Transaction, stamp: bytes) -> None:
    await tx.delete(_outbox.pack(stamp))


async def letters(tx: Transaction, limit: int) -> list[Record]:
    """The newest, in the order in which they were captured."""
    rows = await tx.range(*_outbox.range(), limit=limit, reverse=True)
    return [orjson.loads(value) for _, value in reversed(rows)]


async def sms(tx: Transaction, account: str, region: str) -> dict[str, str]:
    value = await tx.get(_sms.pack(account, region))
    found: dict[str, str] = {} if value is None else orjson.loads(value)
    return found


async def put_sms(tx: Transaction, account: str, region: str, attributes: dict[str, str]) -> None:
    await tx.put(_sms.pack(account, region), orjson.dumps(attributes))
