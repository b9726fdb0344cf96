"""No control gets the focus only because another one was disabled, hidden or removed."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget

from chatdesk.core.chat import MessageState, Rating
from chatdesk.ui.chat.composer import ComposerState
from chatdesk.ui.navigator import PageId
from tests.ui.driver import Window


def buttons(part: QWidget) -> list[QAbstractButton]:
    found = part.findChildren(QAbstractButton)
    return [each for each in found if each.isVisible() and each.isEnabled()]


def lose(button: QAbstractButton, *, by_hiding: bool) -> None:
    """Take the focus away from a button that has it, as its owner might."""
    button.setFocus(Qt.FocusReason.TabFocusReason)
    assert button.hasFocus(), button
    if by_hiding:
        button.hide()
        button.show()
    else:
        button.setEnabled(False)
        button.setEnabled(True)


@pytest.mark.parametrize("by_hiding", [True, False])
def test_a_button_that_goes_hands_its_focus_to_no_other(window: Window, by_hiding: bool) -> None:
    window.ask("say: one")
    main = window.window
    for page_id in (PageId.CHAT, PageId.MODELS, PageId.PERSONALIZE):
        main.navigator.show(page_id)
        window.qtbot.wait(50)
        assert len(buttons(main)) > 5
        for button in buttons(main):
            lose(button, by_hiding=by_hiding)
            found = main.focusWidget()
            assert found and not isinstance(found, QAbstractButton | QLineEdit), button


def test_in_the_settings_too(window: Window) -> None:
    window.window.navigator.show_settings()
    dialog = window.window.settings.dialog
    assert dialog
    dialog.activateWindow()
    window.until(dialog.isActiveWindow)
    for page in dialog.pages:
        dialog.show_page(page.section)
        for button in buttons(dialog):
            lose(button, by_hiding=False)
            assert not isinstance(dialog.focusWidget(), QAbstractButton), button
    dialog.accept()


def test_continue_leaves_the_focus_in_the_composer(window: Window) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Escape)
    window.until(lambda: window.messages[-1].state is MessageState.STOPPED)
    window.until(lambda: window.window.composer.state is ComposerState.READY)
    view = window.view_of(window.messages[-1])
    button = next(each for each in buttons(view) if each.text() == "Continue")
    button.setFocus()
    window.qtbot.keyClick(button, Qt.Key.Key_Space)
    window.until(lambda: window.messages[-1].state is not MessageState.STOPPED)
    assert window.window.focusWidget() is window.editor


def test_a_click_on_a_button_of_a_message_leaves_the_cursor_in_the_composer(
    window: Window,
) -> None:
    window.ask("say: one")
    window.editor.setFocus()
    row = window.view_of(window.messages[-1]).actions_row
    window.qtbot.mouseClick(row.rating_buttons[Rating.UP], Qt.MouseButton.LeftButton)
    assert window.window.focusWidget() is window.editor
    column = window.window.chat_view.column
    below = QPoint(20, column.viewport().height() - 20)
    window.qtbot.mouseClick(column.viewport(), Qt.MouseButton.LeftButton, pos=below)
    assert window.window.focusWidget() is column


def test_hiding_the_sidebar_from_its_search_leads_to_the_composer(window: Window) -> None:
    window.window.parts.sidebar.focus_search()
    window.qtbot.keyClick(window.window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert window.window.focusWidget() is window.editor
