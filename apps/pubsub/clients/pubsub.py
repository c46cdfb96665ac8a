"""A small client: topics over one WebSocket, which comes back when it is lost. Needs the `websockets` package.

    async with PubSub("wss://…/production") as pubsub:
        await pubsub.subscribe("scores/*")
        async for message in pubsub:
            print(message["topic"], message["body"])

Run as a program it prints what comes: `python pubsub.py wss://…/production 'scores/*' news/local`
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


class Refused(Exception):
    """The server's answer to a subscription that it can't take."""


class PubSub:
    def __init__(self, url):
        self._url = url
        self._topics = {}  # topic -> future of its confirmation
        self._messages = asyncio.Queue()
        self._socket = None
        self._task = None

    async def __aenter__(self):
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def subscribe(self, topic):
        """Returns the last messages of the topic once the server has the subscription."""
        confirmed = self._topics[topic] = asyncio.get_running_loop().create_future()
        if self._socket is not None:
            await self._send("subscribe", topic)
        return await confirmed

    async def unsubscribe(self, topic):
        del self._topics[topic]
        if self._socket is not None:
            await self._send("unsubscribe", topic)

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await self._messages.get()

    async def _send(self, action, topic):
        await self._socket.send(json.dumps({"action": action, "topic": topic}))

    async def _run(self):
        async for socket in connect(self._url):  # connects again, with growing pauses, after a loss
            self._socket = socket
            try:
                for topic in self._topics:
                    await self._send("subscribe", topic)
                async for data in socket:
                    self._take(json.loads(data))
            except ConnectionClosed:
                pass
            finally:
                self._socket = None

    def _take(self, message):
        if message["type"] == "message":
            self._messages.put_nowait(message)
        elif message["type"] == "subscribed":
            confirmed = self._topics.get(message["topic"])
            if confirmed is not None and not confirmed.done():
                confirmed.set_result(message["last"])
        elif message["type"] == "error":
            for confirmed in self._topics.values():
                if not confirmed.done():
                    confirmed.set_exception(Refused(message["message"]))
                    break


async def main(url, topics):
    async with PubSub(url) as pubsub:
        for topic in topics:
            for message in await pubsub.subscribe(topic):
                print(message["topic"], message["body"])
        async for message in pubsub:
            print(message["topic"], message["body"], flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], sys.argv[2:] or ["*"]))
    except KeyboardInterrupt:
        pass
