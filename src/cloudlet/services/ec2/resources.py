"""EC2's CloudFormation types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ...resources import Call, Params, Resource, View


def _tags(view: View, kind: str) -> list[dict[str, Any]]:
    tags = view.new.get("Tags")
    return [{"ResourceType": kind, "Tags": tags}] if tags else []


def _made_with(kind: str, *apart: str) -> Callable[[View], Params]:
    """The properties, but `apart`, as the input of a creation, which takes the tags with it."""

    def params(view: View) -> Params:
        given = {name: value for name, value in view.new.items() if name not in ("Tags", *apart)}
        return {**given, "TagSpecifications": _tags(view, kind)}

    return params


def _tag(view: View) -> Sequence[Params]:
    tags = view.new.get("Tags")
    return [{"Resources": [_id(view)], "Tags": tags}] if tags else []


def _untag(view: View) -> Sequence[Params]:
    kept = {tag["Key"] for tag in view.new.get("Tags") or ()}
    gone = [{"Key": tag["Key"]} for tag in view.old.get("Tags") or () if tag["Key"] not in kept]
    return [{"Resources": [_id(view)], "Tags": gone}] if gone else []


def _id(view: View) -> str:
    return str(view.made.get("AllocationId") or view.id)


_RETAG = [Call("ec2", "DeleteTags", _untag, when={"Tags"}), Call("ec2", "CreateTags", _tag, when={"Tags"})]


def _by_id(member: str) -> Callable[[View], Params]:
    return lambda view: {member: view.id}


def _gone(*codes: str) -> frozenset[str]:
    return frozenset(codes)


# VPCs and subnets


def _dns(member: str) -> Call:
    """One attribute of a VPC; the operation takes them one by one."""

    def params(view: View) -> Sequence[Params]:
        if member not in view.new and member not in view.old:
            return []
        value = view.new.get(member, member == "EnableDnsSupport")
        return [{"VpcId": view.id or view.made["VpcId"], member: {"Value": value}}]

    return Call("ec2", "ModifyVpcAttribute", params, when={member})


def _default_group(view: View) -> Params:
    filters = {"vpc-id": view.made["VpcId"], "group-name": "default"}
    return {"Filters": [{"Name": name, "Values": [value]} for name, value in filters.items()]}


def _default_acl(view: View) -> Params:
    return {"Filters": [{"Name": "vpc-id", "Values": [view.made["VpcId"]]}]}


_SUBNET = ("AssignIpv6AddressOnCreation", "EnableDns64", "MapPublicIpOnLaunch")


def _subnet_attribute(member: str) -> Call:
    def params(view: View) -> Sequence[Params]:
        if member not in view.new and member not in view.old:
            return []
        id = view.id or view.made["SubnetId"]
        return [{"SubnetId": id, member: {"Value": view.new.get(member, False)}}]

    return Call("ec2", "ModifySubnetAttribute", params, when={member})


_DNS_OPTIONS = {
    "HostnameType": "PrivateDnsHostnameTypeOnLaunch",
    "EnableResourceNameDnsARecord": "EnableResourceNameDnsARecordOnLaunch",
    "EnableResourceNameDnsAAAARecord": "EnableResourceNameDnsAAAARecordOnLaunch",
}
"""How ModifySubnetAttribute names the options."""


def _dns_options(view: View) -> Sequence[Params]:
    new, old = (known.get("PrivateDnsNameOptionsOnLaunch", {}) for known in (view.new, view.old))
    id = view.id or view.made["SubnetId"]
    found = []
    for name, member in _DNS_OPTIONS.items():
        if name in new or name in old:
            value = new.get(name, "ip-name" if name == "HostnameType" else False)
            found.append({"SubnetId": id, member: value if name == "HostnameType" else {"Value": value}})
    return found


_DNS_OPTIONS_SET = Call("ec2", "ModifySubnetAttribute", _dns_options, when={"PrivateDnsNameOptionsOnLaunch"})


def _subnet_acl(view: View) -> Params:
    return {"Filters": [{"Name": "association.subnet-id", "Values": [view.made["SubnetId"]]}]}


# Gateways and routes


def _attachment(view: View) -> Params:
    if "VpnGatewayId" in view.new:
        return {"VpnGatewayId": view.new["VpnGatewayId"]}
    return {"InternetGatewayId": view.new["InternetGatewayId"], "VpcId": view.new["VpcId"]}


def _attachment_before(view: View) -> Params:
    return _attachment(replace(view, new=view.old))


def _some(*names: str) -> Callable[[View], Params]:
    return lambda view: {name: view.new[name] for name in names if name in view.new}


def _disassociate(view: View) -> Params:
    return {"AssociationId": view.id}


def _release(view: View) -> Params:
    return {"AllocationId": view.made["AllocationId"]}


_NOT_ATTACHED = _gone("Gateway.NotAttached", "InvalidInternetGatewayID.NotFound", "InvalidVpcID.NotFound")
_TARGETS = {
    "CarrierGatewayId", "CoreNetworkArn", "EgressOnlyInternetGatewayId", "GatewayId", "InstanceId", "LocalGatewayId",
    "NatGatewayId", "NetworkInterfaceId", "TransitGatewayId", "VpcEndpointId", "VpcPeeringConnectionId",
}  # fmt: skip
_DESTINATIONS = {"DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"}


# Security groups


def _group(view: View) -> Params:
    params: dict[str, Any] = {
        "GroupName": view.new["GroupName"],
        "Description": view.new["GroupDescription"],
        "TagSpecifications": _tags(view, "security-group"),
    }
    if "VpcId" in view.new:
        params["VpcId"] = view.new["VpcId"]
    return params


def _permission(rule: dict[str, Any], egress: bool) -> dict[str, Any]:
    """A rule of a template as the operation's IpPermission."""
    said = {"Description": rule["Description"]} if "Description" in rule else {}
    permission: dict[str, Any] = {
        name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule
    }
    side = "Destination" if egress else "Source"
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **said}]
    if "CidrIpv6" in rule:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **said}]
    prefix = rule.get("DestinationPrefixListId") or rule.get("SourcePrefixListId")
    if prefix:
        permission["PrefixListIds"] = [{"PrefixListId": prefix, **said}]
    group = rule.get(f"{side}SecurityGroupId")
    if group:
        permission["UserIdGroupPairs"] = [{"GroupId": group, **said}]
    elif rule.get("SourceSecurityGroupName"):
        permission["UserIdGroupPairs"] = [{"GroupName": rule["SourceSecurityGroupName"], **said}]
    return permission


