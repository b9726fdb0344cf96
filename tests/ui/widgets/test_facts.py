from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.fact_list import FactList
from chatdesk.ui.widgets.scroll import scrolling


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


def test_values_stand_below_their_names_where_there_is_no_room_beside(
    qtbot: QtBot, theme: Theme
) -> None:
    facts, value = FactList(("Memory, really used",)), "OneWordThatIsLong"
    area = scrolling(facts)
    qtbot.addWidget(area)
    facts.show_values((value,))
    area.resize(500, 100)
    area.show()
    parts = {label.text(): label for label in facts.findChildren(QLabel)}
    beside, name = parts[value], parts["Memory, really used"]
    assert name.geometry().right() < beside.x()
    area.resize(180, 100)
    qtbot.waitUntil(lambda: beside.y() > name.geometry().bottom())
    assert beside.x() == name.x()
    area.resize(500, 100)
    qtbot.waitUntil(lambda: name.geometry().right() < beside.x())
