"""Functions: create, read, change, delete, list."""

from __future__ import annotations

import base64
import hashlib
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests import harness

from .conftest import ECHO, payload, refused

ARN = f"arn:aws:lambda:{harness.REGION}:{harness.ACCOUNT}:function:"
CODE = {"ZipFile": harness.zipped({"index.py": ECHO})}


def required(name: str = "f", **options: Any) -> dict[str, Any]:
    return {
        "FunctionName": name,
        "Role": harness.ROLE,
        "Runtime": "python3.11",
        "Handler": "index.handler",
        "Code": CODE,
    } | options


class TestCreateFunction:
    def test_answers_with_the_whole_configuration(self, lam: Any, unique: Callable[[str], str]) -> None:
        name = unique("create")
        made = lam.create_function(
            **required(name, Environment={"Variables": {"KEY": "value"}}, Tags={"t": "1"})
        )
        try:
            assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
            assert made["FunctionArn"] == ARN + name
            assert (made["Timeout"], made["MemorySize"], made["Version"]) == (3, 128, "$LATEST")
            assert (made["State"], made["LastUpdateStatus"]) == ("Active", "Successful")
            assert made["Environment"] == {"Variables": {"KEY": "value"}}
            assert made["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
            digest = hashlib.sha256(CODE["ZipFile"]).digest()
            assert made["CodeSha256"] == base64.b64encode(digest).decode()
            assert made["CodeSize"] == len(CODE["ZipFile"])
            assert made["LastModified"].endswith("+0000")
            assert lam.get_function(FunctionName=name)["Tags"] == {"t": "1"}
        finally:
            lam.delete_function(FunctionName=name)

    def test_refuses_a_name_that_is_taken(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        assert refused(lam.create_function, **required(name)) == (
            "ResourceConflictException",
            f"Function already exist: {name}",
            409,
        )

    def test_publishes_a_first_version_when_asked(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        versions = lam.list_versions_by_function(FunctionName=name)["Versions"]
        assert [v["Version"] for v in versions] == ["$LATEST", "1"]

    @pytest.mark.parametrize(
        ("options", "code", "message"),
        [
            ({"Role": "nobody"}, "ValidationException", "Value 'nobody' at 'role' failed"),
            ({"MemorySize": 10_241}, "ValidationException", "less than or equal to 10240"),
            ({"MemorySize": 127}, "ValidationException", "greater than or equal to 128"),
            ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
            ({"Timeout": 0}, "ValidationException", "greater than or equal to 1"),
            ({"FunctionName": "x" * 65}, "ValidationException", "less than or equal to 64"),
            ({"FunctionName": "no spaces"}, "ValidationException", "at 'functionName' failed"),
            ({"Architectures": ["arm64", "x86_64"]}, "ValidationException", "at 'architectures' failed"),
            (
                {"Runtime": "python2.7"},
                "InvalidParameterValueException",
                "The runtime parameter of python2.7 is no longer supported",
            ),
            (
                {"Environment": {"Variables": {"AWS_REGION": "x"}}},
                "InvalidParameterValueException",
                "Reserved keys used in this request: AWS_REGION",
            ),
            (
                {"Environment": {"Variables": {"BIG": "x" * 4096}}},
                "InvalidParameterValueException",
                "exceeded the 4KB limit",
            ),
            ({"Code": {"ZipFile": b"not a zip"}}, "InvalidParameterValueException", "Could not unzip"),
            (
                {"Code": {"S3Bucket": "cloudlet-artifacts", "S3Key": "missing.zip"}},
                "InvalidParameterValueException",
                "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
            ),
            ({"Code": {}}, "InvalidParameterValueException", "Please provide a source for function code."),
            (
                {"Layers": [f"arn:aws:lambda:us-east-1:{harness.ACCOUNT}:layer:one:1"]},
                "InvalidParameterValueException",
                "does not exist",
            ),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_refuses(self, lam: Any, options: dict[str, Any], code: str, message: str) -> None:
        got, text, status = refused(lam.create_function, **required(**options))
        assert (got, status) == (code, 400)
        assert message in text

    def test_refuses_an_unknown_runtime(self, lam: Any) -> None:
        _, text, status = refused(lam.create_function, **required(Runtime="cobol"))
        assert status == 400
        assert "at 'runtime' failed to satisfy constraint: Member must satisfy enum value set" in text

    def test_a_zip_needs_runtime_and_handler(self, lam: Any) -> None:
        params = required()
        del params["Handler"]
        assert refused(lam.create_function, **params)[1] == (
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )

    @pytest.mark.node_only
    def test_takes_a_package_that_deploy_uploaded(
        self, lam: Any, node: Any, function: Callable[..., str]
    ) -> None:
        package = harness.zipped({"index.py": "def handler(event, context):\n    return 'uploaded'\n"})
        key = f"{hashlib.sha256(package).hexdigest()}.zip"
        request = urllib.request.Request(f"{node.endpoint}/_cloudlet/artifacts/{key}", package, method="PUT")
        urllib.request.urlopen(request).close()
        name = function(Code={"S3Bucket": "cloudlet-artifacts", "S3Key": key})
        assert payload(lam.invoke(FunctionName=name)) == b'"uploaded"'


class TestAtOnce:
    def test_one_of_many_gets_the_name(self, lam: Any, unique: Callable[[str], str]) -> None:
        name = unique("race")

        def create(_: int) -> int:
            try:
                return int(lam.create_function(**required(name))["ResponseMetadata"]["HTTPStatusCode"])
            except lam.exceptions.ResourceConflictException as error:
                return int(error.response["ResponseMetadata"]["HTTPStatusCode"])

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(create, range(8))) == [201, *[409] * 7]
        assert payload(lam.invoke(FunctionName=name)) == b"{}"
        lam.delete_function(FunctionName=name)

    @pytest.mark.node_only
    @pytest.mark.slow
    def test_what_was_acknowledged_survives_a_kill(self, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()
        node.client("lambda").create_function(**required("kept"))
        node.kill()
        node.restart()
        assert payload(node.client("lambda").invoke(FunctionName="kept", Payload=b"1")) == b"1"


class TestGetFunction:
    def test_gives_a_place_to_fetch_the_package_from(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        location = lam.get_function(FunctionName=name)["Code"]["Location"]
        with urllib.request.urlopen(location) as answer:
            assert answer.read() == CODE["ZipFile"]

    def test_a_missing_function(self, lam: Any) -> None:
        assert refused(lam.get_function, FunctionName="missing") == (
            "ResourceNotFoundException",
            f"Function not found: {ARN}missing",
            404,
        )

    def test_takes_every_form_of_a_name(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        for form in (name, ARN + name, f"{harness.ACCOUNT}:function:{name}"):
            assert lam.get_function(FunctionName=form)["Configuration"]["FunctionArn"] == ARN + name
        for form in (f"{name}:1", f"{ARN}{name}:1"):
            assert lam.get_function(FunctionName=form)["Configuration"]["Version"] == "1"

    def test_a_qualifier_may_not_contradict_the_name(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        got = refused(lam.get_function, FunctionName=f"{name}:1", Qualifier="$LATEST")
        assert got[:2] == (
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        )

    def test_another_region_is_out_of_reach(self, lam: Any) -> None:
        got = refused(lam.get_function, FunctionName=f"arn:aws:lambda:eu-west-1:{harness.ACCOUNT}:function:f")
        assert got[1] == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"


class TestUpdateFunctionCode:
    def test_the_next_invocation_runs_the_new_code(self, lam: Any, function: Callable[..., str]) -> None:
        name = function("def handler(event, context):\n    return 'old'\n")
        assert payload(lam.invoke(FunctionName=name)) == b'"old"'
        new = harness.zipped({"index.py": "def handler(event, context):\n    return 'new'\n"})
        answer = lam.update_function_code(FunctionName=name, ZipFile=new)
        assert answer["LastUpdateStatus"] == "Successful"
        assert payload(lam.invoke(FunctionName=name)) == b'"new"'

    def test_a_dry_run_changes_nothing(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        before = lam.get_function_configuration(FunctionName=name)["CodeSha256"]
        new = harness.zipped({"index.py": "handler = None\n"})
        dry = lam.update_function_code(FunctionName=name, ZipFile=new, DryRun=True)
        assert dry["CodeSha256"] != before
        assert lam.get_function_configuration(FunctionName=name)["CodeSha256"] == before

    def test_a_stale_revision_is_refused(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        got = refused(lam.update_function_code, FunctionName=name, **CODE, RevisionId="stale")
        assert got == (
            "PreconditionFailedException",
            (
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
            ),
            412,
        )


class TestUpdateFunctionConfiguration:
    def test_changes_what_it_names_and_keeps_the_rest(self, lam: Any, function: Callable[..., str]) -> None:
        source = "import os\ndef handler(event, context):\n    return os.environ.get('MODE')\n"
        name = function(source, Environment={"Variables": {"MODE": "one"}}, Timeout=7)
        assert payload(lam.invoke(FunctionName=name)) == b'"one"'
        old = lam.get_function_configuration(FunctionName=name)
        new = lam.update_function_configuration(
            FunctionName=name, Environment={"Variables": {"MODE": "two"}}, Description="changed"
        )
        assert (new["Description"], new["Timeout"]) == ("changed", 7)
        assert new["RevisionId"] != old["RevisionId"]
        assert payload(lam.invoke(FunctionName=name)) == b'"two"'

    def test_a_missing_function(self, lam: Any) -> None:
        got = refused(lam.update_function_configuration, FunctionName="missing", Timeout=4)
        assert got[:2] == ("ResourceNotFoundException", f"Function not found: {ARN}missing")


class TestDeleteFunction:
    def test_takes_all_that_hangs_on_it(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        assert lam.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert refused(lam.invoke, FunctionName=name)[2] == 404
        function(FunctionName=name)
        assert lam.list_aliases(FunctionName=name)["Aliases"] == []
        assert len(lam.list_versions_by_function(FunctionName=name)["Versions"]) == 1

    def test_one_version(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        lam.delete_function(FunctionName=name, Qualifier="1")
        assert (
            refused(lam.invoke, FunctionName=name, Qualifier="1")[1] == f"Function not found: {ARN}{name}:1"
        )

    def test_refuses_latest_and_versions_in_use(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        assert refused(lam.delete_function, FunctionName=name, Qualifier="$LATEST")[1] == (
            "$LATEST version cannot be deleted without deleting the function."
        )
        lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        assert refused(lam.delete_function, FunctionName=name, Qualifier="1") == (
            "ResourceConflictException",
            "Unable to delete version because the following aliases reference it: [live]",
            409,
        )


class TestListFunctions:
    def test_pages(self, lam: Any, function: Callable[..., str]) -> None:
        names = {function() for _ in range(3)}
        found: list[str] = []
        for page in lam.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}):
            assert len(page["Functions"]) <= 2
            found += [f["FunctionName"] for f in page["Functions"]]
        assert names <= set(found)
        assert len(found) == len(set(found))
        assert found == sorted(found)

    def test_a_marker_of_nobodys(self, lam: Any) -> None:
        assert refused(lam.list_functions, Marker="!")[0] == "InvalidParameterValueException"

    def test_all_versions(self, lam: Any, function: Callable[..., str]) -> None:
        name = function(Publish=True)
        pages = lam.get_paginator("list_functions").paginate(FunctionVersion="ALL")
        mine = [f for page in pages for f in page["Functions"] if f["FunctionName"] == name]
        assert [f["FunctionArn"] for f in mine] == [f"{ARN}{name}:$LATEST", f"{ARN}{name}:1"]
        assert "State" not in mine[0]


class TestTags:
    def test_put_list_remove(self, lam: Any, function: Callable[..., str]) -> None:
        arn = ARN + function(Tags={"a": "1", "b": "2"})
        lam.tag_resource(Resource=arn, Tags={"b": "3", "c": "4"})
        lam.untag_resource(Resource=arn, TagKeys=["a"])
        assert lam.list_tags(Resource=arn)["Tags"] == {"b": "3", "c": "4"}

    def test_no_more_than_fifty(self, lam: Any, function: Callable[..., str]) -> None:
        arn = ARN + function(Tags={f"k{n}": "v" for n in range(50)})
        assert refused(lam.tag_resource, Resource=arn, Tags={"one": "more"})[2] == 400


class TestConcurrency:
    def test_reserved_for_a_function(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        assert "ReservedConcurrentExecutions" not in lam.get_function_concurrency(FunctionName=name)
        lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
        assert lam.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 5}
        limits = lam.get_account_settings()["AccountLimit"]
        assert limits["ConcurrentExecutions"] == 1000
        assert limits["UnreservedConcurrentExecutions"] <= 995
        lam.delete_function_concurrency(FunctionName=name)
        assert "Concurrency" not in lam.get_function(FunctionName=name)

    def test_none_reserved_throttles_every_call(self, lam: Any, function: Callable[..., str]) -> None:
        name = function()
        lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        code, message, status = refused(lam.invoke, FunctionName=name)
        assert (code, message, status) == ("TooManyRequestsException", "Rate Exceeded.", 429)

    def test_leaves_a_hundred_for_the_others(self, lam: Any, function: Callable[..., str]) -> None:
        got = refused(lam.put_function_concurrency, FunctionName=function(), ReservedConcurrentExecutions=901)
        assert got[0] == "InvalidParameterValueException"
        assert "below its minimum value of [100]" in got[1]


class TestUnsupported:
    def test_says_so(self, lam: Any) -> None:
        _code, message, status = refused(lam.list_function_url_configs, FunctionName="f")
        assert status == 501
        assert "ListFunctionUrlConfigs" in message


class TestWhatNoFunctionHas:
    def test_is_told_as_such(self, lam: Any, function: Callable[..., str]) -> None:
        """Tools ask for these and go on when there is nothing."""
        name = function()
        assert "CodeSigningConfigArn" not in lam.get_function_code_signing_config(FunctionName=name)
        assert lam.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
        assert lam.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"
        for ask in (lam.get_function_code_signing_config, lam.get_runtime_management_config):
            assert refused(ask, FunctionName="missing")[2] == 404