_ANYWHERE = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}


def _rules(properties: dict[str, Any], egress: bool) -> list[dict[str, Any]]:
    """A template's rules of one direction. Without rules for what goes out, everything does."""
    member = "SecurityGroupEgress" if egress else "SecurityGroupIngress"
    rules = properties.get(member)
    if egress and not rules:
        rules = [_ANYWHERE]
    return [_permission(rule, egress) for rule in rules or ()]


def _differences(egress: bool, add: bool) -> Callable[[View], Sequence[Params]]:
    def params(view: View) -> Sequence[Params]:
        first = not view.id or not view.old
        old = _rules({} if first else view.old, egress)
        new = _rules(view.new, egress)
        here, there = (new, old) if add else (old, new)
        changed = [rule for rule in here if rule not in there]
        id = view.id or view.made["GroupId"]
        return [{"GroupId": id, "IpPermissions": changed}] if changed else []

    return params


_GROUP_RULES = [
    Call("ec2", "RevokeSecurityGroupIngress", _differences(False, False), when={"SecurityGroupIngress"}),
    Call("ec2", "RevokeSecurityGroupEgress", _differences(True, False), when={"SecurityGroupEgress"}),
    Call("ec2", "AuthorizeSecurityGroupIngress", _differences(False, True), when={"SecurityGroupIngress"}),
    Call("ec2", "AuthorizeSecurityGroupEgress", _differences(True, True), when={"SecurityGroupEgress"}),
]


