"""Origins: buckets with and without access control, failover, misses at the same time, large bodies, sockets."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.typing import Subprotocol

from cloudlet.net.authority import Authority
from tests.harness import Node, eventually, python_function, websocket_api
from tests.services.cloudfront.conftest import (
    ALL_VIEWER_BUT_HOST,
    DISABLED,
    EVERY_METHOD,
    OPTIMIZED,
    Cdn,
    Reply,
    Seen,
    Web,
    bucket,
    custom,
    listed,
    methods,
)

Deploy = Callable[..., Cdn]


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def private(s3: Any, unique: Callable[[str], str]) -> str:
    """A bucket with `page`, which nobody may read."""
    name = unique("bucket")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="page", Body=b"hello", ContentType="text/html")
    return name


def allow(s3: Any, name: str, principal: Any, **condition: Any) -> None:
    statement = {
        "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*",
    } | condition  # fmt: skip
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


class TestABucket:
    def test_is_asked_as_anybody(self, s3: Any, private: str, deploy: Deploy) -> None:
        cdn = deploy(bucket(private))
        assert (cdn.get().status, cdn.get().headers["content-type"]) == (403, "application/xml")
        s3.delete_public_access_block(Bucket=private)
        allow(s3, private, "*")
        view = cdn.get()
        assert (view.status, view.body, view.headers["content-type"]) == (200, b"hello", "text/html")
        assert "x-amz-request-id" not in view.headers
        assert cdn.get("/other").status == 403

    def test_may_have_public_objects(self, s3: Any, private: str, deploy: Deploy) -> None:
        s3.put_bucket_ownership_controls(
            Bucket=private, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
        )
        s3.delete_public_access_block(Bucket=private)
        cdn = deploy({**bucket(private), "DomainName": f"{private}.s3.amazonaws.com"})
        assert cdn.get().status == 403
        s3.put_object_acl(Bucket=private, Key="page", ACL="public-read")
        assert cdn.get().body == b"hello"

    def test_behind_an_access_control_lets_only_its_distribution_in(
        self, s3: Any, cf: Any, private: str, deploy: Deploy, unique: Callable[[str], str],
        after: list[Callable[[], Any]],
    ) -> None:  # fmt: skip
        made = cf.create_origin_access_control(
            OriginAccessControlConfig={
                "Name": unique("control"), "SigningProtocol": "sigv4", "SigningBehavior": "always",
                "OriginAccessControlOriginType": "s3",
            }
        )  # fmt: skip
        control = made["OriginAccessControl"]["Id"]
        after.append(lambda: cf.delete_origin_access_control(Id=control, IfMatch=made["ETag"]))
        ours = deploy(bucket(private, OriginAccessControlId=control))
        other = deploy(bucket(private, OriginAccessControlId=control))
        assert ours.get().status == 403
        allow(
            s3, private, {"Service": "cloudfront.amazonaws.com"},
            Condition={"StringEquals": {"AWS:SourceArn": ours.arn}},
        )  # fmt: skip
        assert (ours.get().body, other.get().status) == (b"hello", 403)

    @pytest.mark.parametrize("by", ["arn", "canonical user"])
    def test_behind_an_access_identity_lets_it_in(
        self, by: str, s3: Any, cf: Any, private: str, deploy: Deploy, unique: Callable[[str], str],
        after: list[Callable[[], Any]],
    ) -> None:  # fmt: skip
        made = cf.create_cloud_front_origin_access_identity(
            CloudFrontOriginAccessIdentityConfig={"CallerReference": unique("oai"), "Comment": ""}
        )
        identity = made["CloudFrontOriginAccessIdentity"]
        after.append(
            lambda: cf.delete_cloud_front_origin_access_identity(Id=identity["Id"], IfMatch=made["ETag"])
        )
        named = {"OriginAccessIdentity": f"origin-access-identity/cloudfront/{identity['Id']}"}
        cdn = deploy(bucket(private, S3OriginConfig=named))
        assert cdn.get().status == 403
        arn = f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {identity['Id']}"
        who = {"AWS": arn} if by == "arn" else {"CanonicalUser": identity["S3CanonicalUserId"]}
        allow(s3, private, who)
        assert cdn.get().body == b"hello"

    def test_can_be_written_to(self, s3: Any, private: str, deploy: Deploy) -> None:
        s3.delete_public_access_block(Bucket=private)
        allow(s3, private, "*", Action=["s3:GetObject", "s3:PutObject"])
        cdn = deploy(
            bucket(private), behavior={"AllowedMethods": methods(*EVERY_METHOD), "CachePolicyId": DISABLED}
        )
        assert cdn.get("/new", "PUT", b"written", content_type="text/x-own").status == 200
        view = cdn.get("/new")
        assert (view.body, view.headers["content-type"]) == (b"written", "text/x-own")

    @pytest.mark.slow
    @pytest.mark.node_only
    def test_takes_a_large_upload_as_it_comes(
        self, s3: Any, private: str, web: Web, deploy: Deploy, node: Node
    ) -> None:
        s3.delete_public_access_block(Bucket=private)
        allow(s3, private, "*", Action="s3:PutObject")
        everything = {"AllowedMethods": methods(*EVERY_METHOD), "CachePolicyId": DISABLED}
        body = os.urandom(1024) * 1024 * 60
        before = resident(node)
        assert deploy(bucket(private), behavior=everything).get("/new", "PUT", body).status == 200
        assert deploy(custom(web.port), behavior=everything).get("/new", "PUT", body).status == 200
        assert resident(node) - before < 50 * 1024 * 1024
        assert s3.get_object(Bucket=private, Key="new")["Body"].read() == body
        assert web.seen[0].body == body

    def test_may_be_a_website(self, s3: Any, private: str, deploy: Deploy) -> None:
        s3.delete_public_access_block(Bucket=private)
        allow(s3, private, "*")
        s3.put_bucket_website(
            Bucket=private,
            WebsiteConfiguration={"IndexDocument": {"Suffix": "page"}, "ErrorDocument": {"Key": "sorry"}},
        )
        s3.put_object(Bucket=private, Key="folder/page", Body=b"inside", ContentType="text/html")
        s3.put_object(Bucket=private, Key="sorry", Body=b"sorry", ContentType="text/html")
        host = f"{private}.s3-website-us-east-1.amazonaws.com"
        cdn = deploy({**custom(80), "DomainName": host})
        assert [cdn.get(path).body for path in ("/", "/folder/")] == [b"hello", b"inside"]
        assert (cdn.get("/nothing").status, cdn.get("/nothing").body) == (404, b"sorry")

    @pytest.mark.slow
    @pytest.mark.node_only
    def test_with_a_large_object_does_not_fill_the_memory(
        self, s3: Any, private: str, deploy: Deploy, node: Node, tmp_path: Path
    ) -> None:
        s3.delete_public_access_block(Bucket=private)
        allow(s3, private, "*")
        body = bytes(1024) * 1024 * 150
        s3.put_object(Bucket=private, Key="large", Body=body)
        cdn = deploy(bucket(private))
        cdn.get()
        before = resident(node)
        view = cdn.get("/large")
        assert (len(view.body), view.headers["content-length"]) == (len(body), str(len(body)))
        assert resident(node) - before < 50 * 1024 * 1024
        files = open_files(node, "s3/objects")
        for _ in range(3):
            fresh = deploy(bucket(private))
            assert fresh.get("/large", range="bytes=5-6").body == bytes(2)
        assert eventually(lambda: open_files(node, "s3/objects") <= files)


def open_files(node: Node, part: str) -> int:
    """How many files of the node's directory are open whose path has that part."""
    found = 0
    for link in Path(f"/proc/{node.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += part in str(link.readlink())
    return found


def resident(node: Node) -> int:
    """The most that the node has ever had, in bytes."""
    status = Path(f"/proc/{node.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


class TestMissesAtTheSameTime:
    def test_are_one_request(self, web: Web, deploy: Deploy) -> None:
        arrived, go = threading.Event(), threading.Event()

        def reply(seen: Seen) -> Reply:
            arrived.set()
            assert go.wait(20)
            return Reply(b"slow")

        web.replies["/page"] = reply
        cdn = deploy(custom(web.port))
        with ThreadPoolExecutor(6) as viewers:
            first = viewers.submit(cdn.get)
            assert arrived.wait(20)
            others = [viewers.submit(cdn.get) for _ in range(5)]
            eventually(lambda: all(other.running() for other in others))
            go.set()
            assert first.result().result == "Miss"
            assert {other.result().body for other in others} == {b"slow"}
        assert web.paths == ["/page"]

    def test_of_what_may_not_be_kept_are_a_request_each(
        self, web: Web, deploy: Deploy, policy: Callable[..., str]
    ) -> None:
        arrived, go = threading.Event(), threading.Event()

        def reply(seen: Seen) -> Reply:
            arrived.set()
            assert go.wait(20)
            return Reply(seen.headers["x-amz-cf-id"].encode(), headers={"Cache-Control": "no-store"})

        web.replies["/page"] = reply
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy((0, 60, 60))})
        with ThreadPoolExecutor(3) as viewers:
            first = viewers.submit(cdn.get)
            assert arrived.wait(20)
            others = [viewers.submit(cdn.get) for _ in range(2)]
            eventually(lambda: all(other.running() for other in others))
            go.set()
            bodies = {view.result().body for view in (first, *others)}
        assert len(bodies) == 3

    def test_outlive_the_viewer_who_caused_them(self, web: Web, deploy: Deploy) -> None:
        go = threading.Event()

        def reply(seen: Seen) -> Reply:
            assert go.wait(20)
            return Reply(b"x" * 100_000)

        web.replies["/page"] = reply
        cdn = deploy(custom(web.port))
        impatient = http.client.HTTPConnection("127.0.0.1", cdn.port)
        impatient.request("GET", "/page", headers={"Host": cdn.host})
        eventually(lambda: web.paths)
        impatient.close()
        go.set()
        assert eventually(lambda: cdn.get().result == "Hit")
        assert web.paths == ["/page"]


