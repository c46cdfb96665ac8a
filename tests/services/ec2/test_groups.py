"""Security groups and their rules."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import by, refused, tagged


@pytest.fixture
def group(ec2: Any, vpc: str) -> str:
    return str(ec2.create_security_group(VpcId=vpc, GroupName="web", Description="of the web")["GroupId"])


def described(ec2: Any, group: str) -> dict[str, Any]:
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    return dict(found)


def tcp(port: int, *cidrs: str) -> dict[str, Any]:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": cidr} for cidr in cidrs],
    }


class TestGroups:
    def test_a_new_one_lets_everything_out_and_nothing_in(self, ec2: Any, vpc: str, group: str) -> None:
        found = described(ec2, group)
        assert (found["GroupName"], found["Description"], found["VpcId"]) == ("web", "of the web", vpc)
        assert found["IpPermissions"] == []
        [out] = found["IpPermissionsEgress"]
        assert (out["IpProtocol"], out["IpRanges"]) == ("-1", [{"CidrIp": "0.0.0.0/0"}])

    def test_texts(self, ec2: Any, vpc: str, group: str) -> None:
        again = {"VpcId": vpc, "GroupName": "web", "Description": "d"}
        assert refused(ec2.create_security_group, **again) == (
            "InvalidGroup.Duplicate",
            f"The security group 'web' already exists for VPC '{vpc}'",
        )
        assert refused(ec2.describe_security_groups, GroupIds=["sg-0"]) == (
            "InvalidGroup.NotFound",
            "The security group 'sg-0' does not exist",
        )
        [default] = ec2.describe_security_groups(Filters=by("vpc-id", vpc) + by("group-name", "default"))[
            "SecurityGroups"
        ]
        id = default["GroupId"]
        assert refused(ec2.delete_security_group, GroupId=id) == (
            "CannotDelete",
            f'the specified group: "{id}" name: "default" cannot be deleted by a user',
        )

    def test_one_that_another_names_stays(self, ec2: Any, vpc: str, group: str) -> None:
        other = ec2.create_security_group(VpcId=vpc, GroupName="other", Description="d")["GroupId"]
        pair = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
        ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=pair)
        assert refused(ec2.delete_security_group, GroupId=group) == (
            "DependencyViolation",
            f"resource {group} has a dependent object",
        )
        ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=pair)
        ec2.delete_security_group(GroupId=group)


class TestRules:
    def test_come_and_go(self, ec2: Any, group: str) -> None:
        made = ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[tcp(80, "10.1.2.3/8", "192.168.0.0/16"), tcp(443, "0.0.0.0/0")],
            TagSpecifications=tagged("security-group-rule", a="b"),
        )
        assert [rule["CidrIpv4"] for rule in made["SecurityGroupRules"]] == [
            "10.0.0.0/8",
            "192.168.0.0/16",
            "0.0.0.0/0",
        ]
        permissions = described(ec2, group)["IpPermissions"]
        assert [(p["FromPort"], len(p["IpRanges"])) for p in permissions] == [(80, 2), (443, 1)]
        id = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        [rule] = ec2.describe_security_group_rules(Filters=by("tag:a", "b"), SecurityGroupRuleIds=[id])[
            "SecurityGroupRules"
        ]
        assert (rule["GroupId"], rule["IsEgress"]) == (group, False)
        assert refused(
            ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[tcp(443, "0.0.0.0/0")]
        ) == (
            "InvalidPermission.Duplicate",
            'the specified rule "peer: 0.0.0.0/0, TCP, from port: 443, to port: 443, ALLOW" already exists',
        )
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[id])
        gone = {"GroupId": group, "IpPermissions": [tcp(443, "0.0.0.0/0")]}
        ec2.revoke_security_group_ingress(**gone)
        assert refused(ec2.revoke_security_group_ingress, **gone)[0] == "InvalidPermission.NotFound"
        assert [p["IpRanges"] for p in described(ec2, group)["IpPermissions"]] == [
            [{"CidrIp": "192.168.0.0/16"}]
        ]

    def test_the_short_form(self, ec2: Any, group: str) -> None:
        ec2.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8"
        )
        found = ec2.describe_security_groups(Filters=by("ip-permission.from-port", "22"))["SecurityGroups"]
        assert group in [known["GroupId"] for known in found]

    def test_can_be_changed(self, ec2: Any, group: str) -> None:
        [made] = ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[tcp(5432, "10.0.0.0/8")])[
            "SecurityGroupRules"
        ]
        id = made["SecurityGroupRuleId"]
        wish = {
            "IpProtocol": "udp",
            "FromPort": 53,
            "ToPort": 53,
            "CidrIpv4": "10.0.0.0/8",
            "Description": "dns",
        }
        ec2.modify_security_group_rules(
            GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": id, "SecurityGroupRule": wish}]
        )
        [rule] = ec2.describe_security_group_rules(SecurityGroupRuleIds=[id])["SecurityGroupRules"]
        assert {member: rule[member] for member in wish} == wish

    @pytest.mark.parametrize(
        ("permission", "code", "text"),
        [
            ({"IpProtocol": "tcp"}, "InvalidParameterValue", "Must specify both from and to ports"),
            (tcp(80, "10.0.0.0/40"), "InvalidParameterValue", "CIDR block 10.0.0.0/40 is malformed"),
            (
                {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 8},
                "InvalidParameterValue",
                "Invalid TCP/UDP port range (9:8)",
            ),
            ({"IpProtocol": "pigeon"}, "InvalidPermission.Malformed", "Unsupported IP protocol"),
            (
                {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0"}]},
                "InvalidGroup.NotFound",
                "The security group 'sg-0' does not exist",
            ),
        ],
    )
    def test_refuse(self, ec2: Any, group: str, permission: dict[str, Any], code: str, text: str) -> None:
        found = refused(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[permission])
        assert (found[0], text in found[1]) == (code, True)
