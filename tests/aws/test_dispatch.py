"""The pipeline: the way through it, and each way of falling out."""

from __future__ import annotations

import logging
import zlib
from typing import Any

import orjson
import pytest

from cloudlet.aws.dispatch import Dispatcher
from cloudlet.context import Encoded, KnownKey, Principal
from cloudlet.errors import AwsError
from cloudlet.policies.decision import Holdings
from cloudlet.policies.documents import policy_of
from tests.aws import kit
from tests.aws.kit import answer, authorization, dispatcher, head, request

JSON = "application/x-amz-json-1.0"
FORM = "application/x-www-form-urlencoded"


def dynamodb(operation: str, body: bytes, **headers: str) -> Any:
    headers.setdefault("content_type", JSON)
    return request(body=body, x_amz_target=f"DynamoDB_20120810.{operation}", **headers)


def told(made: Dispatcher, asked: Any) -> tuple[int, dict[str, Any]]:
    response = answer(made, asked)
    assert isinstance(response.body, bytes)
    return response.status, orjson.loads(response.body)


class TestTheWayThrough:
    def test_json(self) -> None:
        made = dispatcher(
            {"GetItem": lambda ctx, params: {"Item": {"b": {"B": b"\x00\x01"}}, "seen": params}}
        )
        response = answer(made, dynamodb("GetItem", b'{"TableName":"t","Key":{"a":{"B":"AAE="}}}'))
        assert response.status == 200
        assert orjson.loads(response.body)["Item"] == {"b": {"B": "AAE="}}  # type: ignore[arg-type]
        assert head(response)["content-type"] == JSON
        assert head(response)["x-amz-crc32"] == str(zlib.crc32(response.body))  # type: ignore[arg-type]
        assert len(head(response)["x-amzn-requestid"]) == 36

    def test_bytes_that_are_json_already(self) -> None:
        made = dispatcher({"GetItem": lambda ctx, params: Encoded(b'{"Item":{}}')})
        assert told(made, dynamodb("GetItem", b'{"TableName":"t","Key":{}}')) == (200, {"Item": {}})

    def test_who_and_where(self) -> None:
        seen = []
        made = dispatcher({"ListTables": lambda ctx, params: seen.append(ctx)})
        asked = dynamodb(
            "ListTables", b"{}", authorization=authorization("dynamodb", "123456789012", "eu-west-1")
        )
        asked.headers["user-agent"] = "me/1"
        answer(made, asked)
        ctx = seen[0]
        assert (ctx.account, ctx.region, ctx.source_ip, ctx.user_agent) == (
            "123456789012",
            "eu-west-1",
            "127.0.0.1",
            "me/1",
        )
        assert ctx.principal.arn == "arn:aws:iam::123456789012:root"

    def test_unknown_members_and_nulls_are_ignored(self) -> None:
        seen = []
        made = dispatcher({"GetItem": lambda ctx, params: seen.append(params)})
        answer(made, dynamodb("GetItem", b'{"TableName":"t","Key":{},"Nonsense":1,"ConsistentRead":null}'))
        assert seen == [{"TableName": "t", "Key": {}}]

    def test_validation_may_compile_the_request(self) -> None:
        seen = []
        made = dispatcher(
            {"ListTables": lambda ctx, params: seen.append(params)},
            validation={"list_tables": lambda params: {**params, "compiled": True}},
        )
        answer(made, dynamodb("ListTables", b'{"Limit":3}'))
        assert seen == [{"Limit": 3, "compiled": True}]

    def test_query(self) -> None:
        made = dispatcher({"GetUser": lambda ctx, params: {"User": {"UserName": "<&>", "CreateDate": 1.0}}})
        response = answer(
            made, request(body=b"Action=GetUser&Version=2010-05-08&UserName=a", content_type=FORM)
        )
        assert isinstance(response.body, bytes)
        text = response.body.decode()
        assert text.startswith(
            '<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetUserResult>'
        )
        assert "<UserName>&lt;&amp;&gt;</UserName><CreateDate>1970-01-01T00:00:01Z</CreateDate>" in text
        assert f"<RequestId>{head(response)['x-amzn-requestid']}</RequestId>" in text
        assert head(response)["content-type"] == "text/xml"

    def test_rest(self) -> None:
        made = dispatcher(
            {
                "Invoke": lambda ctx, params: {
                    "StatusCode": 202,
                    "Payload": params["Payload"],
                    "FunctionError": "x",
                }
            }
        )
        response = answer(made, request(path="/2015-03-31/functions/f/invocations", body=b"\xff"))
        assert (response.status, response.body) == (202, b"\xff")
        assert head(response)["x-amz-function-error"] == "x"

    def test_an_edge_may_name_the_operation(self) -> None:
        seen = []
        made = dispatcher({"PostToConnection": lambda ctx, params: seen.append(params)})
        asked = request(path="/_aws/execute-api/a/dev/@connections/c", body=b"hello")
        running = made.handle_operation(
            asked, "apigatewaymanagementapi", "PostToConnection", {"connectionId": "c"}
        )
        with pytest.raises(StopIteration) as finished:
            running.send(None)
        assert finished.value.value.status == 200
        assert seen == [{"Data": b"hello", "ConnectionId": "c"}]


