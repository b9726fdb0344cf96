"""Names and fields of a form, and the words of a switch, in wide and in narrow places."""

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.form import Form

WORDS = "Let other programs on this computer ask the model that is loaded"


def page(qtbot: QtBot, width: int) -> tuple[QWidget, QVBoxLayout]:
    whole = QWidget()
    qtbot.addWidget(whole)
    column = QVBoxLayout(whole)
    whole.resize(width, 300)
    return whole, column


def test_names_stand_above_their_fields_where_there_is_no_room_beside_them(
    qtbot: QtBot, theme: Theme
) -> None:
    whole, column = page(qtbot, 600)
    form, field = Form(), QLineEdit()
    form.add("A name of some words", field, "What it is for.")
    form.add("Another", QLineEdit())
    column.addLayout(form)
    with qtbot.waitExposed(whole):
        whole.show()
    item = form.itemAtPosition(2, 0)
    name = item and item.widget()
    assert name
    assert name.geometry().right() < field.x()
    beside = field.x()
    whole.resize(260, 300)
    qtbot.waitUntil(lambda: name.geometry().bottom() < field.y())
    assert field.x() == name.x()
    assert field.width() > 200
    whole.resize(600, 300)
    qtbot.waitUntil(lambda: field.x() == beside)
    assert name.geometry().right() < field.x()


def test_the_words_of_a_switch_are_wrapped(qtbot: QtBot, theme: Theme) -> None:
    whole, column = page(qtbot, 700)
    switch = CheckBox(WORDS, theme)
    column.addWidget(switch)
    column.addStretch(1)
    with qtbot.waitExposed(whole):
        whole.show()
    assert switch.text() == WORDS
    flat = switch.height()
    whole.resize(260, 300)
    qtbot.waitUntil(lambda: switch.text().count("\n") >= 1)
    assert switch.height() >= flat + switch.fontMetrics().lineSpacing()
    assert switch.text().replace("\n", " ") == switch.accessibleName() == WORDS
    lines = switch.text().splitlines()
    room = switch.width() - switch.words_at
    assert max(map(switch.fontMetrics().horizontalAdvance, lines)) <= room
    whole.resize(700, 300)
    qtbot.waitUntil(lambda: switch.text() == WORDS)
