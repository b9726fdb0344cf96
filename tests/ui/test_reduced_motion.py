"""The system's wish for no movement, asked of a desktop portal on a bus of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from chatdesk.ui.reduced_motion import VARIABLE, reduced_motion

CHILD = Path(__file__).parents[1] / "motion_child.py"
needs_a_bus = pytest.mark.skipif(
    not shutil.which("dbus-run-session"), reason="there is no D-Bus to ask on"
)


def test_our_variable_comes_before_the_system(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    assert reduced_motion(qapp)
    monkeypatch.setenv(VARIABLE, "0")
    assert not reduced_motion(qapp)


def test_a_steady_cursor_means_no_movement(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    hints = qapp.styleHints()
    flash = hints.cursorFlashTime()
    hints.setCursorFlashTime(0)
    try:
        assert reduced_motion(qapp)
    finally:
        hints.setCursorFlashTime(flash)


@needs_a_bus
@pytest.mark.parametrize(
    ("key", "value", "still"),
    [
        ("reduced-motion", "1", True),
        ("reduced-motion", "0", False),
        ("enable-animations", "False", True),
        ("enable-animations", "True", False),
    ],
)
def test_the_desktop_is_asked(key: str, value: str, still: bool) -> None:
    asked = ["dbus-run-session", "--", sys.executable, str(CHILD), key, value]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [f"still={still}"]
