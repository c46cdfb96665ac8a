"""Near-valid requests of every operation: whatever is wrong, it is said, and never a failure of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.aws.model import Models, Shape
from cloudlet.names import snake
from cloudlet.services.sns import model as facts
from tests.harness import ACCOUNT, REGION

from .conftest import policy

pytestmark = [pytest.mark.node_only, pytest.mark.slow]
MODEL = Models()["sns"]
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:fuzz"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:fuzz"
WORDS = [
    "", "a", "ü\n", "1", "-1", "1e999", "true", "{}", "[]", "null", "x" * 300, "String", "Number", "Binary",
    "String.Array", "json", '{"default":1}', '{"default":"a","sqs":"b"}', '{"a":[{"numeric":[">",1,"<",0]}]}',
    '{"a":[{"anything-but":[]}]}', '{"$or":[{"a":["b"]},{"c":[1]}]}', '{"$or":1}', '{"a":[{"wildcard":"**"}]}',
    '{"http":{"defaultHealthyRetryPolicy":[]}}', '{"healthyRetryPolicy":{"numRetries":"x"}}', "MessageBody",
    '{"deadLetterTargetArn":[]}', '{"Statement":[1]}', '{"Statement":{"Effect":"Allow"}}', "999999999999", "fuzz",
    "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy", "Policy", "sqs",
    "http", "email", "sms", "lambda", "http://[", "http://x:99999/", "a@b", "+15550100", TOPIC, QUEUE, f"{TOPIC}:x",
    "W10=", "arn:aws:sns:::", "::::::",
]  # fmt: skip


def values(shape: Shape, name: str = "") -> st.SearchStrategy[Any]:
    if name in ("TopicArn", "ResourceArn", "TargetArn"):
        return st.sampled_from([TOPIC, TOPIC, TOPIC, *WORDS])
    if shape.type == "structure":
        members = {name: values(member.shape, name) for name, member in shape.members.items()}
        return st.fixed_dictionaries({}, optional=members)
    if shape.type == "list":
        assert shape.member
        return st.lists(values(shape.member.shape), max_size=3)
    if shape.type == "map":
        assert shape.value
        return st.dictionaries(st.sampled_from(WORDS), values(shape.value.shape), max_size=3)
    if shape.type == "boolean":
        return st.booleans()
    if shape.type == "blob":
        return st.sampled_from([b"", b"\0x"])
    return st.sampled_from(WORDS)


OPERATIONS = sorted(MODEL.operations.keys() - facts.UNSUPPORTED.keys() - {"DeleteTopic"})
REQUESTS = st.sampled_from(OPERATIONS).flatmap(
    lambda name: st.tuples(st.just(name), values(MODEL.operations[name].input))
)


def test_near_valid_requests(fresh_node):
    node = fresh_node()
    sns = node.client("sns")
    sns.create_topic(Name="fuzz")
    node.client("sqs").create_queue(QueueName="fuzz", Attributes={"Policy": json.dumps(policy(QUEUE, TOPIC))})
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)

    @settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(REQUESTS)
    def check(request: tuple[str, Any]) -> None:
        operation, parameters = request
        try:
            getattr(sns, snake(operation))(**parameters)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            assert 400 <= status < 500, (operation, parameters, error, node.log)

    check()
