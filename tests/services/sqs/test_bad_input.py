"""Near-valid requests of every operation: whatever is wrong, it is said, and never a failure of ours."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.aws.model import Models, Shape

pytestmark = [pytest.mark.node_only, pytest.mark.slow]
MODEL = Models()["sqs"]
WORDS = [
    "", "a", "All", ".*", "1", "-1", "99999999999", "true", "{}", "[]", "null", "\0", "ü\n", "x" * 300, "String",
    "Number", "Binary", "AWSTraceHeader", "VisibilityTimeout", "RedrivePolicy", "RedriveAllowPolicy", "Policy",
    "QueueArn", "arn:aws:sqs:us-east-1:000000000000:fuzz",
    '{"redrivePermission":"byQueue"}', "AQEBAAAA", "AQEB" + "A" * 64,
    '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:fuzz","maxReceiveCount":"1"}', "000000000000",
    '{"deadLetterTargetArn":[],"maxReceiveCount":{}}', '{"Statement":{"Sid":"a"}}', '{"Statement":[1]}', "e30=", "fuzz",
]  # fmt: skip
ANYTHING = st.recursive(
    st.sampled_from([None, True, 0, -1, 1.5, 10**20, *WORDS]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=2),
    max_leaves=4,
)
URLS = ["http://localhost/000000000000/fuzz", "http://localhost/000000000000/none", "fuzz", "", "http://x/y"]


def values(shape: Shape, name: str = "") -> st.SearchStrategy[Any]:
    """Mostly of the shape, now and then anything."""
    if name == "QueueUrl":
        return st.sampled_from([URLS[0], URLS[0], URLS[0], *URLS])
    if name == "WaitTimeSeconds":
        return st.sampled_from([0, -1, 21])
    if shape.type == "structure":
        members = {name: values(member.shape, name) for name, member in shape.members.items()}
        made: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=members)
    elif shape.type == "list":
        assert shape.member
        made = st.lists(values(shape.member.shape), max_size=3)
    elif shape.type == "map":
        assert shape.value
        made = st.dictionaries(st.sampled_from(WORDS), values(shape.value.shape), max_size=3)
    elif shape.type == "boolean":
        made = st.booleans()
    elif shape.type in ("integer", "long"):
        made = st.integers(-1, 20) | st.just(43_201)
    else:
        made = st.sampled_from(WORDS)
    return st.one_of(made, made, made, made, made, made, ANYTHING)


REQUESTS = st.sampled_from(sorted(MODEL.operations.keys() - {"DeleteQueue"})).flatmap(
    lambda name: st.tuples(st.just(name), values(MODEL.operations[name].input))
)


def test_near_valid_requests(fresh_node):
    node = fresh_node()
    node.client("sqs").create_queue(QueueName="fuzz")
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(REQUESTS)
    def check(request: tuple[str, Any]) -> None:
        operation, body = request
        headers = {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0"}
        connection.request("POST", "/", json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 400, 403, 404), (operation, body, text, node.log)
        if answer.status >= 400:
            assert json.loads(text)["__type"], text

    check()
    connection.close()
