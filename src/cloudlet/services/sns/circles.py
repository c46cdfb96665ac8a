"""Who hears of a topic, remembered; and SNS's runtime, which remembers it.

The audience's version in the store tells when what is remembered is old, so that a message costs one read of a short
value, however many subscribers there are.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import dataclass

from ...context import Context, Node, Principal
from ...patterns import Pattern
from ...store.interface import Transaction
from . import filters, model, storage
from .envelope import arn_in_url, unsubscribe_url
from .pace import Pace
from .queues import Place, Queues
from .signing import Signing
from .storage import Name, Record

REMEMBERED = 512
"""Topics whose subscribers are remembered."""


@dataclass(slots=True, frozen=True)
class Member:
    """A confirmed subscription, ready to be delivered to."""

    arn: str
    protocol: str
    endpoint: str
    raw: bool
    since: bytes
    pattern: Pattern | None
    scope: str
    unsubscribe: str
    place: Place | None
    record: Record


@dataclass(slots=True, frozen=True)
class Circle:
    """A topic's members at one version of its audience."""

    version: str
    signature: str
    delivery_policy: str
    display_name: str
    members: tuple[Member, ...]


class Topics:
    """SNS's runtime."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._circles: OrderedDict[Name, Circle] = OrderedDict()
        self.signing = Signing(node)
        self.queues = Queues(lambda place: self.context(place.topic, place.region))
        self.pace = Pace(node.clock)
        self._trust: asyncio.Task[ssl.SSLContext] | None = None

    async def start(self) -> None:
        """Deliveries are tasks; nothing else has to be begun."""
        self.pace.start()

    async def stop(self) -> None:
        await self.queues.stop()

    def context(self, topic: str, region: str) -> Context:
        """A context in which SNS itself asks for a topic: the policy of what it delivers to has to allow it."""
        account = topic.split(":")[4]
        sns = Principal("service", account, model.SERVICE_PRINCIPAL, topic)
        return self._node.context(sns, account=account, region=region)

    async def trust(self) -> ssl.SSLContext:
        """Whom HTTPS deliveries trust: the usual authorities and the node's own. Reading them takes a while."""
        if self._trust is None:
            self._trust = asyncio.create_task(
                asyncio.to_thread(lambda: ssl.create_default_context(cafile=str(self._node.ca_bundle)))
            )
        return await asyncio.shield(self._trust)

    async def circle(self, name: Name) -> Circle | None:
        """Who hears of a topic now; None if it is gone."""

        async def body(tx: Transaction) -> Circle | None:
            topic = await storage.find(tx, name)
            version = (await storage.audience(tx, name)).version
            if topic is None:
                return None
            known = self._circles.get(name)
            if known is not None and known.version == version:
                return known
            rows = await storage.subscriptions(tx, name, [], 0)
            return _circle(self._node, name, topic, version, [record for _, record in rows])

        found = await self._node.store.read(body)
        if found is not None:
            self._circles[name] = found
            self._circles.move_to_end(name)
            if len(self._circles) > REMEMBERED:
                self._circles.popitem(last=False)
        return found

    async def outbox(self) -> list[Record]:
        """What was captured, for the node's own page."""
        return await self._node.store.read(lambda tx: storage.letters(tx, model.OUTBOX_SHOWN))


def topics(node: Node) -> Topics:
    found: Topics = node.runtimes["sns"]
    return found


def _circle(node: Node, name: Name, topic: Record, version: str, records: list[Record]) -> Circle:
    attributes = topic["Attributes"]
    return Circle(
        version,
        attributes.get("SignatureVersion", "1"),
        attributes.get("DeliveryPolicy", ""),
        attributes.get("DisplayName", ""),
        tuple(_member(node, name, record) for record in records if not record["Pending"]),
    )


def _member(node: Node, name: Name, record: Record) -> Member:
    arn, attributes = f"{name.arn}:{record['Id']}", record["Attributes"]
    policy = attributes.get("FilterPolicy")
    place = queue_place(node, name.arn, record["Endpoint"]) if record["Protocol"] == "sqs" else None
    return Member(
        arn,
        record["Protocol"],
        record["Endpoint"],
        attributes.get("RawMessageDelivery") == "true",
        bytes.fromhex(record["Since"]),
        filters.pattern(policy) if policy else None,
        attributes.get("FilterPolicyScope", filters.ATTRIBUTES),
        unsubscribe_url(node, arn_in_url(arn)),
        place,
        record,
    )


def queue_place(node: Node, topic: str, queue: str) -> Place:
    """Where to send what a topic has for a queue."""
    _, _, _, region, account, name = queue.split(":")
    return Place(topic, region, f"http://{node.config.home}/{account}/{name}")
