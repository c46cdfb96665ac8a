"""The folders of what functions find beside their own code are made once, whole."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from cloudlet.errors import UserError
from cloudlet.services.lambda_.runtimes import install

COMMAND = [sys.executable, "-c", "import sys; [open(name, 'w').close() for name in sys.argv[1:]]"]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestEnsure:
    def test_it_is_made_once(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        target = tmp_path / "runtimes" / "python"
        for _ in range(2):
            assert install._ensure(target, "the things", COMMAND, ("one",)) == target
        assert names(target) == {"one", install.LIST}
        assert names(target.parent) == {"python"}
        assert capsys.readouterr().err == "Installing the things …\n"

    def test_another_list_replaces_it(self, tmp_path: Path) -> None:
        target = tmp_path / "python"
        install._ensure(target, "the things", COMMAND, ("one",))
        install._ensure(target, "the things", COMMAND, ("two",))
        assert names(target) == {"two", install.LIST}

    def test_what_a_killed_installation_left_is_cleared_in_time(self, tmp_path: Path) -> None:
        for name, age in (("python.old", 4000), ("python.new", 0)):
            (tmp_path / name).mkdir()
            os.utime(tmp_path / name, (time.time() - age,) * 2)
        install._ensure(tmp_path / "python", "the things", COMMAND, ("one",))
        assert names(tmp_path) == {"python", "python.new"}

    def test_a_failure_says_what_the_installer_said_and_leaves_what_was(self, tmp_path: Path) -> None:
        target = tmp_path / "python"
        install._ensure(target, "the things", COMMAND, ("one",))
        with pytest.raises(
            UserError, match=r"(?s)Installing the things failed .* exited with 1\).*no network"
        ):
            install._ensure(
                target, "the things", [sys.executable, "-c", "import sys; sys.exit('no network')"], ("two",)
            )
        assert names(target) == {"one", install.LIST}
        assert names(tmp_path) == {"python"}

    def test_an_installer_that_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(install, "root", lambda: tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(
            UserError, match=r"the AWS SDK for Node\.js functions can't be installed: there is no npm"
        ):
            install.ensure_node()
