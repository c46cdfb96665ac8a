"""Queues: created, found, listed, set, deleted."""

from __future__ import annotations

import json
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.harness import eventually

from .conftest import Queue, refused


class TestCreateQueue:
    def test_has_the_documented_defaults(self, queue):
        made = queue()
        found = made.client.get_queue_attributes(QueueUrl=made.url, AttributeNames=["All"])["Attributes"]
        times = found.pop("CreatedTimestamp"), found.pop("LastModifiedTimestamp")
        assert times[0] == times[1]
        assert found == {
            "QueueArn": f"arn:aws:sqs:us-east-1:000000000000:{made.name}",
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
            "DelaySeconds": "0",
            "MaximumMessageSize": "1048576",
            "MessageRetentionPeriod": "345600",
            "ReceiveMessageWaitTimeSeconds": "0",
            "SqsManagedSseEnabled": "true",
            "VisibilityTimeout": "30",
        }

    def test_gives_a_url_that_works_from_here(self, node, queue):
        made = queue()
        assert made.url == f"{node.endpoint}/000000000000/{made.name}"

    def test_again_with_the_same_attributes_is_the_same_queue(self, sqs, queue):
        made = queue(DelaySeconds=5)
        for attributes in ({}, {"DelaySeconds": "5"}, {"VisibilityTimeout": "30"}):
            assert sqs.create_queue(QueueName=made.name, Attributes=attributes)["QueueUrl"] == made.url

    def test_again_with_others_is_refused(self, sqs, queue):
        made = queue(DelaySeconds=5)
        with refused("QueueAlreadyExists", "a different value for attribute DelaySeconds") as caught:
            sqs.create_queue(QueueName=made.name, Attributes={"DelaySeconds": "6"})
        assert isinstance(caught.value, sqs.exceptions.QueueNameExists)

    @pytest.mark.parametrize("name", ["with space", "a.b", "x" * 81, "ümlaut"])
    def test_refuses_names(self, sqs, name):
        with refused("InvalidParameterValue", "Can only include alphanumeric characters"):
            sqs.create_queue(QueueName=name)

    def test_needs_a_name(self, sqs):
        with refused("MissingParameter", "The request must contain the parameter QueueName."):
            sqs.create_queue(QueueName="")

    @pytest.mark.parametrize("options", [{}, {"Attributes": {"FifoQueue": "true"}}])
    def test_says_plainly_that_there_is_no_fifo(self, sqs, unique, options):
        with refused("AWS.SimpleQueueService.UnsupportedOperation", "does not support FIFO queues"):
            sqs.create_queue(QueueName=f"{unique('q')}.fifo", **options)

    def test_a_name_is_free_a_minute_after_deletion(self, node, sqs, queue):
        made = queue()
        made.send()
        sqs.delete_queue(QueueUrl=made.url)
        with refused("AWS.SimpleQueueService.QueueDeletedRecently", "You must wait 60 seconds"):
            sqs.create_queue(QueueName=made.name)
        node.advance(61)

        def again() -> Queue | None:
            try:
                return Queue(sqs, made.name)
            except sqs.exceptions.QueueDeletedRecently:
                return None

        assert eventually(again).receive() == []


RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86400),
    "MaximumMessageSize": (1024, 1048576),
    "MessageRetentionPeriod": (60, 1209600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43200),
}


class TestAttributes:
    @pytest.mark.parametrize("name", RANGES)
    def test_have_ranges(self, queue, name):
        made = queue()
        low, high = RANGES[name]
        for value in (low, high):
            made.set(**{name: value})
            assert made.attribute(name) == str(value)
        for value in (low - 1, high + 1, "many", ""):
            with refused("InvalidAttributeValue", f"Invalid value for the parameter {name}."):
                made.set(**{name: value})
        assert made.attribute(name) == str(high)

    def test_unknown_ones_are_refused(self, queue):
        made = queue()
        for name in ("Colour", "QueueArn", "FifoQueue"):
            with refused("InvalidAttributeName", f"Unknown Attribute {name}."):
                made.set(**{name: "x"})
        with refused("InvalidAttributeName", "Unknown Attribute Colour."):
            made.attribute("Colour")

    def test_none_asked_for_is_none_given(self, sqs, queue):
        assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue().url)

    def test_one_kind_of_encryption_ends_the_other(self, queue):
        made = queue(KmsMasterKeyId="alias/mine")
        assert made.attribute("SqsManagedSseEnabled") == "false"
        assert made.attribute("KmsDataKeyReusePeriodSeconds") == "300"
        with refused("InvalidAttributeName", "one type of server-side encryption"):
            made.set(SqsManagedSseEnabled="true")
        made.set(KmsMasterKeyId="", SqsManagedSseEnabled="true")
        assert made.attribute("KmsMasterKeyId") is None

    def test_a_policy_is_kept_as_it_is(self, queue):
        made = queue()
        policy = json.dumps({"Version": "2012-10-17", "Statement": []}, indent=2)
        made.set(Policy=policy)
        assert made.attribute("Policy") == policy
        made.set(Policy="")
        assert made.attribute("Policy") is None

    @pytest.mark.parametrize(
        "change",
        [
            "{",
            "{}",
            {"Effect": "Perhaps"},
            {"Action": None},
            {"Action": "s3:GetObject"},
            {"Principal": None},
            {"Condition": {"StringIsh": {"aws:SourceArn": "x"}}},
        ],
    )
    def test_a_policy_says_who_may_do_what_with_a_queue(self, queue, change):
        made = queue()
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": made.arn}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        made.set(Policy=json.dumps(policy))
        if isinstance(change, dict):
            changed = {name: value for name, value in (statement | change).items() if value is not None}
            change = json.dumps({**policy, "Statement": changed})
        with refused("InvalidAttributeValue", "Invalid value for the parameter Policy."):
            made.set(Policy=change)
        assert made.attribute("Policy") == json.dumps(policy)


