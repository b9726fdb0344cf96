from collections.abc import Iterator
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.settings import (
    ChatSettings,
    DeviceSettings,
    ModelSettings,
    SessionSettings,
    Settings,
)
from chatdesk.core.units import GB, MB
from chatdesk.ui.models.settings_page import ModelSettingsPage
from chatdesk.ui.personalize.settings_page import LearningSettingsPage
from chatdesk.ui.settings.computers_page import ComputersPage
from chatdesk.ui.settings.dialog import SettingsDialog
from chatdesk.ui.settings.general_page import GeneralPage
from chatdesk.ui.settings.server_page import ServerPage, ServerStatus
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, load_theme
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import Choice, WholeNumber
from chatdesk.ui.window.settings_pages import settings_pages
from tests.ui.driver import texts

KINDS = (QAbstractButton, QLineEdit, QPlainTextEdit, QComboBox, QAbstractSpinBox, QListWidget)
T = TypeVar("T", bound=QWidget)


class Edited:
    """A dialog, and the settings as it changes them."""

    def __init__(self, qtbot: QtBot, theme: Theme, settings: Settings) -> None:
        self._value = SettingsValue(settings)
        self.parent = QWidget()
        self.dialog = SettingsDialog(settings_pages(self._value, theme), theme, self.parent)
        qtbot.addWidget(self.parent)
        self.dialog.show()

    @property
    def settings(self) -> Settings:
        return self._value.now

    def field(self, page: SettingsPage, kind: type[T], name: str) -> T:
        found = page.findChildren(kind)
        return next(each for each in found if each.accessibleName() == name)


@pytest.fixture
def edited(qtbot: QtBot, theme: Theme) -> Iterator[Edited]:
    settings = Settings(
        chat=ChatSettings(system_prompt="Short."), devices=DeviceSettings(("10.0.0.2:50052",))
    )
    yield Edited(qtbot, theme, settings)


def choose(choice: Choice, value: object) -> None:
    """As a person does: `activated` comes only then."""
    choice.choose(value)
    choice.activated.emit(choice.currentIndex())


def press(page: QWidget, words: str) -> None:
    buttons = page.findChildren(QPushButton)
    next(button for button in buttons if words in (button.text(), button.accessibleName())).click()


def test_the_pages_are_turned_with_the_keyboard(edited: Edited, qtbot: QtBot) -> None:
    dialog = edited.dialog
    pages = dialog.findChild(QListWidget)
    assert pages
    for page in dialog.pages:
        assert page.isVisibleTo(dialog)
        qtbot.keyClick(pages, Qt.Key.Key_Down)


def test_everything_can_be_reached_and_has_a_name(edited: Edited) -> None:
    for page in edited.dialog.pages:
        edited.dialog.show_page(page.section)
        for kind in KINDS:
            for widget in edited.dialog.findChildren(kind):
                is_part = isinstance(widget.parentWidget(), QAbstractSpinBox)
                if widget.isVisibleTo(edited.dialog) and not is_part:
                    text = widget.text() if isinstance(widget, QAbstractButton) else ""
                    assert widget.accessibleName() or text, widget
                    assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget


def test_what_is_general(edited: Edited) -> None:
    page = edited.dialog.page(GeneralPage)
    choose(edited.field(page, Choice, "Appearance"), "dark")
    choose(edited.field(page, Choice, "Language"), "zh_CN")
    edited.field(page, CheckBox, "Sending").click()
    prompt = edited.field(page, QPlainTextEdit, "System prompt of new chats")
    assert prompt.toPlainText() == "Short."
    prompt.setPlainText(" Be brief. ")
    edited.dialog.accept()  # sooner than a pause in typing
    assert edited.settings.general.theme == "dark"
    assert edited.settings.general.language == "zh_CN"
    assert not edited.settings.general.enter_sends
    assert edited.settings.chat.system_prompt == "Be brief."


def test_what_holds_for_every_model(edited: Edited, qtbot: QtBot) -> None:
    page = edited.dialog.page(ModelSettingsPage)
    choose(edited.field(page, Choice, "Context window"), 16384)
    choose(edited.field(page, Choice, "Answers at once"), 2)
    choose(edited.field(page, Choice, "Unload when unused"), 0)
    limit = edited.field(page, Choice, "At most")
    choose(limit, GB)
    next(box for box in page.findChildren(CheckBox) if "Keep on disk" in box.text()).click()
    assert not limit.isEnabled()
    assert edited.settings.models == ModelSettings(None, 16384, 2, 0)
    assert edited.settings.sessions == SessionSettings(keep=False, limit_bytes=GB)


def test_a_value_that_is_not_offered_stays(qtbot: QtBot, theme: Theme) -> None:
    edited = Edited(qtbot, theme, Settings(models=ModelSettings(None, 5000, 5, 7)))
    page = edited.dialog.page(ModelSettingsPage)
    values = [
        edited.field(page, Choice, name).value
        for name in ("Context window", "Answers at once", "Unload when unused")
    ]
    assert values == [5000, 5, 7]


