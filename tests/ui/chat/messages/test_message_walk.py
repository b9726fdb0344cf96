"""The keyboard's way through a conversation."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import Role
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.markdown.code_card import CodeCard
from chatdesk.ui.markdown.prose_view import ProseView
from chatdesk.ui.theme import Theme
from tests.ui.conftest import make_message


class Page(QWidget):
    """A conversation between two fields."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.above, self.view, self.below = QLineEdit(), ChatView(theme), QLineEdit()
        column = QVBoxLayout(self)
        for part in (self.above, self.view, self.below):
            column.addWidget(part)


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> Page:
    page = Page(theme)
    qtbot.addWidget(page)
    page.resize(1_000, 700)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    return page


def focused() -> QWidget | None:
    return QApplication.focusWidget()


def press(*keys: Qt.Key) -> None:
    for key in keys:
        widget = focused()
        assert widget is not None
        shift = Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(widget, key, shift if key is Qt.Key.Key_Backtab else _NONE)


_NONE = Qt.KeyboardModifier.NoModifier
_TAB, _BACK = Qt.Key.Key_Tab, Qt.Key.Key_Backtab
_RIGHT, _LEFT, _DOWN = Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Down
ANSWER = "With a [link](https://example.org).\n\n```python\na = 1\n```\n"


def show(page: Page, pairs: int) -> None:
    messages = []
    for number in range(pairs):
        messages += [
            make_message(f"q{number}", Role.USER, "Why?"),
            make_message(f"a{number}", Role.ASSISTANT, ANSWER),
        ]
    page.view.show_path(messages, {})


def stop() -> str:
    widget = focused()
    return widget.message.id if isinstance(widget, MessageView) else type(widget).__name__


def test_tab_stops_once_a_message_in_reading_order(page: Page) -> None:
    show(page, 2)
    page.above.setFocus()
    stops: list[str] = []
    while focused() is not page.below and len(stops) < 20:
        press(_TAB)
        stops.append(stop())
    assert stops == ["MessageColumn", "q0", "a0", "q1", "a1", "QLineEdit"]
    back: list[str] = []
    while focused() is not page.above and len(back) < 20:
        press(_BACK)
        back.append(stop())
    assert back == ["a1", "q1", "a0", "q0", "MessageColumn", "QLineEdit"]


def test_a_long_chat_is_entered_where_it_is_read(qtbot: QtBot, page: Page) -> None:
    show(page, 300)
    page.above.setFocus()
    press(_TAB, _TAB)
    assert int(stop()[1:]) > 290
    page.view.column.restore_anchor(("q100", 0))
    page.view.column.setFocus()
    press(_TAB)
    assert stop() == "q100"
    for _ in range(30):  # further than is built
        press(_BACK)
        qtbot.wait(1)
    assert stop() == "q85"


def test_arrows_lead_through_a_message(page: Page) -> None:
    show(page, 1)
    view = page.view.column.views[-1]
    assert view.body is not None
    prose, code = view.body.segments
    assert isinstance(prose, ProseView) and isinstance(code, CodeCard)
    view.setFocus()
    walked = []
    for _ in range(4):
        press(_RIGHT)
        walked.append(focused())
    row = view.actions_row
    assert walked == [prose, code.head.copy_button, row.copy_button, row.edit_button]
    press(_LEFT, _LEFT)
    assert focused() is code.head.copy_button
    press(Qt.Key.Key_Up)
    assert focused() is prose
    assert prose.textCursor().selectedText() == "link"  # Enter opens it
    press(_LEFT)
    assert focused() is view
    press(_LEFT)
    assert focused() is view


def test_up_and_down_on_a_message_scroll(page: Page) -> None:
    show(page, 30)
    bar = page.view.column.verticalScrollBar()
    page.view.column.views[-1].setFocus()
    value = bar.value()
    press(Qt.Key.Key_Up)
    assert bar.value() < value
    assert isinstance(focused(), MessageView)


def test_the_actions_are_seen_while_the_focus_is_in_the_message(page: Page) -> None:
    show(page, 1)
    question = page.view.column.views[0]
    question.setFocus()
    assert question.actions_row.revealed
    press(_RIGHT)
    assert question.actions_row.revealed
    page.below.setFocus()
    assert not question.actions_row.revealed


def test_tab_goes_through_an_editor(page: Page) -> None:
    show(page, 1)
    page.view.edit("q0")
    view = page.view.column.views[0]
    assert view.editor is not None
    view.editor.text.setFocus()
    press(_TAB)
    assert focused() is view.editor.cancel_button
    press(_TAB)
    assert focused() is view.editor.accept_button
    press(_TAB)
    assert stop() == "a0"


def test_a_message_is_a_group_to_a_screen_reader(page: Page) -> None:
    show(page, 1)
    question, answer = page.view.column.views
    for view, name in ((question, "Your message"), (answer, "Answer")):
        found = QAccessible.queryAccessibleInterface(view)
        assert found.role() is QAccessible.Role.Grouping
        assert found.text(QAccessible.Text.Name) == name
    button = QAccessible.queryAccessibleInterface(answer.actions_row.copy_button)
    assert button.role() is QAccessible.Role.Button
