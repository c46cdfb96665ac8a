"""Publish and PublishBatch: what subscribers get, and what is refused."""

from __future__ import annotations

import json

import pytest

from tests.harness import ACCOUNT, REGION

from .conftest import refused


def attribute(kind: str, value: object) -> dict[str, object]:
    return {"DataType": kind, ("BinaryValue" if kind.startswith("Binary") else "StringValue"): value}


class TestToQueues:
    def test_as_an_envelope(self, topic):
        made = topic()
        queue = made.queue()
        attributes = {
            "text": attribute("String", "ü"),
            "number": attribute("Number.int", "42"),
            "list": attribute("String.Array", '["a",1]'),
            "bytes": attribute("Binary", b"\0\1"),
        }
        id = made.publish('say "ü"\n', Subject="news", MessageAttributes=attributes)
        body = queue.message()["Body"]
        document = json.loads(body)
        assert list(document) == [
            "Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
            "SigningCertURL", "UnsubscribeURL", "MessageAttributes",
        ]  # fmt: skip
        assert body.startswith('{\n  "Type" : "Notification",\n  "MessageId" : "')
        assert (document["MessageId"], document["TopicArn"]) == (id, made.arn)
        assert (document["Subject"], document["Message"]) == ("news", 'say "ü"\n')
        assert document["SignatureVersion"] == "1"
        assert document["UnsubscribeURL"].endswith(document["TopicArn"] + document["UnsubscribeURL"][-37:])
        assert document["MessageAttributes"] == {
            "text": {"Type": "String", "Value": "ü"},
            "number": {"Type": "Number.int", "Value": "42"},
            "list": {"Type": "String.Array", "Value": '["a",1]'},
            "bytes": {"Type": "Binary", "Value": "AAE="},
        }

    def test_raw(self, topic):
        made = topic()
        queue = made.queue(RawMessageDelivery="true")
        made.publish(
            "just this",
            Subject="lost",
            MessageAttributes={"a": attribute("String", "b"), "c": attribute("Binary", b"d")},
        )
        message = queue.message()
        assert message["Body"] == "just this"
        assert message["MessageAttributes"] == {
            "a": {"DataType": "String", "StringValue": "b"},
            "c": {"DataType": "Binary", "BinaryValue": b"d"},
        }

    @pytest.mark.parametrize("raw", ["false", "true"])
    def test_a_group_makes_fair_queues(self, topic, raw):
        made = topic()
        queue = made.queue(RawMessageDelivery=raw)
        made.publish("one", MessageGroupId="tenant-1")
        message = queue.message()
        assert message["Attributes"]["MessageGroupId"] == "tenant-1"
        assert raw == "true" or "MessageGroupId" not in json.loads(message["Body"])
        made.publish("none")
        assert "MessageGroupId" not in queue.message()["Attributes"]

    def test_each_subscriber_gets_it(self, topic):
        made = topic()
        queues = [made.queue() for _ in range(20)]
        for number in range(15):
            made.publish(str(number))
        for queue in queues:
            assert sorted(int(queue.said()) for _ in range(15)) == list(range(15))

    def test_by_protocol(self, topic):
        made = topic()
        plain, raw = made.queue(), made.queue(RawMessageDelivery="true")
        texts = {"default": "for all", "sqs": "for queues", "email": 7}
        made.publish(json.dumps(texts), MessageStructure="json")
        assert plain.said() == "for queues"
        assert raw.message()["Body"] == "for queues"

    def test_to_a_target_that_is_a_topic(self, topic):
        made = topic()
        queue = made.queue()
        made.sns.publish(TargetArn=made.arn, Message="by target")
        assert queue.said() == "by target"

    def test_who_subscribes_later_does_not_hear_it(self, topic):
        made = topic()
        first = made.queue()
        made.publish("before")
        late = made.queue()
        made.publish("after")
        assert {first.said(), first.said()} == {"before", "after"}
        assert late.said() == "after"

    def test_not_before_the_topic_is_made_again(self, topic):
        made = topic()
        made.queue()
        made.sns.delete_topic(TopicArn=made.arn)
        made.sns.create_topic(Name=made.name)
        queue = made.queue()
        made.publish("new")
        assert queue.said() == "new"


