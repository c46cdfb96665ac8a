"""Route tables, gateways, addresses, endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import by, refused, tagged


@pytest.fixture
def subnet(ec2: Any, vpc: str) -> str:
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"])


@pytest.fixture
def table(ec2: Any, vpc: str) -> str:
    return str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])


@pytest.fixture
def gateway(ec2: Any, vpc: str) -> str:
    """An internet gateway, attached."""
    id = str(ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
    ec2.attach_internet_gateway(InternetGatewayId=id, VpcId=vpc)
    return id


@pytest.fixture
def nat(ec2: Any, subnet: str) -> dict[str, Any]:
    address = ec2.allocate_address(Domain="vpc")
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address["AllocationId"])
    return dict(made["NatGateway"])


def routes(ec2: Any, table: str) -> list[tuple[str | None, str | None, str]]:
    [found] = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    return [
        (
            route.get("DestinationCidrBlock") or route.get("DestinationPrefixListId"),
            route.get("GatewayId") or route.get("NatGatewayId"),
            route["State"],
        )
        for route in found["Routes"]
    ]


class TestInternetGateways:
    def test_are_attached_to_one_network(self, ec2: Any, vpc: str, gateway: str) -> None:
        place = {"InternetGatewayId": gateway, "VpcId": vpc}
        assert refused(ec2.attach_internet_gateway, **place) == (
            "Resource.AlreadyAssociated",
            f"resource {gateway} is already attached to network {vpc}",
        )
        other = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        assert refused(ec2.attach_internet_gateway, InternetGatewayId=other, VpcId=vpc)[1] == (
            f"Network {vpc} already has an internet gateway attached"
        )
        assert refused(ec2.delete_internet_gateway, InternetGatewayId=gateway) == (
            "DependencyViolation",
            f"The internetGateway '{gateway}' has dependencies and cannot be deleted.",
        )
        ec2.detach_internet_gateway(**place)
        assert refused(ec2.detach_internet_gateway, **place) == (
            "Gateway.NotAttached",
            f"resource {gateway} is not attached to network {vpc}",
        )
        ec2.delete_internet_gateway(InternetGatewayId=gateway)
        assert refused(ec2.describe_internet_gateways, InternetGatewayIds=[gateway])[0] == (
            "InvalidInternetGatewayID.NotFound"
        )


class TestRoutes:
    def test_come_change_and_go(self, ec2: Any, table: str, gateway: str, nat: dict[str, Any]) -> None:
        there = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
        assert ec2.create_route(GatewayId=gateway, **there)["Return"] is True
        assert routes(ec2, table) == [("10.0.0.0/16", "local", "active"), ("0.0.0.0/0", gateway, "active")]
        assert refused(ec2.create_route, GatewayId=gateway, **there) == (
            "RouteAlreadyExists",
            "The route identified by 0.0.0.0/0 already exists.",
        )
        ec2.replace_route(NatGatewayId=nat["NatGatewayId"], **there)
        assert routes(ec2, table)[1] == ("0.0.0.0/0", nat["NatGatewayId"], "active")
        ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
        assert routes(ec2, table)[1][2] == "blackhole"
        ec2.delete_route(**there)
        assert refused(ec2.delete_route, **there) == (
            "InvalidRoute.NotFound",
            f"no route with destination-cidr-block 0.0.0.0/0 in route table {table}",
        )

    def test_refuse(self, ec2: Any, table: str) -> None:
        there = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
        loose = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        assert refused(ec2.create_route, GatewayId=loose, **there)[1] == (
            f"route table {table} and network gateway {loose} belong to different networks"
        )
        assert refused(ec2.create_route, NatGatewayId="nat-0", **there)[0] == "NatGatewayNotFound"
        assert refused(ec2.delete_route, RouteTableId=table, DestinationCidrBlock="10.0.0.0/16")[1] == (
            f"cannot remove local route 10.0.0.0/16 in route table {table}"
        )


class TestAssociations:
    def test_a_subnet_goes_by_one_table(self, ec2: Any, vpc: str, table: str, subnet: str) -> None:
        made = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
        other = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        assert refused(ec2.associate_route_table, RouteTableId=other, SubnetId=subnet) == (
            "Resource.AlreadyAssociated",
            f"the specified association for route table {other} conflicts with an existing association",
        )
        assert refused(ec2.delete_route_table, RouteTableId=table) == (
            "DependencyViolation",
            f"The routeTable '{table}' has dependencies and cannot be deleted.",
        )
        moved = ec2.replace_route_table_association(AssociationId=made, RouteTableId=other)[
            "NewAssociationId"
        ]
        found = ec2.describe_route_tables(Filters=by("association.subnet-id", subnet))["RouteTables"]
        assert [known["RouteTableId"] for known in found] == [other]
        ec2.disassociate_route_table(AssociationId=moved)
        assert refused(ec2.disassociate_route_table, AssociationId=moved) == (
            "InvalidAssociationID.NotFound",
            f"The association ID '{moved}' does not exist",
        )
        ec2.delete_route_table(RouteTableId=table)


class TestNatGateways:
    def test_hold_their_address_and_their_subnet(
        self, ec2: Any, vpc: str, subnet: str, nat: dict[str, Any]
    ) -> None:
        assert (nat["State"], nat["VpcId"]) == ("available", vpc)
        [place] = nat["NatGatewayAddresses"]
        assert place["PrivateIp"].startswith("10.0.1.")
        [address] = ec2.describe_addresses(AllocationIds=[place["AllocationId"]])["Addresses"]
        assert (address["PublicIp"], address["PrivateIpAddress"]) == (place["PublicIp"], place["PrivateIp"])
        assert refused(ec2.release_address, AllocationId=place["AllocationId"]) == (
            "InvalidIPAddress.InUse",
            f"Address {place['PublicIp']} is in use.",
        )
        assert refused(ec2.delete_subnet, SubnetId=subnet) == (
            "DependencyViolation",
            f"The subnet '{subnet}' has dependencies and cannot be deleted.",
        )
        again = {"SubnetId": subnet, "AllocationId": place["AllocationId"]}
        assert refused(ec2.create_nat_gateway, **again)[0] == "Resource.AlreadyAssociated"
        interfaces = ec2.describe_network_interfaces(Filters=by("subnet-id", subnet))["NetworkInterfaces"]
        assert [i["NetworkInterfaceId"] for i in interfaces] == [place["NetworkInterfaceId"]]
        assert ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"] == 250
        ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
        ec2.release_address(AllocationId=place["AllocationId"])
        ec2.delete_subnet(SubnetId=subnet)

    def test_a_public_one_needs_an_address(self, ec2: Any, subnet: str) -> None:
        assert refused(ec2.create_nat_gateway, SubnetId=subnet)[0] == "MissingParameter"
        made = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]
        assert "PublicIp" not in made["NatGatewayAddresses"][0]


class TestEndpoints:
    def test_have_policies_in_json(self, ec2: Any, vpc: str) -> None:
        wish = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3"}
        wrong = refused(ec2.create_vpc_endpoint, PolicyDocument="anybody", **wish)
        assert wrong[0] == "InvalidPolicyDocument"
        made = ec2.create_vpc_endpoint(PolicyDocument='{"Statement": []}', **wish)["VpcEndpoint"]
        assert made["PolicyDocument"] == '{"Statement": []}'

    def test_a_gateway_endpoint_is_a_route(self, ec2: Any, vpc: str, table: str) -> None:
        made = ec2.create_vpc_endpoint(
            VpcId=vpc,
            ServiceName="com.amazonaws.us-east-1.dynamodb",
            RouteTableIds=[table],
            TagSpecifications=tagged("vpc-endpoint", Name="db"),
        )["VpcEndpoint"]
        id = made["VpcEndpointId"]
        assert (made["VpcEndpointType"], made["State"]) == ("Gateway", "available")
        [prefixes] = ec2.describe_prefix_lists(
            Filters=by("prefix-list-name", "com.amazonaws.us-east-1.dynamodb")
        )["PrefixLists"]
        assert (prefixes["PrefixListId"], id, "active") in routes(ec2, table)
        ec2.modify_vpc_endpoint(VpcEndpointId=id, RemoveRouteTableIds=[table])
        assert len(routes(ec2, table)) == 1
        assert refused(ec2.delete_vpc, VpcId=vpc)[0] == "DependencyViolation"
        assert ec2.delete_vpc_endpoints(VpcEndpointIds=[id])["Unsuccessful"] == []
        [left] = ec2.delete_vpc_endpoints(VpcEndpointIds=[id])["Unsuccessful"]
        assert left["Error"]["Code"] == "InvalidVpcEndpointId.NotFound"

    def test_an_interface_endpoint_has_interfaces(self, ec2: Any, vpc: str, subnet: str) -> None:
        made = ec2.create_vpc_endpoint(
            VpcId=vpc,
            VpcEndpointType="Interface",
            ServiceName="com.amazonaws.us-east-1.sqs",
            SubnetIds=[subnet],
        )["VpcEndpoint"]
        assert (made["SubnetIds"], len(made["NetworkInterfaceIds"])) == ([subnet], 1)
        assert made["Groups"][0]["GroupName"] == "default"
        assert made["DnsEntries"][-1]["DnsName"] == "sqs.us-east-1.amazonaws.com"

    def test_only_of_services_that_have_them(self, ec2: Any, vpc: str) -> None:
        name = "com.amazonaws.us-east-1.sqs"
        assert refused(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName=name) == (
            "InvalidServiceName",
            f"The Vpc Endpoint Service '{name}' does not exist",
        )
        assert name in ec2.describe_vpc_endpoint_services()["ServiceNames"]
