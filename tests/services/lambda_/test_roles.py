"""What a function's role must be allowed for what the function is given: Lambda asks when it is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION

from .conftest import refused

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


class Role:
    def __init__(self, iam: Any, name: str) -> None:
        self.iam, self.name = iam, name
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [TRUST]}))
        self.arn = str(made["Role"]["Arn"])

    def may(self, action: str, resource: str = "*") -> None:
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_role_policy(RoleName=self.name, PolicyName="only", PolicyDocument=document)


@pytest.fixture
def role(client: Callable[..., Any], unique: Callable[[str], str]) -> Role:
    return Role(client("iam"), unique("role"))


@pytest.fixture
def queue(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    name = unique("queue")
    client("sqs").create_queue(QueueName=name)
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


@pytest.fixture
def topic(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    return str(client("sns").create_topic(Name=unique("topic"))["TopicArn"])


def denied(words: str) -> tuple[str, str, int]:
    return "InvalidParameterValueException", words, 400


class TestDeadLetters:
    def test_a_queue_needs_send_message(self, lam: Any, function: Any, role: Role, queue: str) -> None:
        name = function(Role=role.arn)
        change = {"FunctionName": name, "DeadLetterConfig": {"TargetArn": queue}}
        assert refused(lam.update_function_configuration, **change) == denied(
            "The provided execution role does not have permissions to call SendMessage on SQS"
        )
        role.may("sqs:SendMessage", queue)
        assert lam.update_function_configuration(**change)["DeadLetterConfig"] == {"TargetArn": queue}

    def test_a_topic_needs_publish(self, function: Any, role: Role, topic: str) -> None:
        given = {"Role": role.arn, "DeadLetterConfig": {"TargetArn": topic}}
        assert refused(function, **given) == denied(
            "The provided execution role does not have permissions to call Publish on SNS"
        )
        role.may("sns:Publish", topic)
        function(**given)

    def test_another_role_is_asked_again(
        self, lam: Any, function: Any, role: Role, queue: str, client: Any, unique: Callable[[str], str]
    ) -> None:
        role.may("sqs:SendMessage", queue)
        name = function(Role=role.arn, DeadLetterConfig={"TargetArn": queue})
        other = Role(client("iam"), unique("other"))
        code, _, _ = refused(lam.update_function_configuration, FunctionName=name, Role=other.arn)
        assert code == "InvalidParameterValueException"
        assert lam.get_function_configuration(FunctionName=name)["Role"] == role.arn


class TestVpc:
    def test_needs_network_interfaces(self, lam: Any, function: Any, role: Role, client: Any) -> None:
        ec2 = client("ec2")
        subnet = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]
        wanted = [{"Name": "vpc-id", "Values": [subnet["VpcId"]]}]
        group = ec2.describe_security_groups(Filters=wanted)["SecurityGroups"][0]["GroupId"]
        inside = {"SubnetIds": [subnet["SubnetId"]], "SecurityGroupIds": [group]}
        assert refused(function, Role=role.arn, VpcConfig=inside) == denied(
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"
        )
        managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
        role.iam.attach_role_policy(RoleName=role.name, PolicyArn=managed)
        name = function(Role=role.arn, VpcConfig=inside)
        assert lam.get_function_configuration(FunctionName=name)["VpcConfig"]["VpcId"] == subnet["VpcId"]


class TestDestinations:
    def test_need_what_sends_to_them(self, lam: Any, function: Any, role: Role, queue: str) -> None:
        name = function(Role=role.arn)
        config = {"FunctionName": name, "DestinationConfig": {"OnFailure": {"Destination": queue}}}
        assert refused(lam.put_function_event_invoke_config, **config) == denied(
            f"The function's execution role does not have permissions to call SendMessage on {queue}"
        )
        role.may("sqs:SendMessage", queue)
        lam.put_function_event_invoke_config(**config)

    def test_a_function_needs_to_be_invoked(self, lam: Any, function: Any, role: Role) -> None:
        name, other = function(Role=role.arn), function()
        target = lam.get_function_configuration(FunctionName=other)["FunctionArn"]
        config = {"FunctionName": name, "DestinationConfig": {"OnSuccess": {"Destination": target}}}
        code, words, _ = refused(lam.put_function_event_invoke_config, **config)
        assert code == "InvalidParameterValueException"
        assert words.endswith(f"call InvokeFunction on {target}")
        role.may("lambda:InvokeFunction", target)
        lam.put_function_event_invoke_config(**config)
