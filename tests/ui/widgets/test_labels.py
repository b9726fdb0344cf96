from typing import cast

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QLabel, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.widgets.labels import tool_tip


def shown(place: QWidget, words: str) -> QLabel:
    QToolTip.showText(place.mapToGlobal(QPoint(10, 10)), tool_tip(words), place)
    tips = [each for each in QApplication.topLevelWidgets() if each.inherits("QTipLabel")]
    return cast("QLabel", next(each for each in tips if each.isVisible()))


@pytest.mark.usefixtures("theme")
def test_a_short_tool_tip_has_one_line_and_a_long_one_several(qtbot: QtBot) -> None:
    place = QWidget()
    qtbot.addWidget(place)
    place.show()
    one = shown(place, "ok").height()
    assert shown(place, "List forty animals with <b>a</b> sentence each").height() == one
    long = shown(place, "many words about a thing " * 12)
    assert long.height() > 2 * one and long.width() < 700
