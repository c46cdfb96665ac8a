"""Messages: sent, received, hidden, shown again, deleted; their attributes and checksums."""

from __future__ import annotations

import hashlib
import struct
import threading
import time

import pytest

from tests.harness import eventually

from .conftest import refused

LIMIT = 1_048_576


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def md5(attributes: dict) -> str:
    """The checksum that the SDKs compute, written out anew."""
    data = b""
    for name, value in sorted(attributes.items()):
        binary = "BinaryValue" in value
        content = value["BinaryValue"] if binary else value["StringValue"].encode()
        for part in (name.encode(), value["DataType"].encode()):
            data += struct.pack("!I", len(part)) + part
        data += (b"\2" if binary else b"\1") + struct.pack("!I", len(content)) + content
    return hashlib.md5(data).hexdigest()


class TestSendMessage:
    def test_arrives_with_its_checksum(self, queue):
        made = queue()
        sent = made.send("grüße, 世界 🌍\t\r\n")
        [got] = made.receive()
        assert got["Body"] == "grüße, 世界 🌍\t\r\n"
        assert got["MessageId"] == sent["MessageId"]
        assert got["MD5OfBody"] == sent["MD5OfMessageBody"] == hashlib.md5(got["Body"].encode()).hexdigest()
        assert "MessageAttributes" not in got
        assert got["Attributes"]["SenderId"] == "000000000000"

    def test_known_checksums(self, queue):
        made = queue()
        assert made.send(MessageAttributes={"Foo": text("Bar")})["MD5OfMessageAttributes"] == (
            "ae7155c6026991b6d54b11589678bf9c"
        )
        binary = {
            "DataType": "Binary",
            "BinaryValue": b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01",
        }
        sent = made.send("test", MessageAttributes={"attr1": binary})
        assert sent["MD5OfMessageAttributes"] == "8cbe4db156db8a94db8b801b7addb984"
        assert made.receive()[1]["MessageAttributes"] == {"attr1": binary}

    def test_attributes_of_every_type(self, queue):
        made = queue()
        attributes = {
            "word": text("ü"),
            "number": {"DataType": "Number", "StringValue": "-12.5e3"},
            "own": {"DataType": "String.colour", "StringValue": "red"},
            "raw": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
        }
        sent = made.send(MessageAttributes=attributes)
        assert sent["MD5OfMessageAttributes"] == md5(attributes)
        [got] = made.receive()
        assert got["MessageAttributes"] == attributes
        assert got["MD5OfMessageAttributes"] == md5(attributes)

    def test_a_trace_header_is_a_system_attribute(self, queue):
        made = queue()
        header = {"AWSTraceHeader": text("Root=1-2-3;Sampled=1")}
        sent = made.send(MessageSystemAttributes=header)
        assert sent["MD5OfMessageSystemAttributes"] == md5(header)
        assert made.receive()[0]["Attributes"]["AWSTraceHeader"] == "Root=1-2-3;Sampled=1"

    def test_a_group_of_a_fair_queue_comes_back(self, queue):
        made = queue()
        made.send(MessageGroupId="tenant-1")
        assert made.receive()[0]["Attributes"]["MessageGroupId"] == "tenant-1"

    def test_a_megabyte_is_the_limit(self, queue):
        made = queue()
        made.send("x" * LIMIT)
        assert len(made.receive()[0]["Body"]) == LIMIT
        reason = f"One or more parameters are invalid. Reason: Message must be shorter than {LIMIT} bytes."
        for body, attributes in (("x" * (LIMIT + 1), {}), ("x" * LIMIT, {"a": text("b")})):
            with refused("InvalidParameterValue", reason):
                made.send(body, MessageAttributes=attributes)

    def test_a_queue_may_have_a_lower_limit(self, queue):
        made = queue(MaximumMessageSize=1024)
        made.send("ü" * 512)
        with refused("InvalidParameterValue", "Message must be shorter than 1024 bytes."):
            made.send("ü" * 512 + "x")

    @pytest.mark.parametrize("character", ["\0", "\x0b", "\x1f", "\ufffe", "\uffff"])
    def test_refuses_what_xml_can_not_have(self, queue, character):
        with refused("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9"):
            queue().send(f"a{character}b")

    @pytest.mark.parametrize(
        ("attributes", "reason"),
        [
            ({"a b": text("x")}, "Invalid non-alphanumeric character '#x20' was found in the message attribute name."),
            ({"aws.x": text("x")}, "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'."),
            ({".x": text("x")}, "Message (user) attribute name must not begin with character '.'."),
            ({"x.": text("x")}, "Message (user) attribute name must not end with character '.'."),
            ({"x..y": text("x")}, "Message (user) attribute name must not have successive '.' characters."),
            ({"": text("x")}, "The request must contain non-empty message (user) attribute names."),
            ({"x" * 256: text("x")}, "Message (user) attribute name must be shorter than 256 bytes."),
            ({"x": {"DataType": "", "StringValue": "x"}}, "must contain a non-empty message attribute type."),
            (
                {"x": {"DataType": "Float", "StringValue": "x"}},
                "The type of message (user) attribute 'x' is invalid. You must use only the following supported type",
            ),
            (
                {"x": {"DataType": "String." + "x" * 249, "StringValue": "x"}},
                "Message (user) attribute type must be shorter than 256 bytes.",
            ),
            ({"x": text("")}, "Message (user) attribute 'x' must contain a non-empty value of type 'String'."),
            ({"x": {"DataType": "String"}}, "must contain a non-empty value of type 'String'."),
            ({"x": {"DataType": "Binary", "StringValue": "x"}}, "with type 'Binary' must use field 'Binary'."),
            ({"x": {"DataType": "Number", "BinaryValue": b"1"}}, "with type 'Number' must use field 'String'."),
            ({"x": text("x") | {"BinaryValue": b"x"}}, "Message (user) attribute 'x' must have a single value."),
            (
                {"x": {"DataType": "Number", "StringValue": "ten"}},
                "Can't cast the value of message (user) attribute 'x' to a number.",
            ),
            ({"x": {"DataType": "Number", "StringValue": "1" * 39}}, "to a number."),
            ({"x": {"DataType": "Number", "StringValue": "1e127"}}, "to a number."),
            ({str(n): text("x") for n in range(11)}, "[11] exceeds the allowed maximum [10]."),
        ],
    )  # fmt: skip
    def test_refuses_attributes(self, queue, attributes, reason):
        with refused("InvalidParameterValue", reason):
            queue().send(MessageAttributes=attributes)

    @pytest.mark.parametrize("number", ["1e126", "-1e-128", "1" * 38 + "000", ".5", "5.", "-0", "00042"])
    def test_numbers(self, queue, number):
        attribute = {"DataType": "Number", "StringValue": number}
        made = queue()
        made.send(MessageAttributes={"n": attribute})
        assert made.receive()[0]["MessageAttributes"]["n"] == attribute

    def test_refuses_other_parameters(self, queue):
        made = queue()
        with refused("MissingParameter", "The request must contain the parameter MessageBody."):
            made.send("")
        with refused("InvalidParameterValue", "DelaySeconds must be >= 0 and <= 900."):
            made.send(DelaySeconds=901)
        with refused("InvalidParameterValue", "parameter that is not valid for this queue type."):
            made.send(MessageDeduplicationId="x")
        with refused("InvalidParameterValue", "Value x for parameter ReceiveRequestAttemptId is invalid."):
            made.receive(ReceiveRequestAttemptId="x")


