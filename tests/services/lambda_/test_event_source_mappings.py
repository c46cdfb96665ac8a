"""Event source mappings: their records, checks and states."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION, ROLE

from ..cloudformation.conftest import Stacks
from .conftest import refused

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def queue(client: Callable[..., Any], unique: Callable[[str], str]) -> Callable[..., str]:
    """`queue(VisibilityTimeout=5)`: the ARN of a new queue."""

    def make(**attributes: Any) -> str:
        name = unique("queue")
        given = {key: str(value) for key, value in attributes.items()}
        client("sqs").create_queue(QueueName=name, Attributes=given)
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    return make


class TestCreate:
    def test_the_answer_and_what_is_seen_then(self, lam: Any, function: Any, queue: Any) -> None:
        name, source = function(), queue()
        made = lam.create_event_source_mapping(FunctionName=name, EventSourceArn=source)
        assert made.pop("ResponseMetadata")["HTTPStatusCode"] == 202
        uuid = made["UUID"]
        assert UUID.fullmatch(uuid)
        made.pop("LastModified")
        assert made == {
            "UUID": uuid,
            "BatchSize": 10,
            "MaximumBatchingWindowInSeconds": 0,
            "EventSourceArn": source,
            "FunctionArn": f"{ARN}function:{name}",
            "State": "Creating",
            "StateTransitionReason": "USER_INITIATED",
            "FunctionResponseTypes": [],
            "EventSourceMappingArn": f"{ARN}event-source-mapping:{uuid}",
        }
        seen = lam.get_event_source_mapping(UUID=uuid)
        assert (seen["State"], seen["FunctionArn"]) == ("Enabled", made["FunctionArn"])

    def test_the_role_must_be_allowed_to_read_the_queue(
        self, lam: Any, function: Any, queue: Any, client: Callable[..., Any], unique: Callable[[str], str]
    ) -> None:
        source, iam, role = queue(), client("iam"), unique("role")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        name = function(Role=made["Role"]["Arn"])
        for operation in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
            assert refused(lam.create_event_source_mapping, FunctionName=name, EventSourceArn=source) == (
                "InvalidParameterValueException",
                f"The function execution role does not have permissions to call {operation} on SQS",
                400,
            )
            allowed = {"Effect": "Allow", "Action": f"sqs:{operation}", "Resource": source}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            iam.put_role_policy(RoleName=role, PolicyName=operation, PolicyDocument=policy)
        lam.create_event_source_mapping(FunctionName=name, EventSourceArn=source, Enabled=False)

    def test_every_setting(self, lam: Any, function: Any, queue: Any) -> None:
        settings = {
            "BatchSize": 500,
            "MaximumBatchingWindowInSeconds": 300,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 7},
            "FilterCriteria": {"Filters": [{"Pattern": '{"body": {"a": ["x"]}}'}]},
        }
        made = lam.create_event_source_mapping(
            FunctionName=function(), EventSourceArn=queue(), Enabled=False, **settings
        )
        seen = lam.get_event_source_mapping(UUID=made["UUID"])
        assert seen["State"] == "Disabled"
        assert {key: seen[key] for key in settings} == settings

    def test_of_an_alias(self, lam: Any, function: Any, queue: Any) -> None:
        name = function()
        lam.publish_version(FunctionName=name)
        lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        made = lam.create_event_source_mapping(FunctionName=f"{name}:live", EventSourceArn=queue())
        assert made["FunctionArn"] == f"{ARN}function:{name}:live"

    def test_one_of_a_kind(self, lam: Any, function: Any, queue: Any) -> None:
        name, source = function(), queue()
        uuid = lam.create_event_source_mapping(FunctionName=name, EventSourceArn=source)["UUID"]
        assert refused(lam.create_event_source_mapping, FunctionName=name, EventSourceArn=source) == (
            "ResourceConflictException",
            (
                f'An event source mapping with SQS arn (" {source} ") and function (" {name} ") already exists. '
                f"Please update or delete the existing mapping with UUID {uuid}"
            ),
            409,
        )

    def test_the_queue_hides_messages_as_long_as_the_function_runs(
        self, lam: Any, function: Any, queue: Any
    ) -> None:
        name, source = function(Timeout=60), queue()
        assert refused(lam.create_event_source_mapping, FunctionName=name, EventSourceArn=source) == (
            "InvalidParameterValueException",
            "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
            400,
        )

    def test_queue_and_function_are_there(self, lam: Any, function: Any, queue: Any) -> None:
        assert refused(
            lam.create_event_source_mapping, FunctionName=function(), EventSourceArn=queue() + "-not"
        ) == (
            "InvalidParameterValueException",
            (
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
                "SQS Error Message: The specified queue does not exist."
            ),
            400,
        )
        assert refused(lam.create_event_source_mapping, FunctionName="nobody", EventSourceArn=queue()) == (
            "InvalidParameterValueException",
            "Function does not exist",
            400,
        )

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0"),
            ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "Invalid filter pattern definition."),
            ({"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
            ({"ParallelizationFactor": 2}, "Unsupported ParallelizationFactor parameter for given"),
            ({"MaximumRetryAttempts": 2}, "Unsupported MaximumRetryAttempts parameter for given"),
            ({"TumblingWindowInSeconds": 2}, "Unsupported TumblingWindowInSeconds parameter for given"),
            (
                {
                    "ScalingConfig": {"MaximumConcurrency": 2},
                    "ProvisionedPollerConfig": {"MinimumPollers": 2, "MaximumPollers": 9},
                },
                "ScalingConfig and ProvisionedPollerConfig can't be given both",
            ),
            ({"Queues": ["queue"]}, "Unsupported Queues parameter for given event source mapping type."),
            ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}] * 6}}, "Invalid filter criteria: 6 filters"),
            ({"FilterCriteria": {"Filters": [{}]}}, "Invalid filter pattern definition."),
            (
                {"FilterCriteria": {"Filters": [{"Pattern": '{"body": "x"}'}]}},
                "Invalid filter pattern definition.",
            ),
            ({"EventSourceArn": None}, "Unrecognized event source."),
            (
                {"EventSourceArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"},
                "Unrecognized event source, must be kinesis, dynamodb stream or sqs. Unsupported source arn : arn:",
            ),
            (
                {"EventSourceArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t"},
                "Unrecognized event source, must be kinesis, dynamodb stream or sqs.",
            ),
            (
                {"EventSourceArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"},
                "Event sources of kinesis are not supported here yet",
            ),
        ],
    )
    def test_what_a_queue_can_not_have(
        self, lam: Any, function: Any, queue: Any, settings: dict[str, Any], text: str
    ) -> None:
        request = {"FunctionName": function(), "EventSourceArn": queue()} | settings
        request = {name: value for name, value in request.items() if value is not None}
        code, message, status = refused(lam.create_event_source_mapping, **request)
        assert (code, status) == ("InvalidParameterValueException", 400)
        assert message.startswith(text)

    @pytest.mark.parametrize(
        "settings",
        [
            {"BatchSize": 0},
            {"BatchSize": 10_001},
            {"MaximumBatchingWindowInSeconds": 301},
            {"ScalingConfig": {"MaximumConcurrency": 1}},
            {"ScalingConfig": {"MaximumConcurrency": 1001}},
            {"FilterCriteria": {"Filters": [{"Pattern": json.dumps({"body": ["x" * 4096]})}]}},
            {"FunctionResponseTypes": ["Nothing"]},
        ],
    )
    def test_ranges(self, lam: Any, function: Any, queue: Any, settings: dict[str, Any]) -> None:
        request = {"FunctionName": function(), "EventSourceArn": queue(), **settings}
        assert refused(lam.create_event_source_mapping, **request)[0] == "ValidationException"


class TestUpdate:
    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0"),
            ({"MaximumRetryAttempts": 1}, "Unsupported MaximumRetryAttempts parameter for given"),
            ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}] * 6}}, "Invalid filter criteria: 6 filters"),
            ({"FilterCriteria": {"Filters": [{"Pattern": "[]"}]}}, "Invalid filter pattern definition."),
            ({"FunctionName": "nobody"}, "Function does not exist"),
        ],
    )
    def test_what_is_refused_changes_nothing(
        self, lam: Any, function: Any, queue: Any, settings: dict[str, Any], text: str
    ) -> None:
        uuid = lam.create_event_source_mapping(FunctionName=function(), EventSourceArn=queue())["UUID"]
        before = lam.get_event_source_mapping(UUID=uuid)
        code, message, _ = refused(lam.update_event_source_mapping, UUID=uuid, **settings)
        assert code == "InvalidParameterValueException"
        assert message.startswith(text)
        after = lam.get_event_source_mapping(UUID=uuid)
        assert {**after, "ResponseMetadata": None} == {**before, "ResponseMetadata": None}

    def test_a_window_that_ends_needs_a_small_batch(self, lam: Any, function: Any, queue: Any) -> None:
        uuid = lam.create_event_source_mapping(
            FunctionName=function(), EventSourceArn=queue(), BatchSize=100, MaximumBatchingWindowInSeconds=5
        )["UUID"]
        update = lam.update_event_source_mapping
        assert (
            refused(update, UUID=uuid, MaximumBatchingWindowInSeconds=0)[0]
            == "InvalidParameterValueException"
        )
        assert update(UUID=uuid, MaximumBatchingWindowInSeconds=0, BatchSize=10)["BatchSize"] == 10

    def test_states_on_the_way(self, lam: Any, function: Any, queue: Any) -> None:
        uuid = lam.create_event_source_mapping(FunctionName=function(), EventSourceArn=queue())["UUID"]
        assert lam.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
        assert lam.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
        assert lam.update_event_source_mapping(UUID=uuid, BatchSize=3)["State"] == "Updating"
        assert lam.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
        seen = lam.get_event_source_mapping(UUID=uuid)
        assert (seen["State"], seen["BatchSize"]) == ("Enabled", 3)

    def test_what_is_emptied_goes(self, lam: Any, function: Any, queue: Any) -> None:
        uuid = lam.create_event_source_mapping(
            FunctionName=function(),
            EventSourceArn=queue(),
            ScalingConfig={"MaximumConcurrency": 2},
            FilterCriteria={"Filters": [{"Pattern": '{"body": ["x"]}'}]},
        )["UUID"]
        pollers = {"MinimumPollers": 2, "MaximumPollers": 9}
        seen = lam.update_event_source_mapping(
            UUID=uuid, ScalingConfig={}, FilterCriteria={}, ProvisionedPollerConfig=pollers
        )
        assert "ScalingConfig" not in seen
        assert "FilterCriteria" not in seen
        assert seen["ProvisionedPollerConfig"] == pollers
        seen = lam.update_event_source_mapping(UUID=uuid, ProvisionedPollerConfig={})
        assert "ProvisionedPollerConfig" not in seen

    def test_another_function(self, lam: Any, function: Any, queue: Any) -> None:
        uuid = lam.create_event_source_mapping(FunctionName=function(), EventSourceArn=queue())["UUID"]
        other = function()
        seen = lam.update_event_source_mapping(UUID=uuid, FunctionName=other)
        assert seen["FunctionArn"] == f"{ARN}function:{other}"
        slow = function(Timeout=31)
        code, text, _ = refused(lam.update_event_source_mapping, UUID=uuid, FunctionName=slow)
        assert (code, text[:24]) == ("InvalidParameterValueException", "Queue visibility timeout")


class TestListAndDelete:
    def test_by_function_and_by_source(self, lam: Any, function: Any, queue: Any) -> None:
        one, two = function(), function()
        first, second = queue(), queue()
        made = [
            lam.create_event_source_mapping(FunctionName=name, EventSourceArn=source)["UUID"]
            for name, source in ((one, first), (one, second), (two, first))
        ]

        def listed(**options: Any) -> list[str]:
            answer = lam.list_event_source_mappings(**options)
            return [mapping["UUID"] for mapping in answer["EventSourceMappings"]]

        assert listed(FunctionName=one) == made[:2]
        assert listed(EventSourceArn=first) == [made[0], made[2]]
        assert listed(FunctionName=two, EventSourceArn=second) == []
        page = lam.list_event_source_mappings(FunctionName=one, MaxItems=1)
        rest = lam.list_event_source_mappings(FunctionName=one, Marker=page["NextMarker"])
        assert [mapping["UUID"] for mapping in rest["EventSourceMappings"]] == made[1:2]
        assert "NextMarker" not in rest

    def test_delete(self, lam: Any, function: Any, queue: Any) -> None:
        uuid = lam.create_event_source_mapping(FunctionName=function(), EventSourceArn=queue())["UUID"]
        assert lam.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
        for call in (
            lam.get_event_source_mapping,
            lam.delete_event_source_mapping,
            lam.update_event_source_mapping,
        ):
            assert refused(call, UUID=uuid) == (
                "ResourceNotFoundException",
                "The resource you requested does not exist.",
                404,
            )

    def test_tags(self, lam: Any, function: Any, queue: Any) -> None:
        arn = lam.create_event_source_mapping(
            FunctionName=function(), EventSourceArn=queue(), Tags={"a": "1"}
        )["EventSourceMappingArn"]
        lam.tag_resource(Resource=arn, Tags={"b": "2"})
        lam.untag_resource(Resource=arn, TagKeys=["a"])
        assert lam.list_tags(Resource=arn)["Tags"] == {"b": "2"}


SAM = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Jobs:
    Type: AWS::SQS::Queue
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Role: %(role)s
      InlineCode: "def handler(event, context): return {}"
      Events:
        Work:
          Type: SQS
          Properties:
            Queue: !GetAtt Jobs.Arn
            %(settings)s
Outputs:
  Name: {Value: !Ref Worker}
"""


