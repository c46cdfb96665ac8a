"""Ten roles, each of which may what its function does, and no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.flows.chat import Application
from tests.flows.client import deploy
from tests.harness import ACCOUNT, REGION, Node, python_function

pytestmark = [pytest.mark.node_only, pytest.mark.slow]

MAY = {
    "ConnectHandler": {"Connections PutItem"},
    "DisconnectHandler": {"Connections DeleteItem", "Connections UpdateItem", "post"},
    "DefaultHandler": {"post", "look"},
    "SendMessageHandler": {
        *("Connections GetItem", "Connections PutItem", "Connections UpdateItem"),
        *("Messages GetItem", "Messages PutItem", "Messages Query", "publish", "post"),
    },
    "ConnectionDetailHandler": {"Connections GetItem", "Connections UpdateItem", "post"},
    "MessageRetrievalHandler": {"Connections GetItem", "index Query"},
    "TranslationHandler": {"Connections GetItem", "Messages UpdateItem", "translate", "bury", "post"},
    "ChangeMessageHandler": {
        *("Connections GetItem", "Connections UpdateItem", "Messages UpdateItem", "index Query"),
        *("publish", "post"),
    },
    "TypingHandler": {"Connections GetItem", "post"},
    "PublishWebsite": {"list", "put", "delete"},
}
"""What each may; every one of the others is tried, too."""

PROBE = """
import json, os
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def of(service, **more):
    return boto3.client(service, config=Config(retries={"total_max_attempts": 1}, parameter_validation=False), **more)

def handler(event, context):
    db = of("dynamodb")
    api = of("apigatewaymanagementapi", endpoint_url=event["endpoint"])
    other = of("apigatewaymanagementapi", endpoint_url=event["endpoint"] + "2")
    keys = {
        "Connections": {"connectionId": {"S": "probe"}},
        "Messages": {"userHandle": {"S": "probe"}, "timestamp": {"N": "4000000000"}},
    }
    tries = {}
    for table, key in keys.items():
        name = next(iter(key))
        query = {"KeyConditionExpression": f"{name} = :v", "ExpressionAttributeValues": {":v": {"S": "probe"}}}
        tries |= {
            f"{table} GetItem": lambda t=table, k=key: db.get_item(TableName=t, Key=k),
            f"{table} PutItem": lambda t=table, k=key: db.put_item(TableName=t, Item=k),
            f"{table} UpdateItem": lambda t=table, k=key: db.update_item(TableName=t, Key=k),
            f"{table} DeleteItem": lambda t=table, k=key: db.delete_item(TableName=t, Key=k),
            f"{table} Scan": lambda t=table: db.scan(TableName=t, Limit=1),
            f"{table} Query": lambda t=table, q=query: db.query(TableName=t, **q),
            f"{table} drop": lambda t=table: db.delete_table(TableName=t),
        }
    room = {"KeyConditionExpression": "room = :v", "ExpressionAttributeValues": {":v": {"S": "probe"}}}
    here = {"ConnectionId": event["connection"]}
    bucket = event["bucket"]
    tries |= {
        "index Query": lambda: db.query(TableName="Messages", IndexName="byRoom", **room),
        "index Scan": lambda: db.scan(TableName="Messages", IndexName="byRoom"),
        "post": lambda: api.post_to_connection(**here, Data=b'{"type": "probe"}'),
        "look": lambda: api.get_connection(**here),
        "disconnect": lambda: api.delete_connection(**here),
        "post elsewhere": lambda: other.post_to_connection(**here, Data=b"x"),
        "publish": lambda: of("sns").publish(TopicArn=event["topic"], Message='{"room": "probe", "languages": []}'),
        "publish elsewhere": lambda: of("sns").publish(TopicArn=event["topic"] + "2", Message="x"),
        "translate": lambda: of("translate").translate_text(Text="x", SourceLanguageCode="en", TargetLanguageCode="xx"),
        "bury": lambda: of("sqs").send_message(QueueUrl=event["queue"], MessageBody="probe"),
        "dig": lambda: of("sqs").receive_message(QueueUrl=event["queue"]),
        "list": lambda: of("s3").list_objects_v2(Bucket=bucket),
        "put": lambda: of("s3").put_object(Bucket=bucket, Key="probe", Body=b"x"),
        "delete": lambda: of("s3").delete_object(Bucket=bucket, Key="probe"),
        "open": lambda: of("s3").put_bucket_acl(Bucket=bucket, ACL="public-read-write"),
        "assume": lambda: of("sts").assume_role(RoleArn=event["role"], RoleSessionName="probe"),
        "create users": lambda: of("iam").create_user(UserName="probe"),
        "invoke": lambda: of("lambda").invoke(FunctionName="PublishWebsite", Payload=b"{}"),
    }
    return {name: code(each) for name, each in tries.items()}

def code(each):
    try:
        each()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        denied = status == 403 or "AccessDenied" in error.response["Error"]["Code"]
        return "denied" if denied else error.response["Error"]["Code"]
    return "done"
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    node = Node(tmp_path_factory.mktemp("roles") / "data")
    try:
        yield Application(node)
    finally:
        assert node.stop() == 0
        assert "Traceback" not in node.log, node.log


