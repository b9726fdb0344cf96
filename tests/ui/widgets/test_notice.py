"""Several notices stand at once; none takes away another's button."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import BELOW, MARGIN, MOST, Notice
from chatdesk.ui.widgets.toast import Toast

FULL = EnvironmentProblem("The disk is full.", "Make room.")


class Page(QWidget):
    """A page with a field at its lower edge, and notices."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.field = QLineEdit()
        self.field.setMaximumWidth(500)
        self.field.setFixedHeight(80)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(self.field, 0, Qt.AlignmentFlag.AlignHCenter)
        self.notice = Notice(theme)
        self.notice.stand_in(self, self.field)
        self.resize(900, 700)
        self.done: list[str] = []

    def does(self, what: str) -> Callable[[], None]:
        return lambda: self.done.append(what)


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> Iterator[Page]:
    page = Page(theme)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitExposed(page)
    page.activateWindow()
    page.field.setFocus()
    qtbot.waitUntil(page.field.hasFocus)
    yield page


def point_at(widget: QWidget, kind: QEvent.Type) -> None:
    """As Qt does it, without the pointer: windows of other tests may lie above."""
    widget.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, kind == QEvent.Type.Enter)
    at = QPointF(20, 10)
    event = QEnterEvent(at, at, at) if kind == QEvent.Type.Enter else QEvent(kind)
    QApplication.sendEvent(widget, event)


def seen(page: Page) -> list[str]:
    """What can be read, from above."""
    found = [each for each in page.findChildren(Toast) if each.isVisible()]
    return [each.words for each in sorted(found, key=lambda toast: toast.y())]


def button(page: Page, words: str) -> QPushButton:
    found = page.notice.findChildren(QPushButton)
    return next(each for each in found if each.text() == words and each.isVisible())


def test_a_second_problem_leaves_the_first_ones_button(page: Page, qtbot: QtBot) -> None:
    page.notice.show_problem(FULL, "Save now", page.does("saved"), key="unsaved")
    page.notice.show_problem(EnvironmentProblem("No memory."), "Try again", page.does("again"))
    assert seen(page) == ["The disk is full. Make room.", "No memory."]
    qtbot.mouseClick(button(page, "Save now"), Qt.MouseButton.LeftButton)
    assert page.done == ["saved"]
    assert seen(page) == ["No memory."]


def test_of_many_the_oldest_that_stays_and_the_newest_are_seen(page: Page) -> None:
    page.notice.show_words("plain")
    page.notice.show_problem(FULL, "Save now", page.does("saved"))
    for number in range(4):
        page.notice.show_words(f"info {number}")
    assert seen(page) == ["The disk is full. Make room.", "info 2", "info 3"]
    assert len(seen(page)) == MOST
    page.notice.toasts[-1].dismiss()
    assert seen(page) == ["The disk is full. Make room.", "info 1", "info 2"]


def test_plain_information_goes_by_itself_and_a_problem_does_not(page: Page, qtbot: QtBot) -> None:
    page.notice.show_problem(FULL)
    page.notice.show_words("Everything is saved.", for_ms=60)
    assert len(seen(page)) == 2
    qtbot.waitUntil(lambda: seen(page) == ["The disk is full. Make room."])


def test_time_stands_still_while_it_has_the_focus(page: Page, qtbot: QtBot) -> None:
    page.notice.show_words("Deleted.", "", "Undo", page.does("undone"), for_ms=150)
    page.notice.focus_newest()
    qtbot.wait(400)
    assert seen(page) == ["Deleted."]
    page.field.setFocus()
    qtbot.waitUntil(lambda: seen(page) == [])
    assert page.done == []


def test_time_stands_still_while_the_mouse_is_on_it(page: Page, qtbot: QtBot) -> None:
    page.notice.show_words("Deleted.", for_ms=150)
    point_at(page.notice, QEvent.Type.Enter)
    qtbot.wait(400)
    assert seen(page) == ["Deleted."]
    point_at(page.notice, QEvent.Type.Leave)
    qtbot.waitUntil(lambda: seen(page) == [])


