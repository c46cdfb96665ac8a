"""The rules of security groups: who may send in, and where to."""

from __future__ import annotations

from functools import partial
from typing import Any

from ....context import Context
from ....errors import AwsError
from .. import model
from ..filters import page, select
from ..ip_permissions import in_words, rules_of, same
from ..network import change, look
from ..storage import Network, Record
from .groups import find_group
from .tags import given

Response = dict[str, Any]

_FILTERS = {
    "group-id": "GroupId",
    "security-group-rule-id": "SecurityGroupRuleId",
}


async def authorize_security_group_ingress(ctx: Context, request: dict[str, Any]) -> Response:
    return await change(ctx, request, partial(_authorize, request, False))


async def authorize_security_group_egress(ctx: Context, request: dict[str, Any]) -> Response:
    return await change(ctx, request, partial(_authorize, request, True))


async def _authorize(request: dict[str, Any], egress: bool, net: Network) -> Response:
    group = await find_group(net, request)
    rules = await rules_of(net, group, request, egress=egress)
    tags = given(request, "security-group-rule")
    for rule in rules:
        if any(same(rule, known) for known in group["rules"]):
            raise AwsError(
                "InvalidPermission.Duplicate", f'the specified rule "{in_words(rule)}" already exists'
            )
        group["rules"].append({**rule, "Tags": tags})
    if sum(rule["IsEgress"] == egress for rule in group["rules"]) > model.MAX_RULES:
        raise AwsError(
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.",
        )
    await net.put("security-group", group["GroupId"], group)
    return {"Return": True, "SecurityGroupRules": [{**rule, "Tags": tags} for rule in rules]}


async def revoke_security_group_ingress(ctx: Context, request: dict[str, Any]) -> Response:
    return await change(ctx, request, partial(_revoke, request, False))


async def revoke_security_group_egress(ctx: Context, request: dict[str, Any]) -> Response:
    return await change(ctx, request, partial(_revoke, request, True))


async def _revoke(request: dict[str, Any], egress: bool, net: Network) -> Response:
    ids = request.get("SecurityGroupRuleIds", [])
    if ids and not request.get("GroupId") and not request.get("GroupName"):
        group = await _owner(net, ids[0])
    else:
        group = await find_group(net, request)
    if ids:
        known = {rule["SecurityGroupRuleId"]: rule for rule in group["rules"] if rule["IsEgress"] == egress}
        for id in ids:
            if id not in known:
                raise model.not_found("security-group-rule", id)
        doomed = [known[id] for id in ids]
    else:
        doomed = [_known(group, wish) for wish in await rules_of(net, group, request, egress=egress)]
    gone = {rule["SecurityGroupRuleId"] for rule in doomed}
    group["rules"] = [rule for rule in group["rules"] if rule["SecurityGroupRuleId"] not in gone]
    await net.put("security-group", group["GroupId"], group)
    revoked = [{**rule, "ReferencedGroupId": _reference(rule)} for rule in doomed]
    return {"Return": True, "RevokedSecurityGroupRules": revoked}


def _known(group: Record, wish: Record) -> Record:
    for rule in group["rules"]:
        if same(rule, wish):
            return dict(rule)
    raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")


def _reference(rule: Record) -> str | None:
    found = rule.get("ReferencedGroupInfo", {}).get("GroupId")
    return None if found is None else str(found)


async def _owner(net: Network, rule: str) -> Record:
    for group in await net.all("security-group"):
        if any(known["SecurityGroupRuleId"] == rule for known in group["rules"]):
            return group
    raise model.not_found("security-group-rule", rule)


async def describe_security_group_rules(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        rules = [rule for group in await net.all("security-group") for rule in group["rules"]]
        wanted = request.get("SecurityGroupRuleIds")
        if wanted:
            known = {rule["SecurityGroupRuleId"]: rule for rule in rules}
            for id in wanted:
                if id not in known:
                    raise model.not_found("security-group-rule", id)
            rules = [known[id] for id in wanted]
        found, more = page(select(rules, request, _FILTERS), request, "SecurityGroupRuleIds")
        return {"SecurityGroupRules": found, **more}

    return await look(ctx, body)


async def modify_security_group_rules(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        group = await net.get("security-group", request["GroupId"])
        known = {rule["SecurityGroupRuleId"]: rule for rule in group["rules"]}
        for wish in request["SecurityGroupRules"]:
            id, said = wish["SecurityGroupRuleId"], wish.get("SecurityGroupRule", {})
            if id not in known:
                raise model.not_found("security-group-rule", id)
            rule = known[id]
            [changed] = await rules_of(
                net, group, {"IpPermissions": [_permission(said)]}, egress=rule["IsEgress"]
            )
            keep = {
                member: rule[member] for member in ("SecurityGroupRuleId", "SecurityGroupRuleArn", "Tags")
            }
            group["rules"][group["rules"].index(rule)] = {**changed, **keep}
        await net.put("security-group", group["GroupId"], group)
        return {"Return": True}

    return await change(ctx, request, body)


def _permission(said: Record) -> Record:
    """A SecurityGroupRuleRequest as the IpPermission that means the same."""
    words = {"Description": said["Description"]} if "Description" in said else {}
    permission: dict[str, Any] = {
        member: said[member] for member in ("IpProtocol", "FromPort", "ToPort") if member in said
    }
    for member, ranges, inner in (
        ("CidrIpv4", "IpRanges", "CidrIp"),
        ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
        ("PrefixListId", "PrefixListIds", "PrefixListId"),
        ("ReferencedGroupId", "UserIdGroupPairs", "GroupId"),
    ):
        if member in said:
            permission[ranges] = [{inner: said[member], **words}]
            return permission
    raise model.missing("cidrIpv4")


async def update_security_group_rule_descriptions_ingress(ctx: Context, request: dict[str, Any]) -> Response:
    return await change(ctx, request, partial(_describe_anew, request, False))


async def update_security_group_rule_descriptions_egress(ctx: Context, request: dict[str, Any]) -> Response:
    return await change(ctx, request, partial(_describe_anew, request, True))


async def _describe_anew(request: dict[str, Any], egress: bool, net: Network) -> Response:
    group = await find_group(net, request)
    for wish in await rules_of(net, group, request, egress=egress):
        place = next((n for n, rule in enumerate(group["rules"]) if same(rule, wish)), None)
        if place is None:
            raise AwsError(
                "InvalidPermission.NotFound", "The specified rule does not exist in this security group."
            )
        rule = {k: v for k, v in group["rules"][place].items() if k != "Description"}
        group["rules"][place] = {
            **rule,
            **({"Description": wish["Description"]} if "Description" in wish else {}),
        }
    await net.put("security-group", group["GroupId"], group)
    return {"Return": True}