class TestRoles:
    def test_are_ten_and_each_has_one_function(self, app: Application) -> None:
        roles = {name: app.role_of(name) for name in MAY}
        assert len(set(roles.values())) == 10
        for role in roles.values():
            assert not app.node.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]

    async def test_may_what_their_functions_do_and_no_more(self, app: Application) -> None:
        functions = app.node.client("lambda")
        event = {
            "endpoint": f"https://{app.api}.execute-api.{REGION}.amazonaws.com/production",
            "bucket": app.outputs["BucketName"],
            "topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:MessagesTopic",
            "queue": app.outputs["TranslationDeadLettersUrl"],
            "role": f"arn:aws:iam::{ACCOUNT}:role/{app.role_of('ConnectHandler')}",
        }
        found = {}
        async with app.client() as client:
            event["connection"] = (await client.ask("who am I?"))["connection"]["id"]
            with python_function(functions, "probe", PROBE):
                for name in MAY:
                    role = functions.get_function_configuration(FunctionName=name)["Role"]
                    functions.update_function_configuration(FunctionName="probe", Role=role)
                    found[name] = await asyncio.to_thread(probed, functions, event)
        assert found == MAY

    async def test_without_one_action_a_function_fails_as_on_aws(self, app: Application) -> None:
        async with app.client("denied", "Ann") as ann:
            await ann.ask("sendmessage", text="before")
            with without(app, "SendMessageHandler", "dynamodb:PutItem"):
                await ann.send("sendmessage", text="refused")
                failed = await ann.until(lambda: [f for f in ann.frames if "requestId" in f])
                assert failed[0]["message"] == "Internal server error"
                role = app.role_of("SendMessageHandler")
                expected = (
                    f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/SendMessageHandler is not authorized to "
                    f"perform: dynamodb:PutItem on resource: arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Messages "
                    "because no identity-based policy allows the dynamodb:PutItem action"
                )
                await app.logged("SendMessageHandler", f"AccessDeniedException: {expected}")
            await ann.ask("sendmessage", text="after")
            await ann.until(lambda: ann.texts() == ["before", "refused", "after"])

    @pytest.mark.parametrize(
        ("function", "action", "request_"),
        [
            ("MessageRetrievalHandler", "dynamodb:Query", {"action": "getmessages"}),
            (
                "ConnectionDetailHandler",
                "dynamodb:UpdateItem",
                {"action": "updatedetails", "room": "x", "name": "y"},
            ),
            ("ChangeMessageHandler", "dynamodb:Query", {"action": "changemessage", "seq": 1, "text": "x"}),
            ("TypingHandler", "dynamodb:GetItem", {"action": "typing", "typing": True}),
            ("SendMessageHandler", "sns:Publish", {"action": "sendmessage", "text": "x"}),
        ],
    )
    async def test_each_action_is_needed(
        self, app: Application, function: str, action: str, request_: dict[str, Any]
    ) -> None:
        async with app.client("needed", "Ann", token="needed-" * 3, language="es") as ann:
            with without(app, function, action):
                await ann.send(**request_)
                await ann.until(
                    lambda: [f for f in ann.frames if f.get("message") == "Internal server error"]
                )
            said = action.replace("sns", "SNS")  # as the service says it
            await app.logged(function, f"is not authorized to perform: {said}")

    async def test_without_the_right_to_post_nobody_hears(self, app: Application) -> None:
        async with app.client("mute", "Ann") as ann:
            with without(app, "SendMessageHandler", "execute-api:ManageConnections"):
                await ann.send("sendmessage", text="unheard")
                await app.logged(
                    "SendMessageHandler", "not authorized to perform: execute-api:ManageConnections"
                )
                assert not ann.of("message")


def probed(functions: Any, event: dict[str, Any]) -> set[str]:
    """What the probe was not refused."""
    answer = functions.invoke(FunctionName="probe", Payload=json.dumps(event).encode())
    codes = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, codes
    return {what for what, code in codes.items() if code != "denied"}


@contextmanager
def without(app: Application, function: str, action: str) -> Iterator[None]:
    """The function's role has lost one action."""
    iam, role = app.node.client("iam"), app.role_of(function)
    document = iam.get_role_policy(RoleName=role, PolicyName=function)["PolicyDocument"]
    statements = []
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if left := [each for each in actions if each != action]:
            statements.append(statement | {"Action": left})
    assert statements != document["Statement"]
    put = {"RoleName": role, "PolicyName": function}
    iam.put_role_policy(**put, PolicyDocument=json.dumps(document | {"Statement": statements}))
    try:
        yield
    finally:
        iam.put_role_policy(**put, PolicyDocument=json.dumps(document))


class TestTwoStacks:
    async def test_the_application_imports_the_roles_of_another_stack(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        node = Node(tmp_path_factory.mktemp("imported") / "data")
        try:
            deploy(node, "apps/chat/roles.yaml", f"AccountId={ACCOUNT}", "Prefix=work-", stack="LambdaRoles")
            app = Application(node, "RolesStack=LambdaRoles", "Prefix=work-")
            stacks = node.client("cloudformation").describe_stacks()["Stacks"]
            assert {stack["StackName"] for stack in stacks} == {"LambdaRoles", "chat"}
            async with app.client("imported", "Ann") as ann:
                await ann.ask("sendmessage", text="hello")
                assert len(app.scan("work-Messages")) == 1
        finally:
            assert node.stop() == 0
