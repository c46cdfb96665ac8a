"""CloudFormation's types of users, groups and what belongs to them, as calls of IAM's operations."""

from __future__ import annotations

from collections.abc import Sequence

from ...resources import Call, Params, Resource, View
from .resources import GONE, text

# --- what users and groups have in common


def _policies(kind: str) -> list[Call]:
    """Inline and managed policies that stand in the entity's own properties: put."""

    def inline(r: View) -> Sequence[Params]:
        return [
            {f"{kind}Name": r.id, "PolicyName": p["PolicyName"], "PolicyDocument": text(p["PolicyDocument"])}
            for p in r.new.get("Policies", ())
        ]

    def managed(r: View) -> Sequence[Params]:
        return [{f"{kind}Name": r.id, "PolicyArn": arn} for arn in r.new.get("ManagedPolicyArns", ())]

    return [
        Call("iam", f"Put{kind}Policy", inline, when={"Policies"}),
        Call("iam", f"Attach{kind}Policy", managed, when={"ManagedPolicyArns"}),
    ]


def _dropped(kind: str, *, every: bool = False) -> list[Call]:
    """The same, taken away: what the new template leaves out, or every one before the entity goes."""

    def inline(r: View) -> Sequence[Params]:
        kept = [] if every else r.new.get("Policies", ())
        had = r.new if every else r.old
        names = {p["PolicyName"] for p in had.get("Policies", ())} - {p["PolicyName"] for p in kept}
        return [{f"{kind}Name": r.id, "PolicyName": name} for name in sorted(names)]

    def managed(r: View) -> Sequence[Params]:
        kept = set() if every else set(r.new.get("ManagedPolicyArns", ()))
        had = r.new if every else r.old
        return [
            {f"{kind}Name": r.id, "PolicyArn": arn}
            for arn in sorted(set(had.get("ManagedPolicyArns", ())) - kept)
        ]

    when = None if every else {"Policies"}
    attached = None if every else {"ManagedPolicyArns"}
    return [
        Call("iam", f"Delete{kind}Policy", inline, when=when, gone=GONE),
        Call("iam", f"Detach{kind}Policy", managed, when=attached, gone=GONE),
    ]


def _entity(kind: str, *members: str) -> Call:
    def create(r: View) -> Params:
        return {name: r.new[name] for name in (f"{kind}Name", "Path", *members) if name in r.new}

    return Call("iam", f"Create{kind}", create, result=kind)


# --- AWS::IAM::User


def _join(r: View) -> Sequence[Params]:
    return [{"UserName": r.id, "GroupName": group} for group in r.new.get("Groups", ())]


def _leave(r: View) -> Sequence[Params]:
    gone = set(r.old.get("Groups", ())) - set(r.new.get("Groups", ()))
    return [{"UserName": r.id, "GroupName": group} for group in sorted(gone)]


def _leave_all(r: View) -> Sequence[Params]:
    return [{"UserName": r.id, "GroupName": group} for group in r.new.get("Groups", ())]


def _bound(r: View) -> Sequence[Params]:
    wanted = r.new.get("PermissionsBoundary")
    return [{"UserName": r.id, "PermissionsBoundary": wanted}] if wanted else []


def _unbound(r: View) -> Sequence[Params]:
    return [] if r.new.get("PermissionsBoundary") else [{"UserName": r.id}]


def _tag(r: View) -> Sequence[Params]:
    return [{"UserName": r.id, "Tags": r.new["Tags"]}] if r.new.get("Tags") else []


def _untag(r: View) -> Sequence[Params]:
    gone = {tag["Key"] for tag in r.old.get("Tags", ())} - {tag["Key"] for tag in r.new.get("Tags", ())}
    return [{"UserName": r.id, "TagKeys": sorted(gone)}] if gone else []


_USER = Resource(
    name="UserName",
    name_max=64,
    create=[
        _entity("User", "PermissionsBoundary", "Tags"),
        *_policies("User"),
        Call("iam", "AddUserToGroup", _join),
    ],
    update=[
        *_policies("User"),
        *_dropped("User"),
        Call("iam", "AddUserToGroup", _join, when={"Groups"}),
        Call("iam", "RemoveUserFromGroup", _leave, when={"Groups"}, gone=GONE),
        Call("iam", "PutUserPermissionsBoundary", _bound, when={"PermissionsBoundary"}),
        Call("iam", "DeleteUserPermissionsBoundary", _unbound, when={"PermissionsBoundary"}, gone=GONE),
        Call("iam", "UntagUser", _untag, when={"Tags"}),
        Call("iam", "TagUser", _tag, when={"Tags"}),
    ],
    delete=[
        *_dropped("User", every=True),
        Call("iam", "RemoveUserFromGroup", _leave_all, gone=GONE),
        Call("iam", "DeleteUser", lambda r: {"UserName": r.id}, gone=GONE),
    ],
    id="{UserName}",
    attributes={"Arn": "{Arn}"},
    replace={"UserName", "Path"},
    ignore={"LoginProfile"},
)

# --- AWS::IAM::Group, and who is in it

