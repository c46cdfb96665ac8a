"""What a schedule calls and with what, attempts after failures, and dead letters."""

from __future__ import annotations

import json
import re
import uuid

from tests.harness import ACCOUNT, REGION, eventually, python_function

from .conftest import at, queue_arn

SDK = "arn:aws:scheduler:::aws-sdk"


class TestTarget:
    def test_a_function_gets_the_input(self, bench, client):
        source = f"""
            import boto3
            def handler(event, context):
                boto3.client("sqs").send_message(QueueUrl="{bench.url}", MessageBody=event["say"])
        """.replace("\n            ", "\n")
        with python_function(client("lambda"), bench.name, source) as arn:
            target = bench.target(Arn=arn, Input=json.dumps({"say": "from a function"}))
            bench.create(at(bench.now() - 1), Target=target)
            assert bench.fired() == "from a function"

    def test_without_an_input_gets_a_notification(self, bench):
        target = bench.target()
        del target["Input"]
        moment = bench.now() - 60
        bench.create(at(moment), Target=target)
        event = json.loads(bench.fired())
        assert uuid.UUID(event.pop("id"))
        assert event.pop("time")
        assert event == {
            "version": "0",
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT,
            "region": REGION,
            "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{bench.name}"],
            "detail": "{}",
        }

    def test_keywords_of_the_input_are_filled_in(self, bench):
        words = ("schedule-arn", "scheduled-time", "execution-id", "attempt-number", "unknown")
        text = " ".join(f"<aws.scheduler.{word}>" for word in words)
        bench.create(at(bench.now() - 60), Target=bench.target(Input=text))
        arn, time, execution, attempt, unknown = bench.fired().split()
        assert arn == f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{bench.name}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)
        assert re.fullmatch("[0-9a-f]{16}", execution)
        assert (attempt, unknown) == ("1", "<aws.scheduler.unknown>")

    def test_acts_as_its_role(self, bench):
        bench.create(at(bench.now() - 60))
        sender = bench.next_message()["Attributes"]["SenderId"]
        assert sender.startswith("AROA")

    def test_any_operation_by_its_name(self, bench, client, unique):
        table = unique("table")
        client("dynamodb").create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        item = {"id": {"S": "tick"}, "time": {"S": "<aws.scheduler.scheduled-time>"}}
        target = bench.target(
            Arn=f"{SDK}:dynamodb:putItem", Input=json.dumps({"TableName": table, "Item": item})
        )
        bench.create(at(bench.now() - 60), Target=target)
        found = eventually(
            lambda: client("dynamodb").get_item(TableName=table, Key={"id": {"S": "tick"}}).get("Item")
        )
        assert found["time"]["S"].endswith("Z")

    def test_a_universal_target_takes_text_for_a_blob(self, bench, client):
        source = f"""
            import boto3
            def handler(event, context):
                boto3.client("sqs").send_message(QueueUrl="{bench.url}", MessageBody=event["say"])
        """.replace("\n            ", "\n")
        with python_function(client("lambda"), bench.name, source) as arn:
            given = {
                "FunctionName": arn,
                "InvocationType": "Event",
                "Payload": json.dumps({"say": "by name"}),
            }
            bench.create(
                at(bench.now() - 1), Target=bench.target(Arn=f"{SDK}:lambda:invoke", Input=json.dumps(given))
            )
            assert bench.fired() == "by name"


class TestRetries:
    def test_go_on_until_the_target_is_there(self, own):
        late = f"http://localhost/{ACCOUNT}/late"
        own.create(
            at(own.now() - 1),
            Target=own.target(Arn=queue_arn("late"), Input="<aws.scheduler.attempt-number>"),
        )
        eventually(lambda: "failed and will be tried again" in own.node.log)
        own.sqs.create_queue(QueueName="late")

        def came() -> list[dict]:
            own.node.advance(480)
            return own.sqs.receive_message(QueueUrl=late, WaitTimeSeconds=1).get("Messages", [])

        assert int(eventually(came)[0]["Body"]) > 1

    def letter(self, own, arn="", given="attempt <aws.scheduler.attempt-number>", **retry):
        what = {"Arn": arn or queue_arn("nowhere"), "Input": given}
        target = own.target(**what, RetryPolicy=retry, DeadLetterConfig={"Arn": own.queue})
        own.create(at(own.now() - 1), Target=target)

        told = "failed and will be tried again", "gave up"
        eventually(lambda: any(words in own.node.log for words in told))

        def came() -> list[dict]:
            own.node.advance(480)
            answer = own.sqs.receive_message(
                QueueUrl=own.url, MessageAttributeNames=["All"], WaitTimeSeconds=1
            )
            return answer.get("Messages", [])

        message = eventually(came)[0]
        return message["Body"], {
            name: value["StringValue"] for name, value in message["MessageAttributes"].items()
        }

    def test_none_wanted(self, own):
        body, attributes = self.letter(own, MaximumRetryAttempts=0)
        asked = json.loads(body)
        assert asked.pop("QueueUrl").endswith(f"/{ACCOUNT}/nowhere")
        assert asked == {"MessageBody": "attempt 1"}
        assert "will be tried again" not in own.node.log
        assert re.fullmatch("[0-9a-f]{16}", attributes.pop("EXECUTION_ID"))
        assert attributes.pop("SCHEDULED_TIME").endswith("Z")
        assert attributes == {
            "ERROR_CODE": "AWS.SimpleQueueService.NonExistentQueue",
            "ERROR_MESSAGE": "The specified queue does not exist.",
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": "0",
            "SCHEDULE_ARN": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/own",
            "TARGET_ARN": f"{SDK}:sqs:sendMessage",
        }

    def test_of_a_function(self, own):
        function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:nobody"
        body, attributes = self.letter(own, function, '{"a": 1}', MaximumRetryAttempts=0)
        asked = {"FunctionName": function, "InvocationType": "Event", "Payload": '{"a": 1}'}
        assert (json.loads(body), attributes["TARGET_ARN"]) == (asked, f"{SDK}:lambda:invoke")

    def test_of_an_operation(self, own):
        given = '{"TableName": "nowhere", "Item": {}}'
        body, attributes = self.letter(own, f"{SDK}:dynamodb:putItem", given, MaximumRetryAttempts=0)
        assert (body, attributes["TARGET_ARN"]) == (given, f"{SDK}:dynamodb:putItem")

    def test_one_that_is_too_large_is_cut(self, own):
        body, attributes = self.letter(own, given='"' * 250_000, MaximumRetryAttempts=0)
        assert 260_000 < len(body) < 262_144
        assert attributes["IS_PAYLOAD_TRUNCATED"] == "true"

    def test_some_wanted(self, own):
        body, attributes = self.letter(own, MaximumRetryAttempts=3)
        assert json.loads(body)["MessageBody"] == "attempt 4"
        assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
        assert attributes["RETRY_ATTEMPTS"] == "3"

    def test_for_a_while(self, own):
        _, attributes = self.letter(own, MaximumEventAgeInSeconds=60)
        assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"
        assert attributes["ERROR_CODE"] == "AWS.SimpleQueueService.NonExistentQueue"

    def test_a_role_that_was_taken_away(self, own):
        own.create(
            at(own.now() + 60),
            Target=own.target(DeadLetterConfig={"Arn": own.queue}, RetryPolicy={"MaximumRetryAttempts": 0}),
        )
        iam = own.node.client("iam")
        iam.detach_role_policy(RoleName="own", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        iam.delete_role(RoleName="own")
        own.node.advance(61)
        eventually(lambda: "is not authorized to perform: sts:AssumeRole" in own.node.log)
