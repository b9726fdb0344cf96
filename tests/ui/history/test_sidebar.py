from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QListView, QPushButton, QToolTip
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import ConversationSummary, Mark, TitleSource
from chatdesk.core.personalization import AdapterState
from chatdesk.services.personalize.facts import LearningChanged, LearningProgress
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.feature import Page
from chatdesk.ui.history.conversation_list_model import ConversationListModel
from chatdesk.ui.history.sidebar import Sidebar
from chatdesk.ui.navigator import PageId
from chatdesk.ui.personalize.learning_status import LearningStatus
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.tag import Tag
from tests.ui.driver import texts

PAGES = tuple(
    Page(page_id, title, icon, pytest.fail)
    for page_id, title, icon in (
        (PageId.MODELS, "Models", "cube"),
        (PageId.PERSONALIZE, "Personalize", "leaf"),
    )
)
NOW = datetime.now(UTC)


@pytest.fixture
def model(qtbot: QtBot) -> ConversationListModel:
    model = ConversationListModel()
    marks = (None, Mark.INCLUDE, Mark.EXCLUDE)
    model.show(
        [
            ConversationSummary(f"c{at}", f"Chat {at}", TitleSource.USER, NOW, NOW, 2, mark)
            for at, mark in enumerate(marks)
        ]
    )
    return model


@pytest.fixture
def sidebar(qtbot: QtBot, theme: Theme, model: ConversationListModel) -> Iterator[Sidebar]:
    sidebar = Sidebar(model, PAGES, theme)
    qtbot.addWidget(sidebar)
    yield sidebar


@pytest.fixture
def bridge(qtbot: QtBot) -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


def test_a_chat_is_marked_and_the_mark_taken_back(
    sidebar: Sidebar, model: ConversationListModel, qtbot: QtBot
) -> None:
    learn, never = "Learn from this chat", "Never learn from this chat"
    for conversation_id, checked in (("c0", []), ("c1", [learn]), ("c2", [never])):
        menu = sidebar.menu_of(model.index(model.row_of(conversation_id)))
        actions = {action.text(): action for action in menu.actions()}
        assert [words for words in (learn, never) if actions[words].isChecked()] == checked
        for words, mark in ((learn, Mark.INCLUDE), (never, Mark.EXCLUDE)):
            with qtbot.waitSignal(sidebar.menus.mark_requested) as asked:
                actions[words].trigger()
            assert asked.args == [conversation_id, None if words in checked else mark]


def test_a_chat_is_copied_from_its_menu(
    sidebar: Sidebar, model: ConversationListModel, qtbot: QtBot
) -> None:
    menu = sidebar.menu_of(model.index(model.row_of("c1")))
    (copy,) = (action for action in menu.actions() if action.text() == "Copy chat")
    with qtbot.waitSignal(sidebar.menus.copy_requested) as asked:
        copy.trigger()
    assert asked.args == ["c1"]


def test_personalize_is_between_models_and_settings(sidebar: Sidebar, qtbot: QtBot) -> None:
    sidebar.show()
    rows = [b for b in sidebar.findChildren(QPushButton) if b.property("class") == "row"]
    rows.sort(key=lambda button: button.y())
    assert [button.text() for button in rows] == ["Models", "Personalize", "Settings"]
    with qtbot.waitSignal(sidebar.page_requested) as asked:
        rows[1].click()
    assert asked.args == ["personalize"]


def test_the_page_that_is_shown_is_marked(sidebar: Sidebar) -> None:
    buttons = {each.text(): each for each in sidebar.findChildren(QPushButton)}
    sidebar.mark_page(PageId.PERSONALIZE)
    assert buttons["Personalize"].property("class") == "row-chosen"
    assert buttons["Models"].property("class") == "row"
    sidebar.mark_page(PageId.CHAT)
    assert buttons["Personalize"].property("class") == "row"