def _rule(egress: bool) -> Callable[[View], Params]:
    def params(view: View) -> Params:
        group: dict[str, Any] = {
            name: view.new[name] for name in ("GroupId", "GroupName") if name in view.new
        }
        return {**group, "IpPermissions": [_permission(view.new, egress)]}

    return params


_RULE = {
    "CidrIp", "CidrIpv6", "Description", "DestinationPrefixListId", "DestinationSecurityGroupId", "FromPort",
    "GroupId", "GroupName", "IpProtocol", "SourcePrefixListId", "SourceSecurityGroupId", "SourceSecurityGroupName",
    "SourceSecurityGroupOwnerId", "ToPort",
}  # fmt: skip


def _rule_resource(direction: str) -> Resource:
    egress = direction == "Egress"
    return Resource(
        required={"GroupId", "IpProtocol"} if egress else {"IpProtocol"},
        create=[Call("ec2", f"AuthorizeSecurityGroup{direction}", _rule(egress))],
        update=[
            Call(
                "ec2",
                f"UpdateSecurityGroupRuleDescriptions{direction}",
                _rule(egress),
                when={"Description"},
            )
        ],
        delete=[
            Call(
                "ec2",
                f"RevokeSecurityGroup{direction}",
                _rule(egress),
                gone=_gone("InvalidGroup.NotFound", "InvalidPermission.NotFound"),
            )
        ],
        id="{SecurityGroupRules.0.SecurityGroupRuleId}",
        attributes={"Id": "{SecurityGroupRules.0.SecurityGroupRuleId}"},
        replace=_RULE - {"Description"},
    )


# Endpoints


def _endpoint_change(view: View) -> Params:
    params: dict[str, Any] = {"VpcEndpointId": view.id}
    for name in ("RouteTableIds", "SubnetIds", "SecurityGroupIds"):
        new, old = view.new.get(name, []), view.old.get(name, [])
        params[f"Add{name}"] = [id for id in new if id not in old]
        params[f"Remove{name}"] = [id for id in old if id not in new]
    for name in ("PolicyDocument", "PrivateDnsEnabled"):
        if name in view.new:
            params[name] = view.new[name]
    if "PolicyDocument" in view.old and "PolicyDocument" not in view.new:
        params["ResetPolicy"] = True
    return params


