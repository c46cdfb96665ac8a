"""Filter policies: every operator, both scopes, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudlet.errors import AwsError
from cloudlet.services.sns.filters import Facts, check, pattern

from .conftest import refused

ATTRIBUTES, BODY = "MessageAttributes", "MessageBody"


def attribute(value: Any) -> dict[str, str]:
    if isinstance(value, list):
        return {"DataType": "String.Array", "StringValue": json.dumps(value)}
    kind = "Number" if isinstance(value, int | float) else "String"
    return {"DataType": kind, "StringValue": str(value)}


def fits(policy: Any, scope: str, **values: Any) -> bool:
    text = json.dumps(policy)
    check(text, scope)
    if scope == ATTRIBUTES:
        facts = Facts({name: attribute(value) for name, value in values.items()}, "")
    else:
        facts = Facts({}, json.dumps(values))
    return facts.fit(pattern(text), scope)


BOTH: list[tuple[Any, list[Any], list[Any]]] = [
    (["red"], ["red", ["blue", "red"]], ["Red", "redder", ["blue"], 1]),
    (["red", "blue"], ["red", "blue"], ["green"]),
    ([100], [100, 100.0, [3, 100]], [99, "100"]),
    ([{"prefix": "re"}], ["red", "re"], ["ored", "Red", 5]),
    ([{"suffix": "ed"}], ["red"], ["edge"]),
    ([{"equals-ignore-case": "Red"}], ["red", "RED"], ["reds"]),
    ([{"wildcard": "r*d"}], ["red", "rd", "reed and ward"], ["reds"]),
    ([{"anything-but": "red"}], ["blue", ["red", "blue"]], ["red", ["red"]]),
    ([{"anything-but": ["red", "blue"]}], ["green"], ["red", "blue"]),
    ([{"anything-but": [1, 2]}], [3], [1, 2]),
    ([{"anything-but": {"prefix": "re"}}], ["blue"], ["red"]),
    ([{"anything-but": {"suffix": "ed"}}], ["blue"], ["red"]),
    ([{"numeric": ["=", 3.5]}], [3.5, [1, 3.5]], [3, "3.5"]),
    ([{"numeric": [">", 0, "<=", 5]}], [1, 5], [0, 6]),
    ([{"numeric": ["<", 0]}], [-1], [0]),
    ([{"cidr": "10.0.0.0/24"}], ["10.0.0.255"], ["10.0.1.0", "nonsense"]),
    ([{"exists": True}], ["", "x", 1], []),
    (["red", {"numeric": [">", 3]}], ["red", 4], ["blue", 3]),
]


@pytest.mark.parametrize("scope", [ATTRIBUTES, BODY])
@pytest.mark.parametrize(("conditions", "yes", "no"), BOTH, ids=lambda value: json.dumps(value)[:40])
def test_operators(scope, conditions, yes, no):
    for value in yes:
        assert fits({"a": conditions}, scope, a=value), value
    for value in no:
        assert not fits({"a": conditions}, scope, a=value), value
    assert not fits({"a": conditions}, scope, b="red")


class TestTogether:
    def test_all_keys_have_to_fit(self):
        policy = {"a": ["x"], "b": [{"exists": False}]}
        assert fits(policy, ATTRIBUTES, a="x")
        assert not fits(policy, ATTRIBUTES, a="x", b="y")

    def test_or(self):
        policy = {"c": [1], "$or": [{"a": ["x"]}, {"b": [{"numeric": [">", 5]}]}]}
        assert fits(policy, BODY, c=1, a="x")
        assert fits(policy, BODY, c=1, b=6)
        assert not fits(policy, BODY, c=1, b=5)
        assert not fits(policy, BODY, a="x")

    def test_nested_in_the_body(self):
        policy = {"order": {"items": {"colour": ["red"]}, "total": [{"numeric": [">", 10]}]}}
        assert fits(policy, BODY, order={"items": [{"colour": "blue"}, {"colour": "red"}], "total": 11})
        assert not fits(policy, BODY, order={"items": [{"colour": "blue"}], "total": 11})

    def test_null_and_booleans_of_the_body(self):
        assert fits({"a": [None]}, BODY, a=None)
        assert not fits({"a": [None]}, BODY, a=0)
        assert fits({"a": [True]}, BODY, a=True)
        assert not fits({"a": [True]}, BODY, a="true")

    def test_a_body_that_is_no_object_never_fits(self):
        for text in ("plain", "[1]", "1"):
            assert not Facts({}, text).fit(pattern('{"a":[{"exists":false}]}'), BODY)

    def test_binary_attributes_are_not_seen(self):
        facts = Facts({"a": {"DataType": "Binary", "BinaryValue": "AAE="}}, "")
        assert facts.fit(pattern('{"a":[{"exists":false}]}'), ATTRIBUTES)


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ([], "Filter is not an object"),
        ({"a": "x"}, '"a" must be an object or an array'),
        ({"a": []}, "Empty arrays are not allowed"),
        ({"a": {"b": ["c"]}}, "Filter policy scope MessageAttributes does not support nested filter policy"),
        ({"a": [["x"]]}, "Match value must be String, number, true, false, or null"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "Only one key allowed in match expression"),
        ({"a": [{"like": "x"}]}, "Unrecognized match type like"),
        ({"a": [{"suffix": 1}]}, "suffix match pattern must be a string"),
        ({"a": [{"exists": "yes"}]}, "exists match pattern must be either true or false."),
        ({"a": [{"anything-but": {"numeric": ["=", 1]}}]}, "Unsupported anything-but pattern: numeric"),
        ({"a": [{"numeric": []}]}, "Invalid member in numeric match: ]"),
        ({"a": [{"numeric": [1, "="]}]}, "Invalid member in numeric match: 1"),
        ({"a": [{"numeric": ["~", 1]}]}, "Unrecognized numeric range operator: ~"),
        ({"a": [{"numeric": ["=", "1"]}]}, "Value of equals must be numeric"),
        ({"a": [{"numeric": [">="]}]}, "Value of >= must be numeric"),
        ({"a": [{"numeric": ["<", 1, ">", 0]}]}, "Too many elements in numeric expression"),
        ({"a": [{"numeric": [">", 1, 5]}]}, "Bad value in numeric range: 5"),
        ({"a": [{"numeric": [">", 1, ">", 5]}]}, "Bad numeric range operator: >"),
        ({"a": [{"numeric": [">", 5, "<", 1]}]}, "Bottom must be less than top"),
        ({"a": [{"numeric": [">", 1, "<", 5, "<", 6]}]}, "Too many terms in numeric range expression"),
        ({"a": [{"cidr": "10.0.0.0"}]}, "Malformed CIDR, one '/' required"),
        ({"a": [{"cidr": "10.0.0.0/x"}]}, "Malformed CIDR, mask bits must be an integer"),
        ({"a": [{"cidr": "10.0.0/8"}]}, "Nonstandard IP address: 10.0.0"),
        ({str(n): ["x"] for n in range(6)}, "Filter policy can not have more than 5 keys"),
        ({"a": [*range(13)], "b": [*range(12)]}, "Filter policy is too complex"),
    ],
)  # fmt: skip
def test_refused(policy, text):
    with pytest.raises(AwsError) as caught:
        check(json.dumps(policy), ATTRIBUTES)
    assert caught.value.code == "InvalidParameter"
    assert text in caught.value.message


def test_depth_counts_for_complexity():
    nested = {"a": {"b": {"c": ["1", "2", "3", "4"]}}, "d": {"e": ["1", "2", "3"]}}
    check(json.dumps(nested), BODY)  # 3 * 4 * 2 * 3 = 72
    nested["d"]["e"] += ["4", "5", "6", "7"]
    with pytest.raises(AwsError, match="too complex"):
        check(json.dumps(nested), BODY)


class TestLive:
    def test_attributes_and_bodies(self, topic):
        made = topic()
        red = made.queue(FilterPolicy='{"colour":["red"]}')
        body = made.queue(FilterPolicy='{"colour":["red"]}', FilterPolicyScope="MessageBody")
        everything = made.queue()
        made.publish('{"colour":"red"}')
        made.publish("blue", MessageAttributes={"colour": {"DataType": "String", "StringValue": "blue"}})
        made.publish("red", MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}})
        assert sorted(everything.said() for _ in range(3)) == ["blue", "red", '{"colour":"red"}']
        assert red.said() == "red"
        assert body.said() == '{"colour":"red"}'
        made.publish(
            '{"colour":"red","last":1}',
            MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}},
        )
        assert red.said() == body.said() == '{"colour":"red","last":1}'

    def test_a_change_takes_effect(self, topic):
        made = topic()
        queue = made.bare_queue()
        arn = made.subscribe("sqs", queue.arn, FilterPolicy='{"a":["b"]}')
        everything = made.queue()
        made.publish("not heard")
        assert everything.said() == "not heard"
        made.sns.set_subscription_attributes(
            SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="{}"
        )
        made.publish("heard")
        assert queue.said() == "heard"

    def test_refused_in_the_services_words(self, topic):
        made = topic()
        text = "Invalid parameter: Attributes Reason: FilterPolicy: Unrecognized match type like"
        with refused("InvalidParameter", text):
            made.queue(FilterPolicy='{"a":[{"like":"x"}]}')