def test_limits_are_round_and_an_older_one_is_said_as_it_is(qtbot: QtBot, theme: Theme) -> None:
    edited = Edited(qtbot, theme, Settings(sessions=SessionSettings(limit_bytes=2 * 1024**3)))
    limit = edited.field(edited.dialog.page(ModelSettingsPage), Choice, "At most")
    offered = [limit.itemText(n) for n in range(limit.count())]
    assert offered == [
        "500\u00a0MB",
        "1\u00a0GB",
        "2\u00a0GB",
        "2.1\u00a0GB",
        "4\u00a0GB",
        "8\u00a0GB",
        "16\u00a0GB",
    ]
    assert limit.currentText() == "2.1\u00a0GB"


def test_what_is_kept_can_be_deleted(edited: Edited, qtbot: QtBot) -> None:
    page = edited.dialog.page(ModelSettingsPage)
    delete = "Delete what is kept on disk of what the model has read"
    page.show_kept(312 * MB)
    assert "312\u00a0MB are kept now." in texts(page)
    with qtbot.waitSignal(page.clear_requested):
        press(page, delete)
    page.show_kept(0)
    with qtbot.assertNotEmitted(page.clear_requested):
        press(page, delete)


def test_the_server(edited: Edited, qtbot: QtBot) -> None:
    page = edited.dialog.page(ServerPage)
    edited.dialog.show_page(page.section)
    page.show_status(ServerStatus())
    assert "Off" in texts(page)
    page.findChildren(CheckBox)[0].click()
    assert edited.settings.server.on
    assert "Starting…" in texts(page)
    port = edited.field(page, WholeNumber, "Port")
    port.selectAll()
    qtbot.keyClicks(port, "9090")
    assert edited.settings.server.port == 8089  # 909 is none either
    qtbot.keyClick(port, Qt.Key.Key_Return)
    key = edited.field(page, QLineEdit, "Key")
    qtbot.keyClicks(key, "secret ")
    qtbot.keyClick(key, Qt.Key.Key_Return)
    assert edited.dialog.isVisible()
    assert (edited.settings.server.port, edited.settings.server.key) == (9090, "secret")
    page.show_status(ServerStatus("http://127.0.0.1:9090/v1"))
    press(page, "Copy the address")
    assert QGuiApplication.clipboard().text() == "http://127.0.0.1:9090/v1"
    page.show_status(ServerStatus(problem=EnvironmentProblem("Port 9090 is in use.")))
    assert "Port 9090 is in use." in texts(page)


def test_other_computers(edited: Edited, qtbot: QtBot) -> None:
    page = edited.dialog.page(ComputersPage)
    typed = edited.field(page, QLineEdit, "Address of another computer")
    typed.setText("not an address")
    press(page, "Add this computer")
    assert any("is not the address of a computer" in words for words in texts(page))
    assert list(edited.settings.devices.remote) == ["10.0.0.2:50052"]
    typed.setText(" 10.0.0.3 ")
    with qtbot.waitSignal(page.check_requested) as asked:
        qtbot.keyClick(typed, Qt.Key.Key_Return)
    assert asked.args == ["10.0.0.3:50052"]
    assert list(edited.settings.devices.remote) == ["10.0.0.2:50052", "10.0.0.3:50052"]
    assert "asking…" in texts(page)
    page.show_answer("10.0.0.3:50052", False)
    assert "does not answer" in texts(page)
    press(page, "Remove 10.0.0.3:50052")
    page.show_answer("10.0.0.3:50052", True)  # too late
    assert list(edited.settings.devices.remote) == ["10.0.0.2:50052"]


def test_the_warning_is_plain(edited: Edited) -> None:
    words = " ".join(texts(edited.dialog.page(ComputersPage)))
    assert "neither encrypted nor protected by a password" in words
    assert "a network you trust" in words


def test_it_takes_on_another_theme(edited: Edited) -> None:
    light = edited.dialog.grab().toImage()
    edited.dialog.set_theme(load_theme("dark"))
    assert edited.dialog.grab().toImage() != light


@pytest.mark.usefixtures("large_text")
def test_what_explains_a_choice_begins_below_its_words(qtbot: QtBot, theme: Theme) -> None:
    page = LearningSettingsPage(SettingsValue(Settings()), theme)
    qtbot.addWidget(page)
    hints = [each for each in page.findChildren(QLabel) if each.text().startswith("Answers with")]
    assert [each.contentsMargins().left() for each in hints] == [2 * 16 + 8]


def test_what_may_be_learned_from(edited: Edited, qtbot: QtBot) -> None:
    page = edited.dialog.page(LearningSettingsPage)
    sources = {button.text(): button for button in page.findChildren(QRadioButton)}
    assert sources["Only what I rated or corrected"].isChecked()
    sources["Everything but what I exclude"].click()
    assert edited.settings.learning.learn_from == "everything"
    sources["Nothing"].click()
    assert edited.settings.learning.learn_from == "nothing"
    assert [button.isChecked() for button in sources.values()] == [False, False, True]
    for words, name in (
        ("Only while nobody uses the computer", "when_idle"),
        ("Go on while on battery", "on_battery"),
        ("Go on when the processor is hot", "when_hot"),
        ("Write files for TensorBoard", "tensorboard"),
    ):
        switch = next(each for each in page.findChildren(CheckBox) if each.text() == words)
        assert not switch.isChecked()
        switch.click()
        assert getattr(edited.settings.learning, name) is True
    with qtbot.waitSignal(page.personalize_requested):
        press(page, "Open Personalize")
