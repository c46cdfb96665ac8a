"""CloudFormation's types that IAM owns, as calls of its operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from ...resources import Call, Params, Resource, View

GONE = frozenset({"NoSuchEntity"})
OWNERS = (("Roles", "Role"), ("Users", "User"), ("Groups", "Group"))


def text(document: Any) -> str:
    """A policy in a template is a structure; the API takes text."""
    return document if isinstance(document, str) else orjson.dumps(document).decode()


# --- AWS::IAM::Role


def _create_role(r: View) -> Params:
    plain = ("RoleName", "Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags")
    given = {name: r.new[name] for name in plain if name in r.new}
    return {**given, "AssumeRolePolicyDocument": text(r.new["AssumeRolePolicyDocument"])}


def _names(policies: Sequence[dict[str, Any]]) -> set[str]:
    return {policy["PolicyName"] for policy in policies}


def _put_policies(r: View) -> Sequence[Params]:
    return [
        {"RoleName": r.id, "PolicyName": p["PolicyName"], "PolicyDocument": text(p["PolicyDocument"])}
        for p in r.new.get("Policies", ())
    ]


def _attach_policies(r: View) -> Sequence[Params]:
    return [{"RoleName": r.id, "PolicyArn": arn} for arn in r.new.get("ManagedPolicyArns", ())]


def _drop_policies(r: View) -> Sequence[Params]:
    dropped = _names(r.old.get("Policies", ())) - _names(r.new.get("Policies", ()))
    return [{"RoleName": r.id, "PolicyName": name} for name in sorted(dropped)]


def _detach_policies(r: View) -> Sequence[Params]:
    dropped = set(r.old.get("ManagedPolicyArns", ())) - set(r.new.get("ManagedPolicyArns", ()))
    return [{"RoleName": r.id, "PolicyArn": arn} for arn in sorted(dropped)]


def _delete_all_policies(r: View) -> Sequence[Params]:
    return [{"RoleName": r.id, "PolicyName": name} for name in sorted(_names(r.new.get("Policies", ())))]


def _detach_all_policies(r: View) -> Sequence[Params]:
    return [{"RoleName": r.id, "PolicyArn": arn} for arn in r.new.get("ManagedPolicyArns", ())]


def _update_role(r: View) -> Params:
    wanted: dict[str, Any] = {"RoleName": r.id, "Description": r.new.get("Description", "")}
    return {**wanted, "MaxSessionDuration": r.new.get("MaxSessionDuration", 3600)}


def _trust(r: View) -> Params:
    return {"RoleName": r.id, "PolicyDocument": text(r.new["AssumeRolePolicyDocument"])}


def _untag(r: View) -> Sequence[Params]:
    dropped = {tag["Key"] for tag in r.old.get("Tags", ())} - {tag["Key"] for tag in r.new.get("Tags", ())}
    return [{"RoleName": r.id, "TagKeys": sorted(dropped)}] if dropped else []


def _tag(r: View) -> Sequence[Params]:
    return [{"RoleName": r.id, "Tags": r.new["Tags"]}] if r.new.get("Tags") else []


def _boundary(r: View) -> Sequence[Params]:
    wanted = r.new.get("PermissionsBoundary")
    return [{"RoleName": r.id, "PermissionsBoundary": wanted}] if wanted else []


def _no_boundary(r: View) -> Sequence[Params]:
    return [] if r.new.get("PermissionsBoundary") else [{"RoleName": r.id}]


_ROLE = Resource(
    name="RoleName",
    name_max=64,
    required={"AssumeRolePolicyDocument"},
    create=[
        Call("iam", "CreateRole", _create_role, result="Role"),
        Call("iam", "PutRolePolicy", _put_policies),
        Call("iam", "AttachRolePolicy", _attach_policies),
    ],
    update=[
        Call("iam", "UpdateAssumeRolePolicy", _trust, when={"AssumeRolePolicyDocument"}),
        Call("iam", "UpdateRole", _update_role, when={"Description", "MaxSessionDuration"}),
        Call("iam", "PutRolePermissionsBoundary", _boundary, when={"PermissionsBoundary"}),
        Call("iam", "DeleteRolePermissionsBoundary", _no_boundary, when={"PermissionsBoundary"}, gone=GONE),
        Call("iam", "PutRolePolicy", _put_policies, when={"Policies"}),
        Call("iam", "DeleteRolePolicy", _drop_policies, when={"Policies"}, gone=GONE),
        Call("iam", "AttachRolePolicy", _attach_policies, when={"ManagedPolicyArns"}),
        Call("iam", "DetachRolePolicy", _detach_policies, when={"ManagedPolicyArns"}, gone=GONE),
        Call("iam", "UntagRole", _untag, when={"Tags"}),
        Call("iam", "TagRole", _tag, when={"Tags"}),
    ],
    delete=[
        Call("iam", "DeleteRolePolicy", _delete_all_policies, gone=GONE),
        Call("iam", "DetachRolePolicy", _detach_all_policies, gone=GONE),
        Call("iam", "DeleteRole", lambda r: {"RoleName": r.id}, gone=GONE),
    ],
    id="{RoleName}",
    attributes={"Arn": "{Arn}", "RoleId": "{RoleId}"},
    replace={"RoleName", "Path"},
)


# --- AWS::IAM::Policy and AWS::IAM::RolePolicy: inline policies as resources of their own


def _inline(kind: str, member: str) -> Call:
    def params(r: View) -> Sequence[Params]:
        document = text(r.new["PolicyDocument"])
        return [
            {f"{kind}Name": name, "PolicyName": r.new["PolicyName"], "PolicyDocument": document}
            for name in r.new.get(member, ())
        ]

    return Call("iam", f"Put{kind}Policy", params)


def _inline_dropped(kind: str, member: str) -> Call:
    """Taken from those who no longer have it, or from all if the policy has a new name."""

    def params(r: View) -> Sequence[Params]:
        kept = set() if r.changed("PolicyName") else set(r.new.get(member, ()))
        return [
            {f"{kind}Name": name, "PolicyName": r.old["PolicyName"]}
            for name in r.old.get(member, ())
            if name not in kept
        ]

    return Call("iam", f"Delete{kind}Policy", params, gone=GONE)


def _inline_deleted(kind: str, member: str) -> Call:
    def params(r: View) -> Sequence[Params]:
        return [{f"{kind}Name": name, "PolicyName": r.new["PolicyName"]} for name in r.new.get(member, ())]

    return Call("iam", f"Delete{kind}Policy", params, gone=GONE)


_POLICY = Resource(
    required={"PolicyName", "PolicyDocument"},
    create=[_inline(kind, member) for member, kind in OWNERS],
    update=[
        *(_inline_dropped(kind, member) for member, kind in OWNERS),
        *(_inline(kind, member) for member, kind in OWNERS),
    ],
    delete=[_inline_deleted(kind, member) for member, kind in OWNERS],
    id="{PolicyName}",
)


def _role_policy(r: View) -> Params:
    return {**r.new, "PolicyDocument": text(r.new.get("PolicyDocument", {}))}


_ROLE_POLICY = Resource(
    required={"PolicyName", "RoleName"},
    create=[Call("iam", "PutRolePolicy", _role_policy)],
    update=[Call("iam", "PutRolePolicy", _role_policy)],
    delete=[
        Call(
            "iam",
            "DeleteRolePolicy",
            lambda r: {"RoleName": r.new["RoleName"], "PolicyName": r.new["PolicyName"]},
            gone=GONE,
        )
    ],
    id="{PolicyName}|{RoleName}",
    replace={"PolicyName", "RoleName"},
)


# --- AWS::IAM::ManagedPolicy


def _create_policy(r: View) -> Params:
    plain: dict[str, Any] = {name: r.new[name] for name in ("Path", "Description", "Tags") if name in r.new}
    return {
        **plain,
        "PolicyName": r.new["ManagedPolicyName"],
        "PolicyDocument": text(r.new["PolicyDocument"]),
    }


def _attached(kind: str, member: str) -> Call:
    def params(r: View) -> Sequence[Params]:
        return [{f"{kind}Name": name, "PolicyArn": r.made["Arn"]} for name in r.new.get(member, ())]

    return Call("iam", f"Attach{kind}Policy", params)


def _detached(kind: str, member: str, every: bool) -> Call:
    """From all of them when the policy is deleted, else from those whom the new template leaves out."""

    def params(r: View) -> Sequence[Params]:
        left = r.new.get(member, ()) if every else set(r.old.get(member, ())) - set(r.new.get(member, ()))
        return [{f"{kind}Name": name, "PolicyArn": r.id} for name in sorted(left)]

    return Call("iam", f"Detach{kind}Policy", params, gone=GONE)


def _older_version(r: View) -> Sequence[Params]:
    """The version before the default one goes, so that the limit of five is never met."""
    newest = int(r.made.get("VersionId", "v1").removeprefix("v"))
    return [{"PolicyArn": r.id, "VersionId": f"v{newest - 1}"}] if newest > 1 else []


_MANAGED_POLICY = Resource(
    name="ManagedPolicyName",
    name_max=128,
    required={"PolicyDocument"},
    create=[
        Call("iam", "CreatePolicy", _create_policy, result="Policy"),
        *(_attached(kind, member) for member, kind in OWNERS),
    ],
    update=[
        Call(
            "iam",
            "CreatePolicyVersion",
            lambda r: {
                "PolicyArn": r.id,
                "PolicyDocument": text(r.new["PolicyDocument"]),
                "SetAsDefault": True,
            },
            result="PolicyVersion",
            when={"PolicyDocument"},
        ),
        Call("iam", "DeletePolicyVersion", _older_version, when={"PolicyDocument"}, gone=GONE),
        *(_detached(kind, member, every=False) for member, kind in OWNERS),
        *(_attached(kind, member) for member, kind in OWNERS),
    ],
    delete=[
        *(_detached(kind, member, every=True) for member, kind in OWNERS),
        Call("iam", "DeletePolicy", lambda r: {"PolicyArn": r.id}, gone=GONE),
    ],
    id="{Arn}",
    attributes={"PolicyArn": "{Arn}", "PolicyId": "{PolicyId}", "CreateDate": "{CreateDate}"},
    replace={"ManagedPolicyName", "Description", "Path"},
)

RESOURCES = {
    "AWS::IAM::ManagedPolicy": _MANAGED_POLICY,
    "AWS::IAM::Policy": _POLICY,
    "AWS::IAM::Role": _ROLE,
    "AWS::IAM::RolePolicy": _ROLE_POLICY,
}
