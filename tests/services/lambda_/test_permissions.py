"""Resource policies, and how events of a function are configured."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests import harness

from .conftest import refused

ARN = f"arn:aws:lambda:{harness.REGION}:{harness.ACCOUNT}:function:"


def permit(lam: Any, name: str, sid: str = "one", **options: Any) -> Any:
    options = {"Principal": "apigateway.amazonaws.com", "Action": "lambda:InvokeFunction"} | options
    return json.loads(lam.add_permission(FunctionName=name, StatementId=sid, **options)["Statement"])


class TestAddPermission:
    def test_a_service_for_one_source(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        source = f"arn:aws:execute-api:us-east-1:{harness.ACCOUNT}:abc/*"
        statement = permit(lam, name, SourceArn=source, SourceAccount=harness.ACCOUNT)
        assert statement == {
            "Sid": "one",
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": ARN + name,
            "Condition": {
                "StringEquals": {"AWS:SourceAccount": harness.ACCOUNT},
                "ArnLike": {"AWS:SourceArn": source},
            },
        }
        policy = json.loads(lam.get_policy(FunctionName=name)["Policy"])
        assert policy == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}

    def test_an_account_and_everybody(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        account = permit(lam, name, "account", Principal="123456789012")
        assert account["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
        assert permit(lam, name, "all", Principal="*")["Principal"] == "*"

    def test_of_an_alias(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        assert permit(lam, name, Qualifier="live")["Resource"] == f"{ARN}{name}:live"
        assert refused(lam.get_policy, FunctionName=name)[1] == "The resource you requested does not exist."

    def test_errors(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        permit(lam, name)
        params = {"FunctionName": name, "StatementId": "one", "Action": "lambda:*", "Principal": "*"}
        assert refused(lam.add_permission, **params) == (
            "ResourceConflictException",
            (
                "The statement id (one) provided already exists. Please provide a new statement id, "
                "or remove the existing statement."
            ),
            409,
        )
        assert refused(lam.add_permission, **params | {"StatementId": "x", "Principal": "nobody"})[1] == (
            "The provided principal was invalid. Please check the principal and try again."
        )
        assert refused(lam.add_permission, **params | {"FunctionName": "missing"})[2] == 404
        assert refused(lam.add_permission, **params | {"Qualifier": "$LATEST"})[1] == (
            "We currently do not support adding policies for $LATEST."
        )
        assert refused(lam.add_permission, **params | {"StatementId": "x", "RevisionId": "stale"})[2] == 412

    def test_makes_a_new_revision_of_what_it_hangs_on(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        before = lam.get_function_configuration(FunctionName=name)["RevisionId"]
        permit(lam, name, RevisionId=before)
        after = lam.get_policy(FunctionName=name)["RevisionId"]
        assert after == lam.get_function_configuration(FunctionName=name)["RevisionId"] != before
        alias = lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        for qualifier in ("live", "1"):
            permit(lam, name, Qualifier=qualifier)
            policy = lam.get_policy(FunctionName=name, Qualifier=qualifier)
            assert policy["RevisionId"] not in (after, alias["RevisionId"])
        assert lam.get_alias(FunctionName=name, Name="live")["RevisionId"] != alias["RevisionId"]
        lam.remove_permission(FunctionName=name, StatementId="one", RevisionId=after)


class TestRemovePermission:
    def test_one_statement_and_the_last(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        permit(lam, name, "one")
        permit(lam, name, "two")
        lam.remove_permission(FunctionName=name, StatementId="one")
        left = json.loads(lam.get_policy(FunctionName=name)["Policy"])["Statement"]
        assert [statement["Sid"] for statement in left] == ["two"]
        assert refused(lam.remove_permission, FunctionName=name, StatementId="one")[:2] == (
            "ResourceNotFoundException",
            "Statement one is not found in resource policy.",
        )
        lam.remove_permission(FunctionName=name, StatementId="two")
        assert refused(lam.get_policy, FunctionName=name)[2] == 404
        assert refused(lam.remove_permission, FunctionName=name, StatementId="two")[1] == (
            "No policy is associated with the given resource."
        )


class TestEventInvokeConfig:
    def test_put_get_update_list_delete(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        made = lam.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
        assert made["FunctionArn"] == f"{ARN}{name}:$LATEST"
        lam.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=90)
        got = lam.get_function_event_invoke_config(FunctionName=name)
        assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (1, 90)
        assert (
            len(lam.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]) == 1
        )
        lam.delete_function_event_invoke_config(FunctionName=name)
        assert refused(lam.get_function_event_invoke_config, FunctionName=name) == (
            "ResourceNotFoundException",
            f"The function {ARN}{name}:$LATEST doesn't have an EventInvokeConfig",
            404,
        )

    def test_put_replaces_what_was(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        lam.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
        lam.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=90)
        assert "MaximumRetryAttempts" not in lam.get_function_event_invoke_config(FunctionName=name)

    def test_a_missing_function(self, lam: Any) -> None:
        got = refused(lam.put_function_event_invoke_config, FunctionName="missing", MaximumRetryAttempts=1)
        assert got == ("ResourceNotFoundException", "The function doesn't exist.", 404)

    def test_a_function_may_not_be_its_own_destination_nor_a_missing_one(
        self, lam: Any, function: Callable[..., str]
    ) -> None:
        name = function()
        for target, message in (
            (name, "You can't specify the function as a destination for itself."),
            ("missing", f"The destination ARN {ARN}missing is invalid."),
        ):
            got = refused(
                lam.put_function_event_invoke_config,
                FunctionName=name,
                DestinationConfig={"OnSuccess": {"Destination": ARN + target}},
            )
            assert got[:2] == ("InvalidParameterValueException", message)

    def test_refuses_a_destination_that_is_none(self, lam: Any, function: Callable[..., str]) -> None:
        got = refused(
            lam.put_function_event_invoke_config,
            FunctionName=function(),
            DestinationConfig={"OnFailure": {"Destination": "arn:aws:ec2:us-east-1:1:thing"}},
        )
        assert got[2] == 400