class TestGetQueueUrl:
    def test_finds_it(self, sqs, queue):
        made = queue()
        assert sqs.get_queue_url(QueueName=made.name)["QueueUrl"] == made.url
        mine = sqs.get_queue_url(QueueName=made.name, QueueOwnerAWSAccountId="000000000000")
        assert mine["QueueUrl"] == made.url

    def test_a_queue_that_is_not_there(self, sqs):
        with refused("AWS.SimpleQueueService.NonExistentQueue", "does not exist") as caught:
            sqs.get_queue_url(QueueName="nowhere")
        assert isinstance(caught.value, sqs.exceptions.QueueDoesNotExist)

    @pytest.mark.parametrize("host", [
        "http://sqs.us-east-1.localhost.localstack.cloud:4566", "https://sqs.us-east-1.amazonaws.com",
        "https://queue.amazonaws.com", "http://localhost:4566/queue/us-east-1",
    ])  # fmt: skip
    def test_any_host_will_do_in_a_url(self, sqs, queue, host):
        made = queue()
        sqs.send_message(QueueUrl=host + urlsplit(made.url).path, MessageBody="x")
        assert made.bodies() == ["x"]

    @pytest.mark.parametrize("url", ["queue", "http://localhost/queue", "http://localhost/12/queue"])
    def test_other_urls_are_no_address(self, sqs, url):
        with refused("InvalidAddress", f"The address {url} is not valid for this endpoint.", 404):
            sqs.receive_message(QueueUrl=url)


def test_json_may_be_sent_to_the_queues_url(queue):
    """As the SDK for JavaScript does."""
    made = queue()
    body = json.dumps({"QueueUrl": made.url, "MessageBody": "x"}).encode()
    headers = {"X-Amz-Target": "AmazonSQS.SendMessage", "Content-Type": "application/x-amz-json-1.0"}
    with urlopen(Request(made.url, body, headers)) as answer:
        assert json.loads(answer.read())["MD5OfMessageBody"] == "9dd4e461268c8034f5c8564e155c67a6"
    assert made.bodies() == ["x"]


class TestListQueues:
    def test_by_prefix_in_pages(self, sqs, unique):
        prefix = unique("list")
        made = [Queue(sqs, f"{prefix}-{n}").url for n in range(5)]
        assert sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"] == made
        seen, token = [], {}
        while True:
            page = sqs.list_queues(QueueNamePrefix=prefix, MaxResults=2, **token)
            seen.append(page["QueueUrls"])
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        assert seen == [made[:2], made[2:4], made[4:]]

    def test_none(self, sqs, unique):
        assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=unique("none"))

    def test_limits(self, sqs):
        with refused("InvalidParameterValue", "MaxResults"):
            sqs.list_queues(MaxResults=1001)
        with refused("InvalidParameterValue", "next token"):
            sqs.list_queues(NextToken="?")


class TestDeleteQueue:
    def test_takes_everything_with_it(self, sqs, queue):
        made = queue()
        made.send()
        sqs.delete_queue(QueueUrl=made.url)
        with refused("AWS.SimpleQueueService.NonExistentQueue"):
            made.send()
        with refused("AWS.SimpleQueueService.NonExistentQueue"):
            sqs.delete_queue(QueueUrl=made.url)


