"""From one published message to its subscribers.

Rules
 1. A published message is one durable task. Its handler reaches queues and functions, captures e-mails and text
    messages, and leaves each HTTP delivery, and what failed, as tasks of their own. Only then is the task done; if the
    node ends before, all of it happens again.
 2. Messages for one queue that are under way together go in batches (`queues`).
"""

from __future__ import annotations

import asyncio

import orjson

from ...context import Node
from ...errors import AwsError
from ...store.interface import Task, Transaction
from . import delivering, filters, model, outbox
from .circles import Circle, Member, topics
from .envelope import Message, Notification, raw_attributes, text_for
from .queues import Entry
from .storage import Name

CHUNK = 100
CHUNK_BYTES = 2 * 1024 * 1024
"""So many deliveries of one message, and about so many bytes, are under way at once."""


class Delivery:
    """One message on its way to all who hear of it: what waits, what failed, what is left for later."""

    def __init__(self, node: Node, task: Task, circle: Circle) -> None:
        self.node = node
        self.message: Message = orjson.loads(task.payload)
        self.stamp = task.id
        self.circle = circle
        self._topics = topics(node)
        self._notifications: dict[str, Notification] = {}
        self._open = 0
        self._all: asyncio.Future[None]
        self.failed: list[tuple[Member, AwsError]] = []
        self.later: list[Member] = []
        self.captured: list[Member] = []

    def members(self) -> list[Member]:
        """Those subscribed before it was published whose filter lets it through."""
        facts = filters.Facts(self.message["attributes"], text_for(self.message, ""))
        return [
            member
            for member in self.circle.members
            if member.since < self.stamp
            and (member.pattern is None or facts.fit(member.pattern, member.scope))
        ]

    async def run(self) -> None:
        members = self.members()
        signed = {member.protocol for member in members if not member.raw and member.protocol != "sms"}
        if signed:
            await self._sign({text_for(self.message, protocol) for protocol in signed})
        queues = [member for member in members if member.place is not None]
        functions = [member for member in members if member.protocol == "lambda"]
        self.later = [member for member in members if member.protocol.startswith("http")]
        self.captured = [member for member in members if member.protocol in model.CAPTURED]
        chunk = max(1, min(CHUNK, CHUNK_BYTES // (_bytes(text_for(self.message, "")) + 1)))
        for start in range(0, len(queues), chunk):
            await self._to_queues(queues[start : start + chunk])
        for start in range(0, len(functions), chunk):
            await asyncio.gather(*map(self._invoke, functions[start : start + chunk]))
        if self.failed or self.later or self.captured:
            await self.node.store.transact(self._leave)

    async def _sign(self, texts: set[str]) -> None:
        signing = self._topics.signing
        signer = await signing.ready()
        for text in texts:
            async with signing.turn:
                made = Notification(self.node, signer, self.message, text, self.circle.signature)
                await asyncio.sleep(0)
            self._notifications[text] = made

    def notification(self, member: Member) -> Notification:
        return self._notifications[text_for(self.message, member.protocol)]

    async def _to_queues(self, members: list[Member]) -> None:
        """Put the message into queues, and wait until it is there."""
        text = text_for(self.message, "sqs")
        signed = self._notifications.get(text)
        raw = raw_attributes(self.message)
        size = _bytes(text) + len(orjson.dumps(self.message["attributes"]))
        self._open = len(members)
        self._all = asyncio.get_running_loop().create_future()
        put, group = self._topics.queues.put, self.message.get("group", "")
        for member in members:
            assert member.place is not None
            if member.raw:
                put(member.place, Entry(text, raw, size, self, member, group))
                continue
            assert signed is not None
            body = signed.document(member.unsubscribe)
            put(member.place, Entry(body, None, _bytes(body), self, member, group))
        await self._all

    def ended(self, which: Member, error: BaseException | None) -> None:
        """A queue has its message, or hasn't."""
        if isinstance(error, AwsError):
            self.failed.append((which, error))
        elif error is not None and not self._all.done():
            text = f"the queue {which.endpoint} can't be reached: {error!r}"
            self._all.set_exception(RuntimeError(text))
        self._open -= 1
        if not self._open and not self._all.done():
            self._all.set_result(None)

    async def _invoke(self, member: Member) -> None:
        try:
            topic = Name(*self.message["topic"]).arn
            await delivering.invoke(self.node, topic, member.endpoint, self.event(member))
        except AwsError as error:
            self.failed.append((member, error))

    def event(self, member: Member) -> bytes:
        return self.notification(member).event(member.arn, member.unsubscribe)

    async def _leave(self, tx: Transaction) -> None:
        """What is still to be done, as tasks and letters."""
        for member in self.later:
            await delivering.enqueue(self.node, tx, self._work(member), 0.0)
        for member, error in self.failed:
            await delivering.after(self.node, tx, self._work(member), error)
        for member in self.captured:
            await outbox.capture(self.node, tx, self, member)

    def _work(self, member: Member) -> delivering.Work:
        return {
            "message": self.message,
            "arn": member.arn,
            "subscription": member.record,
            "version": self.circle.signature,
            "signature": "" if member.raw else self.notification(member).fields["Signature"],
            "topic_policy": self.circle.delivery_policy,
            "attempt": 1,
        }


def _bytes(text: str) -> int:
    """How many there are, at most."""
    return len(text) if text.isascii() else len(text) * 4


async def on_fanout(node: Node, task: Task) -> None:
    name = Name(*orjson.loads(task.payload)["topic"])
    circle = await topics(node).circle(name)
    if circle is not None:
        await Delivery(node, task, circle).run()
