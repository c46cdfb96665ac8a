"""Packages: what is unpacked and what is refused, and when code goes away."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudlet.errors import AwsError
from cloudlet.services.lambda_ import model
from cloudlet.services.lambda_.code import unpack
from cloudlet.services.lambda_.resources import inline_zip
from tests import harness


def archive(*entries: tuple[str, bytes, int]) -> bytes:
    """A zip of (name, content, Unix mode)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = mode << 16
            file.writestr(info, content)
    return buffer.getvalue()


LINK = stat.S_IFLNK | 0o777
FILE = stat.S_IFREG | 0o644


class TestUnpack:
    def test_keeps_folders_modes_and_inner_links(self, tmp_path: Path) -> None:
        target = tmp_path / "code"
        package = archive(
            ("bootstrap", b"#!/bin/sh\n", stat.S_IFREG | 0o755),
            ("lib/one.so.1", b"x", FILE),
            ("lib/one.so", b"one.so.1", LINK),
            ("secret", b"y", stat.S_IFREG | 0o200),
        )
        unpack(package, target)
        assert os.access(target / "bootstrap", os.X_OK)
        assert (target / "lib/one.so").read_bytes() == b"x"
        assert (target / "secret").stat().st_mode & 0o444 == 0o444
        assert target.with_name("code.zip").read_bytes() == package
        assert sorted(p.name for p in tmp_path.iterdir()) == ["code", "code.zip"]

    @pytest.mark.parametrize(
        "entry",
        [
            ("../outside", b"x", FILE),
            ("a/../../outside", b"x", FILE),
            ("/outside", b"x", FILE),
            ("..\\outside", b"x", FILE),
            ("link", b"/etc/passwd", LINK),
            ("link", b"../outside", LINK),
        ],
        ids=lambda entry: f"{entry[0]} {entry[1]!r}",
    )
    def test_refuses_what_leads_out(self, tmp_path: Path, entry: tuple[str, bytes, int]) -> None:
        with pytest.raises(AwsError, match="Could not unzip uploaded file"):
            unpack(archive(("index.py", b"", FILE), entry), tmp_path / "inner" / "code")
        assert list((tmp_path / "inner").iterdir()) == []
        assert not (tmp_path / "outside").exists()

    def test_refuses_to_write_through_a_link(self, tmp_path: Path) -> None:
        package = archive(("folder", b".", LINK), ("folder/file", b"x", FILE))
        with pytest.raises(AwsError, match="Could not unzip uploaded file"):
            unpack(package, tmp_path / "code")

    def test_refuses_more_than_may_be_unzipped(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(model, "MAX_UNZIPPED", 10)
        with pytest.raises(AwsError, match="Unzipped size must be smaller than 10 bytes"):
            unpack(archive(("one", b"x" * 6, FILE), ("two", b"x" * 6, FILE)), tmp_path / "code")

    @pytest.mark.parametrize("package", [b"PK\x03\x04", b"", archive(("a", b"x" * 99, FILE))[:-30]])
    def test_refuses_what_is_no_zip(self, tmp_path: Path, package: bytes) -> None:
        with pytest.raises(AwsError, match="Could not unzip uploaded file"):
            unpack(package, tmp_path / "code")

    def test_refuses_an_empty_zip(self, tmp_path: Path) -> None:
        with pytest.raises(AwsError, match="Uploaded file must be a non-empty zip"):
            unpack(archive(), tmp_path / "code")


class TestInline:
    def test_is_one_file_named_after_the_runtime(self) -> None:
        package = inline_zip("exports.handler = 1\n", "nodejs20.x")
        assert zipfile.ZipFile(io.BytesIO(package)).namelist() == ["index.js"]
        assert package == inline_zip("exports.handler = 1\n", "nodejs20.x")
        assert zipfile.ZipFile(io.BytesIO(inline_zip("", "python3.12"))).namelist() == ["index.py"]


@pytest.mark.node_only
class TestSweep:
    @pytest.mark.slow
    def test_code_that_nothing_refers_to_goes_and_other_code_stays(
        self, fresh_node: Callable[..., Any]
    ) -> None:
        node = fresh_node()
        lam = node.client("lambda")
        kept, dropped = (
            harness.zipped({"index.py": f"def handler(event, context):\n    return {n}\n"}) for n in (1, 2)
        )
        options = {"Role": harness.ROLE, "Runtime": "python3.11", "Handler": "index.handler"}
        lam.create_function(FunctionName="one", Code={"ZipFile": dropped}, **options)
        lam.create_function(FunctionName="two", Code={"ZipFile": kept}, **options)
        lam.update_function_code(FunctionName="one", ZipFile=kept)
        folder = node.data / "lambda" / "code"
        assert len(list(folder.iterdir())) == 4
        lam.delete_function(FunctionName="two")
        node.advance(2 * model.CODE_GRACE_SECONDS)
        harness.eventually(lambda: len(list(folder.iterdir())) == 2)
        assert lam.invoke(FunctionName="one")["Payload"].read() == b"1"
