"""Large objects need no memory: whole and in parts, up, down and across, with clients that take their time.

CLOUDLET_LARGE_MB=2048 makes them as large as the promise is.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from bench.load import signed
from tests.harness import Node, eventually

from . import traffic
from .traffic import MB

SIZE = int(os.environ.get("CLOUDLET_LARGE_MB", "100"))
MOST = 50
CLIENTS = 40


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that has taken and given some, so that what it needs anyway is there."""
    node = Node(tmp_path_factory.mktemp("large") / "data")
    node.client("s3").create_bucket(Bucket="large")
    for form in traffic.FORMS:
        traffic.put(node, "/large/warm", 2, form)
    assert traffic.get(node, "/large/warm") == 2 * MB
    traffic.put(node, "/large/source", SIZE)
    yield node
    assert node.stop() == 0
    assert "Traceback" not in node.log, node.log


@pytest.fixture
def memory(warm: Node) -> Iterator[None]:
    seen = traffic.Memory(warm.pid)
    yield
    assert seen.grown() <= MOST


def files(node: Node) -> int:
    return sum(1 for path in (node.data / "s3").rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.usefixtures("memory")
class TestMemory:
    @pytest.mark.parametrize("form", traffic.FORMS)
    def test_put(self, warm: Node, form: str) -> None:
        traffic.put(warm, "/large/a", SIZE, form)
        assert warm.client("s3").head_object(Bucket="large", Key="a")["ContentLength"] == SIZE * MB

    def test_get(self, warm: Node) -> None:
        assert traffic.get(warm, "/large/source") == SIZE * MB

    def test_parts(self, warm: Node) -> None:
        """In parts, and a copy of it, which is one whole again and is hashed anew."""
        s3, parts = warm.client("s3"), []
        id = s3.create_multipart_upload(Bucket="large", Key="parts")["UploadId"]
        for number in (1, 2):
            put = traffic.put(warm, f"/large/parts?partNumber={number}&uploadId={id}", SIZE // 2)
            parts.append({"PartNumber": number, "ETag": put["ETag"]})
        s3.complete_multipart_upload(
            Bucket="large", Key="parts", UploadId=id, MultipartUpload={"Parts": parts}
        )
        s3.copy_object(Bucket="large", Key="copy", CopySource="large/parts")
        assert traffic.get(warm, "/large/parts") == traffic.get(warm, "/large/copy") == SIZE // 2 * 2 * MB

    def test_a_part_that_is_copied(self, warm: Node) -> None:
        s3 = warm.client("s3")
        id = s3.create_multipart_upload(Bucket="large", Key="across")["UploadId"]
        s3.upload_part_copy(
            Bucket="large", Key="across", UploadId=id, PartNumber=1, CopySource="large/source"
        )
        assert s3.list_parts(Bucket="large", Key="across", UploadId=id)["Parts"][0]["Size"] == SIZE * MB
        s3.abort_multipart_upload(Bucket="large", Key="across", UploadId=id)

    def test_readers_that_do_not_read(self, warm: Node) -> None:
        request = signed(warm.endpoint, "GET", "/large/source", {}, b"", "s3")
        connections = [socket.create_connection(("127.0.0.1", warm.port)) for _ in range(CLIENTS)]
        for connection in connections:
            connection.sendall(request)
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert traffic.get(warm, "/large/warm") == 2 * MB
        for connection in connections:
            connection.close()

    def test_writers_that_stop_leave_nothing(self, warm: Node) -> None:
        before = files(warm)
        head = signed(
            warm.endpoint, "PUT", "/large/cut", {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, b"", "s3"
        )
        head = head.replace(b"Content-Length: 0", b"Content-Length: %d" % (SIZE * MB))
        connections = [socket.create_connection(("127.0.0.1", warm.port)) for _ in range(CLIENTS)]
        for connection in connections:
            connection.sendall(head + traffic.BLOCK)
        eventually(lambda: files(warm) == before + CLIENTS)
        for connection in connections:
            connection.close()
        eventually(lambda: files(warm) == before)
        assert "Contents" not in warm.client("s3").list_objects_v2(Bucket="large", Prefix="cut")