def test_what_it_says_of_learning(sidebar: Sidebar, bridge: Bridge, qtbot: QtBot) -> None:
    sidebar.show()
    tag = tag_of(sidebar, "Personalize")
    assert not tag.isVisible()
    looked_at = False
    status = LearningStatus(
        bridge, partial(sidebar.show_status, PageId.PERSONALIZE), lambda: looked_at
    )
    training = LearningProgress("a", AdapterState.TRAINING, 0.429)
    for progress, words in (
        (training, "learning 42\u00a0%"),
        (LearningProgress("a", AdapterState.TRAINING, 0.5, waiting="waits"), "waiting 50\u00a0%"),
        (LearningProgress("a", AdapterState.TRAINING, 0.5, paused=True), "paused"),
        (LearningProgress("a", AdapterState.CANCELLED), ""),
        (LearningProgress("a", AdapterState.PROMOTED, 1.0), "new: ready"),
    ):
        bridge.publish(LearningChanged(progress))
        qtbot.waitUntil(lambda: (tag.text(), tag.isVisible()) == (words, bool(words)))  # noqa: B023
    status.seen()
    assert not tag.isVisible()
    bridge.publish(LearningChanged(training))
    qtbot.waitUntil(tag.isVisible)
    status.seen()  # what is still going on stays
    assert tag.isVisible()


def test_who_looked_on_need_not_be_told(sidebar: Sidebar, bridge: Bridge, qtbot: QtBot) -> None:
    sidebar.show()
    tag = tag_of(sidebar, "Personalize")
    LearningStatus(bridge, partial(sidebar.show_status, PageId.PERSONALIZE), lambda: True)
    bridge.publish(LearningChanged(LearningProgress("a", AdapterState.TRAINING, 0.429)))
    qtbot.waitUntil(tag.isVisible)
    bridge.publish(LearningChanged(LearningProgress("a", AdapterState.PROMOTED, 1.0)))
    qtbot.waitUntil(lambda: not tag.isVisible())


def test_no_chats_are_claimed_before_it_is_known(qtbot: QtBot, theme: Theme) -> None:
    model = ConversationListModel()
    sidebar = Sidebar(model, PAGES, theme)
    qtbot.addWidget(sidebar)
    sidebar.show()
    assert "Your chats will be listed here." not in texts(sidebar)
    model.show([])
    assert "Your chats will be listed here." in texts(sidebar)


def test_it_says_how_far_downloads_are(sidebar: Sidebar) -> None:
    sidebar.show()
    tag = tag_of(sidebar, "Models")
    assert not tag.isVisible()
    for words in ("downloading 42 %", ""):
        sidebar.show_status(PageId.MODELS, words)
        assert (tag.text(), tag.isVisible()) == (words, bool(words))


def tag_of(sidebar: Sidebar, name: str) -> Tag:
    found = sidebar.findChildren(QPushButton)
    (tag,) = next(each for each in found if each.text() == name).findChildren(Tag)
    return tag


def test_a_title_is_told_whole_only_where_it_is_cut(
    theme: Theme, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "A title that is much longer than there is room for in the sidebar"
    model = ConversationListModel()
    model.show(
        [
            ConversationSummary(f"c{at}", title, TitleSource.USER, NOW, NOW, 2, None)
            for at, title in enumerate(("Short", long))
        ]
    )
    sidebar = Sidebar(model, PAGES, theme)
    qtbot.addWidget(sidebar)
    sidebar.resize(264, 600)
    with qtbot.waitExposed(sidebar):
        sidebar.show()
    rows = sidebar.findChild(QListView)
    assert rows
    told: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda *words: told.append(words[1]))
    for conversation_id in ("c0", "c1"):
        row = model.index(model.row_of(conversation_id))
        place = rows.visualRect(row).center()
        help_ = QHelpEvent(QEvent.Type.ToolTip, place, rows.viewport().mapToGlobal(place))
        QApplication.sendEvent(rows.viewport(), help_)
    assert told[0] == ""
    assert long in told[1]


def test_a_title_that_is_read_from_the_right_ends_at_its_left(
    sidebar: Sidebar, model: ConversationListModel
) -> None:
    model.show([ConversationSummary("c", "שלום.", TitleSource.USER, NOW, NOW, 2)])
    sidebar.resize(264, 600)
    sidebar.show()
    rows = sidebar.findChild(QListView)
    assert rows
    place = rows.visualRect(model.index(model.row_of("c")))
    picture = rows.viewport().grab(place).toImage()
    ground = picture.pixelColor(0, 0)
    inked = [
        [y for y in range(picture.height()) if picture.pixelColor(x, y) != ground]
        for x in range(picture.width())
    ]
    first = next(column for column in inked if column)
    assert min(first) > picture.height() // 2  # the full stop is low; a letter is not
