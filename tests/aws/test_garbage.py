"""Whatever comes in, the answer is a refusal in the service's form or a result, and never a bug of ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudlet.net.messages import Request
from tests.aws.kit import MODELS, answer, authorization, dispatcher, request

NAMES = (
    "PutItem",
    "CreateTable",
    "CreateStack",
    "AssumeRole",
    "CreateFunction",
    "Invoke",
    "CreateApi",
    "PutLogEvents",
)
DISPATCHER = dispatcher({name: lambda ctx, params: {} for name in NAMES})

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["S", "L", "M", "a", "Key"]), inner),
    max_leaves=10,
)


def holds(asked: Request) -> None:
    response = answer(DISPATCHER, asked)
    assert response.status < 500 or response.status == 501, response.body


@given(st.sampled_from(["DynamoDB_20120810.PutItem", "Logs_20140328.PutLogEvents"]), st.binary())
def test_json_bodies_of_any_bytes(target: str, body: bytes) -> None:
    holds(request(body=body, x_amz_target=target))


@given(st.data())
@settings(max_examples=100)
def test_json_of_any_shape(data: st.DataObject) -> None:
    service, operation = data.draw(
        st.sampled_from([("dynamodb", "PutItem"), ("dynamodb", "CreateTable"), ("logs", "PutLogEvents")])
    )
    members = list(MODELS[service].operations[operation].input.members)
    body: dict[str, Any] = data.draw(st.dictionaries(st.sampled_from(members), JSON))
    try:
        encoded = orjson.dumps(body)
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return
    holds(request(body=encoded, x_amz_target=f"{MODELS[service].target_prefix}.{operation}"))


@given(
    st.lists(
        st.tuples(st.sampled_from(["Action", "StackName", "Tags", "Tags.member.1", "x"]), st.text()),
        max_size=6,
    )
)
def test_forms(pairs: list[tuple[str, str]]) -> None:
    body = urlencode([("Action", "CreateStack"), *pairs], errors="replace").encode()
    holds(request(body=body, authorization=authorization("cloudformation")))


@given(st.binary())
def test_forms_of_any_bytes(body: bytes) -> None:
    holds(request(body=body, authorization=authorization("sts")))


@given(
    st.sampled_from(["GET", "POST", "PUT", "BREW"]),
    st.text(st.sampled_from("/%{}?&=@.-2015functiosvap\u00e9")),
    st.text(),
    st.binary(),
    st.sampled_from(["lambda", "apigateway", "execute-api", "s3", "nonsense", ""]),
)
def test_rest(method: str, path: str, query: str, body: bytes, scope: str) -> None:
    signed = {"authorization": authorization(scope)} if scope else {}
    holds(request(method, f"/{path}", body, query, **signed))


@given(st.text())
def test_signatures(text: str) -> None:
    holds(request(x_amz_target="DynamoDB_20120810.PutItem", authorization=text))
    holds(request(x_amz_target="DynamoDB_20120810.PutItem", authorization=f"AWS4-HMAC-SHA256 {text}"))
    holds(request("GET", query=f"X-Amz-Credential={text}"))
    holds(request("GET", query=f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={text}&X-Amz-Signature=a"))


@given(st.text(), st.text())
def test_targets_and_types(target: str, kind: str) -> None:
    holds(request(x_amz_target=target, content_type=kind))
    holds(request(x_amz_target="DynamoDB_20120810.PutItem", content_type=kind, body=b"{}"))
