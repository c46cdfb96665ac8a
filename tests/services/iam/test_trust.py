"""Roles that stop trusting a service: what it does with them ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import python_function
from tests.services.iam.documents import trust

SOURCE = "def handler(event, context):\n    return 1\n"


@pytest.mark.node_only
def test_a_function_whose_role_trusts_lambda_no_longer(
    client: Callable[..., Any], iam: Any, role: str, unique: Callable[[str], str], refused: Any
) -> None:
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    functions = client("lambda")
    with python_function(functions, unique("distrusted"), SOURCE, Role=arn) as name:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust("ec2.amazonaws.com"))
        with refused("AccessDeniedException", "cannot be assumed by Lambda", 403):
            functions.invoke(FunctionName=name)


@pytest.mark.node_only
def test_a_role_may_trust_lambda_for_one_function(
    client: Callable[..., Any], iam: Any, role: str, unique: Callable[[str], str], refused: Any
) -> None:
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    functions, name = client("lambda"), unique("trusted")
    only = {"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:*:*:function:{name}"}}
    with (
        python_function(functions, name, SOURCE, Role=arn),
        python_function(functions, f"{name}-not", SOURCE, Role=arn),
    ):
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust(Condition=only))
        assert functions.invoke(FunctionName=name)["Payload"].read() == b"1"
        with refused("AccessDeniedException", "cannot be assumed by Lambda", 403):
            functions.invoke(FunctionName=f"{name}-not")