class TestDelay:
    def test_of_a_message(self, node, queue):
        made = queue()
        made.send("late", DelaySeconds=10)
        made.send("now")
        assert made.counts() == (1, 0, 1)
        assert made.bodies() == ["now"]
        node.advance(10)
        assert made.counts() == (1, 1, 0)
        assert made.bodies() == ["late"]

    def test_of_a_queue_unless_the_message_says_otherwise(self, node, queue):
        made = queue(DelaySeconds=60)
        made.send("late")
        made.send("now", DelaySeconds=0)
        assert made.bodies() == ["now"]
        node.advance(60)
        assert "late" in made.bodies()


class TestReceiveMessage:
    def test_nothing_is_no_member(self, sqs, queue):
        assert "Messages" not in sqs.receive_message(QueueUrl=queue().url)

    def test_one_unless_more_are_asked_for(self, sqs, queue):
        made = queue()
        for n in range(12):
            made.send(str(n))
        assert len(sqs.receive_message(QueueUrl=made.url)["Messages"]) == 1
        assert len(made.receive(10)) == 10
        assert len(made.receive(10)) == 1

    def test_only_attributes_that_are_asked_for(self, queue):
        made = queue(VisibilityTimeout=0)
        attributes = {"Hello": text("There"), "General": text("Kenobi"), "Help.Me": text("Me")}
        made.send("msg", MessageAttributes=attributes)
        for names, found, checksum in (
            (["All"], {"Hello", "General", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"),
            ([".*"], {"Hello", "General", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"),
            (["Hello", "General"], {"Hello", "General"}, "fca026605781cb4126a1e9044df24232"),
            (["Hello", "Foo"], {"Hello"}, "a311262e065454b75da111d535b8dacd"),
            (["Foo"], None, None),
            ([], None, None),
        ):
            [got] = made.receive(MessageAttributeNames=names)
            shown = got.get("MessageAttributes")
            assert (shown if shown is None else set(shown)) == found
            assert got.get("MD5OfMessageAttributes") == checksum
        [got] = made.receive(MessageAttributeNames=["Help.*"])
        assert set(got["MessageAttributes"]) == {"Help.Me"}

    @pytest.mark.parametrize("member", ["AttributeNames", "MessageSystemAttributeNames"])
    def test_system_attributes_by_name(self, queue, member):
        made = queue()
        made.send()
        [got] = made.receive(**{"AttributeNames": [], member: ["SenderId", "ApproximateReceiveCount"]})
        assert got["Attributes"] == {"SenderId": "000000000000", "ApproximateReceiveCount": "1"}

    def test_counts_and_times(self, node, queue):
        made = queue(VisibilityTimeout=30)
        made.send()
        first = made.receive()[0]["Attributes"]
        node.advance(30)
        second = made.receive()[0]["Attributes"]
        assert [one["ApproximateReceiveCount"] for one in (first, second)] == ["1", "2"]
        for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
            assert first[name] == second[name]
        assert first["SentTimestamp"] <= first["ApproximateFirstReceiveTimestamp"]

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"MaxNumberOfMessages": 0}, "Reason: Must be between 1 and 10, if provided."),
            ({"MaxNumberOfMessages": 11}, "Value 11 for parameter MaxNumberOfMessages"),
            ({"WaitTimeSeconds": 21}, "Must be >= 0 and <= 20, if provided."),
            ({"VisibilityTimeout": 43201}, "Must be >= 0 and <= 43200, if provided."),
        ],
    )  # fmt: skip
    def test_limits(self, sqs, queue, options, reason):
        with refused("InvalidParameterValue", reason):
            sqs.receive_message(QueueUrl=queue().url, **options)


