"""What policies allow and deny, as users and roles meet it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.harness import ACCOUNT, REGION, plain_url, python_function, statement_of, websocket_api

Statement = dict[str, Any]


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str = "*", **more: Any) -> Statement:
    return {**allow(action, resource, **more), "Effect": "Deny"}


class Person:
    """A user with keys; `may(...)` sets the only policy, `asks(service)` is a client of his."""

    def __init__(self, iam: Any, name: str, client: Callable[..., Any]) -> None:
        self.iam, self.name, self.client = iam, name, client
        iam.create_user(UserName=name)
        self.arn = iam.get_user(UserName=name)["User"]["Arn"]
        self.keys = iam.create_access_key(UserName=name)["AccessKey"]

    def may(self, *statements: Statement) -> None:
        self.iam.put_user_policy(UserName=self.name, PolicyName="only", PolicyDocument=document(*statements))

    def asks(self, service: str) -> Any:
        return self.client(
            service,
            aws_access_key_id=self.keys["AccessKeyId"],
            aws_secret_access_key=self.keys["SecretAccessKey"],
        )


@pytest.fixture
def ann(iam: Any, unique: Callable[[str], str], client: Callable[..., Any]) -> Person:
    return Person(iam, unique("ann"), client)


@pytest.fixture
def table(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    name = unique("table")
    client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def queue(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    url: str = client("sqs").create_queue(QueueName=unique("queue"))["QueueUrl"]
    return url


def queue_arn(url: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"


class TestUsers:
    def test_a_user_without_a_policy_may_nothing(self, ann: Person, table: str, refused: Any) -> None:
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
        text = (
            f"User: {ann.arn} is not authorized to perform: dynamodb:GetItem on resource: {arn} because no"
            " identity-based policy allows the dynamodb:GetItem action"
        )
        with refused("AccessDeniedException", text, 400):
            ann.asks("dynamodb").get_item(TableName=table, Key={"id": {"S": "1"}})

    def test_a_policy_allows_what_it_names_at_once(self, ann: Person, table: str, refused: Any) -> None:
        dynamodb = ann.asks("dynamodb")
        ann.may(allow("dynamodb:*Item", f"arn:aws:dynamodb:*:*:table/{table}"))
        dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}})
        with refused("AccessDeniedException", "dynamodb:Query"):
            dynamodb.query(
                TableName=table,
                KeyConditionExpression="id = :i",
                ExpressionAttributeValues={":i": {"S": "1"}},
            )
        ann.may(allow("dynamodb:GetItem"), deny("dynamodb:Put*"))
        with refused("AccessDeniedException", "with an explicit deny in an identity-based policy"):
            dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}})

    def test_a_transaction_needs_the_permission_of_each_part(
        self, ann: Person, table: str, refused: Any
    ) -> None:
        ann.may(allow("dynamodb:PutItem"))
        write = {"Put": {"TableName": table, "Item": {"id": {"S": "1"}}}}
        check = {
            "ConditionCheck": {
                "TableName": table,
                "Key": {"id": {"S": "2"}},
                "ConditionExpression": "attribute_not_exists(id)",
            }
        }
        ann.asks("dynamodb").transact_write_items(TransactItems=[write])
        with refused("AccessDeniedException", "dynamodb:ConditionCheckItem"):
            ann.asks("dynamodb").transact_write_items(TransactItems=[write, check])

    def test_queues_speak_of_actions_in_lower_case(self, ann: Person, queue: str, refused: Any) -> None:
        with refused(
            "AccessDenied", "is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs", 403
        ):
            ann.asks("sqs").send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "a"}])

    def test_a_group_gives_its_policies_to_its_members(
        self, ann: Person, iam: Any, unique: Callable[[str], str], refused: Any
    ) -> None:
        group = unique("group")
        iam.create_group(GroupName=group)
        iam.attach_group_policy(GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess")
        iam.add_user_to_group(GroupName=group, UserName=ann.name)
        ann.asks("sqs").list_queues()
        iam.remove_user_from_group(GroupName=group, UserName=ann.name)
        with refused("AccessDenied"):
            ann.asks("sqs").list_queues()

    def test_the_boundary_limits(self, ann: Person, iam: Any, table: str, refused: Any) -> None:
        iam.put_user_permissions_boundary(
            UserName=ann.name, PermissionsBoundary="arn:aws:iam::aws:policy/AmazonSQSFullAccess"
        )
        ann.may(allow("*"))
        ann.asks("sqs").list_queues()
        with refused(
            "AccessDeniedException", "because no permissions boundary allows the dynamodb:ListTables action"
        ):
            ann.asks("dynamodb").list_tables()

    def test_variables_and_conditions(
        self, ann: Person, client: Callable[..., Any], unique: Callable[[str], str], refused: Any
    ) -> None:
        ann.may(
            allow("sqs:CreateQueue", "arn:aws:sqs:*:*:${aws:username}-*"),
            allow("sqs:ListQueues", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        )
        ann.asks("sqs").create_queue(QueueName=f"{ann.name}-a")
        with refused("AccessDenied"):
            ann.asks("sqs").create_queue(QueueName=unique("other"))
        with refused("AccessDenied"):
            ann.asks("sqs").list_queues()

    def test_who_gives_a_role_away_needs_to_be_allowed_to(
        self, ann: Person, iam: Any, role: str, unique: Callable[[str], str], refused: Any
    ) -> None:
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
        ann.may(allow("lambda:*"))
        asked = {
            "FunctionName": unique("function"),
            "Runtime": "python3.12",
            "Handler": "a.b",
            "Role": arn,
            "Code": {"ZipFile": b"PK\x05\x06" + bytes(18)},
        }
        with refused("AccessDeniedException", f"iam:PassRole on resource: {arn}", 403):
            ann.asks("lambda").create_function(**asked)


@pytest.fixture
def bucket(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    name = unique("bucket")
    client("s3").create_bucket(Bucket=name)
    client("s3").put_object(Bucket=name, Key="ann/one", Body=b"1")
    return name


class TestObjects:
    def test_users_need_a_policy(self, ann: Person, bucket: str, refused: Any) -> None:
        s3 = ann.asks("s3")
        resource = f'"arn:aws:s3:::{bucket}/ann/one"'
        text = (
            f"User: {ann.arn} is not authorized to perform: s3:PutObject on resource: {resource} because no"
            " identity-based policy allows the s3:PutObject action"
        )
        with refused("AccessDenied", text, 403):
            s3.put_object(Bucket=bucket, Key="ann/one", Body=b"2")
        ann.may(allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{bucket}/ann/*"))
        s3.put_object(Bucket=bucket, Key="ann/one", Body=b"2")
        with refused("AccessDenied", f's3:ListBucket on resource: "arn:aws:s3:::{bucket}"', 403):
            s3.get_object(Bucket=bucket, Key="ann/none")  # whether it is there is not his to know
        assert s3.get_object(Bucket=bucket, Key="ann/one")["Body"].read() == b"2"
        with refused("AccessDenied"):
            s3.put_object(Bucket=bucket, Key="bob/one", Body=b"2")
        with refused("AccessDenied", "s3:CreateBucket"):
            s3.create_bucket(Bucket=f"{bucket}-2")
        with refused("AccessDenied", "s3:ListAllMyBuckets"):
            s3.list_buckets()

    def test_a_list_may_be_for_a_prefix(self, ann: Person, bucket: str, refused: Any) -> None:
        own = {"StringLike": {"s3:prefix": ["ann/*"]}}
        ann.may(allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition=own))
        assert ann.asks("s3").list_objects_v2(Bucket=bucket, Prefix="ann/")["KeyCount"] == 1
        with refused("AccessDenied"):
            ann.asks("s3").list_objects_v2(Bucket=bucket)

    def test_a_bucket_that_names_the_user_is_open_to_him(
        self, ann: Person, bucket: str, client: Callable[..., Any], refused: Any
    ) -> None:
        opened = {**allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), "Principal": {"AWS": ann.arn}}
        client("s3").put_bucket_policy(Bucket=bucket, Policy=document(opened))
        assert ann.asks("s3").get_object(Bucket=bucket, Key="ann/one")["Body"].read() == b"1"
        with refused("AccessDenied"):
            ann.asks("s3").put_object(Bucket=bucket, Key="ann/one", Body=b"2")


class TestSignatures:
    def test_a_wrong_secret_is_refused(self, ann: Person, client: Callable[..., Any], refused: Any) -> None:
        guess = {"aws_access_key_id": ann.keys["AccessKeyId"], "aws_secret_access_key": "guess"}
        with refused("SignatureDoesNotMatch", "does not match the signature you provided", 403):
            client("sts", **guess).get_caller_identity()
        with refused(
            "InvalidSignatureException", "The Canonical String for this request should have been", 400
        ):
            client("dynamodb", **guess).list_tables()
        with refused("SignatureDoesNotMatch", status=403):
            client("s3", **guess).list_buckets()

    def test_a_session_needs_its_token(
        self, client: Callable[..., Any], iam: Any, role: str, refused: Any
    ) -> None:
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="one")["Credentials"]
        given = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}
        client("sts", **given, aws_session_token=keys["SessionToken"]).get_caller_identity()
        with refused("InvalidClientTokenId", status=403):
            client("sts", **given, aws_session_token="another").get_caller_identity()


class TestAssumeRole:
    def test_a_role_is_for_those_whom_it_trusts(
        self, ann: Person, iam: Any, unique: Callable[[str], str], refused: Any
    ) -> None:
        name = unique("role")
        trust = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        ann.asks("sts").assume_role(RoleArn=arn, RoleSessionName="one")
        secret = {**trust, "Condition": {"StringEquals": {"sts:ExternalId": "42"}}}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=document(secret))
        text = f"User: {ann.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        with refused("AccessDenied", text, 403):
            ann.asks("sts").assume_role(RoleArn=arn, RoleSessionName="one")
        ann.asks("sts").assume_role(RoleArn=arn, RoleSessionName="one", ExternalId="42")

    def test_trusting_the_account_leaves_it_to_the_users_policies(
        self, ann: Person, iam: Any, unique: Callable[[str], str], refused: Any
    ) -> None:
        name = unique("role")
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        with refused("AccessDenied"):
            ann.asks("sts").assume_role(RoleArn=arn, RoleSessionName="one")
        ann.may(allow("sts:AssumeRole", arn))
        ann.asks("sts").assume_role(RoleArn=arn, RoleSessionName="one")

    def test_a_session_may_be_limited_further(
        self, ann: Person, iam: Any, unique: Callable[[str], str], client: Callable[..., Any], refused: Any
    ) -> None:
        name = unique("role")
        trust = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document(allow("*")))
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        keys = ann.asks("sts").assume_role(
            RoleArn=arn, RoleSessionName="one", Policy=document(allow("sqs:ListQueues"))
        )["Credentials"]
        given = {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        client("sqs", **given).list_queues()
        with refused(
            "AccessDeniedException", "because no session policy allows the dynamodb:ListTables action"
        ):
            client("dynamodb", **given).list_tables()


class TestResourcePolicies:
    def test_the_root_of_another_account_needs_one(self, queue: str, client: Any, refused: Any) -> None:
        other = client("sqs", aws_access_key_id="222222222222")
        with refused(
            "AccessDenied", "because no resource-based policy allows the sqs:deletequeue action", 403
        ):
            other.delete_queue(QueueUrl=queue)
        with refused("AccessDenied"):
            other.send_message(QueueUrl=queue, MessageBody="hello")
        client("sqs").add_permission(
            QueueUrl=queue, Label="send", AWSAccountIds=["222222222222"], Actions=["SendMessage"]
        )
        other.send_message(QueueUrl=queue, MessageBody="hello")

    def test_a_queue_that_names_the_user_is_open_to_him(self, ann: Person, queue: str, client: Any) -> None:
        statement = {**allow("sqs:SendMessage", queue_arn(queue)), "Principal": {"AWS": ann.arn}}
        client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document(statement)})
        ann.asks("sqs").send_message(QueueUrl=queue, MessageBody="a")

    def test_a_queue_that_denies_is_closed_to_him(
        self, ann: Person, queue: str, client: Any, refused: Any
    ) -> None:
        statement = {**deny("sqs:SendMessage", queue_arn(queue)), "Principal": "*"}
        client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document(statement)})
        ann.may(allow("sqs:*"))
        with refused("AccessDenied", "with an explicit deny in a resource-based policy"):
            ann.asks("sqs").send_message(QueueUrl=queue, MessageBody="a")
        client("sqs").send_message(QueueUrl=queue, MessageBody="the administrator may")


ASKING = """
import boto3