class TestDecoders:
    def test_a_service_reads_its_own_hot_requests(self) -> None:
        seen = []
        made = dispatcher(
            {"GetItem": lambda ctx, params: seen.append(params)}, decoders={"GetItem": lambda b: {"raw": b}}
        )
        answer(made, dynamodb("GetItem", b"whatever"))
        assert seen == [{"raw": b"whatever"}]

    def test_what_it_refuses_is_told_in_aws_words(self) -> None:
        import msgspec

        strict = msgspec.json.Decoder(dict[str, str]).decode
        made = dispatcher({"GetItem": lambda ctx, params: None}, decoders={"GetItem": strict})
        status, body = told(made, dynamodb("GetItem", b'{"TableName":1}'))
        assert (status, body["Message"]) == (400, "NUMBER_VALUE cannot be converted to String")


class TestErrors:
    def test_json(self) -> None:
        def run(ctx: Any, params: Any) -> None:
            fields = {"Item": {"a": {"B": b"\x00"}}}
            raise AwsError("ConditionalCheckFailedException", "The conditional request failed", fields=fields)

        made = dispatcher({"PutItem": run})
        assert told(made, dynamodb("PutItem", b'{"TableName":"t","Item":{}}')) == (
            400,
            {
                "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                "message": "The conditional request failed",
                "Item": {"a": {"B": "AA=="}},
            },
        )

    def test_query(self) -> None:
        def run(ctx: Any, params: Any) -> None:
            raise AwsError("NoSuchEntity", "no <b>")

        made = dispatcher({"GetRole": run})
        asked = request(body=b"Action=GetRole&Version=2010-05-08&RoleName=a", content_type=FORM)
        response = answer(made, asked)
        assert response.status == 404
        assert b"<Type>Sender</Type><Code>NoSuchEntity</Code><Message>no &lt;b&gt;</Message>" in response.body  # type: ignore[operator]

    def test_rest(self) -> None:
        def run(ctx: Any, params: Any) -> None:
            raise AwsError("TooManyRequestsException", "Rate Exceeded.", fields={"retryAfterSeconds": "3"})

        made = dispatcher({"GetFunction": run})
        response = answer(made, request("GET", "/2015-03-31/functions/f"))
        assert response.status == 429
        assert head(response)["x-amzn-errortype"] == "TooManyRequestsException"
        assert head(response)["retry-after"] == "3"
        assert orjson.loads(response.body) == {"message": "Rate Exceeded.", "Type": "User"}  # type: ignore[arg-type]

    def test_a_bug_is_a_500_with_a_traceback_and_the_id(self, caplog: pytest.LogCaptureFixture) -> None:
        made = dispatcher({"ListTables": lambda ctx, params: 1 / 0})
        with caplog.at_level(logging.ERROR):
            response = answer(made, dynamodb("ListTables", b"{}"))
        assert response.status == 500
        assert b"com.amazonaws.dynamodb.v20120810#InternalServerError" in response.body  # type: ignore[operator]
        assert "ZeroDivisionError" in caplog.text
        assert head(response)["x-amzn-requestid"] in caplog.text

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"{", None),
            (b'"\xff"', None),
            (b'{"TableName":"\xff"}', None),
            (b"", None),
            (b"[]", "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.GetItemInput"),
            (b'{"TableName":["a"]}', "Unrecognized collection type class java.lang.String"),
            (b'{"TableName":{}}', "Start of structure or map found where not expected"),
            (b'{"TableName":true}', "TRUE_VALUE cannot be converted to String"),
            (b'{"TableName":5}', "NUMBER_VALUE cannot be converted to String"),
            (b'{"TableName":5.5}', "DECIMAL_VALUE cannot be converted to String"),
            (b'{"ConsistentRead":"true"}', "Unexpected token received from parser"),
            (b'{"ConsistentRead":1}', "NUMBER_VALUE cannot be converted to Boolean"),
            (b'{"AttributesToGet":"a"}', "Unexpected field type"),
            (b'{"AttributesToGet":{}}', "Start of structure or map found where not expected"),
            (b'{"Key":"a"}', "Unexpected field type"),
            (b'{"Key":{"a":"b"}}', "Unexpected value type in payload"),
            (
                b'{"Key":[]}',
                (
                    "Unrecognized collection type "
                    "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"
                ),
            ),
            (
                b'{"Key":{"a":[]}}',
                "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue",
            ),
            (b'{"Key":{"a":{"B":3}}}', "only base-64-encoded strings are convertible to bytes"),
            (b'{"Key":{"a":{"B":[]}}}', "Unrecognized collection type class java.nio.ByteBuffer"),
            (
                b'{"Key":{"a":{"B":"23456"}}}',
                "Base64 encoded length is expected a multiple of 4 bytes but found: 5",
            ),
            (b'{"Key":{"a":{"B":"a!=="}}}', "Invalid Base64 character: '!'"),
            (b'{"Key":{"a":{"B":"=+/="}}}', "Invalid last non-pad Base64 character dectected"),
            (b'{"Key":{"a":{"B":"+/+="}}}', "Invalid last non-pad Base64 character dectected"),
        ],
    )
    def test_unreadable(self, body: bytes, message: str | None) -> None:
        made = dispatcher({"GetItem": lambda ctx, params: {}})
        status, answered = told(made, dynamodb("GetItem", body))
        assert status == 400
        assert answered["__type"] == "com.amazon.coral.service#SerializationException"
        assert answered.get("Message") == message

    def test_nesting_without_end(self) -> None:
        made = dispatcher({"PutItem": lambda ctx, params: {}})
        deep = b'{"L":[' * 5000 + b"]}" * 5000
        status, answered = told(made, dynamodb("PutItem", b'{"TableName":"t","Item":{"a":' + deep + b"}}"))
        assert (status, answered["__type"]) == (400, "com.amazon.coral.service#SerializationException")

    def test_constraints(self) -> None:
        made = dispatcher({"GetItem": lambda ctx, params: {}})
        status, answered = told(made, dynamodb("GetItem", b'{"TableName":""}'))
        assert (status, answered["__type"]) == (400, "com.amazon.coral.validate#ValidationException")
        assert answered["message"].startswith("2 validation errors detected: Value null at 'key'")

    def test_another_content_type(self) -> None:
        made = dispatcher({"GetItem": lambda ctx, params: {}})
        status, answered = told(made, dynamodb("GetItem", b"{}", content_type="text/plain"))
        assert (status, answered["__type"]) == (404, "com.amazon.coral.service#UnknownOperationException")

    def test_a_lambda_body_that_is_no_json(self) -> None:
        made = dispatcher({"CreateFunction": lambda ctx, params: {}})
        response = answer(made, request(path="/2015-03-31/functions", body=b"{"))
        assert response.status == 400
        assert head(response)["x-amzn-errortype"] == "InvalidRequestContentException"
        assert b"Could not parse request body into json" in response.body  # type: ignore[operator]

    def test_unsupported(self) -> None:
        made = dispatcher({}, unsupported={"CreateGroup": "groups are not built"})
        asked = request(body=b"Action=CreateGroup&Version=2010-05-08&GroupName=a", content_type=FORM)
        response = answer(made, asked)
        assert response.status == 501
        assert b"<Code>NotImplemented</Code>" in response.body  # type: ignore[operator]
        assert b"Cloudlet does not support CreateGroup: groups are not built" in response.body  # type: ignore[operator]

    @pytest.mark.parametrize(
        ("service", "asked", "code"),
        [
            ("dynamodb", dynamodb("ListTables", b"{}"), b"IncompleteSignatureException"),
            ("lambda", request("GET", "/2015-03-31/functions"), b"IncompleteSignatureException"),
            (
                "iam",
                request(body=b"Action=ListRoles&Version=2010-05-08", content_type=FORM),
                b"<Code>IncompleteSignature</Code>",
            ),
        ],
    )
    def test_a_malformed_signature(self, service: str, asked: Any, code: bytes) -> None:
        made = dispatcher(
            {name: lambda ctx, params: {} for name in ("ListTables", "ListFunctions", "ListRoles")}
        )
        asked.headers["authorization"] = "AWS4-HMAC-SHA256 Credential=x"
        response = answer(made, asked)
        assert response.status == 400
        everything = b"".join([response.body, str(head(response)).encode()])  # type: ignore[list-item]
        assert code in everything


