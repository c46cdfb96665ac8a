"""Batches: each entry for itself, and what is wrong with a batch as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import refused

BATCHES = {
    "send_message_batch": lambda id: {"Id": id, "MessageBody": "x"},
    "delete_message_batch": lambda id: {"Id": id, "ReceiptHandle": "x"},
    "change_message_visibility_batch": lambda id: {"Id": id, "ReceiptHandle": "x", "VisibilityTimeout": 1},
}


def ids(answer: dict[str, Any], member: str) -> list[str]:
    return [entry["Id"] for entry in answer.get(member, [])]


@pytest.mark.parametrize("operation", BATCHES)
class TestEveryBatch:
    def call(self, sqs, queue, operation, names):
        return getattr(sqs, operation)(QueueUrl=queue().url, Entries=[BATCHES[operation](n) for n in names])

    def test_must_not_be_empty(self, sqs, queue, operation):
        with refused("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one"):
            self.call(sqs, queue, operation, [])

    def test_has_ten_entries_at_most(self, sqs, queue, operation):
        text = "Maximum number of entries per request are 10. You have sent 11."
        with refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", text):
            self.call(sqs, queue, operation, [str(n) for n in range(11)])

    def test_has_ids_that_differ(self, sqs, queue, operation):
        with refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id a repeated."):
            self.call(sqs, queue, operation, ["a", "b", "a"])

    @pytest.mark.parametrize("id", ["", "a b", "x" * 81])
    def test_has_ids_of_some_characters(self, sqs, queue, operation, id):
        with refused("AWS.SimpleQueueService.InvalidBatchEntryId", "A batch entry id can only contain"):
            self.call(sqs, queue, operation, [id])

    def test_needs_its_queue(self, sqs, operation):
        with refused("AWS.SimpleQueueService.NonExistentQueue"):
            url = "http://localhost/000000000000/nowhere"
            getattr(sqs, operation)(QueueUrl=url, Entries=[BATCHES[operation]("a")])


class TestSendMessageBatch:
    def test_all_arrive(self, sqs, queue):
        made = queue()
        entries = [{"Id": f"id-{n}", "MessageBody": str(n)} for n in range(10)]
        answer = sqs.send_message_batch(QueueUrl=made.url, Entries=entries)
        assert ids(answer, "Successful") == [entry["Id"] for entry in entries]
        assert "Failed" not in answer
        got = {message["MessageId"]: message for message in made.receive()}
        for entry in answer["Successful"]:
            assert got[entry["MessageId"]]["MD5OfBody"] == entry["MD5OfMessageBody"]

    def test_bad_entries_fail_alone(self, sqs, queue):
        made = queue(MaximumMessageSize=1024)
        attribute = {"a b": {"DataType": "String", "StringValue": "x"}}
        answer = sqs.send_message_batch(
            QueueUrl=made.url,
            Entries=[
                {"Id": "good", "MessageBody": "x"},
                {"Id": "late", "MessageBody": "x", "DelaySeconds": 900},
                {"Id": "empty", "MessageBody": ""},
                {"Id": "characters", "MessageBody": "\0"},
                {"Id": "large", "MessageBody": "x" * 1025},
                {"Id": "delay", "MessageBody": "x", "DelaySeconds": 901},
                {"Id": "attribute", "MessageBody": "x", "MessageAttributes": attribute},
            ],
        )
        assert ids(answer, "Successful") == ["good", "late"]
        assert {entry["Id"]: entry["Code"] for entry in answer["Failed"]} == {
            "empty": "MissingParameter",
            "characters": "InvalidMessageContents",
            "large": "InvalidParameterValue",
            "delay": "InvalidParameterValue",
            "attribute": "InvalidParameterValue",
        }
        assert all(entry["SenderFault"] and entry["Message"] for entry in answer["Failed"])
        assert made.counts() == (1, 0, 1)

    def test_a_megabyte_in_all(self, sqs, queue):
        half = "x" * (1_048_576 // 2)
        entries = [{"Id": "a", "MessageBody": half}, {"Id": "b", "MessageBody": half}]
        made = queue()
        assert len(sqs.send_message_batch(QueueUrl=made.url, Entries=entries)["Successful"]) == 2
        entries[1]["MessageBody"] += "x"
        text = "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."
        with refused("AWS.SimpleQueueService.BatchRequestTooLong", text):
            sqs.send_message_batch(QueueUrl=made.url, Entries=entries)


class TestBatchesOfHandles:
    def test_some_fail(self, sqs, queue):
        made = queue()
        for n in range(3):
            made.send(str(n))
        got = made.receive()
        made.delete(got[0])
        handles = [*(message["ReceiptHandle"] for message in got), "garbage"]
        answer = sqs.change_message_visibility_batch(
            QueueUrl=made.url,
            Entries=[
                {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0 if n != 2 else 43_201}
                for n, handle in enumerate(handles)
            ],
        )
        assert ids(answer, "Successful") == ["1"]
        assert {entry["Id"]: entry["Code"] for entry in answer["Failed"]} == {
            "0": "InvalidParameterValue",
            "2": "InvalidParameterValue",
            "3": "ReceiptHandleIsInvalid",
        }
        assert made.bodies() == ["1"]

    def test_deleted_together(self, sqs, queue):
        made = queue()
        for n in range(10):
            made.send(str(n))
        entries = [
            {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
            for n, message in enumerate(made.receive())
        ]
        entries[3]["ReceiptHandle"] = "garbage"
        answer = sqs.delete_message_batch(QueueUrl=made.url, Entries=entries)
        assert ids(answer, "Failed") == ["3"]
        assert len(answer["Successful"]) == 9
        assert made.counts() == (0, 1, 0)
