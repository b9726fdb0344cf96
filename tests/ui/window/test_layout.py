"""The sidebar, the pages and the inspector, in the window."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget

from chatdesk.ui.models.page import ModelsPage
from chatdesk.ui.navigator import PageId
from chatdesk.ui.personalize.page import PersonalizePage
from tests.ui.driver import Window


def offered(part: QWidget) -> list[QToolButton]:
    """The button that shows the sidebar, if the part offers one."""
    buttons = part.findChildren(QToolButton)
    return [b for b in buttons if b.toolTip().startswith("Show the sidebar") and b.isVisible()]


def test_whatever_is_shown_offers_a_sidebar_that_is_hidden(window: Window) -> None:
    main, sidebar = window.window, window.window.parts.sidebar
    main.navigator.show(PageId.MODELS)  # made before the sidebar is hidden, the other page after it
    models = main.findChild(ModelsPage)
    assert models
    assert not offered(models)
    sidebar.hide_requested.emit()
    assert not sidebar.isVisible()
    assert offered(models)
    main.navigator.show(PageId.PERSONALIZE)
    personalize = main.findChild(PersonalizePage)
    assert personalize
    window.qtbot.mouseClick(offered(personalize)[0], Qt.MouseButton.LeftButton)
    assert sidebar.isVisible()
    assert not offered(main)


def test_the_inspector_is_the_chats(window: Window) -> None:
    main, inspector = window.window, window.window.parts.inspector
    window.qtbot.keyClick(main, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert inspector.isVisible()
    main.navigator.show(PageId.MODELS)
    assert not inspector.isVisible()
    assert main.windowTitle() == "Models – ChatDesk"
    page = main.findChild(ModelsPage)
    assert page
    window.qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert inspector.isVisible()
    assert main.windowTitle() == "ChatDesk"
    assert main.focusWidget() is window.editor


def test_renaming_shows_the_sidebar(window: Window) -> None:
    window.ask("say: one")
    window.until(lambda: window.titles == ["A fitting title"])
    parts = window.window.parts
    parts.sidebar.hide_requested.emit()
    parts.page.top_bar.rename_requested.emit()
    assert parts.sidebar.isVisible()
    assert parts.sidebar.is_renaming