class TestPlan:
    def test_lambda_takes_more(self) -> None:
        made = dispatcher({})
        plan = made.plan(request(authorization=authorization("lambda")))
        assert plan.limit == 75 * 1024 * 1024
        assert made.plan(dynamodb("GetItem", b"")).limit == 16 * 1024 * 1024

    def test_too_large_is_the_services_own_error(self) -> None:
        made = dispatcher({})
        asked = request(path="/2015-03-31/functions", authorization=authorization("lambda"))
        too_large = made.plan(asked).too_large
        assert too_large is not None
        response = too_large(asked)
        assert response.status == 413
        assert head(response)["x-amzn-errortype"] == "RequestEntityTooLargeException"


class TestCall:
    async def test_in_boto3s_form(self) -> None:
        made = dispatcher({"Invoke": lambda ctx, params: {"StatusCode": 200, "Payload": params["Payload"]}})
        ctx = kit.context(made.node)
        result = await made.call(ctx, "lambda", "Invoke", {"FunctionName": "f", "Payload": b"\xff"})
        assert result == {"StatusCode": 200, "Payload": b"\xff"}

    async def test_encoded_results_are_decoded(self) -> None:
        made = dispatcher({"GetItem": lambda ctx, params: Encoded(b'{"Item":{"a":{"B":"AA=="}}}')})
        result = await made.call(kit.context(made.node), "dynamodb", "GetItem", {"TableName": "t", "Key": {}})
        assert result == {"Item": {"a": {"B": b"\x00"}}}

    async def test_decoders_see_what_the_wire_would_bring(self) -> None:
        made = dispatcher(
            {"GetItem": lambda ctx, params: {"ConsumedCapacity": {"TableName": params["raw"].decode()}}},
            decoders={"GetItem": lambda body: {"raw": body}},
        )
        params = {"TableName": "t", "Key": {"a": {"B": b"\x00"}}}
        result = await made.call(kit.context(made.node), "dynamodb", "GetItem", params)
        assert result["ConsumedCapacity"]["TableName"] == '{"TableName":"t","Key":{"a":{"B":"AA=="}}}'

    async def test_constraints_and_validation(self) -> None:
        def refuse(params: dict[str, Any]) -> dict[str, Any]:
            raise AwsError("ValidationException", "no")

        made = dispatcher({"GetItem": lambda ctx, params: {}}, validation={"get_item": refuse})
        ctx = kit.context(made.node)
        with pytest.raises(AwsError, match="Value null at 'tableName'"):
            await made.call(ctx, "dynamodb", "GetItem", {})
        with pytest.raises(AwsError, match="ValidationException: no"):
            await made.call(ctx, "dynamodb", "GetItem", {"TableName": "t", "Key": {}})

    async def test_what_is_not_there(self) -> None:
        made = dispatcher({}, services=("dynamodb",), unsupported={"Scan": "tired"})
        ctx = kit.context(made.node)
        with pytest.raises(AwsError, match="does not have the service 'sqs'"):
            await made.call(ctx, "sqs", "SendMessage", {})
        with pytest.raises(AwsError, match="does not support Scan: tired"):
            await made.call(ctx, "dynamodb", "Scan", {})


