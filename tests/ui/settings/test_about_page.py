"""The version, the data and the keys, as the running window has them."""

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QPushButton

from chatdesk import __version__
from chatdesk.ui.settings.about_page import AboutPage
from tests.ui.driver import Window, texts


def test_what_chatdesk_is_and_where_the_data_are(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr("chatdesk.ui.settings.about_page.QDesktopServices.openUrl", opened.append)
    window.window.parts.page.top_bar.about_requested.emit()
    dialog = window.window.settings.dialog
    assert dialog
    page = dialog.page(AboutPage)
    assert page.isVisible()
    assert f"ChatDesk {__version__}" in texts(page)
    window.until(lambda: str(window.paths.data) in texts(page))
    button = next(each for each in page.findChildren(QPushButton) if "data" in each.text())
    button.click()
    assert opened == [QUrl.fromLocalFile(str(window.paths.data))]
    dialog.accept()


def test_every_shortcut_of_the_window_is_listed(window: Window) -> None:
    window.window.navigator.show_settings("about")
    dialog = window.window.settings.dialog
    assert dialog
    words = texts(dialog.page(AboutPage))
    shortcuts = window.window.findChildren(QShortcut)
    assert len(shortcuts) > 10
    for shortcut in shortcuts:
        assert shortcut.whatsThis() in words, shortcut.key().toString()
    assert "Ctrl+N" in words and "Enter" in words
    dialog.accept()
