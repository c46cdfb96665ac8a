"""An older protocol of a service: another model of the same operations, made of the service's and a patch."""

from __future__ import annotations

import json as stdjson

from cloudlet.aws import json, query
from cloudlet.aws.model import Models, with_forms
from cloudlet.aws.route import Match, Router
from cloudlet.errors import AwsError
from tests.aws.kit import head, request

MODELS = Models()
NAMES = [form for form, _ in with_forms(["sqs", "sts"])]
ROUTER = Router(NAMES, MODELS)


def asked(body: bytes, path: str = "/") -> Match:
    return ROUTER.find(
        request("POST", path, body, host="localhost:1", content_type="application/x-www-form-urlencoded"),
        "sqs",
    )


def test_belong_to_their_service() -> None:
    assert with_forms(["sqs", "sts"]) == [("sqs", "sqs"), ("sqs.query", "sqs"), ("sts", "sts")]
    assert MODELS["sqs.query"].operations.keys() == MODELS["sqs"].operations.keys()
    assert (MODELS["sqs"].protocol, MODELS["sqs.query"].protocol) == ("json", "query")


def test_are_found_by_action_and_the_service_by_target() -> None:
    match = asked(b"Action=SendMessage&Version=2012-11-05")
    assert (match.model.name, match.operation.name) == ("sqs.query", "SendMessage")
    target = ROUTER.find(request(x_amz_target="AmazonSQS.SendMessage"), "sqs")
    assert target.model.name == "sqs"


def test_have_names_of_their_own() -> None:
    match = asked(
        b"Action=ReceiveMessage&QueueUrl=u&AttributeName.1=All&MessageAttributeName.2=b&MessageAttributeName.1=a"
    )
    params = query.reader(match.operation, None)(request(path="/"), match)
    assert params == {"QueueUrl": "u", "AttributeNames": ["All"], "MessageAttributeNames": ["a", "b"]}


def test_sent_to_a_resources_url_they_mean_it() -> None:
    match = asked(b"Action=PurgeQueue")
    read = query.reader(match.operation, None)
    there = request(path="/000000000000/q", host="localhost:1")
    assert read(there, match) == {"QueueUrl": "http://localhost:1/000000000000/q"}
    assert read(request(path="/", host="localhost:1"), match) == {}


def test_an_error_has_its_older_name_in_both() -> None:
    error = AwsError("QueueDoesNotExist", "gone")
    older = query.failure(MODELS["sqs.query"], error, "id")
    assert b"<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in older.body
    newer = json.failure(MODELS["sqs"], error, "id")
    assert stdjson.loads(newer.body) == {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "gone"}
    assert head(newer)["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"


def test_a_service_may_word_what_is_missing_by_itself() -> None:
    match = ROUTER.find(request(x_amz_target="AmazonSQS.SendMessage"), "sqs")
    read = json.reader(match.operation, None)
    assert read(request(body=b"{}", content_type="application/x-amz-json-1.0"), match) == {}
