"""A function's VPC settings are checked against EC2's networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import refused


@pytest.fixture
def network(client: Callable[..., Any]) -> Callable[[], tuple[str, str, str]]:
    """`network()`: a new VPC with a subnet and a security group."""

    def make() -> tuple[str, str, str]:
        ec2 = client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]
        return vpc, subnet, group

    return make


class TestVpcConfig:
    def test_is_answered_with_its_vpc(
        self,
        lam: Any,
        client: Callable[..., Any],
        function: Callable[..., str],
        network: Callable[[], tuple[str, str, str]],
    ) -> None:
        vpc, subnet, group = network()
        name = function(VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [group]})
        assert lam.get_function_configuration(FunctionName=name)["VpcConfig"] == {
            "SubnetIds": [subnet],
            "SecurityGroupIds": [group],
            "VpcId": vpc,
            "Ipv6AllowedForDualStack": False,
        }
        ec2 = client("ec2")
        [shared] = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])[
            "NetworkInterfaces"
        ]
        assert (shared["InterfaceType"], shared["VpcId"]) == ("lambda", vpc)
        for delete, place in (
            (ec2.delete_subnet, {"SubnetId": subnet}),
            (ec2.delete_security_group, {"GroupId": group}),
        ):
            assert refused(delete, **place)[0] == "DependencyViolation"
        nothing: dict[str, list[str]] = {"SubnetIds": [], "SecurityGroupIds": []}
        changed = lam.update_function_configuration(FunctionName=name, VpcConfig=nothing)
        assert changed["VpcConfig"]["VpcId"] == ""
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_security_group(GroupId=group)

    def test_texts(
        self, lam: Any, function: Callable[..., str], network: Callable[[], tuple[str, str, str]]
    ) -> None:
        _, subnet, group = network()
        _, other_subnet, other_group = network()
        name = function()

        def refusal(subnets: list[str], groups: list[str]) -> str:
            code, text, status = refused(
                lam.update_function_configuration,
                FunctionName=name,
                VpcConfig={"SubnetIds": subnets, "SecurityGroupIds": groups},
            )
            assert (code, status) == ("InvalidParameterValueException", 400)
            return text

        assert refusal(["subnet-0"], [group]) == (
            "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: "
            "The subnet ID 'subnet-0' does not exist"
        )
        assert refusal([subnet], ["sg-0"]) == (
            "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: "
            "The security group 'sg-0' does not exist"
        )
        assert refusal([subnet], []) == (
            "SubnetIds and SecurityIds must coexist in UpdateFunctionConfiguration request."
        )
        assert refusal([subnet], [other_group]) == "Security Groups are required to be in the same VPC."
        assert refusal([subnet, other_subnet], [group]) == "Subnets are required to be in the same VPC."
