"""Topics: made, shown, changed, listed, tagged, deleted; their policies."""

from __future__ import annotations

import json

import pytest

from tests.harness import ACCOUNT, REGION

from .conftest import refused

POLICY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow",%s"Action":"%s","Resource":"*"}}'


class TestCreateTopic:
    def test_is_shown_with_its_defaults(self, topic):
        made = topic()
        assert made.arn == f"arn:aws:sns:{REGION}:{ACCOUNT}:{made.name}"
        shown = made.attributes()
        retry = json.loads(shown.pop("EffectiveDeliveryPolicy"))["http"]["defaultHealthyRetryPolicy"]
        assert (retry["numRetries"], retry["minDelayTarget"], retry["backoffFunction"]) == (3, 20, "linear")
        policy = json.loads(shown.pop("Policy"))
        assert policy["Statement"][0]["Condition"] == {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
        assert shown == {
            "TopicArn": made.arn,
            "Owner": ACCOUNT,
            "DisplayName": "",
            "SubscriptionsConfirmed": "0",
            "SubscriptionsPending": "0",
            "SubscriptionsDeleted": "0",
        }

    def test_again_is_the_same(self, topic):
        made = topic(DisplayName="News")
        assert made.sns.create_topic(Name=made.name)["TopicArn"] == made.arn
        with refused("InvalidParameter", "Topic already exists with different attributes"):
            made.sns.create_topic(Name=made.name, Attributes={"DisplayName": "Other"})
        with refused("InvalidParameter", "Topic already exists with different tags"):
            made.sns.create_topic(Name=made.name, Tags=[{"Key": "a", "Value": "b"}])

    @pytest.mark.parametrize("name", ["a b", "x" * 257, "a/b", "ü"])
    def test_wrong_names(self, client, name):
        with refused("InvalidParameter", "Invalid parameter: Topic Name"):
            client("sns").create_topic(Name=name)

    def test_fifo_is_refused_plainly(self, client):
        with refused("UnsupportedOperation", "does not support FIFO topics yet"):
            client("sns").create_topic(Name="it.fifo", Attributes={"FifoTopic": "true"})

    def test_a_name_is_needed(self, client):
        with refused("ValidationError", "at 'name' failed to satisfy constraint: Member must not be null"):
            client("sns").create_topic()


class TestSetTopicAttributes:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DisplayName", "News"),
            ("SignatureVersion", "2"),
            ("TracingConfig", "Active"),
            ("KmsMasterKeyId", "k"),
        ],
    )
    def test_is_kept(self, topic, name, value):
        made = topic()
        made.sns.set_topic_attributes(TopicArn=made.arn, AttributeName=name, AttributeValue=value)
        assert made.attributes()[name] == value

    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("Nonsense", "x", "Invalid parameter: AttributeName"),
            ("SignatureVersion", "3", "SignatureVersion"),
            ("DisplayName", "x" * 101, "DisplayName"),
            ("DisplayName", "a\nb", "DisplayName"),
            ("Policy", "{", "Policy Error"),
            ("Policy", POLICY % ('"Principal": "*",', "s3:GetObject"), "action out of service scope!"),
            ("Policy", POLICY % ("", "sns:Publish"), "Policy Error"),
            ("DeliveryPolicy", "{", "DeliveryPolicy: failed to parse JSON."),
            ("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}', "numRetries"),
            ("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":30}}}', "minDelayTarget"),
        ],
    )  # fmt: skip
    def test_refused(self, topic, name, value, text):
        made = topic()
        with refused("InvalidParameter", text):
            made.sns.set_topic_attributes(TopicArn=made.arn, AttributeName=name, AttributeValue=value)

    def test_delivery_policy_is_effective(self, topic):
        made = topic()
        policy = {"http": {"defaultHealthyRetryPolicy": {"numRetries": 7, "numNoDelayRetries": 2}}}
        made.sns.set_topic_attributes(
            TopicArn=made.arn, AttributeName="DeliveryPolicy", AttributeValue=json.dumps(policy)
        )
        shown = json.loads(made.attributes()["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]
        assert (shown["numRetries"], shown["numNoDelayRetries"], shown["maxDelayTarget"]) == (7, 2, 20)


class TestOtherTopics:
    @pytest.mark.parametrize(
        ("arn", "code", "text", "status"),
        [
            ("nonsense", "InvalidParameter", "An ARN must have at least 6 elements, not 1", 400),
            (f"arn:aws:sqs:{REGION}:{ACCOUNT}:x", "InvalidParameter", "Invalid parameter: TopicArn", 400),
            (f"arn:aws:sns:{REGION}:{ACCOUNT}:nowhere", "NotFound", "Topic does not exist", 404),
        ],
    )
    def test_what_is_not_there(self, client, arn, code, text, status):
        with refused(code, text, status):
            client("sns").get_topic_attributes(TopicArn=arn)
        with refused(code, text, status):
            client("sns").publish(TopicArn=arn, Message="x")

    def test_deleted_is_gone_and_may_be_deleted_again(self, topic):
        made = topic()
        made.queue()
        for _ in range(2):
            made.sns.delete_topic(TopicArn=made.arn)
        with refused("NotFound", "Topic does not exist", 404):
            made.attributes()

    def test_listed_by_pages(self, fresh_node):
        sns = fresh_node().client("sns")
        names = sorted(f"topic{number}" for number in range(101))
        for name in names:
            sns.create_topic(Name=name)
        pages = [page["Topics"] for page in sns.get_paginator("list_topics").paginate()]
        assert [len(page) for page in pages] == [100, 1]
        found = [one["TopicArn"].rpartition(":")[2] for page in pages for one in page]
        assert found == names


class TestTags:
    def test_come_and_go(self, client, unique):
        sns = client("sns")
        arn = sns.create_topic(Name=unique("topic"), Tags=[{"Key": "team", "Value": "blue"}])["TopicArn"]
        sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "7"}])
        sns.untag_resource(ResourceArn=arn, TagKeys=["team"])
        assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "cost", "Value": "7"}]

    def test_refused(self, client, topic):
        sns = client("sns")
        with refused("ResourceNotFound", "Resource does not exist", 404):
            sns.list_tags_for_resource(ResourceArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:nowhere")
        twice = [{"Key": "a", "Value": "b"}] * 2
        with refused("InvalidParameter", "Duplicated keys are not allowed."):
            sns.tag_resource(ResourceArn=topic().arn, Tags=twice)
        many = [{"Key": f"k{n}", "Value": ""} for n in range(51)]
        with refused("TagLimitExceeded"):
            sns.tag_resource(ResourceArn=topic().arn, Tags=many)


class TestPermissions:
    def test_come_and_go(self, topic):
        made = topic()
        made.sns.add_permission(
            TopicArn=made.arn, Label="friends", AWSAccountId=["111111111111"], ActionName=["Publish"]
        )
        statements = json.loads(made.attributes()["Policy"])["Statement"]
        assert statements[1] == {
            "Sid": "friends",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
            "Action": "SNS:Publish",
            "Resource": made.arn,
        }
        with refused("InvalidParameter", "Statement already exists"):
            made.sns.add_permission(
                TopicArn=made.arn, Label="friends", AWSAccountId=["111111111111"], ActionName=["Publish"]
            )
        made.sns.remove_permission(TopicArn=made.arn, Label="friends")
        assert len(json.loads(made.attributes()["Policy"])["Statement"]) == 1

    def test_actions_of_other_services_are_refused(self, topic):
        made = topic()
        with refused("InvalidParameter", "Policy statement action out of service scope!"):
            made.sns.add_permission(
                TopicArn=made.arn, Label="x", AWSAccountId=["111111111111"], ActionName=["SendMessage"]
            )


def test_what_is_not_built_says_so(client):
    with refused("NotImplemented", "mobile push", 501):
        client("sns").list_platform_applications()


def test_attributes_of_text_messages_are_kept(client):
    sns = client("sns")
    sns.set_sms_attributes(attributes={"DefaultSMSType": "Transactional", "DefaultSenderID": "me"})
    assert sns.get_sms_attributes(attributes=["DefaultSenderID"])["attributes"] == {"DefaultSenderID": "me"}
    with refused("InvalidParameter", "is not a valid attribute"):
        sns.set_sms_attributes(attributes={"Nonsense": "x"})
