"""A client of Scribble without a page, for tests: keeps the canvas as the protocol says, acknowledgements and all."""

from __future__ import annotations

import base64
import io
import json
import urllib.error
import urllib.request
import zlib
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import valkey
from PIL import Image

from tests.flows.client import Frame, SocketClient, deploy, eventually, outputs_of

Pixel = tuple[int, int]


class Canvas:
    """Pixels by the ids of what drew them: a lower id never covers a higher one."""

    def __init__(self) -> None:
        self.width = self.height = self.bits = 0
        self.pixels: dict[Pixel, tuple[int, int]] = {}
        self.base = 0
        self.base_colours: dict[Pixel, int] = {}
        self.told: dict[int, list[int]] = {}

    def draw(self, id: int, flat: list[int]) -> None:
        self.told[id] = flat
        for x, y, colour in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
            if self.pixels.get((x, y), (0, 0))[0] <= id:
                self.pixels[x, y] = (id, colour)

    def picture(self, id: int, bitmap: bytes, width: int, bits: int) -> None:
        colours = [byte >> shift & (1 << bits) - 1 for byte in bitmap for shift in range(8 - bits, -1, -bits)]
        self.paint(id, colours, width)

    def png(self, id: int, content: bytes) -> None:
        image = Image.open(io.BytesIO(content))
        assert image.mode == "P"
        self.paint(id, list(image.tobytes()), image.width)

    def paint(self, id: int, colours: list[int], width: int) -> None:
        if id >= self.base:
            self.base = id
            self.base_colours = {(at % width, at // width): c for at, c in enumerate(colours) if c}

    def colour(self, pixel: Pixel) -> int:
        id, colour = self.pixels.get(pixel, (0, 0))
        return colour if id > self.base else self.base_colours.get(pixel, 0)

    def shown(self) -> dict[Pixel, int]:
        """Every pixel that isn't paper."""
        colours = {pixel: self.colour(pixel) for pixel in {*self.pixels, *self.base_colours}}
        return {pixel: colour for pixel, colour in colours.items() if colour}


class Client(SocketClient):
    """One who draws: `canvas` outlives connections, as a page's does; `unacknowledged` is sent again by the test."""

    def __init__(self, url: str, name: str = "") -> None:
        super().__init__(url)
        self.name = name
        self.canvas = Canvas()
        self.since: int | None = None
        self.you = ""
        self.here = 0
        self.ready = False
        self.others: list[Frame] = []
        self.cursors: list[list[list[Any]]] = []
        self.acknowledged: dict[int, int] = {}
        self.slow: list[Frame] = []
        self.errors: list[Frame] = []
        self._parts: dict[int, bytes] = {}
        self._highest = 0

    @asynccontextmanager
    async def connected(self) -> Any:
        await self.open()
        try:
            yield self
        finally:
            await self.close()

    async def open(self) -> None:
        query = {"name": self.name} | ({} if self.since is None else {"since": self.since})
        self.ready, self.you = False, ""
        self._parts.clear()
        await self.connect(f"?{urlencode(query)}")
        await self.until(lambda: self.you or self._reader.done())

    def cut(self) -> None:
        """The connection goes without a word."""
        if self._socket is not None:
            self._socket.transport.abort()

    def lost(self) -> None:
        self.ready = False

    def state(self) -> str:
        return f"here {self.here}, errors {self.errors}, last {self.others[-5:]}"

    def take(self, frame: Frame) -> None:
        self.here = frame.get("here", self.here)
        if "cursors" in frame:
            self.cursors.append(frame["cursors"])
        match frame.get("type"):
            case "welcome":
                self.you = frame["you"]
                self.canvas.width, self.canvas.height = frame["width"], frame["height"]
                self.canvas.bits = frame["bits"]
            case "points":
                for batch in frame["batches"]:
                    self.canvas.draw(batch["id"], batch["points"])
                    if batch["by"] == self.you and "ref" in batch:
                        self.acknowledged[batch["ref"]] = batch["id"]
                self._seen(max(batch["id"] for batch in frame["batches"]))
            case "picture":
                self._parts[frame["part"]] = base64.b64decode(frame["data"])
                if len(self._parts) == frame["parts"]:
                    bitmap = zlib.decompress(b"".join(self._parts[n] for n in range(frame["parts"])))
                    self.canvas.picture(frame["id"], bitmap, frame["width"], frame["bits"])
                    self._parts.clear()
            case "ready":
                self.ready = True
                self.since = max(frame["id"], self._highest)
            case "slow":
                self.slow.append(frame)
            case "error" | None:
                self.errors.append(frame)
            case _:
                self.others.append(frame)

    def _seen(self, id: int) -> None:
        self._highest = max(self._highest, id)
        if self.ready:
            self.since = max(self.since or 0, self._highest)

    async def send(self, **message: Any) -> None:
        await self.say(json.dumps({"action": "sendMessage"} | message))

    async def draw(self, points: list[list[int]], ref: int) -> int:
        """Draw and wait for the acknowledgement: the batch's id."""
        await self.send(points=points, ref=ref)
        await self.until(lambda: ref in self.acknowledged)
        return self.acknowledged[ref]

    def load_picture(self, url: str) -> None:
        """image.png, as a page does before it connects."""
        try:
            with urllib.request.urlopen(url) as answer:
                id = int(answer.headers["x-amz-meta-id"])
                self.canvas.png(id, answer.read())
        except urllib.error.HTTPError as error:
            assert error.code in (403, 404), error
            return
        self.since = id
        self._highest = max(self._highest, id)


class Application:
    """Scribble deployed to a node: its addresses from here, and its parts."""

    def __init__(self, node: Any, *parameters: str) -> None:
        self.node = node
        self.deploy(*parameters)

    def deploy(self, *parameters: str) -> None:
        deploy(self.node, "apps/scribble", *parameters)
        self.outputs = outputs_of(self.node, "scribble")
        api = self.outputs["SocketUrl"].split("//")[1].split(".")[0]
        self.url = f"ws://127.0.0.1:{self.node.port}/_aws/execute-api/{api}/production"
        self.picture = f"{self.node.endpoint}/{self.outputs['BucketName']}/image.png"
        distribution = self.outputs["PageUrl"].split("//")[1].split(".")[0]
        self.page = f"{self.node.endpoint}/_aws/cloudfront/{distribution}/"
        self._lambda = self.node.client("lambda")

    def client(self, name: str = "") -> Client:
        return Client(self.url, name)

    def draw_picture(self) -> int:
        """Have the picture drawn now; the id up to which it has everything."""
        answer = self._lambda.invoke(FunctionName=self.outputs["PictureFunction"], Payload=b"{}")
        said = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return int(said["id"])

    def table(self) -> dict[Pixel, tuple[int, int]]:
        """{pixel: (id, colour)} as the table has it."""
        pages = (
            self.node.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs["TableName"])
        )
        items = [
            {name: int(value["N"]) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]
        return {(item["x"], item["y"]): (item["id"], item["c"]) for item in items}

    async def saved(self, pixel: Pixel, what: tuple[int, int]) -> None:
        """Wait until the table has this (id, colour) there."""

        async def is_there() -> bool:
            return self.table().get(pixel) == what

        await eventually(is_there)

    def function(self, name: str) -> dict[str, Any]:
        """How a function of the template is configured."""
        functions = self._lambda.list_functions()["Functions"]
        return next(one for one in functions if name in one["FunctionName"])

    async def logged(self, function: str, what: str, times: int) -> None:
        """Wait until a function has written it so often."""
        name = self.function(function)["FunctionName"]
        pages = self.node.client("logs").get_paginator("filter_log_events")

        async def there() -> bool:
            found = pages.paginate(logGroupName=f"/aws/lambda/{name}", filterPattern=f'"{what}"')
            return sum(len(page["events"]) for page in found) >= times

        await eventually(there)

    def waiting(self, queue: str) -> int:
        """How many messages a queue has to give."""
        counts = self.node.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
        return int(counts["Attributes"]["ApproximateNumberOfMessages"])

    def cache(self) -> Any:
        """A client of the cache that the functions use."""
        url = self.function("SendMessageV3")["Environment"]["Variables"]["CACHE_URL"]
        return (
            valkey.Valkey.from_url(url, ssl_cert_reqs="none")
            if "valkeys" in url
            else valkey.Valkey.from_url(url)
        )
