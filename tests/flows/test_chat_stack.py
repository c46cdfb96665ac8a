"""The chat as whoever deploys it meets it: up to a website, its files, another deployment, nothing left."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flows.chat import Application, Client
from tests.flows.client import deploy, outputs_of
from tests.flows.tools import run
from tests.harness import ROOT, Node, eventually

pytestmark = [pytest.mark.node_only, pytest.mark.slow]

WEB = ROOT / "apps/chat/web"


def get(url: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(url) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {}, error.read()


async def test_up_ends_with_a_website_that_finds_its_socket(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cloudlet", "up", "apps/chat", "--port=0", f"--data={tmp_path / 'data'}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.strip().startswith("Page"):
                break
        url = urllib.parse.urlsplit(said[-1].split()[1])
        assert url.hostname is not None and ".s3-website.localhost" in url.hostname, "".join(said)
        plain = urllib.request.Request(
            f"http://127.0.0.1:{url.port}/", headers={"Host": f"{url.hostname}:{url.port}"}
        )
        with urllib.request.urlopen(plain) as page:
            assert page.read() == (WEB / "index.html").read_bytes()
        client = Client(urllib.parse.parse_qs(url.query)["socket"][0].replace("localhost", "127.0.0.1"))
        await client.open()
        assert (await client.join("lobby", "Ann"))["type"] == "joined"
        await client.close()
    finally:
        process.terminate()
        process.stdout.read()
        process.stdout.close()
        process.wait(timeout=20)


class TestWebsite:
    def test_has_every_file_and_nothing_private(self, fresh_node: Callable[..., Node]) -> None:
        app = Application(fresh_node())
        for path in (path for path in WEB.rglob("*") if path.is_file()):
            status, headers, body = get(app.website + path.relative_to(WEB).as_posix())
            assert status == 200 and body == path.read_bytes()
            assert path.suffix != ".js" or headers["content-type"] == "text/javascript; charset=utf-8"
        assert get(app.website)[1]["cache-control"] == "no-cache"
        socket = json.loads(get(app.website + "config.json")[2])["socket"]
        assert socket == app.outputs["SocketUrl"] and socket.startswith("wss://")
        assert get(app.website + "template.yaml")[0] == 404

    def test_loses_what_the_next_deployment_has_not(
        self, fresh_node: Callable[..., Node], tmp_path: Path
    ) -> None:
        node = fresh_node()
        copied = tmp_path / "chat"
        subprocess.run(["cp", "-r", ROOT / "apps/chat", ROOT / "apps/common", tmp_path], check=True)
        (copied / "web/old.js").write_text("1")
        deploy(node, str(copied))
        site = f"{node.endpoint}/_aws/s3-website/{node.client('s3').list_buckets()['Buckets'][0]['Name']}/"
        assert get(site + "old.js")[0] == 200
        (copied / "web/old.js").unlink()
        (copied / "web/new.js").write_text("2")
        deploy(node, str(copied))
        assert (get(site + "old.js")[0], get(site + "new.js")[0]) == (404, 200)


async def test_the_aws_cli_packages_and_deploys_it(fresh_node: Callable[..., Node], tmp_path: Path) -> None:
    node, packaged = fresh_node(), tmp_path / "packaged.yaml"
    node.client("s3").create_bucket(Bucket="packages")
    aws = [
        "aws",
        "--endpoint-url",
        node.endpoint,
    ]  # its first version asks S3 elsewhere, whatever the environment says
    package = [
        "cloudformation",
        "package",
        "--template-file",
        "apps/chat/template.yaml",
        "--s3-bucket",
        "packages",
    ]
    run(node, *aws, *package, "--output-template-file", packaged)
    capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    stack = ["--stack-name", "chat", "--capabilities", *capabilities]
    run(node, *aws, "cloudformation", "deploy", "--template-file", packaged, *stack)
    api = outputs_of(node, "chat")["ApiId"]
    client = Client(f"ws://127.0.0.1:{node.port}/_aws/execute-api/{api}/production")
    await client.open()
    assert (await client.join("lobby", "Ann"))["type"] == "joined"
    await client.close()


class TestDeletion:
    def test_leaves_nothing(self, fresh_node: Callable[..., Node]) -> None:
        node = fresh_node()
        deploy(node, "apps/chat")
        command = [sys.executable, "-m", "cloudlet", "delete", "chat", "--endpoint", node.endpoint]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

        def left() -> list[Any]:
            of = node.client
            return [
                *of("s3").list_buckets()["Buckets"],
                *of("dynamodb").list_tables()["TableNames"],
                *of("sqs").list_queues().get("QueueUrls", []),
                *of("sns").list_topics()["Topics"],
                *of("lambda").list_functions()["Functions"],
                *of("lambda").list_layers()["Layers"],
                *of("apigatewayv2").get_apis()["Items"],
                *of("iam").list_roles()["Roles"],
                *of("cloudformation").describe_stacks()["Stacks"],
            ]

        eventually(lambda: not left())
