"""Local code made ready to deploy."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from cloudlet.errors import UserError
from cloudlet.packaging import Package, package

TEMPLATE = """\
# größe: not only ASCII
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.11}
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code/   # here
      Handler: app.handler
  Two: {Type: "AWS::Serverless::Function", Properties: {Description: "Grüße", CodeUri: './code', Handler: app.handler}}
  Three:
    Type: AWS::Lambda::Function
    Properties:
      Code: other
      Runtime: provided.al2023
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layer
    Metadata: {BuildMethod: python3.11}
  Elsewhere:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: "s3://bucket/key", Handler: a.b}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "pass", Handler: a.b}
  Computed:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: !Sub "${Place}", Handler: a.b}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    app = tmp_path / "app"
    for name, text in {
        "template.yaml": TEMPLATE,
        "code/app.py": "def handler(event, context): ...\n",
        "code/node_modules/x/index.js": "1",
        "code/__pycache__/app.pyc": "x",
        "code/.git/HEAD": "x",
        "other/bootstrap": "#!/bin/sh\n",
        "layer/shared.py": "A = 1\n",
    }.items():
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_text(text, encoding="utf-8")
    (app / "other/bootstrap").chmod(0o755)
    return app


def made(folder: Path, said: list[str] | None = None) -> Package:
    return package(folder, folder.parent / "build", (said if said is not None else []).append)


def content(folder: Path, name: str) -> zipfile.ZipFile:
    """The zip of what the line with `name` now names."""
    line = next(line for line in made(folder).template.splitlines() if name in line and ".zip" in line)
    return zipfile.ZipFile(next(each.path for each in made(folder).artifacts if each.sha in line))


class TestTemplate:
    def test_only_the_paths_change(self, folder: Path) -> None:
        result = made(folder)
        assert result.folder == folder
        pairs = zip(TEMPLATE.splitlines(), result.template.splitlines(), strict=True)
        changed = {number: new for number, (old, new) in enumerate(pairs, 1) if old != new}
        assert sorted(changed) == [9, 11, 15, 20]
        shas = {each.sha for each in result.artifacts}
        assert len(shas) == 3, "the same folder is one zip"
        sha = next(sha for sha in shas if sha in changed[9])
        assert changed[9] == f'      CodeUri: "s3://cloudlet-artifacts/{sha}.zip"   # here'
        assert changed[11].endswith(
            f'"Grüße", CodeUri: "s3://cloudlet-artifacts/{sha}.zip", Handler: app.handler}}}}'
        )
        assert '{"S3Bucket": "cloudlet-artifacts", "S3Key": "' in changed[15]

    def test_json(self, folder: Path) -> None:
        (folder / "template.yaml").unlink()
        body = {
            "Resources": {
                "F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": "code", "Runtime": "x"}}
            }
        }
        (folder / "template.json").write_text(json.dumps(body, indent="\t"))
        result = made(folder)
        code = json.loads(result.template)["Resources"]["F"]["Properties"]["Code"]
        assert code == {"S3Bucket": "cloudlet-artifacts", "S3Key": f"{result.artifacts[0].sha}.zip"}

    def test_shared_code_uri(self, folder: Path) -> None:
        text = "Globals: {Function: {CodeUri: code, Runtime: python3.11}}\nResources: {}\n"
        (folder / "template.yaml").write_text(text)
        assert "s3://cloudlet-artifacts/" in made(folder).template

    def test_what_is_not_yaml_is_left_to_whoever_reads_it(self, folder: Path) -> None:
        (folder / "template.yaml").write_text("a: [")
        assert made(folder).template == "a: ["

    def test_code_that_is_not_there(self, folder: Path) -> None:
        (folder / "template.yaml").write_text(TEMPLATE.replace("code/ ", "nowhere"))
        with pytest.raises(
            UserError, match=r"template.yaml:9: One has its code at nowhere, which is not there"
        ):
            made(folder)

    def test_no_template(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"has no template.yaml, template.yml or template.json"):
            made(tmp_path)


class TestNestedTemplates:
    NEST = "Resources:\n  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: inner.yaml}\n"

    def test_are_packaged_with_the_one_that_names_them(self, folder: Path) -> None:
        (folder / "inner.yaml").write_text(TEMPLATE)
        (folder / "template.yaml").write_text(self.NEST)
        result = made(folder)
        assert len(result.artifacts) == 4, "the template, and its three folders of code"
        template = result.artifacts[-1]
        assert template.name in result.template and template.name.endswith(".template")
        assert (
            f'TemplateURL: "https://s3.amazonaws.com/cloudlet-artifacts/{template.name}"' in result.template
        )
        assert "s3://cloudlet-artifacts/" in template.path.read_text(encoding="utf-8")

    def test_that_are_elsewhere_are_left_there(self, folder: Path) -> None:
        text = self.NEST.replace("inner.yaml", "https://s3.amazonaws.com/bucket/inner.yaml")
        (folder / "template.yaml").write_text(text)
        assert made(folder).template == text

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("nowhere.yaml", "its template at nowhere.yaml, which is not there"),
            ("template.yaml", "within itself"),
        ],
    )
    def test_that_can_not_be_had(self, folder: Path, name: str, why: str) -> None:
        (folder / "template.yaml").write_text(self.NEST.replace("inner.yaml", name))
        with pytest.raises(UserError, match=rf"template.yaml:4: Inner .*{why}"):
            made(folder)


