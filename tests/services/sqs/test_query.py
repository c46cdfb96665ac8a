"""The older protocol: forms to the queue's URL or to /, answered in XML, as old SDKs and curl speak it."""

from __future__ import annotations

import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.harness import ACCOUNT, REGION

from .conftest import Queue

SPACE = {"": "http://queue.amazonaws.com/doc/2012-11-05/"}
VERSION = "2012-11-05"


class Form:
    """A client of the form protocol."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def __call__(self, url: str, action: str, status: int = 200, **fields: Any) -> ET.Element:
        given = {name.replace("_", "."): value for name, value in fields.items()}
        body = urlencode({"Action": action, "Version": VERSION, **given}).encode()
        try:
            with urllib.request.urlopen(url or self.endpoint, body) as answer:
                assert (answer.status, answer.headers["Content-Type"]) == (status, "text/xml")
                return ET.fromstring(answer.read())
        except urllib.error.HTTPError as error:
            assert error.code == status
            return ET.fromstring(error.read())


@pytest.fixture
def form(node):
    return Form(node.endpoint)


def texts(element: ET.Element, path: str) -> list[str]:
    return [found.text or "" for found in element.findall(path, SPACE)]


def text(element: ET.Element, path: str) -> str:
    [found] = texts(element, path)
    return found


def pairs(element: ET.Element, path: str, key: str = "Name") -> dict[str, str]:
    return {text(one, key): text(one, "Value") for one in element.findall(path, SPACE)}


def test_a_queue_from_its_making_to_its_end(form, unique):
    name = unique("form")
    made = form(
        "", "CreateQueue", QueueName=name, Attribute_1_Name="DelaySeconds", Attribute_1_Value=3,
        Attribute_2_Name="VisibilityTimeout", Attribute_2_Value=40, Tag_1_Key="a", Tag_1_Value="b",
    )  # fmt: skip
    assert made.tag == f"{{{SPACE['']}}}CreateQueueResponse"
    assert text(made, "ResponseMetadata/RequestId")
    url = text(made, "CreateQueueResult/QueueUrl")
    assert text(form("", "GetQueueUrl", QueueName=name), "GetQueueUrlResult/QueueUrl") == url
    assert texts(form("", "ListQueues", QueueNamePrefix=name), "ListQueuesResult/QueueUrl") == [url]
    for numbered in (
        {"AttributeName_1": "DelaySeconds", "AttributeName_2": "VisibilityTimeout"},
        {"AttributeName": "All"},
    ):
        got = form(url, "GetQueueAttributes", **numbered)
        found = pairs(got, "GetQueueAttributesResult/Attribute")
        assert (found["DelaySeconds"], found["VisibilityTimeout"]) == ("3", "40")
    form(url, "SetQueueAttributes", Attribute_1_Name="DelaySeconds", Attribute_1_Value=0)
    tags = form(url, "ListQueueTags")
    assert pairs(tags, "ListQueueTagsResult/Tag", "Key") == {"a": "b"}
    form(url, "UntagQueue", TagKey_1="a")
    form(url, "AddPermission", Label="l", AWSAccountId_1="111111111111", ActionName_1="*")
    form(url, "PurgeQueue")
    form(url, "DeleteQueue")
    gone = form(url, "GetQueueAttributes", 400)
    assert text(gone, "Error/Code") == "AWS.SimpleQueueService.NonExistentQueue"
    assert text(gone, "Error/Message") == "The specified queue does not exist for this wsdl version."


def test_a_message(form, queue):
    made: Queue = queue()
    sent = form(
        made.url, "SendMessage", MessageBody="a <b> & ü",
        MessageAttribute_1_Name="n", MessageAttribute_1_Value_DataType="Number",
        MessageAttribute_1_Value_StringValue="7", MessageAttribute_2_Name="b",
        MessageAttribute_2_Value_DataType="Binary", MessageAttribute_2_Value_BinaryValue="AAE=",
        MessageSystemAttribute_1_Name="AWSTraceHeader", MessageSystemAttribute_1_Value_DataType="String",
        MessageSystemAttribute_1_Value_StringValue="Root=1",
    )  # fmt: skip
    got = form(
        "", "ReceiveMessage", QueueUrl=made.url, AttributeName_1="All", MessageAttributeName_1="All",
    )  # fmt: skip
    message = "ReceiveMessageResult/Message"
    assert text(got, f"{message}/Body") == "a <b> & ü"
    assert text(got, f"{message}/MessageId") == text(sent, "SendMessageResult/MessageId")
    checksum = text(sent, "SendMessageResult/MD5OfMessageAttributes")
    assert text(got, f"{message}/MD5OfMessageAttributes") == checksum
    system = pairs(got, f"{message}/Attribute")
    assert (system["AWSTraceHeader"], system["ApproximateReceiveCount"]) == ("Root=1", "1")
    assert texts(got, f"{message}/MessageAttribute/Value/BinaryValue") == ["AAE="]
    assert texts(got, f"{message}/MessageAttribute/Value/StringValue") == ["7"]
    handle = text(got, f"{message}/ReceiptHandle")
    form(made.url, "ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=100)
    form(made.url, "DeleteMessage", ReceiptHandle=handle)
    assert made.counts() == (0, 0, 0)


def test_batches(form, queue):
    made: Queue = queue()
    entry = "SendMessageBatchRequestEntry"
    sent = form(made.url, "SendMessageBatch", **{
        f"{entry}_1_Id": "a", f"{entry}_1_MessageBody": "x", f"{entry}_2_Id": "b", f"{entry}_2_MessageBody": "",
    })  # fmt: skip
    assert texts(sent, "SendMessageBatchResult/SendMessageBatchResultEntry/Id") == ["a"]
    failed = "SendMessageBatchResult/BatchResultErrorEntry"
    assert (text(sent, f"{failed}/Id"), text(sent, f"{failed}/SenderFault")) == ("b", "true")
    handle = made.receive()[0]["ReceiptHandle"]
    for action, more in (
        ("ChangeMessageVisibilityBatch", {"VisibilityTimeout": 50}),
        ("DeleteMessageBatch", {}),
    ):
        entry = f"{action}RequestEntry_1_"
        fields = {entry + name: value for name, value in {"Id": "a", "ReceiptHandle": handle, **more}.items()}
        done = form(made.url, action, **fields)
        assert texts(done, f"{action}Result/{action}ResultEntry/Id") == ["a"]
    assert made.counts() == (0, 0, 0)


def test_a_url_alone_is_enough_for_curl(node, queue):
    made: Queue = queue()
    with urllib.request.urlopen(f"{made.url}?Action=SendMessage&MessageBody=hello+there") as answer:
        assert answer.status == 200
    assert made.bodies() == ["hello there"]


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("SendMessage", {}, "MissingParameter"),
        ("SendMessage", {"MessageBody": "x", "DelaySeconds": "901"}, "InvalidParameterValue"),
        ("SendMessage", {"MessageBody": "x", "DelaySeconds": "soon"}, "MalformedInput"),
        ("ReceiveMessage", {"MaxNumberOfMessages": "11"}, "InvalidParameterValue"),
        ("DeleteMessage", {"ReceiptHandle": "x"}, "ReceiptHandleIsInvalid"),
        ("SendMessageBatch", {}, "AWS.SimpleQueueService.EmptyBatchRequest"),
    ],
)
def test_errors_have_their_older_names(form, queue, action, fields, code):
    answer = form(queue().url, action, 404 if code == "ReceiptHandleIsInvalid" else 400, **fields)
    assert answer.tag == f"{{{SPACE['']}}}ErrorResponse"
    assert text(answer, "Error/Code") == code
    assert text(answer, "Error/Type") == "Sender"
    assert text(answer, "Error/Message")
    assert text(answer, "RequestId")


class TestBesideBuckets:
    """A queue's URL has the form of an object's: the signature, or the action, says which is meant."""

    @staticmethod
    def signed(url: str, body: bytes, service: str, method: str = "POST") -> bytes:
        request = AWSRequest(method, url, {"Content-Type": "application/x-www-form-urlencoded"}, body)
        SigV4Auth(Credentials("test", "test"), service, REGION).add_auth(request)
        sent = urllib.request.Request(url, body or None, dict(request.headers), method=method)
        with urllib.request.urlopen(sent) as answer:
            return bytes(answer.read())

    @pytest.fixture
    def place(self, node, sqs, client, unique):
        """The address of a queue that is an object's, too."""
        name = unique("both")
        queue = Queue(sqs, name)
        queue.send("from the queue")
        s3 = client("s3")
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=ACCOUNT)
        s3.put_object(Bucket=ACCOUNT, Key=name, Body=b"from the bucket")
        yield f"{node.endpoint}/{ACCOUNT}/{name}"
        s3.delete_object(Bucket=ACCOUNT, Key=name)

    def test_the_service_that_the_request_is_signed_for(self, place):
        assert self.signed(place, b"", "s3", "GET") == b"from the bucket"
        body = urlencode({"Action": "ReceiveMessage", "Version": VERSION}).encode()
        assert b"<Body>from the queue</Body>" in self.signed(place, body, "sqs")

    def test_a_query_string_for_sqs(self, place):
        answer = self.signed(f"{place}?Action=ReceiveMessage&Version={VERSION}", b"", "sqs", "GET")
        assert b"<Body>from the queue</Body>" in answer

    def test_a_form_without_a_signature(self, form, place):
        assert texts(form(place, "ReceiveMessage"), ".//Body") == ["from the queue"]
