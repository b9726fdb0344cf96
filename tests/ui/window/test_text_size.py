"""Text of another size, in the whole window and at once."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontInfo
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel

from chatdesk.core.settings_file import read_settings
from chatdesk.ui.theme import Theme, apply_theme, set_text_size
from chatdesk.ui.window.application import Application
from tests.ui.driver import Window

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def usual_size(qapp: Application, theme: Theme) -> Iterator[None]:
    font = QApplication.font()
    yield
    set_text_size(qapp, 100)
    qapp.setFont(font)
    apply_theme(qapp, theme)


def sizes(window: Window) -> tuple[int, int, int]:
    """The height of the composer, and the sizes of small words and of an answer's."""
    small = next(
        each
        for each in window.window.findChildren(QLabel)
        if each.property("class") == "tiny" and each.isVisible()
    )
    answer = window.view_of(window.messages[-1])
    return window.editor.height(), QFontInfo(small.font()).pixelSize(), answer.height()


def test_keys_change_all_text_and_the_setting_keeps_it(window: Window) -> None:
    window.ask("say: " + "many words " * 100)
    usual = sizes(window)
    settings = window.desktop.settings
    settings.edit("general", text_percent=175)
    window.qtbot.keyClick(window.window, Qt.Key.Key_Plus, CONTROL)
    window.qtbot.keyClick(window.window, Qt.Key.Key_Plus, CONTROL)  # there is no larger one
    assert settings.now.general.text_percent == 200
    assert all(large >= 1.8 * small for large, small in zip(sizes(window), usual, strict=True))
    settings.edit("general", text_percent=90)
    window.qtbot.keyClick(window.window, Qt.Key.Key_Minus, CONTROL)
    window.qtbot.keyClick(window.window, Qt.Key.Key_Minus, CONTROL)
    assert settings.now.general.text_percent == 80
    assert all(small < before for small, before in zip(sizes(window), usual, strict=True))
    window.until(lambda: read_settings(window.paths.settings).general.text_percent == 80)
    window.qtbot.keyClick(window.window, Qt.Key.Key_0, CONTROL)
    assert sizes(window) == usual


def pictures(window: Window) -> list[int]:
    """The sides of what is a picture: those of buttons, before words, and their buttons."""
    shown = [each for each in window.window.findChildren(QAbstractButton) if each.isVisible()]
    drawn = [each for each in shown if not each.icon().isNull()]
    assert len(drawn) > 8
    alone = [each.width() for each in drawn if not each.text()]
    assert len(alone) > 3
    return [each.iconSize().height() for each in drawn] + alone


def test_pictures_grow_with_the_text(window: Window) -> None:
    window.window.resize(2200, 900)
    usual = pictures(window)
    window.desktop.settings.edit("general", text_percent=200)
    assert pictures(window) == [2 * each for each in usual]
    window.desktop.settings.edit("general", text_percent=100)
    assert pictures(window) == usual


def test_where_text_is_large_panels_need_more_room(window: Window) -> None:
    """At 200 % a window of 1120 pixels has as much room as one of 560 otherwise."""
    window.window.resize(1120, 760)
    parts = window.window.parts
    assert parts.sidebar.isVisible()
    wide = parts.sidebar.width()
    window.desktop.settings.edit("general", text_percent=200)
    assert not parts.sidebar.isVisible()
    window.window.resize(1500, 760)
    assert parts.sidebar.width() == 2 * wide
    window.desktop.settings.edit("general", text_percent=100)
    assert parts.sidebar.isVisible()
    assert parts.sidebar.width() == wide