STREAM = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Dead:
    Type: AWS::SQS::Queue
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Role: %(role)s
      InlineCode: "def handler(event, context): return {}"
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: TRIM_HORIZON
            %(settings)s
Outputs:
  Name: {Value: !Ref Worker}
"""


class TestStacks:
    def test_a_stream_with_every_property_and_without(
        self, client: Any, lam: Any, unique: Callable[[str], str]
    ) -> None:
        stacks, stack = Stacks(client("cloudformation")), unique("stack")

        def deploy(change: Callable[..., Any], *lines: str) -> dict[str, Any]:
            template = STREAM % {"role": ROLE, "settings": ("\n" + " " * 12).join(lines)}
            done = change(stack, template)
            assert done["StackStatus"].endswith("E_COMPLETE"), stacks.events(stack)
            name = stacks.outputs(stack)["Name"]
            (mapping,) = lam.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
            return dict(mapping)

        settings = {
            "BatchSize": 7,
            "BisectBatchOnFunctionError": True,
            "MaximumBatchingWindowInSeconds": 1,
            "MaximumRecordAgeInSeconds": 60,
            "MaximumRetryAttempts": 3,
            "ParallelizationFactor": 2,
        }
        lines = [f"{name}: {json.dumps(value)}" for name, value in settings.items()]
        target = "DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}"
        first = deploy(stacks.create, *lines, target)
        assert {name: first[name] for name in settings} == settings
        assert first["DestinationConfig"]["OnFailure"]["Destination"].startswith("arn:aws:sqs:")
        second = deploy(stacks.update, "TumblingWindowInSeconds: 60")
        assert (second["UUID"], second["TumblingWindowInSeconds"]) == (first["UUID"], 60)
        assert {name: second[name] for name in settings} == {
            "BatchSize": 100,
            "BisectBatchOnFunctionError": False,
            "MaximumBatchingWindowInSeconds": 0,
            "MaximumRecordAgeInSeconds": -1,
            "MaximumRetryAttempts": -1,
            "ParallelizationFactor": 1,
        }
        assert second["DestinationConfig"] == {"OnFailure": {}}
        stacks.delete(stack)

    def test_a_template_makes_changes_and_removes_one(
        self, client: Any, lam: Any, unique: Callable[[str], str]
    ) -> None:
        stacks, stack = Stacks(client("cloudformation")), unique("stack")

        def deploy(change: Callable[..., Any], **settings: Any) -> dict[str, Any]:
            lines = "\n            ".join(f"{name}: {json.dumps(value)}" for name, value in settings.items())
            done = change(stack, SAM % {"role": ROLE, "settings": lines})
            assert done["StackStatus"].endswith("E_COMPLETE"), stacks.events(stack)
            name = stacks.outputs(stack)["Name"]
            (mapping,) = lam.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
            return dict(mapping)

        filters = {"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]}
        first = deploy(stacks.create, BatchSize=5, FilterCriteria=filters)
        assert (first["BatchSize"], first["FilterCriteria"]) == (5, filters)
        second = deploy(stacks.update, FunctionResponseTypes=["ReportBatchItemFailures"], Enabled=False)
        assert second["UUID"] == first["UUID"]
        assert (second["BatchSize"], second["State"]) == (10, "Disabled")
        assert second["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert "FilterCriteria" not in second
        stacks.delete(stack)
        assert refused(lam.get_event_source_mapping, UUID=first["UUID"])[2] == 404


def test_a_function_of_another_name_has_no_mappings(lam: Any) -> None:
    assert refused(lam.list_event_source_mappings, FunctionName="nobody")[2] == 404
