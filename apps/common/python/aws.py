"""Requests to AWS, many in flight, from one thread.

A broadcast is a PostToConnection for each connection. boto3 takes a millisecond of processor time for one, so a room
of a thousand would get a frame a second. Here a request is a signature and two system calls: keep-alive connections,
each with one request under way, watched by one selector.

`AWS_ENDPOINT_URL`, as for the SDKs, says where the requests go instead of AWS; they stay signed for AWS's host.
"""

import hashlib
import hmac
import os
import selectors
import socket
import ssl
import time
from collections import deque
from urllib.parse import quote, urlsplit

REGION = os.environ.get("AWS_REGION", "us-east-1")
LANES = 32
PATIENCE = 10.0
"""Seconds until a request that gets no answer has failed."""
LOOK = 1.0
"""Seconds after which, if nothing happens, it is looked who has waited for too long."""


class Answer:
    __slots__ = ("body", "status")

    def __init__(self, status, body):
        self.status = status
        self.body = body

    @property
    def again(self):
        """Whether asking again may help: no answer, throttled, or a fault of the service."""
        return self.status in (0, 429) or self.status >= 500


class Service:
    """A host of AWS and the signature that it wants."""

    def __init__(self, name, host, headers=None):
        self.name = name
        self.host = host
        override = os.environ.get("AWS_ENDPOINT_URL")
        self.address = urlsplit(override or f"https://{host}")
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}
        self.headers["host"] = host
        if token := os.environ.get("AWS_SESSION_TOKEN"):
            self.headers["x-amz-security-token"] = token
        self._second = 0
        self._lanes = []
        self._selector = selectors.DefaultSelector()
        self._tls = ssl.create_default_context() if self.address.scheme == "https" else None

    # What a request looks like

    def request(self, path, body, digest=None, method="POST"):
        """The bytes of a signed request; `digest` is the body's SHA-256 in hexadecimal, if it is known."""
        now = int(time.time())
        if now != self._second:
            self._prepare(now)
        if digest is None:
            digest = hashlib.sha256(body).hexdigest()
        canonical = f"{method}\n{quote(path, safe='/~')}\n\n{self._canonical}{digest}"
        wanted = self._to_sign + hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.digest(self._key, wanted.encode(), "sha256").hex()
        return (
            f"{method} {path} HTTP/1.1\r\n{self._head}{signature}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    def _prepare(self, now):
        """What is the same in all requests of a second."""
        self._second = now
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        scope = f"{stamp[:8]}/{REGION}/{self.name}/aws4_request"
        headers = dict(sorted({**self.headers, "x-amz-date": stamp}.items()))
        names = ";".join(headers)
        self._canonical = "".join(f"{name}:{value}\n" for name, value in headers.items()) + f"\n{names}\n"
        self._to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n"
        key = b"AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"].encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._key = key
        credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head += (
            f"authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature="
        )

    # Sending

    def ask(self, path, body):
        return self.send([self.request(path, body)])[0]

    def send(self, requests):
        """The answers to the requests, in their order; status 0 for one that got none. A request is its bytes, or a
        function that makes them when its turn comes: a thousand large ones needn't lie in memory."""
        try:
            return self._send(requests)
        except BaseException:
            self.close()
            raise

    def close(self):
        for lane in self._lanes:
            lane.close()
        self._lanes.clear()

    def _send(self, requests):
        answers = [Answer(0, b"")] * len(requests)
        waiting = deque(range(len(requests)))
        idle = list(self._lanes)
        busy = 0
        while waiting or busy:
            done = []
            while waiting and (idle or len(self._lanes) < LANES):
                lane = idle.pop() if idle else self._open()
                lane.number = waiting.popleft()
                busy += 1
                request = requests[lane.number]
                if lane.start(request() if callable(request) else request):
                    done.append(lane)
            for lane in done or self._ready():
                if lane.busy:
                    busy -= 1
                    lane.busy = False
                    if lane.answer is not None:
                        answers[lane.number] = lane.answer
                    elif lane.used and not lane.late:  # it may have been closed while it was idle
                        waiting.append(lane.number)
                    lane.used = True
                    if lane.open:
                        idle.append(lane)
                elif lane in idle:
                    idle.remove(lane)
                if not lane.open:
                    self._lanes.remove(lane)
        return answers

    def _ready(self):
        """The lanes that are done: with an answer, or closed without."""
        ready = [key.data for key, _ in self._selector.select(LOOK)]
        if ready:
            return [lane for lane in ready if lane.step()]
        limit = time.monotonic() - PATIENCE
        late = [lane for lane in self._lanes if lane.busy and lane.since < limit]
        for lane in late:
            lane.late = True
            lane.close()
        return late

    def _open(self):
        connection = socket.create_connection(
            (self.address.hostname, self.address.port or (443 if self._tls else 80)), PATIENCE
        )
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_hostname=self.address.hostname)
        connection.setblocking(False)
        lane = Lane(connection, self._selector)
        self._lanes.append(lane)
        return lane


class Lane:
    """One connection, and the request that is under way on it."""

    __slots__ = (
        "answer", "busy", "connection", "got", "late", "number", "open", "selector", "since", "unsent", "used",
        "watched",
    )  # fmt: skip

    def __init__(self, connection, selector):
        self.connection = connection
        self.selector = selector
        self.open = True
        self.busy = self.used = self.late = False
        self.unsent = b""
        self.watched = selectors.EVENT_READ
        selector.register(connection, self.watched, self)

    def start(self, request):
        """Send the request; true if that has already failed."""
        self.answer = None
        self.busy = True
        self.got = b""
        self.since = time.monotonic()
        self.unsent = request
        self._write()
        return not self.open

    def step(self):
        """Go on; true when the request is over, with an answer or (`answer` is None) without."""
        if not self.busy:  # nobody asked: the other side has closed
            self.close()
        if self.open and self.unsent:
            self._write()
        if self.open:
            self._read()
        return self.answer is not None or not self.open

    def close(self):
        if self.open:
            self.open = False
            self.selector.unregister(self.connection)
            self.connection.close()

    def _watch(self, events):
        if events != self.watched:
            self.watched = events
            self.selector.modify(self.connection, events, self)

    def _write(self):
        try:
            while self.unsent:
                self.unsent = self.unsent[self.connection.send(self.unsent) :]
            self._watch(selectors.EVENT_READ)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._watch(selectors.EVENT_READ | selectors.EVENT_WRITE)
        except OSError:
            self.close()

    def _read(self):
        try:
            while self.answer is None:
                data = self.connection.recv(65536)
                if not data:
                    self.close()
                    return
                self.got += data
                self.answer = complete(self.got)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            self.close()
            return
        if b"connection: close" in self.got.partition(b"\r\n\r\n")[0].lower():
            self.close()


def complete(data):
    """The answer that the data is, or None while it is not all there."""
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        return None
    status = int(head[9:12])
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at >= 0:
        end = lowered.find(b"\r\n", at + 2)
        length = int(lowered[at + 17 : end if end >= 0 else None])
        return Answer(status, body) if len(body) >= length else None
    if b"\r\ntransfer-encoding: chunked" in lowered:
        return Answer(status, unchunked(body)) if body.endswith(b"0\r\n\r\n") else None
    return Answer(status, b"")


def unchunked(body):
    pieces = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        pieces.append(body[:length])
        body = body[length + 2 :]
    return b"".join(pieces)
