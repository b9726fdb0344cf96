"""Text of another size, in the whole window and at once."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontInfo
from PySide6.QtWidgets import QApplication, QLabel

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
