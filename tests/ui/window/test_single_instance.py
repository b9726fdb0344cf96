"""One window per data folder, with a real second process."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from chatdesk.ui.window import single_instance
from chatdesk.ui.window.single_instance import SingleInstance

ROOT = Path(__file__).parents[3]
OTHER = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from chatdesk.ui.window.single_instance import SingleInstance

application = QCoreApplication([])
instance = SingleInstance(Path(sys.argv[1]))
if not instance.is_first():
    print("heard" if instance.raise_first(list(map(Path, sys.argv[2:]))) else "not heard")
    sys.exit()
instance.raise_requested.connect(lambda: print("raised", flush=True))
print("first", flush=True)
application.exec()
"""


def another_start(data: Path, *models: Path) -> subprocess.Popen[str]:
    """A process that is either the first and stays, or raises the first and ends."""
    return subprocess.Popen(
        [sys.executable, "-c", OTHER, str(data), *map(os.fsencode, models)],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> str:
    """The next line it prints, waited for."""
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.fixture
def first(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with another_start(tmp_path) as process:
        assert told(process) == "first"
        yield process
        process.kill()


@pytest.mark.usefixtures("qapp")
def test_a_second_start_raises_the_first(first: subprocess.Popen[str], tmp_path: Path) -> None:
    second = SingleInstance(tmp_path)
    assert not second.is_first()
    for _ in range(3):
        assert second.raise_first()
        assert told(first) == "raised"


def test_the_window_hears_each_later_start(qtbot: QtBot, tmp_path: Path) -> None:
    window = SingleInstance(tmp_path)
    assert window.is_first()
    for _ in range(2):
        with qtbot.waitSignal(window.raise_requested, timeout=10_000):
            process = another_start(tmp_path)
        with process:
            assert told(process) == "heard"
    window.close()


def test_models_reach_the_window_from_starts_at_the_same_moment(
    qtbot: QtBot, tmp_path: Path
) -> None:
    wanted = [(tmp_path / "一 model.gguf", Path(os.fsdecode(b"/not/utf-8\xff"))), (), (Path("/b"),)]
    heard: list[tuple[Path, ...]] = []
    window = SingleInstance(tmp_path)
    assert window.is_first()
    window.raise_requested.connect(lambda models: heard.append(tuple(models)))
    with ExitStack() as running:
        starts = [running.enter_context(another_start(tmp_path, *models)) for models in wanted]
        qtbot.waitUntil(lambda: len(heard) == 3, timeout=10_000)
        assert [told(start) for start in starts] == ["heard"] * 3
    assert sorted(heard) == sorted(wanted)
    window.close()


@pytest.mark.usefixtures("qapp")
def test_after_a_crash_the_next_start_is_first(
    first: subprocess.Popen[str], tmp_path: Path
) -> None:
    first.kill()
    first.wait()
    (tmp_path / "window" / "raise-1").touch()  # of a start that the crash left without an answer
    second = SingleInstance(tmp_path)
    assert second.is_first()
    second.close()


@pytest.mark.usefixtures("qapp")
def test_a_window_that_hangs_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "ANSWER_WITHIN_S", 0.05)
    hanging, second = SingleInstance(tmp_path), SingleInstance(tmp_path)
    assert hanging.is_first()
    assert not second.is_first()
    assert not second.raise_first()  # its event loop does not run meanwhile
    hanging.close()
    assert second.is_first()
    second.close()


@pytest.mark.usefixtures("qapp")
def test_each_folder_has_its_own_window(first: subprocess.Popen[str], tmp_path: Path) -> None:
    assert first.poll() is None
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = SingleInstance(other)
    assert elsewhere.is_first()
    elsewhere.close()


@pytest.mark.usefixtures("qapp")
def test_a_folder_that_is_gone_has_nobody_to_ask(tmp_path: Path) -> None:
    nowhere = SingleInstance(tmp_path / "gone")
    assert not nowhere.is_first()
    assert not nowhere.raise_first()


def test_what_is_no_bell_keeps_nobody_out(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "window" / "raise-x").mkdir(parents=True)
    instance = SingleInstance(tmp_path)
    assert instance.is_first()
    with another_start(tmp_path) as other:
        with qtbot.waitSignal(instance.raise_requested):
            pass
        assert told(other) == "heard"
    instance.close()


def test_its_folder_is_nobody_elses(qtbot: QtBot, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        instance = SingleInstance(tmp_path)
        assert instance.is_first()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "window").stat().st_mode) == 0o700
    instance.close()
