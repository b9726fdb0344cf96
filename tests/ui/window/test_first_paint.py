"""When something begins that has to wait for the window."""

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.window.first_paint import FirstPaint


class Painted(QWidget):
    """Writes down that it is painted."""

    def __init__(self, order: list[str]) -> None:
        super().__init__()
        self._order = order

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        self._order.append("paint")


def test_it_comes_once_after_all_are_painted(qtbot: QtBot) -> None:
    order: list[str] = []
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    for _ in range(2):
        layout.addWidget(Painted(order))
    window.resize(200, 200)
    FirstPaint(window, lambda: order.append("then"))
    window.show()
    qtbot.waitUntil(lambda: "then" in order)
    assert order.index("then") == order.count("paint") >= 2
    window.repaint()
    qtbot.wait(10)
    assert order.count("then") == 1


def test_it_comes_for_a_window_that_is_never_painted(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    done: list[bool] = []
    FirstPaint(window, lambda: done.append(True))
    window.showMinimized()
    qtbot.waitUntil(lambda: bool(done))
