"""Plans: what a template is checked for before anything is created, and the order of its resources."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.aws.model import Models
from cloudlet.errors import AwsError
from cloudlet.services.cloudformation import plan
from cloudlet.services.cloudformation.catalog import Catalog, PropertyError, coerce, collect, fill
from cloudlet.services.cloudformation.template import parse

CATALOG = Catalog(collect(), Models())
ENV = {"AWS::Region": "us-east-1", "AWS::StackName": "s", "AWS::AccountId": "0"}


def make(text: str, entries: Any = (), previous: Any = None) -> plan.Plan:
    return plan.make(parse(text), CATALOG, entries, previous or {}, ENV)


def refusal(text: str, entries: Any = (), previous: Any = None) -> str:
    with pytest.raises(AwsError) as refused:
        make(text, entries, previous)
    assert refused.value.code == "ValidationError"
    return refused.value.message


def groups(body: str, rest: str = "") -> str:
    return f"Resources:\n{body}\n{rest}"


GROUP = "  {name}: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: {value}}}}}\n"


class TestOrder:
    def test_each_after_what_it_depends_on(self) -> None:
        body = GROUP.format(name="A", value="!Ref B") + GROUP.format(name="B", value="!Sub '${C.Arn}'")
        body += "  C: {Type: AWS::Logs::LogGroup, DependsOn: [D]}\n  D: {Type: AWS::Logs::LogGroup}\n"
        assert list(make(groups(body)).resources) == ["D", "C", "B", "A"]

    def test_a_circle_is_named_with_its_lines_and_nothing_else_is(self) -> None:
        body = GROUP.format(name="B", value="!Ref A") + GROUP.format(name="A", value="!Ref B")
        body += GROUP.format(name="Behind", value="!Ref A")
        assert refusal(groups(body)) == "Circular dependency between resources: [A, B] (lines 2, 3)"

    @given(st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef"))))
    def test_random_graphs(self, graph: dict[str, frozenset[str]]) -> None:
        try:
            order = plan.in_order(graph)
        except AwsError as error:
            assert "Circular" in error.message
            return
        assert sorted(order) == sorted(graph)
        for index, name in enumerate(order):
            assert not (graph[name] & set(graph)) - set(order[:index])


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("Resources: {}", "Template format error: At least one Resources member must be defined."),
            ("Foo: 1\nResources: {A: {Type: T}}", "Invalid template property or properties [Foo]"),
            (
                "Resources:\n  A: {Type: AWS::Logs::LogGroup, DeletionPolicy: Snapshot}",
                "Template error: resource type AWS::Logs::LogGroup does not support deletion policy Snapshot",
            ),
            (
                "Resources:\n  A: {Kind: x}",
                "Template format error: [/Resources/A] Every Resources object must contain a Type member. (line 2)",
            ),
            (
                "Resources:\n  A: {Type: AWS::Foo::Bar}\n  B: {Type: AWS::Foo::Baz}",
                (
                    "Template format error: Unrecognized resource types: [AWS::Foo::Bar, AWS::Foo::Baz]"
                    " (A, line 2; B, line 3)"
                ),
            ),
            (
                "Resources:\n  A:\n    Type: AWS::Logs::LogGroup\n    Propertys: {}",
                "Invalid template resource property 'Propertys' (resource A, line 4)",
            ),
            (
                groups(GROUP.format(name="A", value="!Ref Nothing")),
                (
                    "Template format error: Unresolved resource dependencies [Nothing] in the Resources block of the"
                    " template (line 2)"
                ),
            ),
            (
                groups("  A: {Type: AWS::Logs::LogGroup}", "Outputs:\n  O: {Value: !Ref X}"),
                (
                    "Template format error: Unresolved resource dependencies [X] in the Outputs block of the template"
                    " (line 4)"
                ),
            ),
            (
                groups(GROUP.format(name="A", value="!GetAtt B.Arn")),
                "Template error: instance of Fn::GetAtt references undefined resource B (line 2)",
            ),
            (
                groups(GROUP.format(name="A", value="!GetAtt B.Nope") + "  B: {Type: AWS::Logs::LogGroup}"),
                "Template error: resource B does not support attribute type Nope in Fn::GetAtt (line 2)",
            ),
            (
                "Resources:\n  A:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      Foo: 1",
                (
                    "Properties validation failed for resource A with message: [#: extraneous key [Foo] is not"
                    " permitted] (line 5)"
                ),
            ),
            (
                "Resources:\n  A:\n    Type: AWS::Logs::LogGroup\n    Properties:",
                "Template format error: [/Resources/A/Properties] 'null' values are not allowed in templates (line 4)",
            ),
            (
                groups("  A: {Type: AWS::Logs::LogGroup, Condition: Nope}"),
                (
                    "Template format error: Unresolved condition dependency Nope in the Resources block of the template"
                    " (line 2)"
                ),
            ),
        ],
    )
    def test_in_cloudformations_words_with_the_line(self, text: str, message: str) -> None:
        assert refusal(text) == message

    def test_a_reference_to_a_resource_that_its_condition_leaves_out(self) -> None:
        text = groups(
            GROUP.format(name="A", value="!Ref B") + "  B: {Type: AWS::Logs::LogGroup, Condition: Never}",
            "Conditions: {Never: !Equals [a, b]}",
        )
        assert "Unresolved resource dependencies [B]" in refusal(text)
        assert list(make(text.replace("!Ref B", "!If [Never, !Ref B, x]")).resources) == ["A"]


class TestParameters:
    TEXT = """
