"""The welcome around the composer of an empty chat."""

import pytest
from PySide6.QtWidgets import QApplication, QPushButton, QWidgetItem
from pytestqt.qtbot import QtBot

from chatdesk.ui.chat.welcome import Suggestions
from chatdesk.ui.theme import Theme, apply_theme, load_theme, scaled


@pytest.mark.parametrize(("width", "height"), [(640, 68), (400, 42)])
def test_the_ways_to_begin_need_as_much_room_in_another_theme(
    qtbot: QtBot, qapp: QApplication, theme: Theme, width: int, height: int
) -> None:
    suggestions = Suggestions()
    qtbot.addWidget(suggestions)
    suggestions.resize(width, 300)
    with qtbot.waitExposed(suggestions):
        suggestions.show()
    cards = [QWidgetItem(card) for card in suggestions.findChildren(QPushButton)]
    suggestions.hide()  # as while a chat is shown
    try:
        for name in ("dark", "light"):
            apply_theme(qapp, load_theme(name))
            qtbot.wait(20)
            for card in cards:
                assert card.sizeHint().height() == scaled(height)
                assert card.minimumSize().height() == scaled(height)
    finally:
        apply_theme(qapp, theme)
