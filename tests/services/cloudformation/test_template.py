"""Templates' text to data, with the lines of what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.errors import AwsError
from cloudlet.services.cloudformation.template import parse

YAML = """\
Description: a date, 2012-10-17
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      Name: !Sub "${AWS::StackName}-t"
      Arn: !GetAtt Role.Arn.More
      Pick: !Select [0, !Split [",", !Ref List]]
      Version: 2012-10-17
      Account: 000123456789
      Size: 5
      Ratio: 1.10
      On: true
      When: !If [Is, a, !Ref AWS::NoValue]
"""


class TestYaml:
    def test_short_forms_become_long_ones(self) -> None:
        properties = parse(YAML).body["Resources"]["Table"]["Properties"]
        assert properties["Name"] == {"Fn::Sub": "${AWS::StackName}-t"}
        assert properties["Arn"] == {"Fn::GetAtt": ["Role", "Arn.More"]}
        assert properties["Pick"] == {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "List"}]}]}
        assert properties["When"] == {"Fn::If": ["Is", "a", {"Ref": "AWS::NoValue"}]}

    def test_dates_and_numbers_with_zeros_stay_text(self) -> None:
        properties = parse(YAML).body["Resources"]["Table"]["Properties"]
        assert properties["Version"] == "2012-10-17"
        assert properties["Account"] == "000123456789"
        assert (properties["Size"], properties["Ratio"], properties["On"]) == (5, "1.10", True)

    def test_every_property_has_its_line(self) -> None:
        template = parse(YAML)
        assert template.line("Resources", "Table") == 3
        assert template.line("Resources", "Table", "Properties", "Size") == 11
        assert template.line("Resources", "Table", "Properties", "Absent") == 5

    def test_a_resource_that_a_transform_made_has_its_origins_line(self) -> None:
        assert parse(YAML).line("Resources", "TableRole", "Properties") == 3

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: [1, 2\nb: 3", "Template format error: YAML not well-formed. (line 2, column 2)"),
            ("just text", "Template format error: unsupported structure."),
            ("", "Template format error: unsupported structure."),
            ("a: &x 1\nb: *x", "Template error: YAML aliases are not allowed in CloudFormation templates"),
            ("a:\n  b: !Nope x", "Template format error: Unknown tag !Nope (line 2)"),
            ('{"a": 1,\n "b" 2}', "Template format error: JSON not well-formed. (line 2, column 6)"),
        ],
    )
    def test_what_is_not_a_template_is_refused(self, text: str, message: str) -> None:
        with pytest.raises(AwsError) as refused:
            parse(text)
        assert refused.value.code == "ValidationError"
        assert refused.value.message == message


class TestJson:
    def test_lines_with_tabs(self) -> None:
        template = parse('{\n\t"Resources": {\n\t\t"A": {"Type": "T"}\n\t}\n}')
        assert template.body == {"Resources": {"A": {"Type": "T"}}}
        assert template.line("Resources", "A") == 3

    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    )

    @given(st.dictionaries(st.text(), values))
    def test_is_what_json_says(self, value: dict[str, Any]) -> None:
        assert parse(json.dumps(value)).body == value