class TestPurgeQueue:
    def test_all_messages_go_and_new_ones_stay(self, sqs, queue):
        made = queue()
        for body in "abc":
            made.send(body)
        made.send("later", DelaySeconds=5)
        taken = made.receive(1)[0]
        sqs.purge_queue(QueueUrl=made.url)
        assert made.counts() == (0, 0, 0)
        made.delete(taken)
        made.send("new")
        assert made.bodies() == ["new"]

    def test_once_a_minute(self, node, sqs, queue):
        made = queue()
        sqs.purge_queue(QueueUrl=made.url)
        text = f"Only one PurgeQueue operation on {made.name} is allowed every 60 seconds."
        with refused("AWS.SimpleQueueService.PurgeQueueInProgress", text, 403):
            sqs.purge_queue(QueueUrl=made.url)
        node.advance(60)
        sqs.purge_queue(QueueUrl=made.url)


class TestTags:
    def test_are_put_changed_and_removed(self, sqs, unique):
        url = sqs.create_queue(QueueName=unique("tags"), tags={"a": "1"})["QueueUrl"]
        sqs.tag_queue(QueueUrl=url, Tags={"a": "2", "b": ""})
        assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "2", "b": ""}
        sqs.untag_queue(QueueUrl=url, TagKeys=["a", "b", "c"])
        assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)

    def test_fifty_at_most(self, sqs, queue):
        with refused("InvalidParameterValue", "Too many tags added for queue"):
            sqs.tag_queue(QueueUrl=queue().url, Tags={str(n): "" for n in range(51)})


class TestPermissions:
    def test_become_statements_of_the_policy(self, sqs, queue):
        made = queue()
        sqs.add_permission(
            QueueUrl=made.url, Label="one", AWSAccountIds=["111111111111"], Actions=["SendMessage"]
        )
        sqs.add_permission(
            QueueUrl=made.url,
            Label="two",
            AWSAccountIds=["111111111111", "222222222222"],
            Actions=["ReceiveMessage", "DeleteMessage"],
        )
        policy = json.loads(made.attribute("Policy"))
        assert policy["Version"] == "2008-10-17"
        assert policy["Id"] == f"{made.arn}/SQSDefaultPolicy"
        assert policy["Statement"] == [
            {
                "Sid": "one",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                "Action": "SQS:SendMessage",
                "Resource": made.arn,
            },
            {
                "Sid": "two",
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"]},
                "Action": ["SQS:ReceiveMessage", "SQS:DeleteMessage"],
                "Resource": made.arn,
            },
        ]
        sqs.remove_permission(QueueUrl=made.url, Label="one")
        assert [s["Sid"] for s in json.loads(made.attribute("Policy"))["Statement"]] == ["two"]
        sqs.remove_permission(QueueUrl=made.url, Label="two")
        assert made.attribute("Policy") is None

    @pytest.mark.node_only
    def test_other_accounts_may_what_a_policy_says_but_never_what_only_owners_may(self, sqs, queue, client):
        made = queue()
        other = client("sqs", aws_access_key_id="111111111111")
        with refused(
            "AccessDenied", "because no resource-based policy allows the sqs:sendmessage action", 403
        ):
            other.send_message(QueueUrl=made.url, MessageBody="x")
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": made.arn}
        made.set(Policy=json.dumps({"Version": "2012-10-17", "Statement": statement}))
        other.send_message(QueueUrl=made.url, MessageBody="x")
        assert made.receive()[0]["Attributes"]["SenderId"] == "111111111111"
        for operation, action, options in (
            ("delete_queue", "deletequeue", {}),
            ("set_queue_attributes", "setqueueattributes", {"Attributes": {"DelaySeconds": "1"}}),
            ("tag_queue", "tagqueue", {"Tags": {"a": "b"}}),
        ):
            with refused(
                "AccessDenied", f"is not authorized to perform: sqs:{action} on resource: {made.arn}", 403
            ):
                getattr(other, operation)(QueueUrl=made.url, **options)
        with refused("AccessDenied", "sqs:startmessagemovetask", 403):
            other.start_message_move_task(SourceArn=made.arn)

    def test_refusals(self, sqs, queue):
        made = queue()
        grant = {"QueueUrl": made.url, "AWSAccountIds": ["111111111111"], "Actions": ["*"]}
        sqs.add_permission(Label="taken", **grant)
        with refused(
            "InvalidParameterValue", "Value taken for parameter Label is invalid. Reason: Already exists."
        ):
            sqs.add_permission(Label="taken", **grant)
        with refused("InvalidParameterValue", "can't find label."):
            sqs.remove_permission(QueueUrl=made.url, Label="missing")
        with refused("InvalidParameterValue", "Only the queue owner is allowed"):
            sqs.add_permission(Label="new", **{**grant, "Actions": ["CreateQueue"]})
        with refused("MissingParameter", "parameter ActionName"):
            sqs.add_permission(Label="new", **{**grant, "Actions": []})
