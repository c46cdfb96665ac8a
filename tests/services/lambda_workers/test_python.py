"""Python functions: results, errors, context, environment, imports."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cloudlet.errors import AwsError
from cloudlet.events import Listener

from .conftest import Functions


def parsed(outcome: Any) -> Any:
    return json.loads(outcome.payload)


class TestResult:
    async def test_the_handlers_return_value_is_the_payload(self, functions: Functions) -> None:
        spec = functions.make("def handler(event, context): return {'got': event['n'] + 1, 'text': 'äö'}")
        outcome = await functions.invoke(spec, b'{"n": 41}')
        assert parsed(outcome) == {"got": 42, "text": "äö"}
        assert outcome.error is None

    async def test_warm_invocations_share_the_process(self, functions: Functions) -> None:
        spec = functions.make("n = 0\ndef handler(e, c):\n  global n\n  n += 1\n  return n")
        assert [parsed(await functions.invoke(spec)) for _ in range(3)] == [1, 2, 3]

    async def test_a_large_payload_comes_and_goes_whole(self, functions: Functions) -> None:
        spec = functions.make("def handler(event, context): return event")
        text = json.dumps("x" * 5_000_000).encode()
        assert (await functions.invoke(spec, text)).payload == text

    async def test_bytes_are_given_as_they_are_and_decimals_as_numbers(self, functions: Functions) -> None:
        code = """
            from decimal import Decimal
            def handler(event, context): return event.encode() if event else [Decimal("1.5"), Decimal(3)]"""
        spec = functions.make(code)
        assert (await functions.invoke(spec, b'"raw"')).payload == b"raw"
        assert parsed(await functions.invoke(spec, b"null")) == [1.5, 3]


class TestErrors:
    async def test_an_exception_is_described_with_its_trace(self, functions: Functions) -> None:
        spec = functions.make("def handler(event, context):\n    raise ValueError('no such thing')\n")
        outcome = await functions.invoke(spec, request_id="id-1")
        error = parsed(outcome)
        assert outcome.error == "Unhandled"
        assert list(error) == ["errorMessage", "errorType", "requestId", "stackTrace"]
        assert (error["errorMessage"], error["errorType"], error["requestId"]) == (
            "no such thing",
            "ValueError",
            "id-1",
        )
        trace = "  File \"/var/task/app.py\", line 2, in handler\n    raise ValueError('no such thing')\n"
        assert error["stackTrace"] == [trace]

    async def test_a_logged_trace_names_the_code_as_aws_does(self, functions: Functions) -> None:
        spec = functions.make("""
            import logging
            def handler(event, context):
                try:
                    return event["missing"]
                except KeyError:
                    logging.exception("no")""")
        tail = (await functions.invoke(spec)).log.decode()
        assert 'File "/var/task/app.py", line 5, in handler' in tail

    async def test_what_is_no_exception_ends_the_process(self, functions: Functions) -> None:
        outcome = await functions.invoke(functions.make("def handler(e, c): raise KeyboardInterrupt('stop')"))
        assert parsed(outcome)["errorMessage"].endswith("Runtime exited with error: exit status 1")
        assert "[ERROR] KeyboardInterrupt: stop" in outcome.log.decode()

    @pytest.mark.parametrize(
        ("runtime", "answer"), [("python3.11", b'"\\u00e9"'), ("python3.13", '"\u00e9"'.encode())]
    )
    async def test_what_is_not_ascii_is_escaped_by_older_runtimes(
        self, functions: Functions, runtime: str, answer: bytes
    ) -> None:
        spec = functions.make("def handler(e, c): return '\\xe9'", runtime=runtime)
        assert (await functions.invoke(spec)).payload == answer

    async def test_the_process_serves_on_after_an_exception(self, functions: Functions) -> None:
        spec = functions.make("import os\ndef handler(e, c): return os.getpid() if e else {}[1]")
        assert (await functions.invoke(spec)).error == "Unhandled"
        first, second = [parsed(await functions.invoke(spec, b"1")) for _ in range(2)]
        assert first == second

    @pytest.mark.parametrize(
        ("code", "handler", "type", "message"),
        [
            ("x = 1", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
            (
                "import nope",
                "app.handler",
                "Runtime.ImportModuleError",
                "Unable to import module 'app': No module named 'nope'",
            ),
            (
                "",
                "other.handler",
                "Runtime.ImportModuleError",
                "Unable to import module 'other': No module named 'other'",
            ),
            (
                "def handler(:",
                "app.handler",
                "Runtime.UserCodeSyntaxError",
                "Syntax error in module 'app': invalid syntax (app.py, line 1)",
            ),
            (
                "",
                "app",
                "Runtime.MalformedHandlerName",
                "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
            ),
            ("1 / 0", "app.handler", "ZeroDivisionError", "division by zero"),
        ],
    )
    async def test_a_function_that_cant_be_loaded(
        self, functions: Functions, code: str, handler: str, type: str, message: str
    ) -> None:
        outcome = await functions.invoke(functions.make(code, handler=handler))
        error = parsed(outcome)
        assert outcome.error == "Unhandled"
        assert (error["errorType"], error["errorMessage"]) == (type, message)

    @pytest.mark.parametrize(
        ("result", "message"),
        [
            ("{1}", "Unable to marshal response: Object of type set is not JSON serializable"),
            ("object", "Unable to marshal response: Object of type type is not JSON serializable"),
        ],
    )
    async def test_a_result_that_is_no_json(self, functions: Functions, result: str, message: str) -> None:
        error = parsed(await functions.invoke(functions.make(f"def handler(e, c): return {result}")))
        assert (error["errorType"], error["errorMessage"]) == ("Runtime.MarshalError", message)

    async def test_an_event_that_is_no_json(self, functions: Functions) -> None:
        error = parsed(await functions.invoke(functions.make("def handler(e, c): return e"), b"{"))
        assert error["errorType"] == "Runtime.UnmarshalError"
        assert error["errorMessage"].startswith("Unable to unmarshal input: Expecting property name")

    @pytest.mark.parametrize(
        ("code", "end"),
        [
            ("sys.exit(3)", "Runtime exited with error: exit status 3"),
            ("sys.exit()", "Runtime exited without providing a reason"),
            ("os._exit(9)", "Runtime exited with error: exit status 9"),
            ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ],
    )
    async def test_a_process_that_ends(self, functions: Functions, code: str, end: str) -> None:
        spec = functions.make(f"import os, sys\ndef handler(event, context):\n    {code}\n")
        for id in ("id-1", "id-2"):  # the second finds a new worker
            outcome = await functions.invoke(spec, request_id=id)
            assert parsed(outcome) == {
                "errorType": "Runtime.ExitError",
                "errorMessage": f"RequestId: {id} Error: {end}",
            }

    async def test_exit_while_loading(self, functions: Functions) -> None:
        outcome = await functions.invoke(functions.make("import sys; sys.exit(4)"), request_id="id-1")
        assert (
            parsed(outcome)["errorMessage"]
            == "RequestId: id-1 Error: Runtime exited with error: exit status 4"
        )

    async def test_a_response_beyond_6_mb(self, functions: Functions) -> None:
        spec = functions.make("import os\ndef handler(e, c): return 'x' * 7_000_000 if e else os.getpid()")
        before = parsed(await functions.invoke(spec, b"0"))
        for size in (b"1", b"1"):
            assert parsed(await functions.invoke(spec, size)) == {
                "errorType": "Function.ResponseSizeTooLarge",
                "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            }
        assert parsed(await functions.invoke(spec, b"0")) == before


class TestContext:
    async def test_what_the_context_says(self, functions: Functions) -> None:
        code = """
            def handler(event, c):
                left = c.get_remaining_time_in_millis()
                return [c.aws_request_id, c.function_name, c.function_version, c.invoked_function_arn,
                        c.memory_limit_in_mb, c.log_group_name, 2000 < left <= 3000, c.client_context.custom["a"],
                        c.client_context.client.app_title, c.identity.cognito_identity_id]"""
        spec = functions.make(code)
        client = base64.b64encode(b'{"custom": {"a": 1}, "client": {"app_title": "t"}}')
        assert parsed(await functions.invoke(spec, request_id="id-1", client_context=client)) == [
            "id-1", "hello", "$LATEST", spec.arn, "128", "/aws/lambda/hello", True, 1, "t", None,
        ]  # fmt: skip

    async def test_the_stream_it_names_has_its_lines(self, functions: Functions) -> None:
        spec = functions.make("def handler(e, c): return c.log_stream_name", version="7")
        stream = parsed(await functions.invoke(spec))
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[7\][0-9a-f]{32}", stream)
        await functions.workers.logs.flush()
        assert functions.node.streams["/aws/lambda/hello", stream][0]["message"].startswith("START ")


class TestEnvironment:
    async def test_lambdas_variables_and_the_functions_own(self, functions: Functions) -> None:
        code = "import os\ndef handler(e, c): return dict(os.environ)"
        spec = functions.make(code, environment={"COLOUR": "green", "AWS_REGION": "mars-1"}, memory=256)
        env = parsed(await functions.invoke(spec, trace_id="Root=1-2-3"))
        wanted = {
            "COLOUR": "green",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "AWS_LAMBDA_FUNCTION_NAME": "hello",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "LAMBDA_TASK_ROOT": str(spec.code),
            "_HANDLER": "app.handler",
            "_X_AMZN_TRACE_ID": "Root=1-2-3",
            "TZ": ":UTC",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "ASIAhello",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
        }
        assert {name: env.get(name) for name in wanted} == wanted

    async def test_nothing_of_the_nodes_environment_leaks(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_PROFILE", "production")
        env = parsed(
            await functions.invoke(functions.make("import os\ndef handler(e, c): return dict(os.environ)"))
        )
        assert "AWS_PROFILE" not in env

    async def test_without_a_role_it_runs_as_its_account_and_that_is_said(
        self, functions: Functions, caplog: pytest.LogCaptureFixture
    ) -> None:
        code = """
            from os import environ
            def handler(event, context): return [environ["AWS_ACCESS_KEY_ID"], "AWS_SESSION_TOKEN" in environ]"""
        spec = functions.make(code, role="arn:aws:iam::000000000000:role/missing")
        assert parsed(await functions.invoke(spec)) == ["test", False]
        assert "role/missing can't be assumed" in caplog.text

    async def test_the_working_directory_is_the_code_and_tmp_is_its_own(self, functions: Functions) -> None:
        code = """
            import os, tempfile
            def handler(e, c):
                with open(tempfile.mkstemp()[1], "w"): pass
                return [os.getcwd(), len(os.listdir(tempfile.gettempdir()))]"""
        one, two = functions.make(code, "one"), functions.make(code, "two")
        assert parsed(await functions.invoke(one)) == [str(one.code), 1]
        assert parsed(await functions.invoke(two)) == [str(two.code), 1]


class TestImports:
    async def test_boto3_is_there_and_cloudlets_own_libraries_are_not(
        self, with_boto3: None, functions: Functions
    ) -> None:
        code = """
            import importlib.util, boto3, json
            def handler(e, c):
                client = boto3.client("dynamodb")
                names = ["boto3", "botocore", "urllib3", "orjson", "uvloop", "cloudlet", "pip", "msgspec", "zygote"]
                return [client.meta.endpoint_url, client.meta.region_name,
                        [name for name in names if importlib.util.find_spec(name)]]"""
        assert parsed(await functions.invoke(functions.make(code))) == [
            "http://127.0.0.1:9", "us-east-1", ["boto3", "botocore", "urllib3"],
        ]  # fmt: skip

    async def test_the_functions_own_copy_of_a_library_wins(
        self, with_boto3: None, functions: Functions
    ) -> None:
        files = {
            "app.py": "import urllib3\ndef handler(e, c): return urllib3.mine",
            "urllib3/__init__.py": "mine = 1",
        }
        assert parsed(await functions.invoke(functions.make(files))) == 1

    async def test_own_modules_win_over_what_the_zygote_has_loaded(self, functions: Functions) -> None:
        names = ("queue", "uuid", "warm", "python_worker")
        code = f"import {', '.join(names)}\ndef handler(e, c): return [{', '.join(name + '.n' for name in names)}]"
        files = {"app.py": code} | {f"{name}.py": f"n = '{name}'" for name in names}
        assert parsed(await functions.invoke(functions.make(files))) == list(names)

    async def test_layers_come_after_the_code_and_later_ones_first(self, functions: Functions) -> None:
        layers = []
        for number in ("1", "2"):
            layer = functions.node.data / f"layer{number}"
            (layer / "python").mkdir(parents=True)
            for module in ("both", f"only{number}", "app"):
                (layer / "python" / f"{module}.py").write_text(f"n = {number}")
            layers.append(layer)
        code = "import both, only1, only2\ndef handler(e, c): return [both.n, only1.n, only2.n]"
        assert parsed(await functions.invoke(functions.make(code, layers=tuple(layers)))) == [2, 1, 2]

    async def test_pythonpath_of_the_functions_own(self, functions: Functions) -> None:
        files = {"app.py": "import deep\ndef handler(e, c): return deep.n", "lib/deep.py": "n = 3"}
        spec = functions.make(files, environment={"PYTHONPATH": "lib"})
        assert parsed(await functions.invoke(spec)) == 3

    async def test_handler_in_a_package(self, functions: Functions) -> None:
        files = {"src/__init__.py": "", "src/deep/api.py": "from . import x\ndef go(e, c): return x.n"}
        files |= {"src/deep/__init__.py": "", "src/deep/x.py": "n = 4"}
        assert parsed(await functions.invoke(functions.make(files, handler="src/deep/api.go"))) == 4
        assert parsed(await functions.invoke(functions.make(files, name="b", handler="src.deep.api.go"))) == 4

    async def test_the_code_folder_stays_as_it_is(self, functions: Functions) -> None:
        files = {"app.py": "import other\ndef handler(e, c): return 1", "other.py": ""}
        spec = functions.make(files)
        await functions.invoke(spec)
        assert sorted(path.name for path in spec.code.iterdir()) == ["app.py", "other.py"]


class TestVersions:
    async def test_a_version_that_the_machine_lacks_runs_on_the_nearest_and_that_is_said_once(
        self, functions: Functions, caplog: pytest.LogCaptureFixture
    ) -> None:
        listener = functions.node.events.listen()
        for name in ("a", "b"):
            code = "import sys\ndef handler(e, c): return sys.version_info[0]"
            assert parsed(await functions.invoke(functions.make(code, name, runtime="python3.99"))) == 3
        assert caplog.text.count("python3.99 functions run on Python 3.") == 1
        lines = [event["line"] async for event in once(listener) if event["kind"] == "lambda.log"]
        assert sum("python3.99 functions run on" in line for line in lines) == 1

    async def test_a_runtime_that_cant_run_here(self, functions: Functions) -> None:
        with pytest.raises(AwsError) as caught:
            await functions.invoke(functions.make("", runtime="java21"))
        assert (caught.value.code, caught.value.status) == ("InvalidRuntimeException", 502)
        again = await functions.invoke(functions.make("def handler(e, c): return 1", "other"))
        assert again.payload == b"1"


async def once(listener: Listener) -> AsyncIterator[dict[str, Any]]:
    """What a listener has heard so far."""
    iterator = aiter(listener)
    while True:
        try:
            yield await asyncio.wait_for(anext(iterator), 0.05)
        except TimeoutError:
            return
