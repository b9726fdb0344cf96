import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.widgets.menus import menu_origin, open_menu, open_when_pressed

SCREEN = QRect(0, 0, 1000, 800)
WINDOW = QRect(100, 100, 600, 500)
MENU = QSize(200, 150)


@pytest.mark.parametrize(
    ("anchor", "origin"),
    [
        (QRect(120, 120, 80, 30), QPoint(120, 150)),  # below, with its left edge
        (QRect(650, 120, 40, 30), QPoint(490, 150)),  # below, with its right edge
        (QRect(120, 560, 80, 30), QPoint(120, 410)),  # above
        (QRect(690, 300, 0, 0), QPoint(500, 300)),  # a point near the right edge
        (QRect(300, 300, 0, 0), QPoint(300, 300)),
    ],
)
def test_a_menu_stays_within_the_window(anchor: QRect, origin: QPoint) -> None:
    assert menu_origin(MENU, anchor, WINDOW, SCREEN) == origin
    assert WINDOW.contains(QRect(origin, MENU))


def test_a_menu_that_is_larger_than_the_window_stays_on_the_screen() -> None:
    room, size = QRect(700, 500, 290, 200), QSize(320, 400)
    origin = menu_origin(size, QRect(950, 520, 30, 30), room, SCREEN)
    assert SCREEN.contains(QRect(origin, size))


@pytest.mark.usefixtures("theme")
def test_a_button_opens_its_menu_and_stays_down(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(400, 300)
    button = QPushButton("…", window)
    button.setGeometry(350, 10, 40, 30)
    menu = QMenu(button)
    menu.addAction("A line that is wide enough")
    open_when_pressed(button, menu)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert QApplication.activePopupWidget() is menu
    assert button.isDown()
    end = button.mapToGlobal(button.rect().bottomRight())
    assert menu.geometry().right() == end.x()
    assert menu.y() == end.y() + 1
    assert not menu.mask().contains(QPoint(0, 0))  # a corner
    assert menu.mask().contains(menu.rect().center())
    menu.close()
    assert not button.isDown()


@pytest.mark.usefixtures("theme")
def test_a_menu_opens_at_a_point(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(400, 300)
    menu = QMenu(window)
    menu.addAction("A line")
    with qtbot.waitExposed(window):
        window.show()
    open_menu(menu, window, QRect(QPoint(30, 40), QSize(0, 0)))
    assert menu.pos() == window.mapToGlobal(QPoint(30, 40))
    menu.close()
