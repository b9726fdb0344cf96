"""The list shows which chats are being answered, and which have an answer nobody looked at."""

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import ConversationSummary, TitleSource, now
from chatdesk.core.paths import AppPaths
from chatdesk.ui.history.conversation_list import ConversationList, more_rect
from chatdesk.ui.history.conversation_list_model import ChatState, ConversationListModel, ListRole
from chatdesk.ui.navigator import PageId
from chatdesk.ui.theme import Theme
from chatdesk.ui.window.application import Application
from tests.ui.driver import Window, opened


@pytest.fixture(autouse=True)
def moving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Motion is wanted, unless a test says otherwise."""
    monkeypatch.setattr("chatdesk.ui.history.conversation_list.reduced_motion", lambda app: False)


def state(window: Window, conversation_id: str) -> ChatState:
    model = window.window.parts.list_model
    found = model.index(model.row_of(conversation_id)).data(ListRole.STATE)
    assert isinstance(found, ChatState)
    return found


def chat_list(window: Window) -> ConversationList:
    found = window.window.parts.sidebar.findChild(ConversationList)
    assert isinstance(found, ConversationList)
    return found


def answering(window: Window) -> str:
    """A chat that is being answered."""
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 5)
    chat = window.messages[-1].conversation_id
    window.until(lambda: window.window.parts.list_model.row_of(chat) >= 0)
    return chat


def stop(window: Window, chat: str) -> None:
    assert window.desktop.services
    window.desktop.services.chat.stop(chat)
    window.until(lambda: state(window, chat) is not ChatState.ANSWERING)


@pytest.mark.parametrize("leave", ["new chat", PageId.MODELS])
def test_a_new_answer_is_marked_until_it_was_looked_at(window: Window, leave: str) -> None:
    chat = answering(window)
    assert state(window, chat) is ChatState.ANSWERING
    assert chat_list(window).is_pulsing
    if leave == PageId.MODELS:
        window.window.navigator.show(PageId.MODELS)
    else:
        window.window.new_chat()
    stop(window, chat)
    assert state(window, chat) is ChatState.UNREAD
    assert not chat_list(window).is_pulsing
    window.window.open_conversation(chat)
    assert state(window, chat) is ChatState.QUIET


def test_an_answer_that_is_read_as_it_comes_is_not_new(window: Window) -> None:
    chat = answering(window)
    stop(window, chat)
    assert state(window, chat) is ChatState.QUIET


def test_it_is_still_marked_after_a_restart(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with opened(qtbot, qapp, paths) as window:
        window.until_ready()
        chat = answering(window)
        window.window.new_chat()
        stop(window, chat)
    with opened(qtbot, qapp, paths) as window:
        window.until(lambda: window.window.parts.list_model.row_of(chat) >= 0)
        assert state(window, chat) is ChatState.UNREAD


def test_a_dot_stands_still_where_motion_is_not_wanted(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.ui.history.conversation_list.reduced_motion", lambda app: True)
    chat = answering(window)
    assert state(window, chat) is ChatState.ANSWERING
    assert not chat_list(window).is_pulsing
    stop(window, chat)


def test_a_screen_reader_is_told_too(window: Window) -> None:
    chat = answering(window)
    model = window.window.parts.list_model
    row = model.index(model.row_of(chat))
    role = Qt.ItemDataRole.AccessibleTextRole
    assert row.data(role) == f"{row.data()}, being answered"
    window.window.new_chat()
    stop(window, chat)
    row = model.index(model.row_of(chat))
    assert row.data(role) == f"{row.data()}, new answer"


@pytest.fixture
def listed(qtbot: QtBot, theme: Theme) -> ConversationList:
    """A list of two chats."""
    model = ConversationListModel()
    moment = now()
    model.show(
        [ConversationSummary(each, each, TitleSource.USER, moment, moment, 2) for each in "ab"]
    )
    listed = ConversationList(model, theme)
    qtbot.addWidget(listed)
    listed.resize(240, 300)
    listed.show()
    return listed


def row(listed: ConversationList, conversation_id: str) -> QModelIndex:
    model = listed.model()
    assert isinstance(model, ConversationListModel)
    return model.index(model.row_of(conversation_id))


def test_the_square_at_the_right_opens_the_menu_and_not_the_chat(
    listed: ConversationList, qtbot: QtBot
) -> None:
    square = more_rect(listed.visualRect(row(listed, "b")))
    assert min(square.width(), square.height()) >= 24
    button, place = Qt.MouseButton.LeftButton, listed.viewport()
    listed.clearFocus()
    with qtbot.assertNotEmitted(listed.clicked), qtbot.waitSignal(listed.menu_requested) as asked:
        qtbot.mouseClick(place, button, pos=square.center())
    assert asked.args
    assert asked.args[0].data(ListRole.ID) == "b"
    with qtbot.waitSignal(listed.clicked), qtbot.assertNotEmitted(listed.menu_requested):
        qtbot.mouseClick(place, button, pos=QPoint(20, square.center().y()))
    assert not listed.hasFocus()


def test_the_menu_key_opens_the_menu_of_the_chosen_chat(
    listed: ConversationList, qtbot: QtBot
) -> None:
    listed.setCurrentIndex(row(listed, "b"))
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), QPoint(1, 1))
    with qtbot.waitSignal(listed.menu_requested) as asked:
        QApplication.sendEvent(listed.viewport(), event)
    assert asked.args
    assert asked.args[0].data(ListRole.ID) == "b"


def test_the_chosen_title_is_no_bolder(listed: ConversationList, qtbot: QtBot) -> None:
    def ink(conversation_id: str) -> int:
        """How many pixels are about as dark as text."""
        place = listed.visualRect(row(listed, conversation_id)).adjusted(6, 4, -40, -4)
        image = listed.viewport().grab(place).toImage()
        points = ((x, y) for x in range(image.width()) for y in range(image.height()))
        return sum(image.pixelColor(*each).lightness() < 110 for each in points)

    before = ink("b")
    listed.setCurrentIndex(row(listed, "b"))
    listed.clearFocus()
    assert 0 < ink("b") <= before + 1
