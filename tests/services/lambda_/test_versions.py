"""Versions and aliases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import harness

from .conftest import payload, refused

ARN = f"arn:aws:lambda:{harness.REGION}:{harness.ACCOUNT}:function:"
VERSION = "def handler(event, context):\n    return [context.function_version, {}]\n"


def publish(lam: Any, name: str, number: int) -> str:
    """Change the code and make a version of it."""
    code = harness.zipped({"index.py": VERSION.format(number)})
    return str(lam.update_function_code(FunctionName=name, ZipFile=code, Publish=True)["Version"])


class TestPublishVersion:
    def test_keeps_code_and_configuration_as_they_were(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(VERSION.format(1), Description="first")
        made = lam.publish_version(FunctionName=name)
        assert (made["Version"], made["FunctionArn"]) == ("1", f"{ARN}{name}:1")
        lam.update_function_configuration(FunctionName=name, Description="second")
        assert publish(lam, name, 2) == "2"
        assert payload(lam.invoke(FunctionName=name, Qualifier="1")) == b'["1", 1]'
        assert payload(lam.invoke(FunctionName=name, Qualifier="2")) == b'["2", 2]'
        assert lam.get_function_configuration(FunctionName=f"{name}:1")["Description"] == "first"

    def test_makes_none_when_nothing_changed(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        first = lam.publish_version(FunctionName=name)
        assert lam.publish_version(FunctionName=name, Description="other")["Version"] == first["Version"]
        lam.update_function_configuration(FunctionName=name, Timeout=9)
        assert lam.publish_version(FunctionName=name)["Version"] == "2"

    def test_numbers_are_never_reused(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        lam.delete_function(FunctionName=name, Qualifier="1")
        assert lam.publish_version(FunctionName=name)["Version"] == "2"

    @pytest.mark.node_only
    def test_a_deleted_one_leaves_no_process(self, lam: Any, function: Callable[..., str]) -> None:
        name = function("import os\ndef handler(event, context):\n    return os.getpid()\n", Publish=True)
        process = Path("/proc", payload(lam.invoke(FunctionName=name, Qualifier="1")).decode())
        assert process.exists()
        lam.delete_function(FunctionName=name, Qualifier="1")
        harness.eventually(lambda: not process.exists())

    def test_another_hash_than_the_code_has_is_refused(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        has = lam.get_function_configuration(FunctionName=name)["CodeSha256"]
        assert refused(lam.publish_version, FunctionName=name, CodeSha256="other") == (
            "InvalidParameterValueException",
            (
                f"CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ({has}). "
                "Please try again with the CodeSHA256 in $LATEST."
            ),
            400,
        )

    def test_list_in_order(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(VERSION.format(0))
        for number in range(1, 12):
            publish(lam, name, number)
        pages = lam.get_paginator("list_versions_by_function").paginate(
            FunctionName=name, PaginationConfig={"PageSize": 5}
        )
        assert [v["Version"] for page in pages for v in page["Versions"]] == [
            "$LATEST",
            *(str(number) for number in range(1, 12)),
        ]


class TestAliases:
    def test_point_to_a_version(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(VERSION.format(1), Publish=True)
        made = lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        assert made["AliasArn"] == f"{ARN}{name}:live"
        answer = lam.invoke(FunctionName=name, Qualifier="live")
        assert (answer["ExecutedVersion"], payload(answer)) == ("1", b'["1", 1]')
        publish(lam, name, 2)
        lam.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
        assert payload(lam.invoke(FunctionName=f"{name}:live")) == b'["2", 2]'
        assert (
            lam.get_function(FunctionName=f"{name}:live")["Configuration"]["FunctionArn"]
            == f"{ARN}{name}:live"
        )

    def test_the_function_is_told_the_alias(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(
            "def handler(event, context):\n    return context.invoked_function_arn\n", Publish=True
        )
        lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        assert payload(lam.invoke(FunctionName=name, Qualifier="live")) == f'"{ARN}{name}:live"'.encode()

    def test_are_spread_by_weight(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(VERSION.format(1), Publish=True)
        publish(lam, name, 2)
        lam.create_alias(
            FunctionName=name,
            Name="live",
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
        )
        versions = {lam.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"] for _ in range(64)}
        assert versions == {"1", "2"}
        lam.update_alias(
            FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}}
        )
        versions = {lam.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"] for _ in range(8)}
        assert versions == {"2"}

    def test_errors(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        again = refused(lam.create_alias, FunctionName=name, Name="live", FunctionVersion="1")
        assert again == ("ResourceConflictException", f"Alias already exists: {ARN}{name}:live", 409)
        missing = refused(lam.get_alias, FunctionName=name, Name="none")
        assert missing == ("ResourceNotFoundException", f"Cannot find alias arn: {ARN}{name}:none", 404)
        target = refused(lam.create_alias, FunctionName=name, Name="x", FunctionVersion="9")
        assert target == ("ResourceNotFoundException", f"Function not found: {ARN}{name}:9", 404)
        routing = refused(
            lam.create_alias,
            FunctionName=name,
            Name="x",
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}},
        )
        assert routing[1] == (
            "Invalid function version 1. Function version 1 is already included in routing configuration."
        )
        stale = refused(lam.update_alias, FunctionName=name, Name="live", RevisionId="stale")
        assert stale[2] == 412

    def test_list_and_delete(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        lam.create_alias(FunctionName=name, Name="a", FunctionVersion="1")
        lam.create_alias(FunctionName=name, Name="b", FunctionVersion="$LATEST")
        listed = lam.list_aliases(FunctionName=name, FunctionVersion="1")["Aliases"]
        assert [alias["Name"] for alias in listed] == ["a"]
        lam.delete_alias(FunctionName=name, Name="a")
        lam.delete_alias(FunctionName=name, Name="a")
        assert [alias["Name"] for alias in lam.list_aliases(FunctionName=name)["Aliases"]] == ["b"]
