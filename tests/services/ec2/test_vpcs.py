"""VPCs and subnets."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudlet.errors import AwsError
from cloudlet.services.ec2.network import parse_cidr

from .conftest import by, refused, tagged


class TestDefaultVpc:
    def test_every_region_has_one_with_a_subnet_in_each_zone(self, client: Callable[..., Any]) -> None:
        ec2 = client("ec2", region_name="eu-north-1")
        [vpc] = ec2.describe_vpcs(Filters=by("is-default", "true"))["Vpcs"]
        assert (vpc["CidrBlock"], vpc["IsDefault"], vpc["State"]) == ("172.31.0.0/16", True, "available")
        inside = by("vpc-id", vpc["VpcId"])
        subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
        assert sorted((s["CidrBlock"], s["AvailabilityZone"]) for s in subnets) == [
            ("172.31.0.0/20", "eu-north-1a"),
            ("172.31.16.0/20", "eu-north-1b"),
            ("172.31.32.0/20", "eu-north-1c"),
        ]
        assert all(s["MapPublicIpOnLaunch"] and s["DefaultForAz"] for s in subnets)
        [table] = ec2.describe_route_tables(Filters=inside)["RouteTables"]
        [gateway] = ec2.describe_internet_gateways(Filters=by("attachment.vpc-id", vpc["VpcId"]))[
            "InternetGateways"
        ]
        assert [(r["DestinationCidrBlock"], r["GatewayId"]) for r in table["Routes"]] == [
            ("172.31.0.0/16", "local"),
            ("0.0.0.0/0", gateway["InternetGatewayId"]),
        ]
        assert refused(ec2.create_default_vpc)[0] == "DefaultVpcAlreadyExists"

    def test_it_can_go_and_come_again(self, client: Callable[..., Any]) -> None:
        ec2 = client("ec2", region_name="eu-west-3")
        [vpc] = ec2.describe_vpcs()["Vpcs"]
        for subnet in ec2.describe_subnets()["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        [gateway] = ec2.describe_internet_gateways()["InternetGateways"]
        place = {"InternetGatewayId": gateway["InternetGatewayId"]}
        ec2.detach_internet_gateway(VpcId=vpc["VpcId"], **place)
        ec2.delete_internet_gateway(**place)
        ec2.delete_vpc(VpcId=vpc["VpcId"])
        assert ec2.describe_vpcs()["Vpcs"] == []
        assert ec2.create_default_vpc()["Vpc"]["IsDefault"] is True


class TestCreateVpc:
    def test_makes_what_every_vpc_has(self, ec2: Any) -> None:
        made = ec2.create_vpc(CidrBlock="10.1.2.3/16", TagSpecifications=tagged("vpc", Name="mine"))["Vpc"]
        assert (made["CidrBlock"], made["IsDefault"]) == ("10.1.0.0/16", False)
        assert made["Tags"] == [{"Key": "Name", "Value": "mine"}]
        inside = by("vpc-id", made["VpcId"])
        [group] = ec2.describe_security_groups(Filters=inside)["SecurityGroups"]
        assert group["GroupName"] == "default"
        [table] = ec2.describe_route_tables(Filters=inside)["RouteTables"]
        assert [a["Main"] for a in table["Associations"]] == [True]
        [acl] = ec2.describe_network_acls(Filters=inside)["NetworkAcls"]
        assert [(e["RuleNumber"], e["RuleAction"]) for e in acl["Entries"] if e["Egress"]] == [
            (100, "allow"),
            (32767, "deny"),
        ]

    @pytest.mark.parametrize(
        ("cidr", "error"),
        [
            ("10.0.0.0/8", ("InvalidVpc.Range", "The CIDR '10.0.0.0/8' is invalid.")),
            ("10.0.0.0/29", ("InvalidVpc.Range", "The CIDR '10.0.0.0/29' is invalid.")),
            (
                "10.0.0.0/33",
                (
                    "InvalidParameterValue",
                    "Value (10.0.0.0/33) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
                ),
            ),
            (
                None,
                ("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided."),
            ),
        ],
    )
    def test_refuses(self, ec2: Any, cidr: str | None, error: tuple[str, str]) -> None:
        assert refused(ec2.create_vpc, **({"CidrBlock": cidr} if cidr else {})) == error

    def test_a_dry_run_leaves_nothing(self, ec2: Any) -> None:
        before = len(ec2.describe_vpcs()["Vpcs"])
        assert refused(ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True) == (
            "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.",
        )
        assert refused(ec2.create_vpc, CidrBlock="10.0.0.0/8", DryRun=True)[0] == "InvalidVpc.Range"
        assert len(ec2.describe_vpcs()["Vpcs"]) == before

    @given(st.ip_addresses(v=4), st.integers(16, 28))
    def test_blocks_come_in_their_canonical_form(self, address: Any, prefix: int) -> None:
        block = parse_cidr(f"{address}/{prefix}", AwsError("no"))
        assert address in block
        assert int(block.network_address) % block.num_addresses == 0


class TestDescribeVpcs:
    def test_by_id_and_what_is_wrong_with_it(self, ec2: Any, vpc: str) -> None:
        assert [v["VpcId"] for v in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]] == [vpc]
        assert refused(ec2.describe_vpcs, VpcIds=["vpc-0"]) == (
            "InvalidVpcID.NotFound",
            "The vpc ID 'vpc-0' does not exist",
        )
        assert refused(ec2.describe_vpcs, VpcIds=["net-0"])[0] == "InvalidVpcID.Malformed"

    def test_filters(self, ec2: Any, unique: Callable[[str], str]) -> None:
        name = unique("net")
        made = ec2.create_vpc(CidrBlock="10.7.0.0/20", TagSpecifications=tagged("vpc", Name=name, a="b"))
        for filter in (by("tag:Name", name), by("tag:Name", "no", f"{name[:-1]}?"), by("tag-value", name)):
            assert [v["VpcId"] for v in ec2.describe_vpcs(Filters=filter)["Vpcs"]] == [made["Vpc"]["VpcId"]]
        assert ec2.describe_vpcs(Filters=by("tag:Name", name) + by("cidr", "10.8.*"))["Vpcs"] == []
        assert refused(ec2.describe_vpcs, Filters=by("colour", "red")) == (
            "InvalidParameterValue",
            "The filter 'colour' is invalid",
        )

    def test_pages(self, ec2: Any, unique: Callable[[str], str]) -> None:
        name = unique("net")
        for _ in range(7):
            ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc", Name=name))
        pages = ec2.get_paginator("describe_vpcs").paginate(
            Filters=by("tag:Name", name), PaginationConfig={"PageSize": 5}
        )
        assert [len(page["Vpcs"]) for page in pages] == [5, 2]
        assert refused(ec2.describe_vpcs, MaxResults=4)[1] == (
            "Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5."
        )
        assert refused(ec2.describe_vpcs, MaxResults=5, VpcIds=["vpc-0"])[0] in (
            "InvalidParameterCombination",
            "InvalidVpcID.NotFound",
        )

    def test_accounts_and_regions_have_their_own(self, client: Callable[..., Any], vpc: str) -> None:
        for other in (
            client("ec2", region_name="us-west-2"),
            client("ec2", aws_access_key_id="111122223333"),
        ):
            assert refused(other.describe_vpcs, VpcIds=[vpc])[0] == "InvalidVpcID.NotFound"
            assert len(other.describe_vpcs(Filters=by("is-default", "true"))["Vpcs"]) == 1


class TestAttributes:
    def test_dns(self, ec2: Any, vpc: str) -> None:
        def now(name: str) -> bool:
            answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
            return bool(answer[name[0].upper() + name[1:]]["Value"])

        assert (now("enableDnsSupport"), now("enableDnsHostnames")) == (True, False)
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        assert (now("enableDnsSupport"), now("enableDnsHostnames")) == (True, True)


class TestCidrBlocks:
    def test_a_second_block_has_room_for_subnets(self, ec2: Any, vpc: str) -> None:
        assert (
            refused(ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.0.1.0/24")[0] == "InvalidVpc.Range"
        )
        made = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.9.0.0/16")["CidrBlockAssociation"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]
        place = {"AssociationId": made["AssociationId"]}
        assert refused(ec2.disassociate_vpc_cidr_block, **place)[0] == "DependencyViolation"
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.disassociate_vpc_cidr_block(**place)
        assert len(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlockAssociationSet"]) == 1


class TestDeleteVpc:
    def test_only_when_nothing_is_in_it(self, ec2: Any, vpc: str) -> None:
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        text = f"The vpc '{vpc}' has dependencies and cannot be deleted."
        assert refused(ec2.delete_vpc, VpcId=vpc) == ("DependencyViolation", text)
        ec2.delete_subnet(SubnetId=subnet)
        group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]
        assert refused(ec2.delete_vpc, VpcId=vpc)[0] == "DependencyViolation"
        ec2.delete_security_group(GroupId=group)
        ec2.delete_vpc(VpcId=vpc)
        assert refused(ec2.delete_vpc, VpcId=vpc)[0] == "InvalidVpcID.NotFound"
        for left in (ec2.describe_security_groups, ec2.describe_route_tables, ec2.describe_network_acls):
            answer = left(Filters=by("vpc-id", vpc))
            assert not any(answer[member] for member in answer if member != "ResponseMetadata")


class TestSubnets:
    def test_lie_in_a_block_and_don_t_overlap(self, ec2: Any, vpc: str) -> None:
        made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1b")["Subnet"]
        assert (made["AvailabilityZoneId"], made["AvailableIpAddressCount"]) == ("use1-az2", 251)
        for cidr, code, text in (
            ("10.0.1.128/25", "Conflict", "The CIDR '10.0.1.128/25' conflicts with another subnet"),
            ("10.1.0.0/24", "Range", "The CIDR '10.1.0.0/24' is invalid."),
            ("10.0.2.0/29", "Range", "The CIDR '10.0.2.0/29' is invalid."),
        ):
            assert refused(ec2.create_subnet, VpcId=vpc, CidrBlock=cidr) == (f"InvalidSubnet.{code}", text)
        assert refused(ec2.create_subnet, VpcId="vpc-0", CidrBlock="10.0.2.0/24") == (
            "InvalidVpcID.NotFound",
            "The vpc ID 'vpc-0' does not exist",
        )
        code, text = refused(
            ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.2.0/24", AvailabilityZone="us-east-1z"
        )
        assert code == "InvalidParameterValue"
        assert text.startswith(
            "Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently"
        )

    def test_fill_a_vpc(self, ec2: Any) -> None:
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/26")["Vpc"]["VpcId"]
        blocks = [str(block) for block in ipaddress.ip_network("10.0.0.0/26").subnets(new_prefix=28)]
        for block in blocks:
            ec2.create_subnet(VpcId=vpc, CidrBlock=block)
        assert refused(ec2.create_subnet, VpcId=vpc, CidrBlock=blocks[0])[0] == "InvalidSubnet.Conflict"
        found = ec2.describe_subnets(Filters=by("vpc-id", vpc) + by("cidr-block", blocks[2]))["Subnets"]
        assert [s["CidrBlock"] for s in found] == [blocks[2]]

    @settings(max_examples=15)
    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 15), st.integers(20, 26)), max_size=8))
    def test_whatever_is_asked_for_they_never_overlap(
        self, client: Callable[..., Any], wishes: list[tuple[int, int, int]]
    ) -> None:
        ec2 = client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/17")["Vpc"]["VpcId"]
        inside = ipaddress.IPv4Network("10.0.0.0/17")
        taken: list[ipaddress.IPv4Network] = []
        for high, low, prefix in wishes:
            block = ipaddress.IPv4Network(f"10.0.{high * 64 + low}.0/{prefix}", strict=False)
            wish = {"VpcId": vpc, "CidrBlock": str(block)}
            if not block.subnet_of(inside):
                assert refused(ec2.create_subnet, **wish)[0] == "InvalidSubnet.Range"
            elif any(block.overlaps(other) for other in taken):
                assert refused(ec2.create_subnet, **wish)[0] == "InvalidSubnet.Conflict"
            else:
                ec2.create_subnet(**wish)
                taken.append(block)
        found = ec2.describe_subnets(Filters=by("vpc-id", vpc))["Subnets"]
        assert {subnet["CidrBlock"] for subnet in found} == {str(block) for block in taken}

    def test_change_and_go(self, ec2: Any, vpc: str) -> None:
        id = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        ec2.modify_subnet_attribute(SubnetId=id, MapPublicIpOnLaunch={"Value": True})
        assert ec2.describe_subnets(SubnetIds=[id])["Subnets"][0]["MapPublicIpOnLaunch"] is True
        ec2.delete_subnet(SubnetId=id)
        assert refused(ec2.describe_subnets, SubnetIds=[id]) == (
            "InvalidSubnetID.NotFound",
            f"The subnet ID '{id}' does not exist",
        )


class TestFacts:
    def test_zones_and_regions(self, ec2: Any) -> None:
        zones = ec2.describe_availability_zones()["AvailabilityZones"]
        assert [zone["ZoneName"][-1] for zone in zones] == list("abcdef")
        assert {zone["State"] for zone in zones} == {"available"}
        assert (
            ec2.describe_availability_zones(ZoneNames=["us-east-1c"])["AvailabilityZones"][0]["ZoneId"]
            == "use1-az3"
        )
        assert "eu-central-1" in {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
        assert refused(ec2.describe_regions, RegionNames=["mars-1"])[0] == "InvalidParameterValue"

    def test_what_is_not_here_says_so(self, ec2: Any) -> None:
        code, text = refused(ec2.run_instances, MinCount=1, MaxCount=1)
        assert (code, "RunInstances" in text) == ("UnsupportedOperation", True)

    def test_missing_parameters_have_the_service_s_words(self, ec2: Any) -> None:
        assert refused(ec2.delete_vpc) == ("MissingParameter", "The request must contain the parameter vpcId")

    def test_what_there_is_none_of_is_told_as_such(self, ec2: Any) -> None:
        assert ec2.describe_vpn_gateways(Filters=by("attachment.vpc-id", "vpc-1"))["VpnGateways"] == []
        assert ec2.describe_vpc_peering_connections()["VpcPeeringConnections"] == []
        assert (
            refused(ec2.describe_vpn_gateways, VpnGatewayIds=["vgw-1"])[0] == "InvalidVpnGatewayID.NotFound"
        )


class TestTags:
    def test_of_anything(self, ec2: Any, vpc: str) -> None:
        group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]
        ec2.create_tags(Resources=[vpc, group], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        found = ec2.describe_tags(Filters=by("resource-id", vpc, group))["Tags"]
        assert sorted((t["ResourceType"], t["Key"], t["Value"]) for t in found) == [
            ("security-group", "a", "1"),
            ("security-group", "b", "2"),
            ("vpc", "a", "1"),
            ("vpc", "b", "2"),
        ]
        ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}])
        assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"] == [{"Key": "a", "Value": "1"}]
        assert (
            refused(ec2.create_tags, Resources=["vpc-0"], Tags=[{"Key": "a"}])[0] == "InvalidVpcID.NotFound"
        )
        assert (
            refused(ec2.create_tags, Resources=[vpc], Tags=[{"Key": "aws:a"}])[0] == "InvalidParameterValue"
        )

    def test_filters_have_names(self, ec2: Any) -> None:
        assert refused(ec2.describe_tags, Filters=[{"Values": ["a"]}])[0] == "InvalidParameterValue"

    def test_have_a_length(self, ec2: Any, vpc: str) -> None:
        for tag, text in (
            ({"Key": "k" * 129}, "Tag key exceeds the maximum length of 128 characters"),
            ({"Key": "k", "Value": "v" * 257}, "Tag value exceeds the maximum length of 256 characters"),
        ):
            assert refused(ec2.create_tags, Resources=[vpc], Tags=[tag]) == ("InvalidParameterValue", text)
            given = [{"ResourceType": "vpc", "Tags": [tag]}]
            made = refused(ec2.create_vpc, CidrBlock="10.0.0.0/16", TagSpecifications=given)
            assert made == ("InvalidParameterValue", text)
