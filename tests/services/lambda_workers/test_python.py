"""Python functions: results, errors, context, environment, imports."""

from __future__ import annotations

import json
from typing import Any

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
