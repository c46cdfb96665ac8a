"""The command line as a person uses it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.harness import ROOT, Node, eventually

pytestmark = pytest.mark.node_only


def cloudlet(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cloudlet", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def spawn(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cloudlet", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("command", ["up", "start", "deploy", "delete", "status", "logs", "clock", "reset"])
def test_every_command_explains_itself(command: str) -> None:
    done = cloudlet(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: cloudlet {command}")


class TestStart:
    def test_one_line_when_ready_and_a_clean_end(self, tmp_path: Path) -> None:
        for stop in (signal.SIGINT, signal.SIGTERM):
            process = spawn("start", "--port=0", f"--data={tmp_path / 'data'}")
            assert process.stdout is not None
            assert re.fullmatch(r"cloudlet ready http://127\.0\.0\.1:\d+\n", process.stdout.readline())
            process.send_signal(stop)
            out, err = process.communicate(timeout=20)
            assert (process.returncode, out, err) == (0, "", "")

    def test_the_data_directory_is_private(self, tmp_path: Path) -> None:
        process = spawn("start", "--port=0", f"--data={tmp_path / 'data'}")
        assert process.stdout is not None
        process.stdout.readline()
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0
        process.terminate()
        process.communicate(timeout=20)

    def test_a_taken_port_is_said(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = cloudlet("start", f"--port={port}", f"--data={tmp_path / 'data'}")
        assert done.returncode == 1
        assert str(port) in done.stderr and "Traceback" not in done.stderr

    def test_a_taken_data_directory_is_said(self, tmp_path: Path) -> None:
        process = spawn("start", "--port=0", f"--data={tmp_path / 'data'}")
        assert process.stdout is not None
        process.stdout.readline()
        done = cloudlet("start", "--port=0", f"--data={tmp_path / 'data'}")
        assert done.returncode == 1
        assert str(process.pid) in done.stderr and "Traceback" not in done.stderr
        process.terminate()
        process.communicate(timeout=20)

    def test_it_listens_on_loopback_only(self, tmp_path: Path) -> None:
        process = spawn("start", "--port=0", f"--data={tmp_path / 'data'}")
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        listening = [
            line.split()[1]
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            for line in Path(table).read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        ]
        loopback = {"0100007F", "00000000000000000000000001000000"}
        assert listening and {address.split(":")[0] for address in listening} <= loopback
        process.terminate()
        process.communicate(timeout=20)


class TestUp:
    def test_from_a_folder_to_a_url_and_a_page(self, tmp_path: Path) -> None:
        process = spawn("up", "apps/pubsub", "--port=0", f"--data={tmp_path / 'data'}")
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        text = "".join(said)
        assert re.search(r"WebSocketUrl +ws://localhost:\d+/_aws/execute-api/[a-z0-9]+/production", text), (
            text
        )
        page = re.search(r"Page +(http://\S+)", text)
        assert page is not None
        with urllib.request.urlopen(page[1]) as answer:
            assert b"<title>Pub/Sub</title>" in answer.read()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0 and "Traceback" not in err, err
        port = int(re.findall(r":(\d+)", page[1])[0])
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()

    def test_the_node_goes_when_its_owner_is_killed(self, tmp_path: Path) -> None:
        process = spawn("up", "apps/pubsub", "--port=0", f"--data={tmp_path / 'data'}")
        assert process.stdout is not None
        for line in process.stdout:
            if "is up at" in line:
                port = int(line.rpartition(":")[2])
            if "Ctrl-C" in line:
                break
        process.kill()
        process.communicate(timeout=20)

        def gone() -> bool:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                return True
            return False

        eventually(gone)

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        done = cloudlet("up", tmp_path / "nothing")
        assert done.returncode == 1
        assert "is not there" in done.stderr


class TestDeploy:
    def test_without_a_node_it_says_how_to_get_one(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        done = cloudlet("deploy", "apps/pubsub", f"--endpoint=http://127.0.0.1:{port}")
        assert done.returncode == 1
        assert "cloudlet start" in done.stderr

    def test_a_failing_template_says_why(self, node: object, tmp_path: Path) -> None:
        template = """
            Resources:
              Broken:
                Type: AWS::DynamoDB::Table
                Properties:
                  AttributeDefinitions: [{AttributeName: a, AttributeType: S}]
                  KeySchema: [{AttributeName: b, KeyType: HASH}]
                  BillingMode: PAY_PER_REQUEST
        """
        (tmp_path / "template.yaml").write_text(template)
        done = cloudlet("deploy", tmp_path, "--stack=why", f"--endpoint={node.endpoint}")  # type: ignore[attr-defined]
        assert done.returncode == 1
        assert "ROLLBACK_COMPLETE" in done.stderr and "Broken" in done.stderr, done.stderr

    def test_a_template_larger_than_a_request_may_carry(self, node: object, tmp_path: Path) -> None:
        groups = "".join(
            f"  Group{n}: {{Type: 'AWS::Logs::LogGroup', Properties: {{LogGroupName: large-{n}-{'x' * 400}}}}}\n"
            for n in range(120)
        )
        (tmp_path / "template.yaml").write_text("Resources:\n" + groups)
        for _ in range(2):
            done = cloudlet("deploy", tmp_path, "--stack=large", f"--endpoint={node.endpoint}")  # type: ignore[attr-defined]
            assert done.returncode == 0, done.stderr
        done = cloudlet("delete", "large", f"--endpoint={node.endpoint}")  # type: ignore[attr-defined]
        assert done.returncode == 0, done.stderr


class TestClock:
    def test_moves_and_goes_back(self, fresh_node: object) -> None:
        node = fresh_node()  # type: ignore[operator]
        moved = cloudlet("clock", "advance", "2d", f"--endpoint={node.endpoint}")
        assert "+172,800 s" in moved.stdout
        back = cloudlet("clock", "reset", f"--endpoint={node.endpoint}")
        assert "s from" not in back.stdout
        composed = cloudlet("clock", "advance", "1h30m", f"--endpoint={node.endpoint}")
        assert "+5,400 s" in composed.stdout
        fixed = cloudlet("clock", "set", "2030-01-01T02:00:00+02:00", f"--endpoint={node.endpoint}")
        assert fixed.stdout.startswith("2030-01-01T00:00:0")

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("advance", "soon"), "soon is not a duration: 90, 10m, 1h30m, 2d"),
            (("advance", "1m1"), "not a duration"),
            (("advance",), "needs a value, e.g. 3d"),
            (("set",), "needs a value, e.g. 2030"),
            (("set", "2030-13-01"), "not an ISO 8601 time"),
            (("set", "1960-01-01"), "from 1970 to the end of the year 9999"),
            (("reset", "3d"), "clock reset takes no value"),
        ],
    )
    def test_says_what_is_wrong(self, node: Node, words: tuple[str, ...], told: str) -> None:
        done = cloudlet("clock", *words, f"--endpoint={node.endpoint}")
        assert (done.returncode, done.stdout) == (1, "")
        assert told in done.stderr


class TestReset:
    def test_refuses_what_is_not_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "precious").write_text("x")
        done = cloudlet("reset", f"--data={tmp_path}", "--yes")
        assert done.returncode == 1
        assert (tmp_path / "precious").exists()

    def test_refuses_a_running_node_and_deletes_a_stopped_one(self, fresh_node: object) -> None:
        node = fresh_node()  # type: ignore[operator]
        assert cloudlet("reset", f"--data={node.data}", "--yes").returncode == 1
        node.stop()
        assert cloudlet("reset", f"--data={node.data}", "--yes").returncode == 0
        assert not os.path.exists(node.data)
