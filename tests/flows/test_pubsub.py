"""Pub/Sub as its users meet it: deployed from its template, spoken to by real clients."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.harness import ROOT, Node, eventually

pytestmark = pytest.mark.node_only


class Application:
    """The deployed application: its URL from here, and its publishing function."""

    def __init__(self, node: Node) -> None:
        self.node = node
        command = [sys.executable, "-m", "cloudlet", "deploy", "apps/pubsub", "--endpoint", node.endpoint]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        stack = node.client("cloudformation").describe_stacks(StackName="pubsub")["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        api = outputs["WebSocketUrl"].split("//")[1].split(".")[0]
        self.url = f"ws://127.0.0.1:{node.port}/_aws/execute-api/{api}/production"
        self.function = outputs["PublishFunction"]
        self._lambda = node.client("lambda")

    def publish(self, topic: Any, body: Any = None, **more: Any) -> Any:
        event = more or {"topic": topic, "body": body}
        answer = self._lambda.invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())

    async def publish_soon(self, topic: str, body: Any) -> Any:
        return await asyncio.to_thread(self.publish, topic, body)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("pubsub") / "data")
    try:
        yield Application(node)
    finally:
        assert node.stop() == 0
        assert "Traceback" not in node.log, node.log


class Client:
    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def ask(self, action: str, topic: Any) -> Any:
        await self.socket.send(json.dumps({"action": action, "topic": topic}))
        return await self.next()

    async def next(self) -> Any:
        return json.loads(await asyncio.wait_for(self.socket.recv(), 20))


@asynccontextmanager
async def client(app: Application) -> Any:
    async with connect(app.url) as socket:
        yield Client(socket)


async def test_a_subscriber_gets_what_is_published(app: Application) -> None:
    async with client(app) as one:
        assert await one.ask("subscribe", "plain") == {"type": "subscribed", "topic": "plain", "last": []}
        assert await app.publish_soon("plain", {"n": 1}) == {"delivered": 1, "gone": 0, "failed": 0}
        message = await one.next()
        assert (message["type"], message["topic"], message["body"]) == ("message", "plain", {"n": 1})


async def test_only_subscribers_get_it_and_each_once(app: Application) -> None:
    async with client(app) as both, client(app) as other:
        await both.ask("subscribe", "once/a")
        await both.ask("subscribe", "once/*")
        await other.ask("subscribe", "elsewhere")
        assert (await app.publish_soon("once/a", "x"))["delivered"] == 1
        assert (await app.publish_soon("elsewhere", "y"))["delivered"] == 1
        assert (await both.next())["body"] == "x"
        assert (await other.next())["body"] == "y"


async def test_wildcards_take_what_is_below(app: Application) -> None:
    async with client(app) as deep, client(app) as shallow:
        await deep.ask("subscribe", "wild/a/*")
        await shallow.ask("subscribe", "wild/*")
        assert (await app.publish_soon("wild/a/b/c", 1))["delivered"] == 2
        assert (await app.publish_soon("wild/b", 2))["delivered"] == 1
        assert (await app.publish_soon("wild", 3))["delivered"] == 0
        assert (await deep.next())["body"] == 1
        assert [(await shallow.next())["body"] for _ in range(2)] == [1, 2]


async def test_late_subscribers_get_the_last_message(app: Application) -> None:
    await app.publish_soon("late/a", "old")
    await app.publish_soon("late/a", "new")
    await app.publish_soon("late/b", "other")
    async with client(app) as late:
        assert [m["body"] for m in (await late.ask("subscribe", "late/a"))["last"]] == ["new"]
        assert [m["body"] for m in (await late.ask("subscribe", "late/*"))["last"]] == ["new", "other"]


async def test_after_unsubscribing_nothing_comes(app: Application) -> None:
    async with client(app) as one:
        await one.ask("subscribe", "leave")
        assert await one.ask("unsubscribe", "leave") == {
            "type": "unsubscribed",
            "topic": "leave",
            "was": True,
        }
        assert await one.ask("unsubscribe", "leave") == {
            "type": "unsubscribed",
            "topic": "leave",
            "was": False,
        }
        assert (await app.publish_soon("leave", "x"))["delivered"] == 0


async def test_presence_tells_who_comes_and_goes(app: Application) -> None:
    async with client(app) as watcher:
        await watcher.ask("subscribe", "$presence/lobby")
        async with client(app) as guest:
            await guest.ask("subscribe", "lobby")
            joined = (await watcher.next())["body"]
            assert joined["event"] == "joined"
        left = (await watcher.next())["body"]
        assert left == {"event": "left", "connectionId": joined["connectionId"]}


async def test_a_connection_that_is_gone_is_forgotten(app: Application) -> None:
    async with client(app) as watcher:
        await watcher.ask("subscribe", "$presence/haunted")
        async with client(app) as guest:
            await guest.ask("subscribe", "haunted")
            gone = (await watcher.next())["body"]["connectionId"]
        assert (await watcher.next())["body"]["event"] == "left"
    dynamodb = app.node.client("dynamodb")
    table = next(name for name in dynamodb.list_tables()["TableNames"] if "Subscriptions" in name)
    left_over = {"connectionId": {"S": gone}, "topic": {"S": "haunted"}}
    dynamodb.put_item(TableName=table, Item=left_over)
    assert await app.publish_soon("haunted", "boo") == {"delivered": 0, "gone": 1, "failed": 0}
    assert await app.publish_soon("haunted", "boo") == {"delivered": 0, "gone": 0, "failed": 0}


@pytest.mark.parametrize("topic", [None, "", 7, "a//b", "a b", "*/a", "a/" * 9 + "a", "x" * 300])
async def test_a_bad_topic_gets_an_error_and_the_connection_stays(app: Application, topic: Any) -> None:
    async with client(app) as one:
        assert (await one.ask("subscribe", topic))["type"] == "error"
        assert (await one.ask("subscribe", "fine"))["type"] == "subscribed"


@pytest.mark.parametrize("text", ["not json", "[]", "3", '{"action": "dance"}', "{}"])
async def test_any_other_message_is_told_what_one_looks_like(app: Application, text: str) -> None:
    async with client(app) as one:
        await one.socket.send(text)
        assert (await one.next())["type"] == "error"


async def test_publishing_nonsense_is_an_error_for_the_publisher(app: Application) -> None:
    answer = await app.publish_soon("no/*", 1)
    assert answer["errorType"] == "BadTopic"


async def test_records_of_an_event_source_are_published(app: Application) -> None:
    async with client(app) as one:
        await one.ask("subscribe", "records")
        bodies = [json.dumps({"topic": "records", "body": n}) for n in (1, 2)]
        answer = await asyncio.to_thread(app.publish, None, Records=[{"body": body} for body in bodies])
        assert answer == [{"delivered": 1, "gone": 0, "failed": 0}] * 2
        assert {(await one.next())["body"] for _ in range(2)} == {1, 2}


async def test_the_python_client(app: Application) -> None:
    program = [sys.executable, str(ROOT / "apps/pubsub/clients/pubsub.py"), app.url, "py/*"]
    await app.publish_soon("py/a", "first")
    process = await asyncio.create_subprocess_exec(*program, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"py/a first\n"
        await app.publish_soon("py/b", "second")
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"py/b second\n"
    finally:
        process.terminate()
        await process.wait()


JAVASCRIPT = """
import WebSocket from "WS";
import { PubSub } from "CLIENT";
const pubsub = new PubSub("URL", { WebSocket });
await pubsub.subscribe("js/*", (body, message) => console.log(message.topic, body));
console.log("subscribed");
"""


async def test_the_javascript_client(app: Application, tmp_path: Path) -> None:
    ws = ROOT / ".runtimes/tools/node_modules/ws/wrapper.mjs"
    if not ws.exists():
        pytest.skip("no ws package in .runtimes/tools: run ./test on a machine with npm")
    client = ROOT / "apps/pubsub/web/pubsub.js"
    (tmp_path / "pubsub.mjs").write_text(client.read_text())
    program = JAVASCRIPT.replace("WS", str(ws), 1).replace("CLIENT", "./pubsub.mjs").replace("URL", app.url)
    (tmp_path / "main.mjs").write_text(program)
    await app.publish_soon("js/a", "first")
    process = await asyncio.create_subprocess_exec("node", str(tmp_path / "main.mjs"), stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"js/a first\n"
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"subscribed\n"
        await app.publish_soon("js/b", "second")
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"js/b second\n"
    finally:
        process.terminate()
        await process.wait()


def test_deploying_again_changes_nothing(app: Application) -> None:
    command = [sys.executable, "-m", "cloudlet", "deploy", "apps/pubsub", "--endpoint", app.node.endpoint]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert "nothing to change" in again.stdout


def test_the_aws_cli_sees_the_stack(app: Application) -> None:
    aws = ROOT / ".runtimes/tools/bin/aws"
    environment = os.environ | {
        "AWS_ENDPOINT_URL": app.node.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [
        str(aws),
        "cloudformation",
        "describe-stacks",
        "--query",
        "Stacks[].StackStatus",
        "--output",
        "text",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), done.stderr


def test_the_back_ends_right_is_the_least(app: Application) -> None:
    iam = app.node.client("iam")
    role = next(r["RoleName"] for r in iam.list_roles()["Roles"] if "OnPublishRole" in r["RoleName"])
    policies = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    allowed = [statement for policy in policies for statement in policy["Statement"]]
    manage = next(s for s in allowed if s["Action"] == "execute-api:ManageConnections")
    assert manage["Resource"].endswith("/production/POST/@connections/*")
    assert not any("*" in str(statement["Action"]) for statement in allowed)


def test_deleting_the_stack_leaves_nothing(app: Application) -> None:
    node = app.node
    command = [sys.executable, "-m", "cloudlet", "deploy", "apps/pubsub", "--stack", "brief"]
    subprocess.run([*command, "--endpoint", node.endpoint], cwd=ROOT, check=True, capture_output=True)
    tables = [t for t in node.client("dynamodb").list_tables()["TableNames"] if t.startswith("brief-")]
    assert len(tables) == 2
    subprocess.run(
        [sys.executable, "-m", "cloudlet", "delete", "brief", "--endpoint", node.endpoint],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    left = [t for t in node.client("dynamodb").list_tables()["TableNames"] if t.startswith("brief-")]
    assert left == []
    functions = node.client("lambda").list_functions()["Functions"]
    assert not [f for f in functions if f["FunctionName"].startswith("brief-")]
    eventually(lambda: all(a["Name"] != "brief" for a in node.client("apigatewayv2").get_apis()["Items"]))