def handler(event, context):
    try:
        boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody="a")
    except Exception as error:
        return str(error)
    return "sent"
"""


@pytest.mark.node_only
class TestFunctions:
    def test_a_function_may_what_its_role_may(
        self, client: Callable[..., Any], iam: Any, role: str, queue: str, unique: Callable[[str], str]
    ) -> None:
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
        functions = client("lambda")
        with python_function(functions, unique("asking"), ASKING, Role=arn) as name:

            def ask() -> Any:
                event = json.dumps({"queue": queue}).encode()
                return json.loads(functions.invoke(FunctionName=name, Payload=event)["Payload"].read())

            session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name.rpartition(':')[2]}"
            assert ask() == (
                f"An error occurred (AccessDenied) when calling the SendMessage operation: User: {session} is not"
                f" authorized to perform: sqs:sendmessage on resource: {queue_arn(queue)} because no identity-based"
                " policy allows the sqs:sendmessage action"
            )
            statement = allow("sqs:SendMessage", queue_arn(queue))
            iam.put_role_policy(RoleName=role, PolicyName="send", PolicyDocument=document(statement))
            assert ask() == "sent"

    def test_a_role_that_does_not_trust_lambda_is_refused(
        self, client: Callable[..., Any], iam: Any, unique: Callable[[str], str], refused: Any
    ) -> None:
        name = unique("role")
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        text = "The role defined for the function cannot be assumed by Lambda."
        with refused("InvalidParameterValueException", text):
            python_function(client("lambda"), unique("function"), ASKING, Role=arn).__enter__()

    def test_an_api_needs_the_functions_permission(
        self, node: Any, client: Callable[..., Any], unique: Callable[[str], str]
    ) -> None:
        source = "def handler(event, context):\n    return {'statusCode': 200}\n"
        with (
            python_function(client("lambda"), unique("welcome"), source) as arn,
            websocket_api(node, arn, "$connect") as api,
        ):
            url = plain_url(node, api)
            with connect(url):
                pass
            client("lambda").remove_permission(FunctionName=arn, StatementId=statement_of(api))
            with pytest.raises(InvalidStatus) as refusal:
                connect(url)
            assert refusal.value.response.status_code == 500
