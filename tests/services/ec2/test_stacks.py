"""The guide's network, and more of it, as a stack; and by the AWS CLI."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.flows.test_clients import aws as aws

from .conftest import by, refused

TEMPLATE = """
Parameters:
  Port: {Type: Number, Default: 6379}
  Dns: {Type: String, Default: 'true'}
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: 10.42.0.0/16
      EnableDnsHostnames: !Ref Dns
      Tags: [{Key: Name, Value: !Ref AWS::StackName}]
  More:
    Type: AWS::EC2::VPCCidrBlock
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.43.0.0/16}
  Public:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: !Select [0, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]
      AvailabilityZone: !Select [0, !GetAZs '']
      MapPublicIpOnLaunch: true
  Private:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: !Select [1, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]
      AvailabilityZone: !Select [1, !GetAZs '']
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}
  Out:
    Type: AWS::EC2::RouteTable
    Properties: {VpcId: !Ref Vpc}
  OutRoute:
    Type: AWS::EC2::Route
    DependsOn: Attachment
    Properties: {RouteTableId: !Ref Out, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}
  OutPublic:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {RouteTableId: !Ref Out, SubnetId: !Ref Public}
  Address:
    Type: AWS::EC2::EIP
    Properties: {Domain: vpc}
  Nat:
    Type: AWS::EC2::NatGateway
    Properties: {AllocationId: !GetAtt Address.AllocationId, SubnetId: !Ref Public}
  In:
    Type: AWS::EC2::RouteTable
    Properties: {VpcId: !Ref Vpc}
  InRoute:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref In, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}
  InPrivate:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {RouteTableId: !Ref In, SubnetId: !Ref Private}
  Db:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      ServiceName: !Sub com.amazonaws.${AWS::Region}.dynamodb
      RouteTableIds: [!Ref In]
  Cache:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: of the cache
      VpcId: !Ref Vpc
      SecurityGroupEgress: [{IpProtocol: '-1', CidrIp: 127.0.0.1/32}]
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: of the functions, VpcId: !Ref Vpc}
  FunctionsToCache:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      GroupId: !GetAtt Cache.GroupId
      IpProtocol: tcp
      FromPort: !Ref Port
      ToPort: !Ref Port
      SourceSecurityGroupId: !Ref Functions
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Code: {ZipFile: "def handler(event, context):\\n    return 'inside'\\n"}
      Handler: index.handler
      Runtime: python3.11
      Role: !Sub arn:aws:iam::${AWS::AccountId}:role/any
      VpcConfig: {SubnetIds: [!Ref Private], SecurityGroupIds: [!Ref Functions]}
Outputs:
  Vpc: {Value: !Ref Vpc}
  Default: {Value: !GetAtt Vpc.DefaultSecurityGroup}
  Private: {Value: !Ref Private}
  Zone: {Value: !GetAtt Private.AvailabilityZone}
  Cache: {Value: !Ref Cache}
  Function: {Value: !Ref Function}
"""


@pytest.fixture
def stack(client: Callable[..., Any], unique: Callable[[str], str]) -> Iterator[tuple[str, dict[str, str]]]:
    cfn, name = client("cloudformation"), unique("network")
    cfn.create_stack(StackName=name, TemplateBody=TEMPLATE)
    cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    made = cfn.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    yield name, {output["OutputKey"]: output["OutputValue"] for output in made}


class TestStack:
    def test_a_whole_network_comes_changes_and_goes(
        self, ec2: Any, client: Callable[..., Any], stack: tuple[str, dict[str, str]]
    ) -> None:
        (name, made), cfn = stack, client("cloudformation")
        vpc = made["Vpc"]
        [found] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
        assert {"Key": "Name", "Value": name} in found["Tags"]
        assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"][
            "Value"
        ]
        groups = by("vpc-id", vpc) + by("group-name", "default")
        assert made["Default"] == ec2.describe_security_groups(Filters=groups)["SecurityGroups"][0]["GroupId"]
        assert made["Zone"] == "us-east-1b"
        [table] = ec2.describe_route_tables(Filters=by("association.subnet-id", made["Private"]))[
            "RouteTables"
        ]
        assert len(table["Routes"]) == 4
        [cache] = ec2.describe_security_groups(GroupIds=[made["Cache"]])["SecurityGroups"]
        assert [p["FromPort"] for p in cache["IpPermissions"]] == [6379]
        assert [p["IpRanges"] for p in cache["IpPermissionsEgress"]] == [[{"CidrIp": "127.0.0.1/32"}]]
        config = client("lambda").get_function_configuration(FunctionName=made["Function"])["VpcConfig"]
        assert (config["VpcId"], config["SubnetIds"]) == (vpc, [made["Private"]])

        changes = [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in (("Port", "6380"), ("Dns", "false"))
        ]
        cfn.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=changes)
        cfn.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        [cache] = ec2.describe_security_groups(GroupIds=[made["Cache"]])["SecurityGroups"]
        assert [p["FromPort"] for p in cache["IpPermissions"]] == [6380]
        hostnames = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
        assert hostnames["EnableDnsHostnames"]["Value"] is False

        cfn.delete_stack(StackName=name)
        cfn.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        assert refused(ec2.describe_vpcs, VpcIds=[vpc])[0] == "InvalidVpcID.NotFound"


class TestAwsCli:
    @pytest.mark.slow
    def test_the_guide_s_commands(self, aws: Any) -> None:
        """A VPC, two subnets, a group that lets itself in: what the guide types in."""
        tags = "ResourceType=vpc,Tags=[{Key=Name,Value=scribble}]"
        made = aws("ec2", "create-vpc", "--cidr-block", "10.0.0.0/16", "--tag-specifications", tags)["Vpc"]
        vpc = made["VpcId"]
        assert made["Tags"] == [{"Key": "Name", "Value": "scribble"}]
        subnet = aws("ec2", "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.0.1.0/24")["Subnet"]
        options = ("--group-name", "cache", "--description", "of the cache", "--vpc-id", vpc)
        group = aws("ec2", "create-security-group", *options)["GroupId"]
        rule = ("--protocol", "tcp", "--port", "6379", "--source-group", group)
        assert aws("ec2", "authorize-security-group-ingress", "--group-id", group, *rule)["Return"] is True
        query = ("--filters", f"Name=vpc-id,Values={vpc}", "--query", "Subnets[].SubnetId")
        assert aws("ec2", "describe-subnets", *query) == [subnet["SubnetId"]]
        assert "DependencyViolation" in aws("ec2", "delete-vpc", "--vpc-id", vpc, ok=False)
        assert "DryRunOperation" in aws(
            "ec2", "delete-subnet", "--subnet-id", subnet["SubnetId"], "--dry-run", ok=False
        )
        assert json.dumps(aws("ec2", "describe-availability-zones")).count("available") >= 6