class TestVisibility:
    def test_hides_until_its_time_is_over(self, node, queue):
        made = queue(VisibilityTimeout=30)
        made.send()
        made.receive()
        assert made.receive() == []
        assert made.counts() == (0, 1, 0)
        node.advance(30)
        assert made.counts() == (1, 0, 0)
        assert len(made.receive(VisibilityTimeout=100)) == 1
        node.advance(99)
        assert made.receive() == []
        node.advance(1)
        assert len(made.receive()) == 1

    def test_can_be_changed(self, node, queue):
        made = queue()
        made.send()
        [got] = made.receive()
        made.hide(got, 600)
        node.advance(599)
        assert made.receive() == []
        made.hide(got, 0)
        assert len(made.receive()) == 1

    def test_of_what_is_not_in_flight_can_not_be_changed(self, node, queue):
        made = queue(VisibilityTimeout=30)
        made.send()
        [first] = made.receive()
        node.advance(31)
        with refused("AWS.SimpleQueueService.MessageNotInflight") as caught:
            made.hide(first, 5)
        assert isinstance(caught.value, made.client.exceptions.MessageNotInflight)
        [second] = made.receive()
        gone = "Message does not exist or is not available for visibility timeout change."
        with refused("InvalidParameterValue", gone):
            made.hide(first, 5)
        made.delete(second)
        with refused("InvalidParameterValue", gone):
            made.hide(second, 5)

    def test_twelve_hours_in_all(self, node, queue):
        made = queue()
        made.send()
        [got] = made.receive()
        made.hide(got, 43_200)
        node.advance(3600)
        with refused("InvalidParameterValue", "Total VisibilityTimeout for the message is beyond the limit"):
            made.hide(got, 43_200)
        with refused("InvalidParameterValue", "VisibilityTimeout must be an integer between 0 and 43200."):
            made.hide(got, 43_201)
        made.hide(got, 39_000)