class TestAnOriginWithHttps:
    @pytest.mark.node_only
    def test_is_asked_if_its_certificate_is_trusted(self, web: Web, deploy: Deploy, node: Node) -> None:
        origin = custom(80)
        origin["CustomOriginConfig"] |= {"HTTPSPort": web.port, "OriginProtocolPolicy": "https-only"}
        cdn = deploy(origin)
        web.serve_tls(asyncio.run(Authority(node.data / "tls").server_context()))
        assert cdn.get().body == b"hello"

    @pytest.mark.node_only
    def test_is_502_if_it_is_not(self, web: Web, deploy: Deploy, tmp_path: Path) -> None:
        origin = custom(80)
        origin["CustomOriginConfig"] |= {"HTTPSPort": web.port, "OriginProtocolPolicy": "https-only"}
        web.serve_tls(asyncio.run(Authority(make(tmp_path / "tls")).server_context()))
        view = deploy(origin).get()
        assert (view.status, b"certificate" in view.body) == (502, True)


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


class TestAnOriginGroup:
    def test_goes_on_to_its_second_member(self, web: Web, deploy: Deploy) -> None:
        group = {
            "Id": "both",
            "FailoverCriteria": {"StatusCodes": listed(500, 404)},
            "Members": listed({"OriginId": "one"}, {"OriginId": "two"}),
        }
        web.replies["/one/page"], web.replies["/two/page"] = Reply(b"1", 404), Reply(b"2")
        web.replies["/one/fine"] = Reply(b"fine")
        web.replies["/one/other"] = Reply(b"no", 403)
        cdn = deploy(
            custom(web.port, "one", OriginPath="/one"),
            custom(web.port, "two", OriginPath="/two"),
            behavior={"TargetOriginId": "both"},
            OriginGroups=listed(group),
        )
        assert cdn.get().body == b"2"
        assert cdn.get("/fine").body == b"fine"
        assert cdn.get("/other").status == 403

    def test_goes_on_when_the_first_cannot_be_reached(self, web: Web, deploy: Deploy) -> None:
        group = {
            "Id": "both", "FailoverCriteria": {"StatusCodes": listed(500)},
            "Members": listed({"OriginId": "gone"}, {"OriginId": "web"}),
        }  # fmt: skip
        gone = {**custom(80, "gone"), "DomainName": "nowhere.invalid"}
        cdn = deploy(gone, custom(web.port), behavior={"TargetOriginId": "both"}, OriginGroups=listed(group))
        assert cdn.get().body == b"hello"


ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps([event.get("body"), event["requestContext"]["domainName"]])}
"""


class TestAWebSocket:
    def test_passes_to_an_api(
        self, node: Node, client: Callable[..., Any], deploy: Deploy, unique: Callable[[str], str]
    ) -> None:
        with (
            python_function(client("lambda"), unique("echo"), ECHO) as arn,
            websocket_api(node, arn, "$default", stage="prod", two_way=True) as api,
        ):
            host = f"{api}.execute-api.us-east-1.amazonaws.com"
            live = {
                "PathPattern": "/prod", "TargetOriginId": "api", "ViewerProtocolPolicy": "allow-all",
                "CachePolicyId": DISABLED, "OriginRequestPolicyId": ALL_VIEWER_BUT_HOST,
            }  # fmt: skip
            origin = {**custom(80, "api"), "DomainName": host}
            cdn = deploy(custom(80), origin, CacheBehaviors=listed(live))

            async def talk() -> Any:
                url = f"ws://{cdn.host}/prod"
                async with websockets.connect(url, host="127.0.0.1", port=node.port) as socket:
                    await socket.send("hello")
                    return json.loads(await socket.recv())

            assert asyncio.run(talk()) == ["hello", host]

    def test_to_a_path_that_is_no_api_is_refused(self, node: Node, deploy: Deploy) -> None:
        origin = {**custom(80, "api"), "DomainName": "nothere123.execute-api.us-east-1.amazonaws.com"}
        cdn = deploy(origin, behavior={"CachePolicyId": OPTIMIZED})

        async def talk() -> None:
            url = f"ws://{cdn.host}/prod"
            async with websockets.connect(url, host="127.0.0.1", port=node.port):
                raise AssertionError("it was let in")

        with pytest.raises(websockets.InvalidStatus) as refused:
            asyncio.run(talk())
        assert refused.value.response.status_code == 403


class TestAWebSocketToAnOriginOutside:
    def test_carries_messages_both_ways(self, node: Node, deploy: Deploy) -> None:
        async def echo(socket: websockets.ServerConnection) -> None:
            assert socket.request is not None
            await socket.send(f"{socket.request.path} {socket.subprotocol}")
            async for message in socket:
                await socket.send(message)
                if message == "end":
                    await socket.close(4001, "as asked")

        async def talk() -> None:
            async with websockets.serve(
                echo, "127.0.0.1", 0, subprotocols=[Subprotocol("b")], max_size=None
            ) as server:
                port = next(iter(server.sockets)).getsockname()[1]
                cdn = await asyncio.to_thread(deploy, custom(port), behavior=everything)
                async with websockets.connect(
                    f"ws://{cdn.host}/chat?room=1", host="127.0.0.1", port=node.port, max_size=None,
                    subprotocols=[Subprotocol("a"), Subprotocol("b")],
                ) as socket:  # fmt: skip
                    assert await socket.recv() == "/chat?room=1 b"
                    for message in ("text \u00e9", b"bytes", "", "x" * 300, b"y" * 3_000_000, ["par", "ts"]):
                        await socket.send(message)
                        assert await socket.recv() == ("parts" if isinstance(message, list) else message)
                    await (await socket.ping())
                    await socket.send("end")
                    assert await socket.recv() == "end"
                    with pytest.raises(websockets.ConnectionClosed):
                        await socket.recv()
                    assert (socket.close_code, socket.close_reason) == (4001, "as asked")

        everything = {"CachePolicyId": DISABLED, "OriginRequestPolicyId": ALL_VIEWER_BUT_HOST}
        asyncio.run(talk())

    def test_ends_when_the_viewer_goes(self, node: Node, deploy: Deploy) -> None:
        async def talk() -> tuple[int | None, str | None]:
            ended: asyncio.Future[tuple[int | None, str | None]] = asyncio.get_running_loop().create_future()

            async def wait(socket: websockets.ServerConnection) -> None:
                await socket.wait_closed()
                ended.set_result((socket.close_code, socket.close_reason))

            async with websockets.serve(wait, "127.0.0.1", 0) as server:
                port = next(iter(server.sockets)).getsockname()[1]
                cdn = await asyncio.to_thread(deploy, custom(port))
                async with websockets.connect(
                    f"ws://{cdn.host}/chat", host="127.0.0.1", port=node.port
                ) as socket:
                    await socket.close(4002, "bye")
                return await asyncio.wait_for(ended, 20)

        assert asyncio.run(talk()) == (4002, "bye")

    def test_that_is_refused_is_an_answer(self, web: Web, node: Node, deploy: Deploy) -> None:
        web.replies["/chat"] = Reply(b"no", 403)
        cdn = deploy(custom(web.port))

        async def talk() -> None:
            async with websockets.connect(f"ws://{cdn.host}/chat", host="127.0.0.1", port=node.port):
                raise AssertionError("it was let in")

        with pytest.raises(websockets.InvalidStatus) as refused:
            asyncio.run(talk())
        assert refused.value.response.status_code == 403


class TestALoop:
    def test_ends(self, deploy: Deploy, cf: Any, node: Node) -> None:
        cdn = deploy({**custom(80), "DomainName": "placeholder.cloudfront.net"})
        found = cf.get_distribution_config(Id=cdn.id)
        config = found["DistributionConfig"]
        config["Origins"]["Items"][0]["DomainName"] = f"{cdn.id.lower()}.cloudfront.net"
        cf.update_distribution(Id=cdn.id, IfMatch=found["ETag"], DistributionConfig=config)
        assert cdn.get().status == 403
