"""Answers of custom resources, by the ways that public samples take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import harness

from .conftest import Stacks

PYTHON = """
import cfnresponse
def handler(event, context):
    status = cfnresponse.SUCCESS if event["ResourceProperties"]["Name"] == "good" else cfnresponse.FAILED
    cfnresponse.send(event, context, status, {"Answer": event["RequestType"]}, "made", reason="as asked")
"""
NODE = """
const response = require("cfn-response");
exports.handler = (event, context) => response.send(event, context, response.SUCCESS, {Answer: "node"}, "made");
"""
PORT_443 = """
const https = require("https"), url = require("url");
exports.handler = (event, context) => {
  const body = JSON.stringify({Status: "SUCCESS", PhysicalResourceId: "made", StackId: event.StackId,
    RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId, Data: {Answer: "443"}});
  const to = url.parse(event.ResponseURL);
  const request = https.request({hostname: to.hostname, port: 443, path: to.path, method: "PUT",
    headers: {"content-type": "", "content-length": body.length}}, () => context.done());
  request.end(body);
};
"""


def template(source: str, runtime: str, name: str = "good") -> str:
    function = {
        "Runtime": runtime,
        "Handler": "index.handler",
        "Role": harness.ROLE,
        "Code": {"ZipFile": source},
        "Timeout": 20,
    }
    thing = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "Name": name}
    return json.dumps(
        {
            "Resources": {
                "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
                "Thing": {"Type": "Custom::Thing", "Properties": thing},
            },
            "Outputs": {"Answer": {"Value": {"Fn::GetAtt": ["Thing", "Answer"]}}},
        }
    )


class TestCustomResource:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("source", "runtime", "answer"),
        [
            (PYTHON, "python3.11", "Create"),
            (NODE, "nodejs20.x", "node"),
            (PORT_443, "nodejs20.x", "443"),
        ],
    )
    def test_is_answered(self, stacks: Stacks, name: str, source: str, runtime: str, answer: str) -> None:
        stack: Any = stacks.create(name, template(source, runtime))
        assert stack["Outputs"][0]["OutputValue"] == answer

    def test_says_why_it_failed(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, template(PYTHON, "python3.11", name="bad"))
        told = next(reason for _, status, reason in stacks.events(name) if status == "CREATE_FAILED")
        assert "Message returned: as asked" in told
