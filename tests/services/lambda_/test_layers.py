"""Layers: versions, who may use them, and what functions find of them."""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cloudlet.services.lambda_.runtimes import install
from tests import harness

from .conftest import payload, refused

ARN = f"arn:aws:lambda:{harness.REGION}:{harness.ACCOUNT}:layer:"
USES = "import shared\ndef handler(event, context):\n    return shared.NAME\n"


def overlays() -> bool:
    """Whether this kernel lets us mount, as it lets most."""
    mount = f"mount -t overlay overlay -o lowerdir={harness.ROOT / 'src'}:/opt /opt"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def content(text: str, name: str = "python/shared.py") -> dict[str, bytes]:
    return {"ZipFile": harness.zipped({name: text})}


def squeezed(data: bytes) -> bytes:
    """A small zip of a large file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("data", data)
    return buffer.getvalue()


@pytest.fixture
def layer(lam: Any, unique: Callable[[str], str]) -> Callable[..., str]:
    """`layer("NAME = 1")`: publishes a version of a layer with that module `shared` and gives its ARN."""

    def make(text: str = "NAME = 'layer'", name: str = "", **options: Any) -> str:
        made = lam.publish_layer_version(LayerName=name or unique("layer"), Content=content(text), **options)
        return str(made["LayerVersionArn"])

    return make


class TestPublishLayerVersion:
    def test_answers_what_it_kept_and_counts_up(self, lam: Any, unique: Callable[[str], str]) -> None:
        name = unique("layer")
        made = lam.publish_layer_version(
            LayerName=name,
            Description="things",
            Content=content("A = 1"),
            CompatibleRuntimes=["python3.12"],
            CompatibleArchitectures=["x86_64"],
            LicenseInfo="MIT",
        )
        assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (
            ARN + name,
            f"{ARN}{name}:1",
            1,
        )
        assert made["Content"]["CodeSize"] == len(content("A = 1")["ZipFile"])
        got = lam.get_layer_version(LayerName=name, VersionNumber=1)
        for answer in (made, got):
            del answer["ResponseMetadata"]
        assert got == made
        assert lam.publish_layer_version(LayerName=ARN + name, Content=content("A = 2"))["Version"] == 2

    def test_from_a_bucket(self, lam: Any, client: Callable[..., Any], unique: Callable[[str], str]) -> None:
        s3, bucket = client("s3"), unique("bucket")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="layer.zip", Body=content("A = 1")["ZipFile"])
        place = {"S3Bucket": bucket, "S3Key": "layer.zip"}
        assert lam.publish_layer_version(LayerName=unique("layer"), Content=place)["Version"] == 1
        code, message, _ = refused(
            lam.publish_layer_version, LayerName="x", Content={"S3Bucket": bucket, "S3Key": "no.zip"}
        )
        assert (code, "NoSuchKey" in message) == ("InvalidParameterValueException", True)

    def test_refuses_what_is_no_zip_and_unknown_runtimes(self, lam: Any) -> None:
        bad = {"ZipFile": b"no zip"}
        assert refused(lam.publish_layer_version, LayerName="x", Content=bad)[1] == (
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        )
        code, message, status = refused(
            lam.publish_layer_version, LayerName="x", Content=content(""), CompatibleRuntimes=["cobol"]
        )
        assert (code, status) == ("ValidationException", 400)
        assert "Value '[cobol]' at 'compatibleRuntimes' failed to satisfy constraint" in message


class TestReading:
    def test_by_arn(self, lam: Any, layer: Callable[..., str]) -> None:
        arn = layer()
        assert lam.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
        assert refused(lam.get_layer_version_by_arn, Arn=arn[:-1] + "7") == (
            "ResourceNotFoundException",
            "The resource you requested does not exist.",
            404,
        )
        assert refused(lam.get_layer_version, LayerName="x", VersionNumber=0)[1] == (
            "Layer Version Cannot be less than 1"
        )

    def test_lists_newest_first_and_by_what_fits(self, lam: Any, unique: Callable[[str], str]) -> None:
        name = unique("layer")
        for runtime in ("python3.11", "nodejs22.x", "python3.11"):
            lam.publish_layer_version(LayerName=name, Content=content(""), CompatibleRuntimes=[runtime])

        def versions(**wanted: Any) -> list[int]:
            pages = lam.get_paginator("list_layer_versions").paginate(
                LayerName=name, PaginationConfig={"PageSize": 2}, **wanted
            )
            return [v["Version"] for page in pages for v in page["LayerVersions"]]

        assert versions() == [3, 2, 1]
        assert versions(CompatibleRuntime="python3.11") == [3, 1]
        assert versions(CompatibleArchitecture="arm64") == []
        found = {
            item["LayerName"]: item["LatestMatchingVersion"]["Version"]
            for page in lam.get_paginator("list_layers").paginate(CompatibleRuntime="nodejs22.x")
            for item in page["Layers"]
        }
        assert found[name] == 2

    def test_a_deleted_version_is_gone_and_its_number_is_not_used_again(
        self, lam: Any, unique: Callable[[str], str]
    ) -> None:
        name = unique("layer")
        lam.publish_layer_version(LayerName=name, Content=content(""))
        for _ in range(2):
            lam.delete_layer_version(LayerName=name, VersionNumber=1)
        assert lam.list_layer_versions(LayerName=name)["LayerVersions"] == []
        assert lam.publish_layer_version(LayerName=name, Content=content(""))["Version"] == 2


class TestPermissions:
    def test_another_account_may_once_it_is_said(
        self, lam: Any, client: Callable[..., Any], layer: Callable[..., str]
    ) -> None:
        arn = layer()
        name, number = arn.rpartition(":")[0], 1
        other = client("lambda", aws_access_key_id="210987654321")
        code, message, status = refused(other.get_layer_version_by_arn, Arn=arn)
        assert (code, status) == ("AccessDeniedException", 403)
        assert (
            f"is not authorized to perform: lambda:GetLayerVersion on resource: {arn} because no" in message
        )
        wish = {"LayerName": name, "VersionNumber": number, "Action": "lambda:GetLayerVersion"}
        made = lam.add_layer_version_permission(StatementId="s", Principal="210987654321", **wish)
        assert json.loads(made["Statement"]) == {
            "Sid": "s",
            "Effect": "Allow",
            "Principal": "arn:aws:iam::210987654321:root",
            "Action": "lambda:GetLayerVersion",
            "Resource": arn,
        }
        assert other.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
        policy = lam.get_layer_version_policy(LayerName=name, VersionNumber=number)
        assert policy["RevisionId"] == made["RevisionId"]
        assert json.loads(policy["Policy"])["Statement"][0]["Sid"] == "s"

    def test_texts(self, lam: Any, layer: Callable[..., str]) -> None:
        arn = layer()
        wish = {"LayerName": arn.rpartition(":")[0], "VersionNumber": 1}
        add = {**wish, "Action": "lambda:GetLayerVersion", "Principal": "*", "StatementId": "s"}
        assert refused(lam.get_layer_version_policy, **wish) == (
            "ResourceNotFoundException",
            "No policy is associated with the given resource.",
            404,
        )
        lam.add_layer_version_permission(**add)
        assert refused(lam.add_layer_version_permission, **add) == (
            "ResourceConflictException",
            (
                "The statement id (s) provided already exists. Please provide a new statement id, or remove the "
                "existing statement."
            ),
            409,
        )
        assert refused(lam.remove_layer_version_permission, **wish, StatementId="t")[1] == (
            "Statement t is not found in resource policy."
        )
        code, _, status = refused(
            lam.remove_layer_version_permission, **wish, StatementId="s", RevisionId="x"
        )
        assert (code, status) == ("PreconditionFailedException", 412)
        assert refused(lam.add_layer_version_permission, **{**add, "VersionNumber": 9})[1] == (
            f"Layer version {arn[:-1]}9 does not exist."
        )
        lam.remove_layer_version_permission(**wish, StatementId="s")


class TestFunctions:
    def test_finds_its_layers_and_the_last_one_wins(
        self, lam: Any, function: Callable[..., str], layer: Callable[..., str]
    ) -> None:
        arns = [layer("NAME = 'one'"), layer("NAME = 'two'")]
        name = function(USES, Layers=arns)
        config = lam.get_function_configuration(FunctionName=name)
        size = len(content("NAME = 'one'")["ZipFile"])
        assert config["Layers"] == [{"Arn": arn, "CodeSize": size} for arn in arns]
        assert payload(lam.invoke(FunctionName=name)) == b'"two"'
        changed = lam.update_function_configuration(FunctionName=name, Layers=arns[::-1])
        assert [known["Arn"] for known in changed["Layers"]] == arns[::-1]
        assert payload(lam.invoke(FunctionName=name)) == b'"one"'
        assert "Layers" not in lam.update_function_configuration(FunctionName=name, Layers=[])

    def test_its_own_code_comes_first_and_layers_before_boto3(
        self, lam: Any, function: Callable[..., str], layer: Callable[..., str]
    ) -> None:
        source = "import json, boto3\ndef handler(event, context):\n    return [boto3.WHO, json.__name__]\n"
        arn = lam.publish_layer_version(
            LayerName="boto", Content=content("WHO = 'layer'", "python/lib/python3.11/site-packages/boto3.py")
        )["LayerVersionArn"]
        assert payload(lam.invoke(FunctionName=function(source, Layers=[arn]))) == b'["layer", "json"]'
        code = harness.zipped({"index.py": USES, "shared.py": "NAME = 'own'"})
        name = function(Code={"ZipFile": code}, Layers=[layer()])
        assert payload(lam.invoke(FunctionName=name)) == b'"own"'

    @pytest.mark.node_only
    def test_a_version_that_is_deleted_still_works(
        self, lam: Any, function: Callable[..., str], layer: Callable[..., str], node: Any
    ) -> None:
        arn = layer("NAME = 'kept'")
        name = function(USES, Layers=[arn], Publish=True)
        lam.delete_layer_version(LayerName=arn.rpartition(":")[0], VersionNumber=1)
        node.advance(3600)
        assert payload(lam.invoke(FunctionName=name)) == b'"kept"'
        lam.update_function_configuration(FunctionName=name, Layers=[])
        node.advance(3600)
        assert payload(lam.invoke(FunctionName=name, Qualifier="1")) == b'"kept"'

    def test_node_js_and_programs(self, lam: Any, function: Callable[..., str]) -> None:
        files: dict[str, str | bytes] = {
            "nodejs/node_modules/shared/index.js": "exports.name = 'js'",
            "bin/hello": "#!/bin/sh\necho hello",
        }
        arn = lam.publish_layer_version(LayerName="both", Content={"ZipFile": harness.zipped(files)})[
            "LayerVersionArn"
        ]
        script = "exports.handler = async () => require('shared').name"
        code = {"ZipFile": harness.zipped({"index.js": script})}
        name = function(Code=code, Runtime="nodejs22.x", Layers=[arn])
        assert payload(lam.invoke(FunctionName=name)) == b'"js"'
        source = "import os\ndef handler(event, context):\n    return os.popen('hello').read()\n"
        assert payload(lam.invoke(FunctionName=function(source, Layers=[arn]))) == b'"hello\\n"'

    @pytest.mark.skipif(not overlays(), reason="this kernel lets nobody but root mount")
    def test_opt_is_all_layers_in_one_folder(self, lam: Any, function: Callable[..., str]) -> None:
        packages: list[dict[str, str | bytes]] = [
            {
                "of": "one",
                "only": "one",
                "bin/hello": "#!/bin/sh\ncat /opt/of",
                "nodejs/lib.js": "exports.v = 1",
            },
            {"of": "two", "python/mine.py": "V = 2"},
        ]
        arns = [
            lam.publish_layer_version(LayerName=f"opt{number}", Content={"ZipFile": harness.zipped(files)})[
                "LayerVersionArn"
            ]
            for number, files in enumerate(packages)
        ]
        source = (
            "import os, subprocess, sys\nsys.path.insert(0, '/opt/python')\nimport mine\n"
            "def handler(event, context):\n"
            "    files = [open('/opt/' + name).read() for name in ('of', 'only')]\n"
            "    said = subprocess.check_output('/opt/bin/hello', text=True)\n"
            "    return [*files, said, mine.__file__]\n"
        )
        name = function(source, Layers=arns)
        seen = json.loads(payload(lam.invoke(FunctionName=name)))
        assert seen == ["two", "one", "two", "/opt/python/mine.py"]
        script = "exports.handler = async () => require('/opt/nodejs/lib').v"
        code = {"ZipFile": harness.zipped({"index.js": script})}
        name = function(Code=code, Runtime="nodejs22.x", Layers=arns)
        assert payload(lam.invoke(FunctionName=name)) == b"1"
        source = "import os\ndef handler(event, context):\n    return os.path.exists('/opt/of')\n"
        assert payload(lam.invoke(FunctionName=function(source))) == b"false"

    def test_texts(self, lam: Any, function: Callable[..., str], layer: Callable[..., str]) -> None:
        arn, absent = layer(), f"{ARN}nothing:1"
        name = function()

        def refusal(*arns: str) -> tuple[str, str, int]:
            return refused(lam.update_function_configuration, FunctionName=name, Layers=list(arns))

        assert refusal(absent) == (
            "InvalidParameterValueException",
            f"Layer version {absent} does not exist.",
            400,
        )
        assert refusal(*[f"{ARN}l{i}:1" for i in range(6)])[1] == "Cannot reference more than 5 layers."
        again = layer(name=arn.split(":")[6])
        assert refusal(arn, again)[1] == (
            "Two different versions of the same layer are not allowed to be referenced in the same function. "
            f"{arn} and {again} are versions of the same layer."
        )
        foreign = "arn:aws:lambda:us-east-1:123456789012:layer:theirs:1"
        code, message, status = refusal(foreign)
        assert (code, status) == ("AccessDeniedException", 403)
        assert f"lambda:GetLayerVersion on resource: {foreign} because no resource-based policy" in message
        assert refusal(arn.replace("us-east-1", "eu-west-1"))[1] == (
            "Layers are not in the same region as the function. Layers are expected to be in region us-east-1."
        )
        assert "Layers" not in lam.get_function_configuration(FunctionName=name)

    @pytest.mark.slow
    def test_all_together_may_not_be_too_large(self, lam: Any, function: Callable[..., str]) -> None:
        big = {"ZipFile": squeezed(bytes(130 * 1024 * 1024))}
        arns = [
            lam.publish_layer_version(LayerName=f"big{i}", Content=big)["LayerVersionArn"] for i in range(2)
        ]
        name = function(Layers=arns[:1])
        assert refused(lam.update_function_configuration, FunctionName=name, Layers=arns)[1] == (
            "Layers consume more than the available size of 262144000 bytes"
        )
        _, message, _ = refused(lam.update_function_code, FunctionName=name, **big)
        assert message.startswith(
            "Function code combined with layers exceeds the maximum allowed size of 26214"
        )


class TestStacks:
    TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: s3://%s/layer.zip, CompatibleRuntimes: [python3.11], RetentionPolicy: Delete}
  Open:
    Type: AWS::Lambda::LayerVersionPermission
    Properties: {Action: lambda:GetLayerVersion, LayerVersionArn: !Ref Shared, Principal: '*'}
  Uses:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.11
      Layers: [!Ref Shared]
      InlineCode: |
        import shared
        def handler(event, context):
            return shared.NAME
Outputs:
  Layer: {Value: !Ref Shared}
  Function: {Value: !Ref Uses}
"""

    def test_a_sam_layer_with_its_function(
        self, lam: Any, client: Callable[..., Any], unique: Callable[[str], str]
    ) -> None:
        s3, cfn, bucket, stack = client("s3"), client("cloudformation"), unique("bucket"), unique("layers")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="layer.zip", Body=content("NAME = 'sam'")["ZipFile"])
        cfn.create_stack(
            StackName=stack,
            TemplateBody=self.TEMPLATE % bucket,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        cfn.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
        made = cfn.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in made}
        assert payload(lam.invoke(FunctionName=outputs["Function"])) == b'"sam"'
        name, _, number = outputs["Layer"].rpartition(":")
        assert lam.get_layer_version_policy(LayerName=name, VersionNumber=int(number))["Policy"]
        cfn.delete_stack(StackName=stack)
        cfn.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
        assert refused(lam.get_layer_version_by_arn, Arn=outputs["Layer"])[2] == 404


