"""Caches in a VPC: their interfaces keep subnets and security groups."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import eventually
from tests.services.elasticache import kit
from tests.services.elasticache.test_replication_groups import group

pytestmark = pytest.mark.node_only


@pytest.fixture
def ec2(client: Any) -> Any:
    return client("ec2")


@pytest.fixture
def place(ec2: Any) -> tuple[list[str], str]:
    """Two subnets and a security group of one VPC."""
    subnets = kit.subnets(ec2, "a", "b")
    vpc = ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    return subnets, ec2.create_security_group(GroupName="caches", Description="x", VpcId=vpc)["GroupId"]


def stays(ec2: Any, subnets: list[str], security_group: str) -> None:
    for delete in (
        lambda: ec2.delete_subnet(SubnetId=subnets[0]),
        lambda: ec2.delete_security_group(GroupId=security_group),
    ):
        with pytest.raises(ClientError, match="DependencyViolation"):
            delete()


def goes(ec2: Any, subnets: list[str], security_group: str) -> None:
    eventually(lambda: not interfaces(ec2, subnets))
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_security_group(GroupId=security_group)


def interfaces(ec2: Any, subnets: list[str]) -> list[dict[str, Any]]:
    filters = [{"Name": "subnet-id", "Values": subnets}]
    found: list[dict[str, Any]] = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    return found


def test_a_serverless_cache_has_an_interface_in_each_subnet(
    ec2: Any, client: Any, unique: Any, place: tuple[list[str], str]
) -> None:
    subnets, security_group = place
    options = {"SubnetIds": subnets, "SecurityGroupIds": [security_group]}
    with kit.serverless(client("elasticache"), unique("inside"), **options):
        found = interfaces(ec2, subnets)
        assert sorted(each["SubnetId"] for each in found) == sorted(subnets)
        assert {each["AvailabilityZone"][-1] for each in found} == {"a", "b"}
        assert found[0]["Groups"] == [{"GroupId": security_group, "GroupName": "caches"}]
        stays(ec2, *place)
    goes(ec2, *place)


def test_each_member_of_a_group_has_an_interface(
    ec2: Any, client: Any, unique: Any, place: tuple[list[str], str]
) -> None:
    (subnets, security_group), caches, name = place, client("elasticache"), unique("placed")
    caches.create_cache_subnet_group(
        CacheSubnetGroupName=name, CacheSubnetGroupDescription="x", SubnetIds=subnets
    )
    options = {"CacheSubnetGroupName": name, "SecurityGroupIds": [security_group], "NumCacheClusters": 2}
    with group(caches, name, **options) as found:
        members = found["NodeGroups"][0]["NodeGroupMembers"]
        assert [each["PreferredAvailabilityZone"][-1] for each in members] == ["a", "b"]
        told = [each["Description"] for each in interfaces(ec2, subnets)]
        assert sorted(told) == [f"ElastiCache {name}-001", f"ElastiCache {name}-002"]
        stays(ec2, *place)
    goes(ec2, *place)
