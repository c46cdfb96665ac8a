"""What stays and what is replaced when a stack's network changes, and what its parts tell of themselves."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from .conftest import by

VPC: dict[str, Any] = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.60.0.0/16"}}
SUBNET: dict[str, Any] = {
    "Type": "AWS::EC2::Subnet",
    "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.60.1.0/24"},
}


def template(resources: dict[str, Any], **outputs: Any) -> dict[str, Any]:
    return copy.deepcopy(
        {
            "Resources": {"Vpc": VPC, **resources},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
    )


def attribute(text: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": text.split(".", 1)}


class TestInPlace:
    def test_a_rule_s_description_changes(self, ec2: Any, stack: Any) -> None:
        group = {"GroupDescription": "x", "VpcId": {"Ref": "Vpc"}}
        rule = {"GroupId": attribute("Group.GroupId"), "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
        made = template(
            {
                "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
                "In": {
                    "Type": "AWS::EC2::SecurityGroupIngress",
                    "Properties": {**rule, "CidrIp": "10.0.0.0/8", "Description": "first"},
                },
                "Out": {
                    "Type": "AWS::EC2::SecurityGroupEgress",
                    "Properties": {**rule, "CidrIp": "10.0.0.0/8", "Description": "first"},
                },
            },
            Group={"Ref": "Group"},
        )
        found = stack(made)
        before = stack.ids()
        for name in ("In", "Out"):
            made["Resources"][name]["Properties"]["Description"] = "second"
        stack(made)
        assert stack.ids() == before
        rules = ec2.describe_security_group_rules(Filters=by("group-id", found["Group"]))
        assert [r["Description"] for r in rules["SecurityGroupRules"] if "Description" in r] == ["second"] * 2

    def test_a_network_gets_another_gateway(self, ec2: Any, stack: Any) -> None:
        made = template(
            {
                "First": {"Type": "AWS::EC2::InternetGateway"},
                "Second": {"Type": "AWS::EC2::InternetGateway"},
                "Attachment": {
                    "Type": "AWS::EC2::VPCGatewayAttachment",
                    "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "First"}},
                },
            },
            Vpc={"Ref": "Vpc"},
            Second={"Ref": "Second"},
        )
        stack(made)
        made["Resources"]["Attachment"]["Properties"]["InternetGatewayId"] = {"Ref": "Second"}
        found = stack(made)
        [gateway] = ec2.describe_internet_gateways(Filters=by("attachment.vpc-id", found["Vpc"]))[
            "InternetGateways"
        ]
        assert gateway["InternetGatewayId"] == found["Second"]

    def test_a_subnet_s_host_names_change(self, ec2: Any, stack: Any) -> None:
        made = template({"Subnet": SUBNET}, Subnet={"Ref": "Subnet"})
        options = {"HostnameType": "resource-name", "EnableResourceNameDnsARecord": True}
        properties = made["Resources"]["Subnet"]["Properties"]
        properties["PrivateDnsNameOptionsOnLaunch"] = options
        found = stack(made)

        def shown() -> dict[str, Any]:
            [subnet] = ec2.describe_subnets(SubnetIds=[found["Subnet"]])["Subnets"]
            answer: dict[str, Any] = subnet["PrivateDnsNameOptionsOnLaunch"]
            return answer

        assert shown() == {**options, "EnableResourceNameDnsAAAARecord": False}
        properties["PrivateDnsNameOptionsOnLaunch"] = {"HostnameType": "ip-name"}
        assert stack(made) == found
        assert shown()["HostnameType"] == "ip-name"


class TestAttributes:
    def test_are_those_of_the_documentation(self, ec2: Any, stack: Any) -> None:
        nat = {"SubnetId": {"Ref": "Subnet"}, "ConnectivityType": "private", "MaxDrainDurationSeconds": 400}
        found = stack(
            template(
                {"Subnet": SUBNET, "Nat": {"Type": "AWS::EC2::NatGateway", "Properties": nat}},
                Interface=attribute("Nat.EniId"),
                Association=attribute("Subnet.NetworkAclAssociationId"),
                Blocks={"Fn::Join": [",", attribute("Vpc.CidrBlockAssociations")]},
                Six={"Fn::Join": [",", attribute("Vpc.Ipv6CidrBlocks")]},
                Subnet={"Ref": "Subnet"},
                Vpc={"Ref": "Vpc"},
            )
        )
        [acl] = ec2.describe_network_acls(Filters=by("vpc-id", found["Vpc"]))["NetworkAcls"]
        assert found["Association"] == acl["Associations"][0]["NetworkAclAssociationId"]
        [interface] = ec2.describe_network_interfaces(Filters=by("subnet-id", found["Subnet"]))[
            "NetworkInterfaces"
        ]
        assert found["Interface"] == interface["NetworkInterfaceId"]
        [vpc] = ec2.describe_vpcs(VpcIds=[found["Vpc"]])["Vpcs"]
        assert found["Blocks"] == vpc["CidrBlockAssociationSet"][0]["AssociationId"]
        assert found["Six"] == ""


@pytest.mark.parametrize("kind", ["Ingress", "Egress"])
def test_a_rule_that_is_another_is_replaced(ec2: Any, stack: Any, kind: str) -> None:
    rule = {"GroupId": attribute("Group.GroupId"), "IpProtocol": "tcp", "CidrIp": "10.0.0.0/8"}
    group = {"GroupDescription": "x", "VpcId": {"Ref": "Vpc"}}
    made = template(
        {
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
            "Rule": {
                "Type": f"AWS::EC2::SecurityGroup{kind}",
                "Properties": {**rule, "FromPort": 80, "ToPort": 80},
            },
        },
        Rule={"Ref": "Rule"},
    )
    before = stack(made)
    made["Resources"]["Rule"]["Properties"] |= {"FromPort": 81, "ToPort": 81}
    after = stack(made)
    assert after["Rule"] != before["Rule"]
    [found] = ec2.describe_security_group_rules(SecurityGroupRuleIds=[after["Rule"]])["SecurityGroupRules"]
    assert found["FromPort"] == 81