KLAYERS = f"arn:aws:lambda:{harness.REGION}:770693421928:layer:Klayers-p311-"
INSTALLED = install.root() / "layers" / "python3.11"
"""Where packages are kept, for all the nodes of this checkout."""


@pytest.mark.node_only
class TestPublicLayers:
    SOURCE = "import typing_extensions as t\ndef handler(event, context):\n    return t.__file__\n"

    @pytest.fixture
    def name(self) -> Iterator[str]:
        """A small package, in a spelling of its own (pip takes any row of these signs for one): nobody has it yet."""
        name = f"typing{''.join(random.choices('-_', k=24))}extensions"
        yield name
        shutil.rmtree(INSTALLED / name, ignore_errors=True)

    @pytest.mark.slow
    def test_a_package_is_installed_once(self, lam: Any, function: Callable[..., str], name: str) -> None:
        arn, folder = f"{KLAYERS}{name}:3", INSTALLED / name
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: function(self.SOURCE, Layers=[arn]), range(4)))
        there = str(folder / "python" / "typing_extensions.py")
        assert json.loads(payload(lam.invoke(FunctionName=made[0]))) == there
        assert list(INSTALLED.glob(f".{name}.*")) == []
        assert lam.get_function_configuration(FunctionName=made[1])["Layers"][0]["Arn"] == arn
        born = folder.stat().st_ino
        function(self.SOURCE, Layers=[arn.replace(":3", ":4")])
        assert folder.stat().st_ino == born

    @pytest.mark.slow
    def test_can_be_looked_at_and_fetched(self, lam: Any, name: str) -> None:
        found = lam.get_layer_version_by_arn(Arn=f"{KLAYERS}{name}:3")
        assert (found["Version"], found["CompatibleRuntimes"]) == (3, ["python3.11"])
        with urllib.request.urlopen(found["Content"]["Location"]) as answer:
            names = zipfile.ZipFile(io.BytesIO(answer.read())).namelist()
        assert "python/typing_extensions.py" in names

    @pytest.mark.slow
    def test_one_that_went_missing_is_installed_again(
        self, lam: Any, function: Callable[..., str], name: str
    ) -> None:
        made = function(self.SOURCE, Layers=[f"{KLAYERS}{name}:3"])
        shutil.rmtree(INSTALLED / name)
        assert name in json.loads(payload(lam.invoke(FunctionName=made)))

    @pytest.mark.slow
    def test_what_a_killed_node_left_is_cleared(self, function: Callable[..., str], name: str) -> None:
        left = INSTALLED / f".{name}.999999999.abc"
        left.mkdir(parents=True)
        function(self.SOURCE, Layers=[f"{KLAYERS}{name}:3"])
        assert not left.exists()

    @pytest.mark.slow
    def test_an_unknown_package(self, lam: Any, function: Callable[..., str]) -> None:
        arn = f"{KLAYERS}no-such-package-of-anybody:1"
        code, message, _ = refused(lam.update_function_configuration, FunctionName=function(), Layers=[arn])
        assert code == "InvalidParameterValueException"
        assert message.startswith(
            f"Layer version {arn} does not exist. Here it would be installed with pip, but "
        )
        assert list(INSTALLED.glob("*no-such-package-of-anybody*")) == []

    def test_another_layer_of_that_account(self, lam: Any, function: Callable[..., str]) -> None:
        arn = f"arn:aws:lambda:{harness.REGION}:770693421928:layer:other:1"
        name = function()
        assert refused(lam.update_function_configuration, FunctionName=name, Layers=[arn])[2] == 403
