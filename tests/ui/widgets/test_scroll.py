import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.scroll import FittingArea, scrolling

WIDE = "a word " * 40


def filled(*more: QWidget) -> QWidget:
    content = QWidget()
    content.setObjectName("page")
    column = QVBoxLayout(content)
    for widget in (QPushButton("a button"), QPushButton("another"), *more):
        column.addWidget(widget)
    return content


def shown(qtbot: QtBot, widget: QWidget, width: int, height: int) -> QWidget:
    window = QWidget()
    window.setObjectName("page")
    layout = QVBoxLayout(window)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(widget)
    layout.addStretch(1)
    qtbot.addWidget(window)
    window.resize(width, height)
    with qtbot.waitExposed(window):
        window.show()
    return window


@pytest.mark.usefixtures("theme")
def test_content_is_never_wider_than_its_area(qtbot: QtBot) -> None:
    content = filled(QPushButton(WIDE))
    area = scrolling(content)
    window = shown(qtbot, area, 300, 200)
    assert window.width() == 300
    assert content.width() == area.viewport().width()
    assert all(b.geometry().right() < content.width() for b in content.findChildren(QPushButton))


@pytest.mark.usefixtures("theme")
def test_an_area_is_as_high_as_its_content_if_there_is_room(qtbot: QtBot) -> None:
    words = QLabel(WIDE)
    words.setWordWrap(True)
    content = filled(words)
    area = FittingArea(content)
    window = shown(qtbot, area, 300, 600)
    qtbot.waitUntil(lambda: area.height() == content.height())
    assert area.verticalScrollBar().maximum() == 0
    high = area.height()
    window.resize(600, 600)
    qtbot.waitUntil(lambda: area.height() < high)  # the words need fewer lines
    window.resize(300, 120)
    qtbot.waitUntil(lambda: area.height() == 120)
    assert area.verticalScrollBar().maximum() > 0


def test_what_scrolls_fades_where_it_goes_on(qtbot: QtBot, theme: Theme) -> None:
    content = QWidget()
    content.setStyleSheet("background: black")
    content.setMinimumHeight(1000)
    area = scrolling(content)
    area.setFixedSize(200, 300)
    _window = shown(qtbot, area, 200, 300)

    def edges() -> tuple[QColor, QColor]:
        image = area.grab().toImage()
        return image.pixelColor(50, 0), image.pixelColor(50, 299)

    ground, ink = QColor(theme.background), QColor("black")

    def is_like(one: QColor, other: QColor) -> bool:
        return abs(one.lightness() - other.lightness()) < 40

    upper, lower = edges()
    assert is_like(upper, ink)
    assert is_like(lower, ground)
    area.verticalScrollBar().setValue(400)
    assert all(is_like(edge, ground) for edge in edges())
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    upper, lower = edges()
    assert is_like(upper, ground)
    assert is_like(lower, ink)
