"""The intrinsic functions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.errors import AwsError
from cloudlet.services.cloudformation.intrinsics import NO_VALUE, Resolver, references
from cloudlet.services.cloudformation.model import KNOWN_AFTER_APPLY


def resolver() -> Resolver:
    return Resolver(
        parameters={
            "Stage": "dev",
            "List": ["a", "b", "c"],
            "AWS::Region": "eu-west-1",
            "AWS::StackName": "s",
        },
        mappings={"M": {"dev": {"size": 1, "zones": ["x", "y"]}}},
        conditions={
            "IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
            "Both": {"Fn::And": [{"Condition": "IsDev"}, {"Fn::Not": [{"Condition": "Never"}]}]},
            "Never": {"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": ["1", "2"]}]},
        },
        ref={"Table": "t-1"}.__getitem__,
        att=lambda name, attribute: f"{name}/{attribute}",
        export={"shared": "v"}.__getitem__,
    )


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "Table"}, "t-1"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "Table/Arn"),
        ({"Fn::GetAtt": "Stack.Outputs.Name"}, "Stack/Outputs.Name"),
        ({"Fn::GetAtt": ["Table", {"Ref": "Stage"}]}, "Table/dev"),
        ({"Fn::Sub": "${AWS::Region}/${Table}/${Table.Arn}/${!Literal}/${X}"}, None),
        ({"Fn::Sub": ["${X}-${Stage}-${!Literal}", {"X": {"Ref": "Table"}}]}, "t-1-dev-${Literal}"),
        ({"Fn::Join": ["-", ["a", 1, True, {"Ref": "Stage"}]]}, "a-1-true-dev"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b,c"),
        ({"Fn::Split": ["-", "a-b"]}, ["a", "b"]),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
        ({"Fn::Base64": {"Fn::Sub": "${Stage}"}}, "ZGV2"),
        ({"Fn::FindInMap": ["M", {"Ref": "Stage"}, "zones"]}, ["x", "y"]),
        ({"Fn::FindInMap": ["M", "prod", "size", {"DefaultValue": 9}]}, 9),
        ({"Fn::If": ["IsDev", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Never", "yes", {"Fn::If": ["Both", "deep", "no"]}]}, "deep"),
        ({"Fn::ImportValue": {"Fn::Sub": "shared"}}, "v"),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"Fn::Cidr": ["10.0.0.0/16", "2", "8"]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Length": {"Ref": "List"}}, 3),
        ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a":"dev"}'),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        (
            {"Condition": {"StringEquals": {"a": {"Ref": "Stage"}}}},
            {"Condition": {"StringEquals": {"a": "dev"}}},
        ),
    ],
)
def test_functions(value: Any, result: Any) -> None:
    if result is None:
        with pytest.raises(KeyError):
            resolver().resolve(value)
    else:
        assert resolver().resolve(value) == result


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::Join": ["-", "text"]}, "Template error: every Fn::Join object requires two parameters"),
        (
            {"Fn::Select": [3, {"Ref": "List"}]},
            "Template error: Fn::Select cannot select nonexistent value at index 3",
        ),
        ({"Fn::FindInMap": ["M", "prod", "size"]}, "Template error: Unable to get mapping for M::prod::size"),
        (
            {"Fn::GetAtt": ["Table"]},
            "Template error: every Fn::GetAtt object requires two non-empty parameters",
        ),
        (
            {"Fn::Sub": 5},
            "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments",
        ),
        ({"Fn::If": ["Unknown", 1, 2]}, "Template error: unresolved condition dependency Unknown"),
        ({"Fn::Nope": 1}, "Template error: Fn::Nope is not supported"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "Fn::Transform is not supported here: AWS::Include"),
        ("{{resolve:ssm:/a/b}}", "Dynamic references are not supported here: {{resolve:ssm:/a/b}}"),
        (
            {"Fn::Sub": "x{{resolve:secretsmanager:${Stage}}}"},
            "Dynamic references are not supported here: {{resolve:secretsmanager:dev}}",
        ),
    ],
)
def test_refusals(value: Any, message: str) -> None:
    with pytest.raises(AwsError) as refused:
        resolver().resolve(value)
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": ["Table", "Arn"]}]}]},
        {"Fn::Select": [1, {"Fn::GetAtt": ["Table", "List"]}]},
        {"Fn::Join": [",", {"Fn::GetAtt": ["Table", "List"]}]},
        {"Fn::Select": [0, {"Fn::Cidr": [{"Fn::GetAtt": ["Table", "Block"]}, 1, 8]}]},
        {"Fn::FindInMap": ["M", {"Ref": "Table"}, "size"]},
    ],
)
def test_what_is_made_of_something_unknown_is_unknown(value: Any) -> None:
    planning = resolver()
    planning.ref = lambda name: KNOWN_AFTER_APPLY
    planning.att = lambda name, attribute: KNOWN_AFTER_APPLY
    assert planning.resolve(value) == KNOWN_AFTER_APPLY


def test_conditions_that_need_each_other_are_refused() -> None:
    circle = Resolver({}, conditions={"A": {"Condition": "B"}, "B": {"Condition": "A"}})
    with pytest.raises(AwsError, match="Circular dependency between conditions"):
        circle.condition("A")


def test_references_name_everything_that_a_value_uses() -> None:
    value = {
        "a": {"Ref": "R"},
        "b": [{"Fn::GetAtt": ["G", "Arn"]}],
        "c": {"Fn::Sub": ["${S} ${T.Arn} ${own} ${!not}", {"own": {"Ref": "V"}}]},
        "d": {"Fn::If": ["C", {"Ref": "X"}, {"Ref": "Y"}]},
    }
    found = {(each.kind, each.name) for each in references(value)}
    assert found == {
        ("Ref", "R"), ("GetAtt", "G"), ("Ref", "S"), ("GetAtt", "T"), ("Ref", "V"),
        ("Condition", "C"), ("Ref", "X"), ("Ref", "Y"),
    }  # fmt: skip


def test_pruning_decides_conditions_and_leaves_the_rest() -> None:
    value = {
        "a": {"Fn::If": ["IsDev", {"Ref": "Table"}, {"Ref": "Other"}]},
        "b": {"Fn::If": ["Never", 1, {"Ref": "AWS::NoValue"}]},
    }
    assert resolver().prune(value) == {"a": {"Ref": "Table"}}
    assert resolver().prune(value["b"]) is NO_VALUE


@given(st.lists(st.text(alphabet="abc", min_size=1), min_size=1))
def test_what_is_joined_can_be_split(parts: list[str]) -> None:
    assert resolver().resolve({"Fn::Split": ["|", {"Fn::Join": ["|", parts]}]}) == parts
