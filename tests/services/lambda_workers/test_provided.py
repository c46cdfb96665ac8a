"""Custom runtimes: a `bootstrap` of the function's own, over the Runtime API."""

from __future__ import annotations

import json

from .conftest import Functions

SHELL = """\
#!/bin/sh
set -eu
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  headers="$(mktemp)"
  event="$(curl -sS -D "$headers" "$api/invocation/next")"
  id="$(grep -i Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)"
  echo "got $event"
  answer="{\\"handler\\": \\"$_HANDLER\\", \\"event\\": $event}"
  curl -sS -o /dev/null -X POST "$api/invocation/$id/response" -d "$answer"
done
"""

PYTHON = """\
#!/usr/bin/env python3
import http.client, json, os, sys
c = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None, headers={}):
    c.request(method, path, body, headers)
    r = c.getresponse()
    return r.status, dict((k.lower(), v) for k, v in r.getheaders()), r.read()
"""


async def run(functions: Functions, bootstrap: str, payload: bytes = b"{}", times: int = 1) -> list[object]:
    spec = functions.make({"bootstrap": bootstrap}, runtime="provided.al2023", handler="some.thing")
    outcomes = [await functions.invoke(spec, payload, client_context=b'{"a": 1}') for _ in range(times)]
    return [(json.loads(outcome.payload), outcome.error) for outcome in outcomes]


class TestBootstrap:
    async def test_a_shell_script_serves_invocations(self, functions: Functions) -> None:
        got = await run(functions, SHELL, b'{"n":1}', times=2)
        assert got == [({"handler": "some.thing", "event": {"n": 1}}, None)] * 2
        await functions.workers.logs.flush()
        kinds = [line.split(" ")[0].strip() for line in functions.node.messages("hello")]
        assert kinds == ["START", "got", "END", "REPORT"] * 2

    async def test_next_carries_every_header(self, functions: Functions) -> None:
        script = PYTHON + (
            "_, h, body = call('GET', '/2018-06-01/runtime/invocation/next')\n"
            "id = h['lambda-runtime-aws-request-id']\n"
            "call('POST', f'/2018-06-01/runtime/invocation/{id}/response', json.dumps(h))\n"
            "call('GET', '/2018-06-01/runtime/invocation/next')\n"
        )
        [(headers, error)] = await run(functions, script)
        assert error is None and isinstance(headers, dict)
        assert headers["lambda-runtime-invoked-function-arn"].endswith(":function:hello")
        assert int(headers["lambda-runtime-deadline-ms"]) > 1_600_000_000_000
        assert headers["lambda-runtime-client-context"] == '{"a": 1}'
        assert headers["lambda-runtime-trace-id"].startswith("Root=1-")

    async def test_an_error_is_the_payload_as_the_runtime_gives_it(self, functions: Functions) -> None:
        script = PYTHON + (
            "while True:\n"
            "  _, h, body = call('GET', '/2018-06-01/runtime/invocation/next')\n"
            "  id = h['lambda-runtime-aws-request-id']\n"
            "  error = json.dumps({'errorType': 'T', 'errorMessage': 'm'})\n"
            "  call('POST', f'/2018-06-01/runtime/invocation/{id}/error', error)\n"
        )
        assert (
            await run(functions, script, times=2)
            == [({"errorType": "T", "errorMessage": "m"}, "Unhandled")] * 2
        )

    async def test_an_init_error(self, functions: Functions) -> None:
        script = PYTHON + (
            "call('POST', '/2018-06-01/runtime/init/error', json.dumps({'errorType': 'Bad', 'errorMessage': 'no'}))\n"
            "sys.exit(1)\n"
        )
        assert await run(functions, script) == [({"errorType": "Bad", "errorMessage": "no"}, "Unhandled")]

    async def test_a_bootstrap_that_exits(self, functions: Functions) -> None:
        [(payload, error)] = await run(functions, "#!/bin/sh\nexit 7\n")
        assert error == "Unhandled" and isinstance(payload, dict)
        assert payload["errorType"] == "Runtime.ExitError"
        assert payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")

    async def test_no_bootstrap(self, functions: Functions) -> None:
        spec = functions.make({"other": ""}, runtime="provided.al2023")
        payload = json.loads((await functions.invoke(spec)).payload)
        assert payload["errorType"] == "Runtime.InvalidEntrypoint"
        told = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
        assert told in payload["errorMessage"]

    async def test_a_response_beyond_6_mb_is_refused_and_the_worker_lives(self, functions: Functions) -> None:
        script = PYTHON + (
            "big = json.dumps('x' * 7_000_000)\n"
            "while True:\n"
            "  _, h, body = call('GET', '/2018-06-01/runtime/invocation/next')\n"
            "  id = h['lambda-runtime-aws-request-id']\n"
            "  status, _, answer = call('POST', f'/2018-06-01/runtime/invocation/{id}/response', big)\n"
            "  big = json.dumps([status, json.loads(answer)['errorType']])\n"
        )
        first, second = await run(functions, script, times=2)
        assert isinstance(first, tuple) and first[0]["errorType"] == "Function.ResponseSizeTooLarge"
        assert second == ([413, "RequestEntityTooLarge"], None)


class TestStates:
    async def test_requests_out_of_turn_are_refused(self, functions: Functions) -> None:
        script = PYTHON + (
            "seen = [call('POST', '/2018-06-01/runtime/invocation/x/response', '1')[0]]\n"
            "_, h, body = call('GET', '/2018-06-01/runtime/invocation/next')\n"
            "id = h['lambda-runtime-aws-request-id']\n"
            "seen.append(call('POST', '/2018-06-01/runtime/invocation/other/response', '1')[0])\n"
            "seen.append(call('GET', '/2018-06-01/runtime/invocation/next')[0])\n"
            "seen.append(call('PUT', '/2022-07-01/telemetry', '{}')[0])\n"
            "seen.append(call('POST', '/2020-01-01/extension/register', '{}')[0])\n"
            "seen.append(call('GET', '/nothing')[0])\n"
            "call('POST', f'/2018-06-01/runtime/invocation/{id}/response', json.dumps(seen))\n"
            "call('GET', '/2018-06-01/runtime/invocation/next')\n"
        )
        assert await run(functions, script) == [([403, 400, 403, 202, 501, 404], None)]
