from PySide6.QtGui import QGuiApplication

from tests.ui.driver import Window


def test_the_open_chat_is_copied_from_its_menu(window: Window) -> None:
    window.ask("say: one")
    window.window.parts.page.top_bar.copy_requested.emit()
    window.until(lambda: "**You**\n\nsay: one" in QGuiApplication.clipboard().text())
    assert QGuiApplication.clipboard().text().endswith("one\n")