class TestZips:
    def test_leave_out_what_is_no_code(self, folder: Path) -> None:
        assert content(folder, "CodeUri").namelist() == ["app.py", "node_modules/x/index.js"]

    def test_keep_what_may_be_run(self, folder: Path) -> None:
        info = content(folder, "Code: ").getinfo("bootstrap")
        assert info.external_attr >> 16 == 0o100755
        assert info.date_time == (1980, 1, 1, 0, 0, 0)

    def test_a_built_layer_has_its_code_where_the_language_looks(self, folder: Path) -> None:
        assert content(folder, "ContentUri").namelist() == ["python/shared.py"]

    def test_are_the_same_for_the_same_content(self, folder: Path, tmp_path: Path) -> None:
        said: list[str] = []
        first = made(folder, said)
        assert said == ["packing code", "packing other", "packing layer"]
        assert made(folder, said).artifacts == first.artifacts
        assert len(said) == 3, "nothing is packed twice"
        source = folder / "code/app.py"
        source.touch()
        assert made(folder).artifacts == first.artifacts
        source.write_text("changed")
        assert made(folder).artifacts != first.artifacts

    def test_a_zip_is_taken_as_it_is(self, folder: Path) -> None:
        zipped = made(folder).artifacts[0]
        (folder / "ready.zip").write_bytes(zipped.path.read_bytes())
        (folder / "template.yaml").write_text(TEMPLATE.replace("code/ ", "ready.zip "))
        assert zipped in made(folder).artifacts


class TestDependencies:
    def wheel(self, folder: Path) -> None:
        """A package that pip installs without a network."""
        project = folder.parent / "tiny"
        project.mkdir()
        name = project / "tiny-1.0-py3-none-any.whl"
        with zipfile.ZipFile(name, "w") as archive:
            archive.writestr("tiny.py", "A = 1\n")
            archive.writestr(
                "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
            )
            wheel = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            archive.writestr("tiny-1.0.dist-info/WHEEL", wheel)
            archive.writestr("tiny-1.0.dist-info/RECORD", "")
        (folder / "code/requirements.txt").write_text(f"# what it needs\n{name}\n")

    @pytest.mark.slow
    def test_requirements_are_installed_once(self, folder: Path) -> None:
        self.wheel(folder)
        said: list[str] = []
        made(folder, said)
        assert "installing the requirements of code with pip" in said
        assert {"app.py", "tiny.py", "requirements.txt"} <= set(content(folder, "CodeUri").namelist())
        (folder / "code/app.py").write_text("changed")
        again: list[str] = []
        made(folder, again)
        assert again == ["packing code"]

    @pytest.mark.slow
    def test_what_pip_says_is_passed_on(self, folder: Path) -> None:
        (folder / "code/requirements.txt").write_text("./not-there.whl\n")
        with pytest.raises(UserError, match=r"(?s)pip could not install what code needs:.*not-there"):
            made(folder)

    @pytest.mark.slow
    def test_a_stand_in_of_a_version_manager_is_no_python(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.wheel(folder)
        stand_in = tmp_path / "shims/python3.12"
        stand_in.parent.mkdir()
        stand_in.write_text("#!/bin/sh\nexit 127\n")
        stand_in.chmod(0o755)
        monkeypatch.setenv("PATH", f"{stand_in.parent}:/usr/bin:/bin")
        template = (folder / "template.yaml").read_text()
        (folder / "template.yaml").write_text(re.sub(r"python3\.\d+", "python3.12", template))
        assert "tiny.py" in content(folder, "CodeUri").namelist()

    def test_requirements_of_comments_only(self, folder: Path) -> None:
        (folder / "code/requirements.txt").write_text("# nothing\n\n")
        said: list[str] = []
        made(folder, said)
        assert not [line for line in said if "pip" in line]

    def test_npm_is_needed_for_its_dependencies(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "other/package.json").write_text('{"dependencies": {"x": "1"}}')
        monkeypatch.setenv("PATH", "")
        with pytest.raises(UserError, match="there is no npm"):
            made(folder)

    @pytest.mark.slow
    @pytest.mark.skipif(shutil.which("npm") is None, reason="no npm on this machine")
    def test_npm_installs_beside_the_code(self, folder: Path) -> None:
        archive = folder.parent / "tiny-1.0.0.tgz"
        with tarfile.open(archive, "w:gz") as tar:
            for name, text in {
                "package/package.json": b'{"name": "tiny", "version": "1.0.0"}',
                "package/index.js": b"module.exports = 1;",
            }.items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text))
        (folder / "layer/package.json").write_text(json.dumps({"dependencies": {"tiny": f"file:{archive}"}}))
        template = (folder / "template.yaml").read_text()
        (folder / "template.yaml").write_text(
            template.replace("BuildMethod: python3.11", "BuildMethod: nodejs20.x")
        )
        names = content(folder, "ContentUri: ").namelist()
        assert {"nodejs/package.json", "nodejs/shared.py", "nodejs/node_modules/tiny/index.js"} <= set(names)

    def test_a_broken_manifest(self, folder: Path) -> None:
        (folder / "other/package.json").write_text("{")
        with pytest.raises(UserError, match=r"package.json is not well-formed JSON"):
            made(folder)
