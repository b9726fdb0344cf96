from PySide6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.eliding_button import ElidingButton

NAME = "A model <b>with</b> a name that is rather long"


def test_the_tool_tip_has_the_words_only_where_they_are_cut(qtbot: QtBot, theme: Theme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    chip = ElidingButton("Model")
    QHBoxLayout(window).addWidget(chip)
    chip.explain("The model that answers")
    chip.set_words(NAME)
    window.resize(600, 60)
    with qtbot.waitExposed(window):
        window.show()
    assert chip.text() == NAME
    assert "rather long" not in chip.toolTip()
    assert "The model that answers" in chip.toolTip()
    window.resize(160, 60)
    qtbot.waitUntil(lambda: chip.text().endswith("…"))
    assert "rather long" in chip.toolTip()
    assert "&lt;b>" in chip.toolTip()  # a file's name is no markup
