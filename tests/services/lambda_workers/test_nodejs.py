"""Node.js functions on the host's `node`."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from .conftest import Functions

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="this machine has no node")


@pytest.fixture(autouse=True)
def without_sdk(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Only what needs the SDK waits for its installation."""
    if "sdk" not in request.keywords:
        from cloudlet.services.lambda_.runtimes import install

        monkeypatch.setattr(install, "ensure_node", lambda: None)


async def run(functions: Functions, files: str | dict[str, str], event: Any = None, **settings: Any) -> Any:
    """The payload; an error as ("error", payload)."""
    code = {"index.js": files} if isinstance(files, str) else files
    spec = functions.make(
        code, runtime="nodejs20.x", handler=settings.pop("handler", "index.handler"), **settings
    )
    outcome = await functions.invoke(spec, json.dumps(event).encode())
    payload = json.loads(outcome.payload)
    return payload if outcome.error is None else (outcome.error, payload)


class TestHandlers:
    async def test_commonjs_async(self, functions: Functions) -> None:
        assert await run(functions, "exports.handler = async (event) => ({got: event.n})", {"n": 5}) == {
            "got": 5
        }

    async def test_ecmascript_module_with_top_level_await(self, functions: Functions) -> None:
        code = (
            "const n = await Promise.resolve(2)\nexport const handler = async (e, c) => [n, c.functionName]"
        )
        assert await run(functions, {"index.mjs": code}) == [2, "hello"]

    async def test_module_by_package_json_in_a_folder(self, functions: Functions) -> None:
        files = {
            "src/index.js": "export const handler = async () => 'esm'",
            "package.json": '{"type": "module"}',
        }
        assert await run(functions, files, handler="src/index.handler") == "esm"

    async def test_callback(self, functions: Functions) -> None:
        code = "exports.handler = (event, context, callback) => setTimeout(() => callback(null, 'late'), 5)"
        assert await run(functions, code) == "late"

    async def test_a_callback_waits_for_the_event_loop_unless_told_not_to(self, functions: Functions) -> None:
        code = """
            let ticks = 0
            exports.handler = (event, context, callback) => {
              context.callbackWaitsForEmptyEventLoop = event.wait
              setTimeout(() => { ticks++ }, 20)
              const answer = {toJSON: () => ticks}
              callback(null, answer)
            }"""
        assert await run(functions, code, {"wait": True}) == 1
        assert await run(functions, code, {"wait": False}, name="other") == 0

    async def test_nothing_is_null(self, functions: Functions) -> None:
        assert await run(functions, "exports.handler = async () => {}") is None

    async def test_a_promise_that_never_settles_ends_with_the_event_loop(self, functions: Functions) -> None:
        assert await run(functions, "exports.handler = () => new Promise(() => {})") is None

    async def test_a_streaming_handlers_response_comes_whole(self, functions: Functions) -> None:
        code = """
            exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
              stream.write('"a'); stream.write('b"'); stream.end()
            })"""
        assert await run(functions, code) == "ab"


class TestErrors:
    async def test_a_thrown_error(self, functions: Functions) -> None:
        kind, payload = await run(
            functions, "exports.handler = async () => { throw new TypeError('no way') }"
        )
        assert kind == "Unhandled"
        assert (payload["errorType"], payload["errorMessage"]) == ("TypeError", "no way")
        first, place, *rest = payload["trace"]
        assert (first, rest) == ("TypeError: no way", [])
        assert place.strip().startswith("at exports.handler (/var/task/index.js:1:")

    async def test_a_module_that_is_not_there(self, functions: Functions) -> None:
        _, payload = await run(functions, "require('nope')")
        assert payload["errorMessage"] == (
            "Error: Cannot find module 'nope'\nRequire stack:\n- /var/task/index.js\n- /var/runtime/index.mjs"
        )

    async def test_a_callbacks_error_may_be_a_string(self, functions: Functions) -> None:
        _, payload = await run(functions, "exports.handler = (e, c, callback) => callback('bad')")
        assert payload == {"errorType": "string", "errorMessage": "bad", "trace": []}

    @pytest.mark.parametrize(
        ("code", "handler", "type", "message"),
        [
            (
                "exports.x = 1",
                "index.handler",
                "Runtime.HandlerNotFound",
                "index.handler is undefined or not exported",
            ),
            (
                "exports.x = 1",
                "other.handler",
                "Runtime.ImportModuleError",
                "Error: Cannot find module 'other'",
            ),
            (
                "require('nope')",
                "index.handler",
                "Runtime.ImportModuleError",
                "Error: Cannot find module 'nope'",
            ),
            (
                "exports.handler = ]",
                "index.handler",
                "Runtime.UserCodeSyntaxError",
                "SyntaxError: Unexpected token",
            ),
            ("throw new RangeError('r')", "index.handler", "RangeError", "r"),
            ("exports.x = 1", "index", "Runtime.MalformedHandlerName", "Bad handler"),
        ],
    )
    async def test_init_errors(
        self, functions: Functions, code: str, handler: str, type: str, message: str
    ) -> None:
        kind, payload = await run(functions, code, handler=handler)
        assert kind == "Unhandled"
        assert payload["errorType"] == type
        assert payload["errorMessage"].startswith(message)

    async def test_an_uncaught_error_is_the_result_and_ends_the_process(self, functions: Functions) -> None:
        code = """
            exports.handler = (event, context, done) => {
              if (event === 'pid') done(null, process.pid)
              else setTimeout(() => { throw new Error('late') }, 1)
            }"""
        spec = functions.make({"index.js": code}, runtime="nodejs20.x", handler="index.handler")
        first = json.loads((await functions.invoke(spec, b'"pid"')).payload)
        failed = json.loads((await functions.invoke(spec)).payload)
        assert (failed["errorType"], failed["errorMessage"]) == ("Error", "late")
        assert json.loads((await functions.invoke(spec, b'"pid"')).payload) != first

    async def test_an_unhandled_rejection(self, functions: Functions) -> None:
        code = "exports.handler = (e, c, done) => { Promise.reject(new Error('r')); setTimeout(done, 1000) }"
        _, payload = await run(functions, code)
        assert (payload["errorType"], payload["errorMessage"]) == (
            "Runtime.UnhandledPromiseRejection",
            "Error: r",
        )

    async def test_process_exit(self, functions: Functions) -> None:
        _, payload = await run(functions, "exports.handler = async () => process.exit(3)")
        assert payload["errorMessage"].endswith("Runtime exited with error: exit status 3")


class TestConsole:
    async def test_lines_have_time_request_and_level(self, functions: Functions) -> None:
        code = """
            exports.handler = async () => {
              console.log('one %d', 1); console.error('two\\nlines')
              process.stdout.write('bare\\n'); console.debug({a: 1})
            }"""
        await run(functions, code)
        await functions.workers.logs.flush()
        start, *lines, end, report = functions.node.messages("hello")
        assert start.startswith("START ") and end.startswith("END ") and report.startswith("REPORT ")
        said = [line.split("\t")[2:] or [line] for line in lines]
        assert said == [["INFO", "one 1\n"], ["ERROR", "two\nlines\n"], ["bare\n"], ["DEBUG", "{ a: 1 }\n"]]
