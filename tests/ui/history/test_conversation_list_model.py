from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import ConversationSummary, TitleSource, now
from chatdesk.ui.history.conversation_list_model import ConversationListModel, ListRole
from chatdesk.ui.history.rows import age_heading


def summary(title: str, days: float = 0) -> ConversationSummary:
    moment = now() - timedelta(days=days)
    return ConversationSummary(title, title, TitleSource.USER, moment, moment, 2)


def rows(model: ConversationListModel) -> list[str]:
    return [str(model.index(row).data()) for row in range(model.rowCount())]


@pytest.mark.parametrize(
    ("updated", "heading"),
    [
        (datetime(2026, 3, 10, 0, 1), "Today"),
        (datetime(2026, 3, 9, 23, 59), "Yesterday"),
        (datetime(2026, 3, 3, 12), "Previous 7 days"),
        (datetime(2026, 3, 2, 12), "Older"),
        (datetime(2026, 3, 11, 12), "Today"),  # a clock that was set back
    ],
)
def test_headings_go_by_the_calendar(updated: datetime, heading: str) -> None:
    assert age_heading(updated.astimezone(), datetime(2026, 3, 10, 8).astimezone()) == heading


def test_rows_stand_under_their_headings(qapp: QApplication) -> None:
    model = ConversationListModel()
    model.show([summary("a"), summary("b"), summary("c", 40)])
    assert rows(model) == ["Today", "a", "b", "Older", "c"]
    assert model.index(0).data(ListRole.IS_HEADING)
    assert model.flags(model.index(0)) == Qt.ItemFlag.ItemIsDropEnabled
    assert model.index(4).data(ListRole.ID) == "c"
    assert model.row_of("b") == 2
    assert model.row_of("gone") == -1


def test_the_same_list_again_resets_nothing(qapp: QApplication, qtbot: QtBot) -> None:
    model = ConversationListModel()
    model.show(shown := [summary("a")])
    with qtbot.assertNotEmitted(model.modelReset):
        model.show(shown)


def test_an_empty_title_is_refused(qapp: QApplication, qtbot: QtBot) -> None:
    model = ConversationListModel()
    model.show([summary("a")])
    with qtbot.assertNotEmitted(model.rename_requested):
        assert not model.setData(model.index(1), "   ")
    with qtbot.waitSignal(model.rename_requested) as told:
        assert model.setData(model.index(1), "new")
    assert told.args == ["a", "new"]
