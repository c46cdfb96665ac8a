"""The policy simulator."""

from __future__ import annotations

from typing import Any

from tests.services.iam.documents import allow

BUCKET = "arn:aws:s3:::b/*"


class TestSimulateCustomPolicy:
    def test_says_what_is_allowed_and_by_which_policy(self, iam: Any) -> None:
        answer = iam.simulate_custom_policy(
            PolicyInputList=[allow("s3:GetObject", BUCKET), allow("s3:Delete*", BUCKET, Effect="Deny")],
            ActionNames=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            ResourceArns=["arn:aws:s3:::b/key"],
        )
        found = [(one["EvalActionName"], one["EvalDecision"]) for one in answer["EvaluationResults"]]
        assert found == [
            ("s3:GetObject", "allowed"),
            ("s3:PutObject", "implicitDeny"),
            ("s3:DeleteObject", "explicitDeny"),
        ]
        matched = [one["MatchedStatements"] for one in answer["EvaluationResults"]]
        assert matched[0][0]["SourcePolicyId"] == "PolicyInputList.1"
        assert matched[1] == [] and matched[2][0]["SourcePolicyId"] == "PolicyInputList.2"

    def test_conditions_see_the_context_that_is_given(self, iam: Any) -> None:
        policy = allow("s3:GetObject", Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})
        asked = {"PolicyInputList": [policy], "ActionNames": ["s3:GetObject"]}
        (without,) = iam.simulate_custom_policy(**asked)["EvaluationResults"]
        assert without["EvalDecision"] == "implicitDeny"
        assert without["MissingContextValues"] == ["aws:principaltag/team"]
        entry = {
            "ContextKeyName": "aws:PrincipalTag/team",
            "ContextKeyValues": ["a"],
            "ContextKeyType": "string",
        }
        (given,) = iam.simulate_custom_policy(**asked, ContextEntries=[entry])["EvaluationResults"]
        assert given["EvalDecision"] == "allowed"

    def test_a_boundary_limits(self, iam: Any) -> None:
        (found,) = iam.simulate_custom_policy(
            PolicyInputList=[allow("*")],
            PermissionsBoundaryPolicyInputList=[allow("sqs:*")],
            ActionNames=["sns:Publish"],
        )["EvaluationResults"]
        assert found["EvalDecision"] == "implicitDeny"
        assert found["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}

    def test_comes_by_pages(self, iam: Any) -> None:
        actions = [f"sqs:Action{number}" for number in range(5)]
        asked = {"PolicyInputList": [allow("sqs:*")], "ActionNames": actions}
        pages = iam.get_paginator("simulate_custom_policy").paginate(
            **asked, PaginationConfig={"PageSize": 2}
        )
        assert [one["EvalActionName"] for page in pages for one in page["EvaluationResults"]] == actions

    def test_what_is_no_policy_is_refused(self, iam: Any, refused: Any) -> None:
        with refused("InvalidInput"):
            iam.simulate_custom_policy(PolicyInputList=["{}"], ActionNames=["s3:GetObject"])


class TestSimulatePrincipalPolicy:
    def test_asks_what_the_principal_has(self, iam: Any, role: str) -> None:
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=allow("sqs:SendMessage"))
        iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonSNSReadOnlyAccess")
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
        answer = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=["sqs:SendMessage", "sns:ListTopics", "sns:Publish"]
        )
        found = [one["EvalDecision"] for one in answer["EvaluationResults"]]
        assert found == ["allowed", "allowed", "implicitDeny"]
        sources = [one["MatchedStatements"] for one in answer["EvaluationResults"]]
        assert sources[0][0]["SourcePolicyId"] == f"role_{role}_own"
        assert sources[1][0]["SourcePolicyId"] == "AmazonSNSReadOnlyAccess"

    def test_one_that_is_not_there(self, iam: Any, refused: Any) -> None:
        with refused("NoSuchEntity"):
            iam.simulate_principal_policy(
                PolicySourceArn="arn:aws:iam::000000000000:role/nobody", ActionNames=["s3:GetObject"]
            )


def test_context_keys_are_those_of_conditions_and_variables(iam: Any, role: str) -> None:
    policy = allow(
        "s3:*", "arn:aws:s3:::b/${aws:username}/*", Condition={"Bool": {"aws:SecureTransport": "true"}}
    )
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"]
    assert sorted(keys) == ["aws:SecureTransport", "aws:username"]
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=policy)
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    found = iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)["ContextKeyNames"]
    assert sorted(found) == sorted(keys)
