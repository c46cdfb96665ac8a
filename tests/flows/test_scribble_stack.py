"""Scribble as whoever deploys it meets it: the page behind the CDN, other parameters, and nothing left at the end."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.flows.scribble import Application, Client
from tests.harness import ROOT, Node
from tests.harness import eventually as soon

pytestmark = [pytest.mark.node_only, pytest.mark.slow]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("stack") / "data")
    try:
        yield Application(node, "Width=64", "Height=64")
    finally:
        assert node.stop() == 0
        assert "Traceback" not in node.log, node.log


def get(url: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(url) as answer:
            return (
                answer.status,
                {name.lower(): value for name, value in answer.headers.items()},
                answer.read(),
            )
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {}, error.read()


class TestPage:
    def test_the_root_is_the_page(self, app: Application) -> None:
        status, headers, body = get(app.page)
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert body == (ROOT / "apps/scribble/web/scribble.html").read_bytes()
        assert headers["cache-control"] == "public, max-age=60"

    def test_every_file_is_there_with_its_type(self, app: Application) -> None:
        web = ROOT / "apps/scribble/web"
        for path in (path for path in web.rglob("*") if path.is_file()):
            status, headers, body = get(app.page + path.relative_to(web).as_posix())
            assert status == 200 and body == path.read_bytes()
            assert path.suffix != ".js" or headers["content-type"] == "text/javascript; charset=utf-8"

    def test_the_picture_is_drawn_at_once(self, app: Application) -> None:
        soon(lambda: get(app.page + "image.png")[0] == 200)
        headers = get(app.page + "image.png")[1]
        assert headers["content-type"] == "image/png"
        assert int(headers["x-amz-meta-id"]) > 0

    def test_what_is_not_for_everybody_is_not_there(self, app: Application) -> None:
        app.draw_picture()
        assert get(app.page + "state/bitmap")[0] == 403

    async def test_the_socket_has_the_pages_host(self, app: Application) -> None:
        socket = json.loads(get(app.page + "config.json")[2])["socket"]
        assert socket == "/production"
        url = app.page.rstrip("/").replace("http://", "ws://") + socket
        one, other = Client(url), app.client()
        async with one.connected(), other.connected():
            await one.draw([[1, 1, 9]], 1)
            await other.until(lambda: other.canvas.colour((1, 1)) == 9)
        again = Client(url)
        again.since = one.since
        async with again.connected():
            await again.until(lambda: again.ready)
            assert again.canvas.base == 0


class TestParameters:
    async def test_another_size_and_ink_on_paper_keep_what_was_drawn(
        self, fresh_node: Callable[..., Node]
    ) -> None:
        app = Application(fresh_node(), "Width=64", "Height=64")
        async with app.client().connected() as one:
            await one.draw([[0, 0, 5], [63, 63, 6], [7, 9, 3], [7, 9, 0]], 1)
            await app.saved((63, 63), (one.acknowledged[1], 6))
        app.deploy("Width=128", "Height=64")
        async with app.client().connected() as one:
            await one.until(lambda: one.ready)
            assert one.canvas.shown() == {(0, 0): 5, (63, 63): 6}
            await one.draw([[127, 0, 7]], 1)
            await app.saved((127, 0), (one.acknowledged[1], 7))
        app.deploy("Width=128", "Height=64", "BitsPerPixel=1")
        async with app.client().connected() as one:
            await one.until(lambda: one.ready)
            assert one.canvas.shown() == {(0, 0): 1, (63, 63): 1, (127, 0): 1}
            await one.send(points=[[1, 1, 2]])
            await one.until(lambda: one.errors)
            assert "from 0 to 1" in one.errors[0]["message"]
            await one.draw([[0, 0, 0], [2, 2, 1]], 1)
        app.draw_picture()
        viewer = app.client()
        viewer.load_picture(app.picture)
        assert viewer.canvas.shown() == {(2, 2): 1, (63, 63): 1, (127, 0): 1}


class TestDeletion:
    def test_leaves_nothing(self, fresh_node: Callable[..., Node]) -> None:
        node = fresh_node()
        app = Application(node, "Width=64", "Height=64")
        app.draw_picture()
        command = [sys.executable, "-m", "cloudlet", "delete", "scribble", "--endpoint", node.endpoint]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

        def left() -> list[Any]:
            of = node.client
            vpcs = of("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
            return [
                *of("s3").list_buckets()["Buckets"],
                *of("dynamodb").list_tables()["TableNames"],
                *of("sqs").list_queues().get("QueueUrls", []),
                *of("lambda").list_functions()["Functions"],
                *of("lambda").list_layers()["Layers"],
                *of("lambda").list_event_source_mappings()["EventSourceMappings"],
                *of("apigatewayv2").get_apis()["Items"],
                *of("elasticache").describe_serverless_caches()["ServerlessCaches"],
                *of("cloudfront").list_distributions()["DistributionList"].get("Items", []),
                *of("scheduler").list_schedules()["Schedules"],
                *vpcs,
            ]

        soon(lambda: not left())