class TestRefused:
    @pytest.mark.parametrize(
        ("request_", "text"),
        [
            ({"Message": ""}, "Invalid parameter: Empty message"),
            ({"Message": "x" * 262_145}, "Invalid parameter: Message too long"),
            ({"Message": "ü" * 131_073}, "Invalid parameter: Message too long"),
            ({"Message": "x", "Subject": ""}, "Invalid parameter: Subject"),
            ({"Message": "x", "Subject": "x" * 101}, "Invalid parameter: Subject"),
            ({"Message": "x", "Subject": "a\nb"}, "Invalid parameter: Subject"),
            ({"Message": "x", "Subject": " x"}, "Invalid parameter: Subject"),
            ({"Message": "x", "MessageStructure": "json"}, "JSON message body failed to parse"),
            ({"Message": "{}", "MessageStructure": "json"}, "No default entry in JSON message body"),
            ({"Message": "x", "MessageDeduplicationId": "y"}, "not valid for this topic type"),
            ({"Message": "x", "MessageGroupId": "a b"}, "Invalid parameter: MessageGroupId"),
        ],
    )  # fmt: skip
    def test_messages(self, topic, request_, text):
        made = topic()
        with refused("InvalidParameter", text):
            made.sns.publish(TopicArn=made.arn, **request_)

    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("a", attribute("String", ""), "must contain non-empty message attribute value"),
            ("a", attribute("Text", "x"), "set of supported type prefixes is Binary, Number, and String."),
            ("a", attribute("Number", "x"), "Could not cast message attribute 'a' value to number."),
            ("a", {"DataType": "String", "BinaryValue": b"x"}, "with type 'String' must use field 'String'."),
            ("a", attribute("String.Array", "x"), "must be a JSON array"),
            ("a b", attribute("String", "x"), "Invalid non-alphanumeric character '#x20' was found"),
            (".a", attribute("String", "x"), "starting with character '.'"),
            ("a..b", attribute("String", "x"), "successive '.'"),
            ("AWS.a", attribute("String", "x"), "beginning with 'AWS.'"),
        ],
    )
    def test_attributes(self, topic, name, value, text):
        with refused("ParameterValueInvalid", text):
            topic().publish(MessageAttributes={name: value})

    def test_no_target(self, client):
        with refused("InvalidParameter", "TopicArn or TargetArn Reason: no value for required parameter"):
            client("sns").publish(Message="x")

    def test_the_largest_message_passes(self, topic):
        made = topic()
        queue = made.queue(RawMessageDelivery="true")
        made.publish("x" * 262_144)
        assert len(queue.message()["Body"]) == 262_144


class TestPublishBatch:
    def test_all_arrive(self, topic):
        made = topic()
        queue = made.queue()
        entries = [{"Id": f"id{n}", "Message": str(n), "Subject": f"s{n}"} for n in range(10)]
        answer = made.sns.publish_batch(TopicArn=made.arn, PublishBatchRequestEntries=entries)
        ids = {one["Id"]: one["MessageId"] for one in answer["Successful"]}
        assert list(ids) == [entry["Id"] for entry in entries]
        assert not answer.get("Failed")
        got = [queue.envelope() for _ in range(10)]
        assert {one["MessageId"]: one["Message"] for one in got} == {ids[f"id{n}"]: str(n) for n in range(10)}

    def test_bad_entries_fail_alone(self, topic):
        made = topic()
        queue = made.queue()
        entries = [
            {"Id": "good", "Message": "x"},
            {"Id": "empty", "Message": ""},
            {"Id": "attribute", "Message": "x", "MessageAttributes": {"a": attribute("Number", "b")}},
        ]
        answer = made.sns.publish_batch(TopicArn=made.arn, PublishBatchRequestEntries=entries)
        assert [one["Id"] for one in answer["Successful"]] == ["good"]
        assert {one["Id"]: (one["Code"], one["SenderFault"]) for one in answer["Failed"]} == {
            "empty": ("InvalidParameter", True),
            "attribute": ("ParameterValueInvalid", True),
        }
        assert queue.said() == "x"

    @pytest.mark.parametrize(
        ("entries", "code", "text"),
        [
            ([], "EmptyBatchRequest", "doesn't contain any entries"),
            ([{"Id": str(n), "Message": "x"} for n in range(11)], "TooManyEntriesInBatchRequest", "more entries"),
            ([{"Id": "a", "Message": "x"}] * 2, "BatchEntryIdsNotDistinct", "the same Id"),
            ([{"Id": "a b", "Message": "x"}], "InvalidBatchEntryId", "doesn't abide by"),
            ([{"Id": str(n), "Message": "x" * 140_000} for n in range(2)], "BatchRequestTooLong", "more than the"),
        ],
    )  # fmt: skip
    def test_refused(self, topic, entries, code, text):
        made = topic()
        with refused(code, text):
            made.sns.publish_batch(TopicArn=made.arn, PublishBatchRequestEntries=entries)

    def test_needs_its_topic(self, client):
        with refused("NotFound", "Topic does not exist", 404):
            client("sns").publish_batch(
                TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:nowhere",
                PublishBatchRequestEntries=[{"Id": "a", "Message": "x"}],
            )
