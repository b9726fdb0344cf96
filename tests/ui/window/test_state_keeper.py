"""The window's place: on its screen at the first start, after a restart, when screens change."""

from pathlib import Path

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.window.state_keeper import StateKeeper
from chatdesk.ui.window_state import WindowState


def kept(qtbot: QtBot, state: WindowState, path: Path) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    StateKeeper(window, state, path, lambda: None)
    return window


def screen() -> QRect:
    return QApplication.primaryScreen().availableGeometry()


def test_a_place_on_a_screen_that_is_gone_is_left(qtbot: QtBot, tmp_path: Path) -> None:
    state = WindowState(x=9000, y=-4000, width=5000, height=4000)
    window = kept(qtbot, state, tmp_path / "window.json")
    assert screen().contains(window.frameGeometry())


def test_the_place_and_size_that_fit_are_kept(qtbot: QtBot, tmp_path: Path) -> None:
    state = WindowState(x=40, y=60, width=900, height=600)
    window = kept(qtbot, state, tmp_path / "window.json")
    assert window.frameGeometry() == QRect(40, 60, 900, 600)


def test_a_screen_that_changes_takes_the_window_along(qtbot: QtBot, tmp_path: Path) -> None:
    window = kept(qtbot, WindowState(), tmp_path / "window.json")
    with qtbot.waitExposed(window):
        window.show()
    for change in (
        lambda: QApplication.primaryScreen().availableGeometryChanged.emit(screen()),
        lambda: QApplication.instance().screenRemoved.emit(QApplication.primaryScreen()),  # type: ignore[union-attr]
    ):
        qtbot.wait(300)  # the look after it was shown
        window.setGeometry(3000, 2000, 3000, 2000)
        assert not screen().contains(window.frameGeometry())
        change()
        qtbot.waitUntil(lambda: screen().contains(window.frameGeometry()))