RESOURCES: dict[str, Resource] = {
    "AWS::EC2::VPC": Resource(
        create=[
            Call(
                "ec2",
                "CreateVpc",
                _made_with("vpc", "EnableDnsHostnames", "EnableDnsSupport"),
                result="Vpc",
            ),
            _dns("EnableDnsSupport"),
            _dns("EnableDnsHostnames"),
            Call("ec2", "DescribeSecurityGroups", _default_group),
            Call("ec2", "DescribeNetworkAcls", _default_acl),
        ],
        update=[_dns("EnableDnsSupport"), _dns("EnableDnsHostnames"), *_RETAG],
        delete=[Call("ec2", "DeleteVpc", _by_id("VpcId"), gone=_gone("InvalidVpcID.NotFound"))],
        id="{VpcId}",
        attributes={
            "VpcId": "{VpcId}",
            "CidrBlock": "{CidrBlock}",
            "CidrBlockAssociations": "{CidrBlockAssociationSet.*.AssociationId}",
            "DefaultNetworkAcl": "{NetworkAcls.0.NetworkAclId}",
            "DefaultSecurityGroup": "{SecurityGroups.0.GroupId}",
            "Ipv6CidrBlocks": "{Ipv6CidrBlockAssociationSet.*.Ipv6CidrBlock}",
        },
        replace={"CidrBlock", "InstanceTenancy", "Ipv4IpamPoolId", "Ipv4NetmaskLength"},
    ),
    "AWS::EC2::VPCCidrBlock": Resource(
        required={"VpcId"},
        create=[Call("ec2", "AssociateVpcCidrBlock", result="CidrBlockAssociation")],
        delete=[
            Call(
                "ec2",
                "DisassociateVpcCidrBlock",
                _disassociate,
                gone=_gone("InvalidVpcCidrBlockAssociationID.NotFound"),
            )
        ],
        id="{AssociationId}",
        attributes={"Id": "{AssociationId}"},
        replace={"AmazonProvidedIpv6CidrBlock", "CidrBlock", "VpcId"},
    ),
    "AWS::EC2::Subnet": Resource(
        required={"VpcId"},
        create=[
            Call(
                "ec2",
                "CreateSubnet",
                _made_with("subnet", *_SUBNET, "PrivateDnsNameOptionsOnLaunch"),
                result="Subnet",
            ),
            *map(_subnet_attribute, _SUBNET),
            _DNS_OPTIONS_SET,
            Call("ec2", "DescribeNetworkAcls", _subnet_acl),
        ],
        update=[*map(_subnet_attribute, _SUBNET), _DNS_OPTIONS_SET, *_RETAG],
        delete=[Call("ec2", "DeleteSubnet", _by_id("SubnetId"), gone=_gone("InvalidSubnetID.NotFound"))],
        id="{SubnetId}",
        attributes={
            "AvailabilityZone": "{AvailabilityZone}",
            "AvailabilityZoneId": "{AvailabilityZoneId}",
            "CidrBlock": "{CidrBlock}",
            "Ipv6CidrBlocks": "{Ipv6CidrBlockAssociationSet.*.Ipv6CidrBlock}",
            "NetworkAclAssociationId": "{NetworkAcls.0.Associations.0.NetworkAclAssociationId}",
            "SubnetId": "{SubnetId}",
            "VpcId": "{VpcId}",
        },
        replace={"AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId"},
    ),
    "AWS::EC2::InternetGateway": Resource(
        create=[
            Call("ec2", "CreateInternetGateway", _made_with("internet-gateway"), result="InternetGateway")
        ],
        update=_RETAG,
        delete=[
            Call(
                "ec2",
                "DeleteInternetGateway",
                _by_id("InternetGatewayId"),
                gone=_gone("InvalidInternetGatewayID.NotFound"),
            )
        ],
        id="{InternetGatewayId}",
        attributes={"InternetGatewayId": "{InternetGatewayId}"},
    ),
    "AWS::EC2::VPCGatewayAttachment": Resource(
        required={"VpcId"},
        create=[Call("ec2", "AttachInternetGateway", _attachment)],
        update=[
            Call("ec2", "DetachInternetGateway", _attachment_before, gone=_NOT_ATTACHED),
            Call("ec2", "AttachInternetGateway", _attachment),
        ],
        delete=[Call("ec2", "DetachInternetGateway", _attachment, gone=_NOT_ATTACHED)],
        id="IGW|{VpcId}",
        attributes={"AttachmentType": "IGW"},
        replace={"VpcId"},
    ),
    "AWS::EC2::RouteTable": Resource(
        required={"VpcId"},
        create=[Call("ec2", "CreateRouteTable", _made_with("route-table"), result="RouteTable")],
        update=_RETAG,
        delete=[
            Call(
                "ec2",
                "DeleteRouteTable",
                _by_id("RouteTableId"),
                gone=_gone("InvalidRouteTableID.NotFound"),
            )
        ],
        id="{RouteTableId}",
        attributes={"RouteTableId": "{RouteTableId}"},
        replace={"VpcId"},
    ),
    "AWS::EC2::Route": Resource(
        required={"RouteTableId"},
        create=[Call("ec2", "CreateRoute")],
        update=[Call("ec2", "ReplaceRoute", when=_TARGETS)],
        delete=[
            Call(
                "ec2",
                "DeleteRoute",
                _some("RouteTableId", *sorted(_DESTINATIONS)),
                gone=_gone("InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"),
            )
        ],
        id="{RouteTableId}|{DestinationCidrBlock}",
        attributes={"CidrBlock": "{DestinationCidrBlock}"},
        replace=_DESTINATIONS | {"RouteTableId"},
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Resource(
        required={"RouteTableId", "SubnetId"},
        create=[Call("ec2", "AssociateRouteTable")],
        delete=[
            Call(
                "ec2",
                "DisassociateRouteTable",
                _disassociate,
                gone=_gone("InvalidAssociationID.NotFound"),
            )
        ],
        id="{AssociationId}",
        attributes={"Id": "{AssociationId}"},
        replace={"RouteTableId", "SubnetId"},
    ),
    "AWS::EC2::EIP": Resource(
        create=[Call("ec2", "AllocateAddress", _made_with("elastic-ip"))],
        update=_RETAG,
        delete=[Call("ec2", "ReleaseAddress", _release, gone=_gone("InvalidAllocationID.NotFound"))],
        id="{PublicIp}",
        attributes={"AllocationId": "{AllocationId}", "PublicIp": "{PublicIp}"},
        replace={"Address", "Domain", "NetworkBorderGroup", "PublicIpv4Pool"},
    ),
    "AWS::EC2::NatGateway": Resource(
        required={"SubnetId"},
        create=[
            Call(
                "ec2",
                "CreateNatGateway",
                _made_with("natgateway", "MaxDrainDurationSeconds"),
                result="NatGateway",
            )
        ],
        update=_RETAG,
        delete=[Call("ec2", "DeleteNatGateway", _by_id("NatGatewayId"), gone=_gone("NatGatewayNotFound"))],
        id="{NatGatewayId}",
        attributes={
            "EniId": "{NatGatewayAddresses.0.NetworkInterfaceId}",
            "NatGatewayId": "{NatGatewayId}",
        },
        ignore={"MaxDrainDurationSeconds"},
        replace={"AllocationId", "ConnectivityType", "PrivateIpAddress", "SubnetId"},
    ),
    "AWS::EC2::SecurityGroup": Resource(
        name="GroupName",
        required={"GroupDescription"},
        create=[
            Call("ec2", "CreateSecurityGroup", _group),
            *_GROUP_RULES,
            Call("ec2", "DescribeSecurityGroups", lambda view: {"GroupIds": [view.made["GroupId"]]}),
        ],
        update=[*_GROUP_RULES, *_RETAG],
        delete=[Call("ec2", "DeleteSecurityGroup", _by_id("GroupId"), gone=_gone("InvalidGroup.NotFound"))],
        id="{GroupId}",
        attributes={"GroupId": "{GroupId}", "Id": "{GroupId}", "VpcId": "{SecurityGroups.0.VpcId}"},
        replace={"GroupDescription", "GroupName", "VpcId"},
    ),
    "AWS::EC2::SecurityGroupIngress": _rule_resource("Ingress"),
    "AWS::EC2::SecurityGroupEgress": _rule_resource("Egress"),
    "AWS::EC2::VPCEndpoint": Resource(
        required={"ServiceName", "VpcId"},
        create=[Call("ec2", "CreateVpcEndpoint", _made_with("vpc-endpoint"), result="VpcEndpoint")],
        update=[
            Call(
                "ec2",
                "ModifyVpcEndpoint",
                _endpoint_change,
                when={
                    "PolicyDocument",
                    "PrivateDnsEnabled",
                    "RouteTableIds",
                    "SecurityGroupIds",
                    "SubnetIds",
                },
            ),
            *_RETAG,
        ],
        delete=[
            Call(
                "ec2",
                "DeleteVpcEndpoints",
                lambda view: {"VpcEndpointIds": [view.id]},
            )
        ],
        id="{VpcEndpointId}",
        attributes={
            "CreationTimestamp": "{CreationTimestamp:time}",
            "DnsEntries": "{DnsEntries}",
            "Id": "{VpcEndpointId}",
            "NetworkInterfaceIds": "{NetworkInterfaceIds}",
        },
        replace={"ServiceName", "VpcEndpointType", "VpcId"},
    ),
}
