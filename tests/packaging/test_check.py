"""The bundle's check itself: its figures are right, and it fails where it should."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

import check  # noqa: E402
import check_debian  # noqa: E402
import check_screen  # noqa: E402

from dev import SetupError  # noqa: E402

linux = pytest.mark.skipif(sys.platform != "linux", reason="a matter of Linux")
needs_screen = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool") and shutil.which("import")),
    reason="needs Xvfb, xdotool and ImageMagick",
)
ANSWERING = "#!/bin/sh\necho hello\n"


@pytest.fixture
def bundle(tmp_path: Path) -> Callable[[str], Path]:
    """Make a bundle whose program is a script."""

    def make(script: str) -> Path:
        folder = tmp_path / "dist" / "Chat Desk"
        models = folder / "_internal" / "chatdesk" / "assets" / "models"
        models.mkdir(parents=True)
        (models / "starter.gguf").write_bytes(os.urandom(50_000))
        large = folder / "_internal" / "Qt" / "large.so"
        large.parent.mkdir()
        large.write_bytes(os.urandom(30_000))
        (folder / "_internal" / "small.so").write_bytes(bytes(1000))
        (folder / "_internal" / "again.so").symlink_to("Qt/large.so")
        (folder / "_internal" / "twice.so").hardlink_to(large)
        program = folder / check.PROGRAM
        program.write_text(script)
        program.chmod(0o755)
        return folder

    return make


@linux
def test_sizes_are_without_the_model_and_count_a_file_once(bundle: Callable[[str], Path]) -> None:
    folder = bundle(ANSWERING)
    (folder.parent / "ChatDesk.tar.zst").write_bytes(bytes(7))
    figures = check.sizes(folder, folder.parent)
    assert figures["unpacked_bytes"] == 31_000 + len(ANSWERING)
    assert figures["model_bytes"] == 50_000
    assert list(figures["parts_bytes"])[:2] == ["_internal/Qt", "_internal/small.so"]
    assert figures["packages_bytes"] == {"ChatDesk.tar.zst": 7}
    assert 30_000 < figures["compressed_bytes"] < 33_000


@linux
@pytest.mark.parametrize(
    ("script", "found", "ok"),
    [
        (ANSWERING, {"cold_start_ratio": 1.3, "glibc": [2, 36]}, True),
        (ANSWERING, {"cold_start_ratio": 1.31}, False),
        (ANSWERING, {"glibc": [2, 37]}, False),
        (ANSWERING, {"debian_window": False}, False),
        ("#!/bin/sh\nexit 1\n", {}, False),
        ("#!/bin/sh\necho\n", {}, False),
    ],
)
def test_the_last_line_says_whether_all_is_well(
    bundle: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    script: str,
    found: dict[str, object],
    ok: bool,
) -> None:
    folder = bundle(script)
    monkeypatch.setattr(check, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(check, "provide_tools", lambda: None)
    monkeypatch.setattr(check, "on_linux", lambda _: found)
    assert check.main([str(folder)]) == (0 if ok else 1)
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["check"], report["ok"]) == ("bundle", ok)
    assert report["limits"]["unpacked_bytes"] == 260e6
    assert report["figures"]["answers"] is (script == ANSWERING)


def test_without_a_bundle_there_is_nothing_to_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.main([str(tmp_path)]) == 1
    assert "Make it with: python3 dev.py bundle" in capsys.readouterr().err


def test_only_the_small_flavour_has_a_limit_of_size(bundle: Callable[[str], Path]) -> None:
    folder = bundle(ANSWERING)
    assert not check.is_full(folder)
    (folder / "_internal" / "torch").mkdir()
    assert check.is_full(folder)


def test_the_libraries_are_those_that_the_readme_states() -> None:
    text = "First:\n\n    sudo apt install libegl1 libxcb1 libx11-xcb1\n\nThen start it."
    assert check.readme_packages(text) == ["libegl1", "libxcb1", "libx11-xcb1"]
    with pytest.raises(SetupError, match=r"README\.md"):
        check.readme_packages("Install with: apt install ./chatdesk.deb")


def test_missing_tools_are_named_to_who_may_not_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(SetupError, match="debootstrap imagemagick proot qemu-user xdotool xvfb"):
        check.provide_tools()


@linux
def test_only_root_makes_a_debian(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="root"):
        check_debian.BareDebian(tmp_path, [])


@linux
@pytest.mark.skipif(
    not (shutil.which("proot") and shutil.which("qemu-x86_64")), reason="needs proot and QEMU"
)
def test_children_are_emulated_too(tmp_path: Path) -> None:
    program = tmp_path / "program"
    levels = f"{check.LOADER} --help | grep -q 'x86-64-v3 (supported'"
    program.write_text(f"#!/bin/sh\nif {levels}; then exit 1; fi\necho an answer\n")
    program.chmod(0o755)
    check.ask_without_avx2(program)  # must not raise


WINDOW = """
import sys
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLineEdit

application = QApplication(sys.argv)
field = QLineEdit()
field.setWindowTitle("ChatDesk")
field.returnPressed.connect(lambda: open(sys.argv[1], "w").write(field.text()))
end = QShortcut(QKeySequence("Ctrl+Q"), field)
end.activated.connect(lambda: application.exit(int(sys.argv[2])))
field.show()
sys.exit(application.exec())
"""


@linux
@needs_screen
def test_a_window_is_found_used_and_quit(tmp_path: Path) -> None:
    typed, picture = tmp_path / "typed", tmp_path / "picture.png"
    with check_screen.screen() as display:
        environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        for code in (0, 3):
            command = [sys.executable, "-c", WINDOW, str(typed), str(code)]
            with check_screen.started(command, environment) as process:
                window = check_screen.wait_for_window(display, process)
                check_screen.type_line(display, window, "What is it?")
                check_screen.screenshot(display, picture)
                if code:
                    with pytest.raises(SetupError, match="exit code 3"):
                        check_screen.quit_window(display, window, process)
                else:
                    check_screen.quit_window(display, window, process)
            assert typed.read_text() == "What is it?"
        assert picture.read_bytes().startswith(b"\x89PNG")
        with pytest.raises(SetupError, match="without a window"):
            check_screen.seconds_to_window([shutil.which("false") or ""], environment)


@linux
def test_a_mirror_is_the_one_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/apt-get")
    lines = "bookworm-updates file:/one\nbookworm file:/two\nbookworm file:/three\n"
    done = subprocess.CompletedProcess([], 0, lines)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: done)
    assert check_debian.mirror() == ["file:/two"]
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert check_debian.mirror() == []