_GROUP = Resource(
    name="GroupName",
    name_max=128,
    create=[_entity("Group"), *_policies("Group")],
    update=[*_policies("Group"), *_dropped("Group")],
    delete=[
        *_dropped("Group", every=True),
        Call("iam", "DeleteGroup", lambda r: {"GroupName": r.id}, gone=GONE),
    ],
    id="{GroupName}",
    attributes={"Arn": "{Arn}"},
    replace={"GroupName", "Path"},
)


def _add(r: View) -> Sequence[Params]:
    return [{"GroupName": r.new["GroupName"], "UserName": user} for user in r.new["Users"]]


def _remove(r: View) -> Sequence[Params]:
    gone = set(r.old.get("Users", ())) - set(r.new["Users"])
    return [{"GroupName": r.new["GroupName"], "UserName": user} for user in sorted(gone)]


_ADDITION = Resource(
    required={"GroupName", "Users"},
    create=[Call("iam", "AddUserToGroup", _add)],
    update=[Call("iam", "AddUserToGroup", _add), Call("iam", "RemoveUserFromGroup", _remove, gone=GONE)],
    delete=[Call("iam", "RemoveUserFromGroup", _add, gone=GONE)],
    id="{stack_name}-{logical_id}",
    replace={"GroupName"},
)

# --- AWS::IAM::AccessKey

_ACCESS_KEY = Resource(
    required={"UserName"},
    create=[
        Call("iam", "CreateAccessKey", lambda r: {"UserName": r.new["UserName"]}, result="AccessKey"),
        Call(
            "iam",
            "UpdateAccessKey",
            lambda r: (
                [{"UserName": r.new["UserName"], "AccessKeyId": r.made["AccessKeyId"], "Status": "Inactive"}]
                if r.new.get("Status") == "Inactive"
                else []
            ),
        ),
    ],
    update=[
        Call(
            "iam",
            "UpdateAccessKey",
            lambda r: {
                "UserName": r.new["UserName"],
                "AccessKeyId": r.id,
                "Status": r.new.get("Status", "Active"),
            },
            when={"Status"},
        )
    ],
    delete=[
        Call(
            "iam",
            "DeleteAccessKey",
            lambda r: {"UserName": r.new["UserName"], "AccessKeyId": r.id},
            gone=GONE,
        )
    ],
    id="{AccessKeyId}",
    attributes={"SecretAccessKey": "{SecretAccessKey}"},
    replace={"Serial", "UserName"},
)

# --- AWS::IAM::UserPolicy and AWS::IAM::GroupPolicy


def _inline(kind: str) -> Resource:
    member = f"{kind}Name"

    def put(r: View) -> Params:
        return {**r.new, "PolicyDocument": text(r.new.get("PolicyDocument", {}))}

    def delete(r: View) -> Params:
        return {member: r.new[member], "PolicyName": r.new["PolicyName"]}

    return Resource(
        required={"PolicyName", member},
        create=[Call("iam", f"Put{kind}Policy", put)],
        update=[Call("iam", f"Put{kind}Policy", put)],
        delete=[Call("iam", f"Delete{kind}Policy", delete, gone=GONE)],
        id=f"{{PolicyName}}|{{{member}}}",
        replace={"PolicyName", member},
    )


# --- AWS::IAM::InstanceProfile


def _fill(r: View) -> Sequence[Params]:
    return [{"InstanceProfileName": r.id, "RoleName": role} for role in r.new["Roles"]]


def _empty(r: View) -> Sequence[Params]:
    return [{"InstanceProfileName": r.id, "RoleName": role} for role in (r.old or r.new)["Roles"]]


_PROFILE = Resource(
    name="InstanceProfileName",
    name_max=128,
    required={"Roles"},
    create=[
        Call(
            "iam",
            "CreateInstanceProfile",
            lambda r: {name: r.new[name] for name in ("InstanceProfileName", "Path") if name in r.new},
            result="InstanceProfile",
        ),
        Call("iam", "AddRoleToInstanceProfile", _fill),
    ],
    update=[
        Call("iam", "RemoveRoleFromInstanceProfile", _empty, when={"Roles"}, gone=GONE),
        Call("iam", "AddRoleToInstanceProfile", _fill, when={"Roles"}),
    ],
    delete=[
        Call("iam", "RemoveRoleFromInstanceProfile", _fill, gone=GONE),
        Call("iam", "DeleteInstanceProfile", lambda r: {"InstanceProfileName": r.id}, gone=GONE),
    ],
    id="{InstanceProfileName}",
    attributes={"Arn": "{Arn}"},
    replace={"InstanceProfileName", "Path"},
)

RESOURCES = {
    "AWS::IAM::AccessKey": _ACCESS_KEY,
    "AWS::IAM::Group": _GROUP,
    "AWS::IAM::GroupPolicy": _inline("Group"),
    "AWS::IAM::InstanceProfile": _PROFILE,
    "AWS::IAM::User": _USER,
    "AWS::IAM::UserPolicy": _inline("User"),
    "AWS::IAM::UserToGroupAddition": _ADDITION,
}
