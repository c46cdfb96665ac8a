"""Caches from templates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.services.elasticache import kit

pytestmark = pytest.mark.node_only


class TestServerlessCache:
    @pytest.mark.slow
    def test_its_endpoint_is_there_for_others(self, node: Any, client: Any, unique: Any) -> None:
        template = {
            "Resources": {
                "Cache": {
                    "Type": "AWS::ElastiCache::ServerlessCache",
                    "Properties": {"ServerlessCacheName": unique("stacked"), "Engine": "valkey"},
                }
            },
            "Outputs": {
                "Host": {"Value": {"Fn::GetAtt": ["Cache", "Endpoint.Address"]}},
                "Port": {"Value": {"Fn::GetAtt": "Cache.Endpoint.Port"}},
                "Arn": {"Value": {"Fn::GetAtt": ["Cache", "ARN"]}},
            },
        }
        stack, cfn = unique("caches"), client("cloudformation")
        cfn.create_stack(StackName=stack, TemplateBody=json.dumps(template))
        cfn.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
        outputs = cfn.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
        found = {output["OutputKey"]: output["OutputValue"] for output in outputs}
        endpoint = {"Address": found["Host"], "Port": int(found["Port"])}
        with kit.connect(node, endpoint) as cache:
            assert cache.ping()
        assert ":serverlesscache:" in found["Arn"]
        cfn.delete_stack(StackName=stack)
        cfn.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
        caches = client("elasticache").describe_serverless_caches()["ServerlessCaches"]
        assert found["Arn"] not in [cache["ARN"] for cache in caches]
