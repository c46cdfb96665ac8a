"""Parts of the gateway without a node: policies, JSON schema, JSONPath, the wheel, ids, proxy answers."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from base64 import urlsafe_b64decode
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.clock import ManualClock
from cloudlet.context import Node
from cloudlet.events import Events
from cloudlet.services.apigateway import identifiers, policies
from cloudlet.services.apigateway.gateway import LEAVING_AT_ONCE, Gateway
from cloudlet.services.apigateway.integrations import function_of, proxy_answer
from cloudlet.services.apigateway.schema import Schema
from cloudlet.services.apigateway.scope import Answer
from cloudlet.services.apigateway.session import Session
from cloudlet.services.apigateway.templates import compiled, json_path
from cloudlet.services.apigateway.throttle import Bucket
from cloudlet.services.apigateway.velocity import wrap
from cloudlet.services.apigateway.wheel import Wheel

ARN = "arn:aws:execute-api:us-east-1:000000000000:abc/prod/$connect"


def policy(*statements: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {
        "Statement": [
            {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource, **more}
            for effect, resource in statements
        ]
    }


class TestPolicies:
    @pytest.mark.parametrize(
        ("document", "verdict"),
        [
            (policy(("Allow", ARN)), policies.ALLOWED),
            (policy(("Allow", "*")), policies.ALLOWED),
            (policy(("Allow", "arn:aws:execute-api:*:*:abc/*/$connect")), policies.ALLOWED),
            (policy(("Allow", "arn:aws:execute-api:*:*:ab?/*")), policies.ALLOWED),
            (policy(("Allow", "arn:aws:execute-api:*:*:xyz/*")), policies.DENIED),
            (policy(("Allow", "*"), ("Deny", ARN)), policies.EXPLICITLY_DENIED),
            ({"Statement": []}, policies.DENIED),
            (policy(("Allow", "*"), Action="execute-api:*"), policies.ALLOWED),
            (policy(("Allow", "*"), Action=["s3:Get*", "EXECUTE-API:invoke"]), policies.ALLOWED),
            (policy(("Allow", "*"), Action="s3:*"), policies.DENIED),
            (policy(("Allow", "*"), Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), policies.ALLOWED),
            (policy(("Allow", "*"), Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), policies.DENIED),
            (policy(("Allow", "*"), Condition={"StringLike": {"aws:useragent": "test*"}}), policies.ALLOWED),
            (policy(("Allow", "*"), Condition={"StringEquals": {"aws:unknown": "x"}}), policies.DENIED),
            ({"Statement": {"Effect": "Allow", "NotAction": "s3:*", "NotResource": "other"}}, policies.ALLOWED),
        ],
    )  # fmt: skip
    def test_verdicts(self, document: dict[str, Any], verdict: str) -> None:
        values = {"aws:SourceIp": "10.1.2.3", "aws:UserAgent": "tester"}
        assert policies.decide(document, ARN, values) == verdict

    @pytest.mark.parametrize(
        "document",
        [
            None,
            "x",
            {},
            {"Statement": ["x"]},
            {"Statement": {"Effect": "Maybe"}},
            {"Statement": {"Effect": "Allow"}},
        ],
    )
    def test_what_is_no_policy_is_refused(self, document: Any) -> None:
        with pytest.raises(policies.BadPolicy):
            policies.decide(document, ARN, {})


SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["action", "x"],
    "properties": {
        "action": {"enum": ["draw", "erase"]},
        "x": {"type": "integer", "minimum": 0, "maximum": 99, "exclusiveMaximum": False},
        "name": {"type": ["string", "null"], "minLength": 1, "pattern": "^[a-z]+$"},
        "points": {
            "type": "array",
            "items": {"$ref": "#/definitions/point"},
            "maxItems": 2,
            "uniqueItems": True,
        },
        "either": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    },
    "definitions": {"point": {"type": "number", "multipleOf": 2}},
    "additionalProperties": False,
}


class TestSchema:
    @pytest.mark.parametrize(
        "value",
        [
            {"action": "draw", "x": 0},
            {"action": "erase", "x": 99.0, "name": None, "points": [2, 4], "either": 1.5},
            {"action": "draw", "x": 5, "name": "abc"},
        ],
    )
    def test_fits(self, value: Any) -> None:
        assert Schema(SCHEMA).check(value) is None

    @pytest.mark.parametrize(
        ("value", "where"),
        [
            ([], "the message"), ({"action": "draw"}, "x"), ({"action": "jump", "x": 1}, "action"),
            ({"action": "draw", "x": 100}, "x"), ({"action": "draw", "x": 1.5}, "x"),
            ({"action": "draw", "x": True}, "x"),
            ({"action": "draw", "x": 1, "name": ""}, "name"), ({"action": "draw", "x": 1, "name": "A"}, "name"),
            ({"action": "draw", "x": 1, "points": [3]}, "points[0]"),
            ({"action": "draw", "x": 1, "points": [2, 2]}, "points"),
            ({"action": "draw", "x": 1, "points": [2, 4, 6]}, "points"),
            ({"action": "draw", "x": 1, "either": None}, "either"),
            ({"action": "draw", "x": 1, "more": 1}, "more"),
        ],
    )  # fmt: skip
    def test_says_what_is_wrong(self, value: Any, where: str) -> None:
        wrong = Schema(SCHEMA).check(value)
        assert wrong is not None and where in wrong

    @pytest.mark.parametrize(
        "schema",
        [
            {"properties": {"a": {"pattern": "("}}},
            {"properties": {"a": {"minLength": "1"}}},
            {"required": True},
            {"definitions": {"x": {"allOf": [{"$ref": "#/definitions/x"}]}}, "$ref": "#/definitions/x"},
        ],
    )
    def test_a_schema_that_is_wrong_lets_nothing_in(self, schema: dict[str, Any]) -> None:
        assert "schema is wrong" in str(Schema(schema).check({"a": "text"}))


class TestJsonPath:
    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("$", {"a": {"b": [1, 2]}, "c d": 3}), ("$.a.b", [1, 2]), ("$.a.b[1]", 2), ("$['c d']", 3),
            ("$.a.b[*]", [1, 2]), ("$.none", None), ("$.a.b[9]", None), ("$.a.*", [[1, 2]]),
        ],
    )  # fmt: skip
    def test_paths(self, path: str, expected: Any) -> None:
        assert json_path({"a": {"b": [1, 2]}, "c d": 3}, path) == expected


class TestVelocity:
    @pytest.mark.parametrize(
        ("template", "expected"),
        [
            ("$x.flag $x.list $x.map $x.list.size()", 'true [1,false] {"a":{"b":null}} 2'),
            ("#foreach($e in $x.map.entrySet())$e.key=$e.value#end", 'a={"b":null}'),
            ("#if($x.flag == true && $x.list.isEmpty() == false)yes#end", "yes"),
            ("$x.text.toUpperCase().substring(1, 3) $x.text.trim()", "BC abcd"),
            ("#if($x.none)a#{else}b#end$!x.none", "b"),
        ],
    )
    def test_values_behave_as_javas(self, template: str, expected: str) -> None:
        x = wrap({"flag": True, "list": [1, False], "map": {"a": {"b": None}}, "text": "abcd"})
        assert compiled(template).merge({"x": x}) == expected


class TestProxyAnswer:
    @given(st.binary(max_size=40))
    def test_any_bytes_are_an_answer_or_a_failure(self, payload: bytes) -> None:
        answer = proxy_answer(payload)
        assert answer.failure is None or answer.status == 502

    def test_headers_and_body(self) -> None:
        payload = {"statusCode": "201", "headers": {"X-A": 1}, "body": "text"}
        answer = proxy_answer(json.dumps(payload).encode())
        assert (answer.status, dict(answer.headers), answer.body) == (201, {"x-a": "1"}, b"text")


class TestIdentifiers:
    def test_connection_ids_name_their_node(self) -> None:
        ids = {identifiers.connection_id(513) for _ in range(100)}
        assert len(ids) == 100
        assert all(identifiers.well_formed(id) and urlsafe_b64decode(id)[8:10] == b"\x02\x01" for id in ids)

    def test_functions_of_uris(self) -> None:
        function = "arn:aws:lambda:us-east-1:000000000000:function:f:live"
        assert (
            function_of(
                f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
            )
            == function
        )
        assert function_of("arn:aws:apigateway:us-east-1:sqs:path/000000000000/queue") is None


class TestWheel:
    async def test_each_item_comes_once_and_not_early(self) -> None:
        clock = ManualClock()
        came: list[str] = []
        wheel: Wheel[str] = Wheel(clock, 1.0, came.append)
        wheel.put("a", clock.now() + 5)
        wheel.put("b", clock.now() + 5)
        slot = wheel.put("c", clock.now() + 5)
        wheel.take("c", slot)
        wheel.put("d", clock.now() + 500)
        clock.advance(4.9)
        await clock.sleep(0)  # what is due comes before it
        assert came == []
        clock.advance(1.1)
        await clock.sleep(0)
        assert sorted(came) == ["a", "b"]
        clock.advance(10_000)
        await clock.sleep(0)
        assert came[2:] == ["d"]

    async def test_none_comes_later_because_time_was_set_back(self) -> None:
        clock = ManualClock()
        came: list[str] = []
        wheel: Wheel[str] = Wheel(clock, 1.0, came.append)
        clock.advance(86_400)
        wheel.put("a", clock.now() + 5)
        slot = wheel.put("b", clock.now() + 5)
        clock.advance(-86_400)
        wheel.take("b", slot)
        wheel.put("c", clock.now() + 5)
        clock.advance(4.9)
        await clock.sleep(0)
        assert came == []
        clock.advance(1.1)
        await clock.sleep(0)
        assert sorted(came) == ["a", "c"]


class TestBucket:
    def test_a_burst_then_the_rate(self) -> None:
        clock = ManualClock()
        bucket = Bucket(clock, rate=2, burst=3)
        assert [bucket.take() for _ in range(4)] == [True, True, True, False]
        clock.advance(1)
        assert [bucket.take() for _ in range(3)] == [True, True, False]
        clock.advance(100)
        assert [bucket.take() for _ in range(4)] == [True, True, True, False]
        clock.advance(-86_400)
        assert not bucket.take()
        clock.advance(1)
        assert [bucket.take() for _ in range(3)] == [True, True, False]


class Left:
    """A stage whose $disconnect counts how many run at once."""

    api_id, name, domain, variables, log = "a", "prod", "a.example", {}, None

    def __init__(self) -> None:
        self.sessions: set[Session] = set()
        self.disconnect: Any = SimpleNamespace(integration=self)
        self.timeout, self.cancels = 29.0, False
        self.at_once = self.most = self.came = 0

    async def invoke(self, scope: Any, event: bytes) -> Answer:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        self.came += 1
        return Answer()


class TestLeaving:
    def gateway(self) -> Gateway:
        clock = ManualClock()

        async def transact(body: Any) -> None: ...

        log = logging.getLogger("tests.apigateway")
        store = SimpleNamespace(transact=transact)
        return Gateway(cast(Node, SimpleNamespace(clock=clock, events=Events(clock), store=store, log=log)))

    def pass_by(self, gateway: Gateway, stage: Any, id: str) -> None:
        session = Session(gateway, stage, id, "127.0.0.1", "")
        session.on_open(cast(Any, SimpleNamespace(closed=False)))
        session.on_close(1000, "", True)

    async def test_nothing_holds_on_to_a_session_that_is_closed(self) -> None:
        """Else those who come and go would fill the memory for as long as a connection may be idle."""
        gateway = self.gateway()
        self.pass_by(gateway, Left(), "the one of this test")
        await asyncio.gather(*gateway._tasks)
        gc.collect()
        held = [item for item in gc.get_objects() if isinstance(item, Session)]
        assert not [item for item in held if item.id == "the one of this test"]

    async def test_when_all_leave_together_they_leave_a_few_at_a_time(self) -> None:
        gateway, stage = self.gateway(), Left()
        for number in range(3 * LEAVING_AT_ONCE):
            self.pass_by(gateway, stage, str(number))
        await asyncio.gather(*gateway._leaving)
        assert (stage.came, stage.most) == (3 * LEAVING_AT_ONCE, LEAVING_AT_ONCE)