class Keys:
    """A runtime that knows one key, and one that has expired."""

    def __init__(self) -> None:
        self.asked = 0

    async def known(self, key: str) -> KnownKey | None:
        self.asked += 1
        if key == "ASIAOLD":
            raise AwsError("ExpiredToken", "The security token included in the request is expired")
        if key != "ASIAGOOD":
            return None
        arn = "arn:aws:sts::111122223333:assumed-role/r/s"
        who = Principal("role", "111122223333", arn, "AROA:s", key)
        return KnownKey(who, 1_700_000_100.0, "secret", "token")


class Everything:
    """A runtime that knows no key, and for which everybody may do everything."""

    async def known(self, key: str) -> KnownKey | None:
        return None

    async def holdings(self, principal: Principal) -> Holdings:
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        return Holdings([policy_of({"Statement": statement})])


class TestWhoAsks:
    def arn(self, made: Dispatcher, key: str, secret: str = "secret", token: str = "token") -> str:
        asked = request(
            body=b"Action=GetCallerIdentity&Version=2011-06-15",
            content_type=FORM,
            authorization=authorization("sts", key),
            x_amz_security_token=token,
        )
        kit.sign(asked, secret)
        response = answer(made, asked)
        assert isinstance(response.body, bytes)
        return response.body.decode()

    def made(self, keys: Keys) -> Dispatcher:
        return dispatcher(
            {"GetCallerIdentity": lambda ctx, params: {"Arn": ctx.principal.arn, "Account": ctx.account}},
            on=kit.node(sts=keys, iam=Everything()),
        )

    def test_temporary_credentials_are_their_owners_until_they_expire(self) -> None:
        keys = Keys()
        made = self.made(keys)
        for _ in range(3):
            assert "<Account>111122223333</Account>" in self.arn(made, "ASIAGOOD")
        assert keys.asked == 1
        made.node.clock.advance(1000)
        self.arn(made, "ASIAGOOD")
        assert keys.asked == 2

    def test_what_another_secret_signed_is_refused(self) -> None:
        refused = self.arn(self.made(Keys()), "ASIAGOOD", secret="guess")
        assert "<Code>SignatureDoesNotMatch</Code>" in refused
        assert "The request signature we calculated does not match the signature you provided." in refused

    def test_temporary_credentials_come_with_their_token(self) -> None:
        for token in ("", "another"):
            assert "<Code>InvalidClientTokenId</Code>" in self.arn(self.made(Keys()), "ASIAGOOD", token=token)

    def test_expired(self) -> None:
        assert "<Code>ExpiredToken</Code>" in self.arn(self.made(Keys()), "ASIAOLD")

    def test_keys_nobody_made_are_the_root_of_the_nodes_account(self) -> None:
        made = self.made(Keys())
        for key in ("ASIAOTHER", "AKIAIOSFODNN7EXAMPLE", "anything", "test"):
            assert "arn:aws:iam::000000000000:root" in self.arn(made, key)

    def test_a_signature_that_is_not_last_is_not_remembered_for_others(self) -> None:
        made = self.made(Keys())
        one = "AWS4-HMAC-SHA256 Signature=x, SignedHeaders=host, Credential={}/20260101/eu/sts/aws4_request"
        for account in ("111111111111", "222222222222"):
            asked = request(
                body=b"Action=GetCallerIdentity&Version=2011-06-15",
                content_type=FORM,
                authorization=one.format(account),
            )
            assert f"<Account>{account}</Account>".encode() in answer(made, asked).body  # type: ignore[operator]