class TestDeleteMessage:
    def test_for_good(self, node, queue):
        made = queue()
        made.send()
        [got] = made.receive()
        made.delete(got)
        made.delete(got)
        assert made.counts() == (0, 0, 0)
        node.advance(3600)
        assert made.receive() == []

    def test_with_a_handle_whose_time_is_over_but_is_the_last(self, node, queue):
        made = queue(VisibilityTimeout=5)
        made.send()
        [got] = made.receive()
        node.advance(10)
        made.delete(got)
        assert made.receive() == []

    def test_an_older_handle_deletes_nothing(self, node, queue):
        made = queue(VisibilityTimeout=5)
        made.send()
        [old] = made.receive()
        node.advance(5)
        [new] = made.receive()
        made.delete(old)
        assert made.counts() == (0, 1, 0)
        made.delete(new)
        assert made.counts() == (0, 0, 0)

    @pytest.mark.parametrize(
        "handle", ["garbage", "AQEB", "AQEBIeprQtOlDu4AAAAAAAABof4CE78AAAABAAAAAAABAAAAAUusPmw="]
    )
    def test_what_is_no_handle(self, sqs, queue, handle):
        text = f'The input receipt handle "{handle}" is not a valid receipt handle.'
        with refused("ReceiptHandleIsInvalid", text, 404):
            sqs.delete_message(QueueUrl=queue().url, ReceiptHandle=handle)

    def test_another_queues_handle(self, queue):
        one, other = queue(), queue()
        one.send()
        with refused("ReceiptHandleIsInvalid", status=404):
            other.delete(one.receive()[0])


class TestRetention:
    def test_ends_a_message_wherever_it_is(self, node, queue):
        made = queue(MessageRetentionPeriod=60)
        made.send("visible")
        made.send("delayed", DelaySeconds=50)
        made.send("in flight")
        made.receive(1, VisibilityTimeout=500)
        node.advance(30)
        made.send("young")
        node.advance(30)
        assert eventually(lambda: made.counts() == (1, 0, 0))
        assert made.bodies() == ["young"]

    def test_follows_a_change(self, node, queue):
        made = queue()
        made.send()
        node.advance(100)
        made.set(MessageRetentionPeriod=60)
        assert made.receive() == []
        assert eventually(lambda: made.counts() == (0, 0, 0))


class Poll(threading.Thread):
    """A receive that waits, in a thread of its own; `began` is set right before it."""

    def __init__(self, node, made, wait: int) -> None:
        super().__init__()
        self.client = node.client("sqs")
        self.made = made
        self.wait = wait
        self.began = threading.Event()
        self.bodies: list[str] = []
        self.error: Exception | None = None
        self.took = 0.0
        self.start()

    def run(self) -> None:
        self.client.get_queue_attributes(QueueUrl=self.made.url)  # so that the connection is there
        self.began.set()
        start = time.monotonic()
        try:
            answer = self.client.receive_message(QueueUrl=self.made.url, WaitTimeSeconds=self.wait)
            self.bodies = [one["Body"] for one in answer.get("Messages", [])]
        except Exception as error:
            self.error = error
        self.took = time.monotonic() - start


class TestLongPolling:
    def test_returns_with_the_first_message(self, node, queue):
        made = queue()
        polls = [Poll(node, made, 20) for _ in range(5)]
        for poll in polls:
            assert poll.began.wait(10)
        for n in range(5):
            made.send(str(n))
        for poll in polls:
            poll.join()
        assert sorted(body for poll in polls for body in poll.bodies) == ["0", "1", "2", "3", "4"]
        assert max(poll.took for poll in polls) < 15

    def test_the_queues_own_time_is_the_default(self, node, queue):
        made = queue(ReceiveMessageWaitTimeSeconds=20)
        got: list = []
        thread = threading.Thread(target=lambda: got.extend(made.bodies()))
        thread.start()
        node.client("sqs").send_message(QueueUrl=made.url, MessageBody="there")
        thread.join()
        assert got == ["there"]

    @pytest.mark.slow
    def test_ends_empty_when_its_time_is_over(self, node, queue):
        poll = Poll(node, queue(), 1)
        poll.join()
        assert poll.bodies == []
        assert poll.took >= 1

    @pytest.mark.slow
    def test_a_hidden_message_ends_it_when_it_is_shown(self, node, queue):
        made = queue()
        made.send("again")
        made.receive(VisibilityTimeout=2)
        poll = Poll(node, made, 20)
        poll.join()
        assert poll.bodies == ["again"]
        assert poll.took < 15

    def test_a_deleted_queue_ends_it(self, node, queue, sqs):
        made = queue()
        poll = Poll(node, made, 20)
        assert poll.began.wait(10)
        sqs.delete_queue(QueueUrl=made.url)
        poll.join()
        assert "NonExistentQueue" in str(poll.error)

    def test_it_goes_on_after_a_purge(self, node, queue, sqs):
        made = queue()
        poll = Poll(node, made, 20)
        assert poll.began.wait(10)
        sqs.purge_queue(QueueUrl=made.url)
        made.send("after")
        poll.join()
        assert poll.bodies == ["after"]
        assert poll.took < 15
