"""The order of deciding, after "Policy evaluation logic" in the IAM User Guide."""

from __future__ import annotations

from typing import Any

import pytest

from cloudlet.policies.decision import Holdings, Reason, decide
from cloudlet.policies.documents import BadPolicy, Policy, Who, policy_of

ROLE = "arn:aws:iam::111111111111:role/worker"
SESSION = Who("role", "111111111111", "arn:aws:sts::111111111111:assumed-role/worker/one", ROLE)
USER = Who("user", "111111111111", "arn:aws:iam::111111111111:user/ann")
QUEUE = "arn:aws:sqs:us-east-1:111111111111:jobs"
FACTS: dict[str, list[str]] = {"aws:username": ["ann"]}


def policy(*statements: dict[str, Any]) -> Policy:
    return policy_of({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str = "sqs:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str = "sqs:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def why(who: Who = USER, holdings: Holdings | None = None, **more: Any) -> Reason | None:
    """None: allowed."""
    holdings = (
        holdings if holdings is not None or who.kind in ("root", "service", "anonymous") else Holdings()
    )
    verdict = decide(who, holdings, "sqs:SendMessage", QUEUE, FACTS.get, **more)
    assert verdict.allowed == (verdict.reason is None)
    return verdict.reason


class TestIdentityPolicies:
    def test_nothing_is_allowed_by_default(self) -> None:
        assert why() is Reason.IDENTITY

    @pytest.mark.parametrize(
        ("statement", "allowed"),
        [
            (allow(), True),
            (allow("SQS:sendmessage"), True),
            (allow("sqs:Send*"), True),
            (allow("sqs:ReceiveMessage"), False),
            (allow("*", QUEUE), True),
            (allow("*", "arn:aws:sqs:*:*:jobs"), True),
            (allow("*", "arn:aws:sqs:*:jobs"), False),
            (allow("*", "arn:aws:sqs:us-east-1:111111111111:JOBS"), False),
            ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, True),
            ({"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}, False),
            ({"Effect": "Allow", "Action": "*", "NotResource": QUEUE}, False),
            (allow(Condition={"StringEquals": {"aws:username": "ann"}}), True),
            (allow(Condition={"StringEquals": {"aws:username": "bob"}}), False),
            (allow(resource="arn:aws:sqs:*:*:${aws:nothing}"), False),
        ],
    )
    def test_a_statement(self, statement: dict[str, Any], allowed: bool) -> None:
        assert (why(holdings=Holdings([policy(statement)])) is None) is allowed

    def test_a_deny_wins(self) -> None:
        assert (
            why(holdings=Holdings([policy(allow()), policy(deny("sqs:Send*"))])) is Reason.DENIED_BY_IDENTITY
        )

    def test_the_boundary_and_the_session_limit(self) -> None:
        everything, nothing = policy(allow()), policy(allow("s3:*"))
        assert why(holdings=Holdings([everything], boundary=nothing)) is Reason.BOUNDARY
        assert why(holdings=Holdings([everything], boundary=policy(deny()))) is Reason.DENIED_BY_BOUNDARY
        assert why(SESSION, Holdings([everything], session=[nothing])) is Reason.SESSION
        assert why(SESSION, Holdings([everything], everything, [everything])) is None

    def test_a_verdict_is_remembered_only_if_nothing_else_decides(self) -> None:
        fixed = Holdings([policy(allow())])
        moving = Holdings([policy(allow(Condition={"Bool": {"aws:SecureTransport": "true"}}))])
        assert why(holdings=fixed) is None
        assert why(holdings=moving) is Reason.IDENTITY
        assert (len(fixed.cache), len(moving.cache)) == (1, 0)


class TestResourcePolicies:
    def test_naming_the_principal_is_enough_in_its_account(self) -> None:
        assert why(resource_policy=policy(allow(Principal={"AWS": USER.arn}))) is None
        assert why(resource_policy=policy(allow(Principal="*"))) is None

    def test_naming_the_account_leaves_it_to_identity_policies(self) -> None:
        of_account = policy(allow(Principal={"AWS": "111111111111"}))
        assert why(resource_policy=of_account) is Reason.IDENTITY
        assert why(holdings=Holdings([policy(allow())]), resource_policy=of_account) is None

    def test_naming_the_role_does_not_lift_a_sessions_limits(self) -> None:
        of_role = policy(allow(Principal={"AWS": ROLE}))
        assert why(SESSION, resource_policy=of_role) is None
        assert (
            why(SESSION, Holdings(session=[policy(allow("s3:*"))]), resource_policy=of_role) is Reason.SESSION
        )
        of_session = policy(allow(Principal={"AWS": SESSION.arn}))
        assert why(SESSION, Holdings(session=[policy(allow("s3:*"))]), resource_policy=of_session) is None

    def test_a_deny_wins_over_identity_policies(self) -> None:
        closed = policy(deny(Principal="*"))
        assert why(holdings=Holdings([policy(allow())]), resource_policy=closed) is Reason.DENIED_BY_RESOURCE
        but = policy({"Effect": "Deny", "NotPrincipal": {"AWS": USER.arn}, "Action": "*", "Resource": "*"})
        assert why(holdings=Holdings([policy(allow())]), resource_policy=but) is None

    def test_from_another_account_both_must_allow(self) -> None:
        mine, opened = (
            Holdings([policy(allow())]),
            policy(allow(Principal={"AWS": "arn:aws:iam::111111111111:root"})),
        )
        assert why(holdings=mine, owner="222222222222") is Reason.RESOURCE
        assert why(owner="222222222222", resource_policy=opened) is Reason.IDENTITY
        assert why(holdings=mine, owner="222222222222", resource_policy=opened) is None

    def test_services_need_to_be_named(self) -> None:
        topic = Who("service", "111111111111", "sns.amazonaws.com")
        condition = {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:111111111111:news"}}
        opened = policy(allow(Principal={"Service": "sns.amazonaws.com"}, Condition=condition))
        assert why(topic) is Reason.RESOURCE
        assert why(topic, resource_policy=opened) is Reason.RESOURCE
        news = "arn:aws:sns:us-east-1:111111111111:news"
        topic, source = topic._replace(source=news), {"aws:sourcearn": [news]}
        assert decide(topic, None, "sqs:SendMessage", QUEUE, source.get, resource_policy=opened).allowed

    def test_anybody_may_what_is_public(self) -> None:
        nobody = Who("anonymous", "", "")
        assert why(nobody) is Reason.RESOURCE
        assert why(nobody, resource_policy=policy(allow(Principal={"AWS": "*"}))) is None
        assert why(nobody, resource_policy=policy(allow(Principal={"AWS": USER.arn}))) is Reason.RESOURCE


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"Statement": "all"},
        {"Statement": [{"Effect": "Maybe", "Action": "*", "Resource": "*"}]},
        {"Statement": [{"Effect": "Allow", "Resource": "*"}]},
        {"Statement": [allow(Condition={"Sounds": {"like": "a"}})]},
        {"Statement": [allow(Condition=["a"])]},
    ],
)
def test_what_is_no_policy_is_refused(document: Any) -> None:
    with pytest.raises(BadPolicy):
        policy_of(document)
