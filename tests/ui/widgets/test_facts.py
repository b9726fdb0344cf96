from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.fact_list import FactList


def test_a_name_and_its_value_have_the_tool_tip_of_the_name(qtbot: QtBot, theme: Theme) -> None:
    facts = FactList(("Speed", "Length"))
    qtbot.addWidget(facts)
    facts.explain({"Speed": "How fast it writes."})
    told = [label.toolTip() for label in facts.findChildren(QLabel)]
    assert sorted(told) == ["", "", "How fast it writes.", "How fast it writes."]


def test_a_long_checksum_is_read_whole(qtbot: QtBot, theme: Theme) -> None:
    facts = FactList(("SHA-256",))
    qtbot.addWidget(facts)
    facts.resize(500, 60)
    facts.show_values(("0123456789abcdef" * 4,))
    facts.show()
    value = next(each for each in facts.findChildren(QLabel) if each.text() != "SHA-256")
    assert value.fontMetrics().horizontalAdvance(value.text()) <= value.width()
