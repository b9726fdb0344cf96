"""The module for graphics cards, beside a bundle of a few files."""

import shutil
import subprocess
from pathlib import Path

import graphics
import pytest

pytestmark = pytest.mark.skipif(not shutil.which("zstd"), reason="needs zstd")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ChatDesk"
    (folder / graphics.MODULE).parent.mkdir(parents=True)
    (folder / "chatdesk").write_text("chat", "utf-8")
    return folder


def test_the_module_is_a_package_of_its_own(folder: Path, tmp_path: Path) -> None:
    (folder / graphics.MODULE).write_text("module", "utf-8")
    graphics.split_off(folder, tmp_path)
    assert not (folder / graphics.MODULE).exists()
    tarball, package = graphics.make(tmp_path, "1.2.3")
    subprocess.check_call(["tar", "-xf", tarball, "-C", folder])  # as the README says
    assert (folder / graphics.MODULE).read_text("utf-8") == "module"
    assert (folder / "chatdesk").exists()
    assert package.name.startswith("chatdesk-graphics_1.2.3_")
    if shutil.which("dpkg-deb"):
        subprocess.check_call(["dpkg-deb", "-x", package, tmp_path / "root"])
        installed = tmp_path / "root" / "opt" / "chatdesk" / graphics.MODULE
        assert installed.read_text("utf-8") == "module"
        depends = subprocess.check_output(["dpkg-deb", "-f", package, "Depends"], text=True)
        assert depends == "chatdesk (= 1.2.3), libvulkan1\n"


def test_one_that_was_not_built_leaves_none_of_an_earlier_build(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / graphics.NAME).mkdir()
    graphics.split_off(folder, tmp_path)
    assert graphics.make(tmp_path, "1.2.3") == []
    assert [each.name for each in tmp_path.iterdir()] == ["ChatDesk"]