def test_escape_closes_the_one_with_the_focus_and_gives_it_back(page: Page, qtbot: QtBot) -> None:
    page.notice.show_problem(FULL, "Save now", page.does("saved"))
    page.notice.show_problem(EnvironmentProblem("No memory."))
    page.notice.focus_newest()
    focused = page.focusWidget()
    assert isinstance(focused, QToolButton)  # to close it
    qtbot.keyClick(focused, Qt.Key.Key_Escape)
    assert seen(page) == ["The disk is full. Make room."]
    assert page.field.hasFocus()


def test_the_same_is_told_once_and_its_action_serves_all_who_asked(page: Page) -> None:
    for chat in "ab":
        page.notice.show_problem(FULL, "Try again", page.does(f"sent in {chat}"), key=chat)
    assert len(seen(page)) == 1
    page.notice.act()
    assert page.done == ["sent in a", "sent in b"]
    assert seen(page) == []


def test_it_goes_when_the_last_who_asked_is_served(page: Page) -> None:
    for chat in "ab":
        page.notice.show_problem(FULL, "Try again", page.does(f"sent in {chat}"), key=chat)
    page.notice.solved("a")
    assert len(seen(page)) == 1
    page.notice.act()
    assert page.done == ["sent in b"]


def test_of_one_key_only_the_newest_stands(page: Page) -> None:
    page.notice.show_words("1 chat", "", "Undo", page.does("old"), for_ms=9_000, key="deleted")
    page.notice.show_problem(FULL)
    page.notice.show_words("2 chats", "", "Undo", page.does("new"), for_ms=9_000, key="deleted")
    assert seen(page) == ["2 chats", "The disk is full. Make room."]
    page.notice.act()
    assert page.done == ["new"]


def test_nothing_of_the_page_is_moved_and_its_field_is_not_covered(page: Page) -> None:
    before = page.field.geometry()
    page.notice.show_problem(FULL, "Save now", page.does("saved"))
    assert page.field.geometry() == before
    assert not page.notice.geometry().intersects(before)
    assert page.notice.x() == MARGIN
    page.resize(1600, 700)  # there is room beside the field
    assert page.notice.geometry().bottom() == page.height() - BELOW - 1
    page.resize(300, 400)
    assert page.rect().contains(page.notice.geometry())


def test_where_there_is_little_room_fewer_are_seen(page: Page) -> None:
    page.notice.show_problem(FULL, "Save now", page.does("saved"))
    for number in range(3):
        page.notice.show_problem(EnvironmentProblem(f"Problem {number}.", "More. " * 30))
    assert len(seen(page)) == 3
    page.resize(700, 420)
    assert seen(page)[0] == "The disk is full. Make room."
    assert 1 <= len(seen(page)) < 3
    assert page.rect().contains(page.notice.geometry())


def test_everything_in_it_has_a_name_and_is_large_enough(page: Page) -> None:
    page.notice.show_problem(FULL, "Save now", page.does("saved"))
    for kind in (QToolButton, QPushButton):
        for each in page.notice.findChildren(kind):
            assert each.accessibleName() or each.text()
            assert min(each.width(), each.height()) >= 24
            assert each.focusPolicy() & Qt.FocusPolicy.TabFocus


@pytest.mark.parametrize(
    ("what", "action"),
    [
        ("“A chat” was deleted.", "Undo"),
        ("“My voice v5” passed the test and answers from now on.", "Show the scorecard"),
        ("The engine ended: there was not enough memory.", "Use 2,048 tokens of context"),
    ],
)
def test_words_have_two_lines_beside_a_button_or_all_of_the_width(
    page: Page, qtbot: QtBot, what: str, action: str
) -> None:
    page.notice.show_words(what, "", action, page.does("act"))
    toast = page.findChild(Toast)
    assert toast
    label = next(each for each in toast.findChildren(QLabel) if each.text() == what)
    qtbot.waitUntil(lambda: label.width() > 50)
    lines = label.heightForWidth(label.width()) / label.fontMetrics().lineSpacing()
    assert lines < 2.5