Parameters:
  Size: {Type: Number, MinValue: 1, MaxValue: 5, Default: 2}
  Stage: {Type: String, AllowedValues: [dev, prod], AllowedPattern: "[a-z]+"}
  Name: {Type: String, MinLength: 2, MaxLength: 3, Default: abc, ConstraintDescription: two or three letters}
  Names: {Type: CommaDelimitedList, Default: "a, b"}
Resources: {A: {Type: AWS::Logs::LogGroup}}
"""

    def entries(self, **values: str) -> list[dict[str, str]]:
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]

    def test_values(self) -> None:
        made = make(self.TEXT, self.entries(Stage="dev"))
        assert made.resolver.resolve({"Ref": "Names"}) == ["a", "b"]
        assert made.resolver.resolve({"Ref": "Size"}) == "2"

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({}, "Parameters: [Stage] must have values"),
            ({"Stage": "dev", "Other": "x"}, "Parameters: [Other] do not exist in the template"),
            ({"Stage": "test"}, "Parameter 'Stage' must be one of AllowedValues"),
            ({"Stage": "dev", "Size": "many"}, "Parameter 'Size' must be a number"),
            ({"Stage": "dev", "Size": "9"}, "Parameter 'Size' must be a number not greater than 5"),
            (
                {"Stage": "dev", "Name": "x"},
                "Parameter Name failed to satisfy constraint: two or three letters",
            ),
        ],
    )
    def test_refusals(self, values: dict[str, str], message: str) -> None:
        assert refusal(self.TEXT, self.entries(**values)) == message

    def test_previous_values(self) -> None:
        entries = [{"ParameterKey": "Stage", "UsePreviousValue": True}]
        assert make(self.TEXT, entries, {"Stage": "prod"}).values["Stage"] == "prod"
        assert "not in the previous template" in refusal(self.TEXT, entries)

    def test_parameters_of_systems_manager_are_refused(self) -> None:
        text = "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>'}}\nResources: {A: {Type: T}}"
        assert "needs Systems Manager" in refusal(text)

    def test_the_version_of_cdks_bootstrap_is_no_obstacle(self) -> None:
        parameter = "{Type: 'AWS::SSM::Parameter::Value<String>', Default: /cdk-bootstrap/hnb659fds/version}"
        text = self.TEXT.replace("Parameters:", f"Parameters:\n  BootstrapVersion: {parameter}", 1)
        assert "BootstrapVersion" in make(text, self.entries(Stage="prod")).values


class TestValues:
    SHAPE = Models()["dynamodb"].operations["CreateTable"].input

    def test_texts_become_what_the_operation_wants(self) -> None:
        given = {
            "TableName": 5,
            "DeletionProtectionEnabled": "true",
            "ProvisionedThroughput": {"ReadCapacityUnits": "5", "WriteCapacityUnits": 1},
        }
        assert coerce(self.SHAPE, given, "#") == {
            "TableName": "5",
            "DeletionProtectionEnabled": True,
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 1},
        }

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({"KeySchema": {}}, "#/KeySchema: expected type: JSONArray, found: JSONObject"),
            ({"KeySchema": [{"Nope": 1}]}, "#/KeySchema/0: extraneous key [Nope] is not permitted"),
            (
                {"ProvisionedThroughput": {"ReadCapacityUnits": "x"}},
                "#/ProvisionedThroughput/ReadCapacityUnits: expected type: Number, found: String",
            ),
        ],
    )
    def test_what_cannot_be_is_named(self, value: Any, message: str) -> None:
        with pytest.raises(PropertyError) as refused:
            coerce(self.SHAPE, value, "#")
        assert str(refused.value) == message

    def test_formats(self) -> None:
        values = {"A": "x", "B": {"C": [1]}}
        assert fill("{A}:{A}", values) == "x:x"
        assert fill("{B.C}", values) == [1]
        with pytest.raises(KeyError):
            fill("{Z}", values)
