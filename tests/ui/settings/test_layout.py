"""How the settings are laid out: one column of names, hints below words, a list that shrinks."""

from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.settings import Settings
from chatdesk.ui.settings.dialog import SettingsDialog
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.form import Form
from chatdesk.ui.window.settings_pages import settings_pages


@pytest.fixture
def dialog(qtbot: QtBot, theme: Theme) -> SettingsDialog:
    parent = QWidget()
    qtbot.addWidget(parent)
    pages = settings_pages(SettingsValue(Settings()), theme)
    dialog = SettingsDialog(pages, theme, parent)
    qtbot.addWidget(dialog)
    dialog._keep = parent  # type: ignore[attr-defined]
    with qtbot.waitExposed(dialog):
        dialog.show()
    return dialog


def turn_to(dialog: SettingsDialog, row: int) -> QWidget:
    dialog.show_page(dialog.pages[row].section)
    return dialog.pages[row]


def begin_at_one_edge(page: QWidget) -> bool:
    fields = [form.itemAtPosition(2, 1) for form in page.findChildren(Form)]
    return len({left(field.widget(), page) for field in fields if field}) <= 1


def left(widget: QWidget | None, page: QWidget) -> int:
    assert widget
    return widget.mapTo(page, QPoint(0, 0)).x()


def test_the_fields_of_a_page_begin_at_one_edge(dialog: SettingsDialog, qtbot: QtBot) -> None:
    for row in range(len(dialog.pages)):
        page = turn_to(dialog, row)
        qtbot.waitUntil(partial(begin_at_one_edge, page))


def test_the_hint_of_a_switch_stands_below_its_words(dialog: SettingsDialog) -> None:
    pages = [turn_to(dialog, row) for row in range(len(dialog.pages))]
    switches = [(page, box) for page in pages for box in page.findChildren(CheckBox)]
    hinted = 0
    for page, switch in switches:
        below = switch.mapTo(page, QPoint(0, switch.height() + 10))
        hint = page.childAt(below.x() + switch.words_at + 4, below.y())
        if isinstance(hint, QLabel) and hint.wordWrap():
            hinted += 1
            assert left(hint, page) + hint.contentsMargins().left() == left(switch, page) + (
                switch.words_at
            )
    assert hinted >= 1


def test_a_narrow_dialog_keeps_the_pictures_of_the_list(dialog: SettingsDialog) -> None:
    pages = dialog.findChild(QListWidget, "pages")
    assert pages
    assert pages.item(0).text()
    wide = pages.width()
    dialog.resize(480, 400)
    assert pages.width() < wide
    assert not pages.item(0).text()
    assert pages.item(0).toolTip()
    assert pages.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    dialog.resize(760, 500)
    assert pages.item(0).text()


def test_the_frame_of_the_focus_is_for_the_keyboard(dialog: SettingsDialog, qtbot: QtBot) -> None:
    pages = dialog.findChild(QListWidget, "pages")
    assert pages
    place = pages.visualItemRect(pages.item(1)).center()
    qtbot.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert pages.hasFocus()
    assert pages.property("class") != "by-key"
    pages.clearFocus()
    pages.setFocus(Qt.FocusReason.TabFocusReason)
    assert pages.property("class") == "by-key"


def test_a_click_on_a_button_leaves_the_focus(dialog: SettingsDialog, qtbot: QtBot) -> None:
    page = turn_to(dialog, 3)
    switch = page.findChild(QCheckBox)
    assert switch
    dialog.findChild(QListWidget).setFocus()  # type: ignore[union-attr]
    before = dialog.focusWidget()
    was_on = switch.isChecked()
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(6, switch.height() // 2))
    assert switch.isChecked() is not was_on
    assert dialog.focusWidget() is before
    switch.setFocus(Qt.FocusReason.TabFocusReason)
    assert dialog.focusWidget() is switch
