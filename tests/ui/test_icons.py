"""Where an icon stands before a word, there are 8 pixels between them, in every kind of button."""

import itertools
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.icons import show_icon
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.eliding_button import ElidingButton
from chatdesk.ui.widgets.search_field import SearchField

INK = "#FF0000"


def columns(image: QImage, is_drawn: Callable[[QColor], bool]) -> list[int]:
    """The columns in which something of a colour is drawn."""
    rows = range(image.height())
    return [x for x in range(image.width()) if any(is_drawn(image.pixelColor(x, y)) for y in rows)]


def is_ink(colour: QColor) -> bool:
    return colour.red() > 150 and colour.green() < 120 and colour.blue() < 120


def is_letter(colour: QColor) -> bool:
    return colour.lightness() < 140 and not is_ink(colour)


def gap(button: QWidget, qtbot: QtBot) -> int:
    """The pixels between the icon, drawn in red, and the first letter, an I.

    Both have a little air within their own box.
    """
    page = QWidget()
    page.setObjectName("page")
    qtbot.addWidget(page)
    button.setParent(page)
    button.move(4, 4)
    button.adjustSize()
    page.resize(button.width() + 8, button.height() + 8)
    image = page.grab().toImage()
    end = columns(image, is_ink)[-1]
    return next(x for x in columns(image, is_letter) if x > end) - end - 1


def push_button(look: str) -> QPushButton:
    button = QPushButton("IIII")
    set_class(button, look)
    show_icon(button, "stop", INK)
    return button


def tool_button() -> QToolButton:
    button = QToolButton()
    button.setText("IIII")
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    show_icon(button, "stop", INK)
    return button


def chip() -> ElidingButton:
    button = ElidingButton("name")
    button.open_when_pressed(QMenu(button))
    show_icon(button, "stop", INK)
    button.set_words("IIII")
    return button


@pytest.mark.parametrize("look", ["", "ghost", "chip", "new", "row", "link", "pill"])
def test_in_push_buttons(qtbot: QtBot, theme: Theme, look: str) -> None:
    assert 8 <= gap(push_button(look), qtbot) <= 13


def test_in_tool_buttons_and_chips(qtbot: QtBot, theme: Theme) -> None:
    for button in (tool_button(), chip()):
        assert 8 <= gap(button, qtbot) <= 13


def test_in_search_fields(qtbot: QtBot, theme: Theme) -> None:
    field = SearchField("IIII", theme)
    field.setText("IIII")
    qtbot.addWidget(field)
    field.resize(200, field.sizeHint().height())
    image = field.grab().toImage()
    drawn = [x for x in columns(image, lambda colour: colour.lightness() < 150) if x < 120]
    gaps = [after - before for before, after in itertools.pairwise(drawn)]
    assert 8 <= max(gaps) <= 13
