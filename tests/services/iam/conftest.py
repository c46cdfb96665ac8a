"""Clients and entities of the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.iam.documents import TRUST


@pytest.fixture
def iam(client: Callable[..., Any]) -> Any:
    return client("iam")


@pytest.fixture
def role(iam: Any, unique: Callable[[str], str]) -> str:
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    return name


@pytest.fixture
def user(iam: Any, unique: Callable[[str], str]) -> str:
    name = unique("user")
    iam.create_user(UserName=name)
    return name


@pytest.fixture
def refused() -> Callable[..., Any]:
    """`with refused("NoSuchEntity", "text"):` the block must be answered with that error."""

    @contextmanager
    def check(code: str, text: str = "", status: int | None = None) -> Any:
        with pytest.raises(ClientError) as error:
            yield
        answer = error.value.response
        assert answer["Error"]["Code"] == code
        assert text in answer["Error"]["Message"]
        if status is not None:
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == status

    return check
