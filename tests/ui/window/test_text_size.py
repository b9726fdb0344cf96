"""Text of another size, in the whole window and at once."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontInfo
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel

from chatdesk.core.settings_file import read_settings
from chatdesk.ui.theme import Theme, apply_theme, set_text_size, text_scale
from chatdesk.ui.widgets.buttons import PictureButton
from chatdesk.ui.window.application import Application
from tests.ui.driver import Window

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def usual_size(qapp: Application, theme: Theme) -> Iterator[None]:
    font = QApplication.font()
    yield
    if text_scale() != 1.0:
        set_text_size(qapp, 100)
        apply_theme(qapp, theme)  # takes long where windows of other tests are left
    qapp.setFont(font)


def sizes(window: Window) -> tuple[int, int, int]:
    """The height of the composer, and the sizes of small words and of an answer's."""
    small = next(
        each
        for each in window.window.findChildren(QLabel)
        if each.property("class") == "tiny" and each.isVisible()
    )
    answer = window.view_of(window.messages[-1])
    return window.editor.height(), QFontInfo(small.font()).pixelSize(), answer.height()


def pictures(window: Window) -> list[int]:
    """The sides of pictures, alone and before words, and those of the buttons in the bars."""
    shown = [each for each in window.window.findChildren(QAbstractButton) if each.isVisible()]
    drawn = [each for each in shown if not each.icon().isNull()]
    assert len(drawn) > 8
    bars = [each.width() for each in drawn if isinstance(each, PictureButton)]
    assert len(bars) > 2
    return [each.iconSize().height() for each in drawn] + bars


def test_keys_change_all_text_with_its_pictures_and_panels_and_the_setting_keeps_it(
    window: Window,
) -> None:
    window.ask("say: " + "many words " * 100)
    main, sidebar = window.window, window.window.parts.sidebar
    main.resize(2200, 900)
    usual, drawn, width = sizes(window), pictures(window), sidebar.width()
    settings = window.desktop.settings
    settings.edit("general", text_percent=175)
    window.qtbot.keyClick(window.window, Qt.Key.Key_Plus, CONTROL)
    window.qtbot.keyClick(window.window, Qt.Key.Key_Plus, CONTROL)  # there is no larger one
    assert settings.now.general.text_percent == 200
    assert all(large >= 1.8 * small for large, small in zip(sizes(window), usual, strict=True))
    assert pictures(window) == [2 * each for each in drawn]
    assert sidebar.width() == 2 * width
    main.resize(1120, 760)  # has as much room now as 560 pixels otherwise
    assert not sidebar.isVisible()
    main.resize(2200, 900)
    settings.edit("general", text_percent=90)
    window.qtbot.keyClick(window.window, Qt.Key.Key_Minus, CONTROL)
    window.qtbot.keyClick(window.window, Qt.Key.Key_Minus, CONTROL)
    assert settings.now.general.text_percent == 80
    assert all(small < before for small, before in zip(sizes(window), usual, strict=True))
    window.until(lambda: read_settings(window.paths.settings).general.text_percent == 80)
    window.qtbot.keyClick(window.window, Qt.Key.Key_0, CONTROL)
    assert sizes(window) == usual
    assert (pictures(window), sidebar.width()) == (drawn, width)
    main.resize(1120, 760)
    assert sidebar.isVisible()
