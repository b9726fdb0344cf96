"""The settings of the API that other programs ask the model through."""

from dataclasses import dataclass

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.ui.navigator import SettingsId
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import WholeNumber, plain_button, small

LOWEST_PORT, HIGHEST_PORT = 1024, 65535  # those below are the system's


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The API's address while it runs, or why it could not start."""

    url: str = ""
    problem: EnvironmentProblem | None = None


class ServerPage(SettingsPage):
    """Switches the API, and shows where it is."""

    section, icon = SettingsId.SERVER, "server"

    def __init__(self, settings: SettingsValue, theme: Theme) -> None:
        super().__init__(tr("Server"), settings)
        now = settings.now.server
        switch = CheckBox(
            tr("Let other programs on this computer use the model"),
            theme,
            checked=now.on,
        )
        switch.toggled.connect(self._switch)
        self._add_switch(
            switch,
            tr(
                "Programs made for OpenAI's interface can ask here instead. Other computers cannot."
            ),
        )
        self._column.addWidget(self._state_card())
        port = WholeNumber(LOWEST_PORT, HIGHEST_PORT, now.port)
        port.setGroupSeparatorShown(False)
        port.valueChanged.connect(lambda value: self._edit(port=value))
        key = QLineEdit(now.key)
        key.setPlaceholderText(tr("none"))
        key.editingFinished.connect(lambda: self._edit(key=key.text().strip()))
        self._add(tr("Port"), port)
        self._add(tr("Key"), key, tr("Without one, every program on this computer is answered."))
        for label, name, shown, hint in (
            (
                tr("Other names"),
                "allow_hosts",
                "host.docker.internal",
                tr("Names by which programs in containers reach this computer."),
            ),
            (
                tr("Trusted pages"),
                "allow_origins",
                "app://obsidian.md",
                tr("Origins of web pages and apps that may ask, too."),
            ),
        ):
            self._add(label, self._list_of(name, shown), hint)
        self._column.addStretch(1)

    def _list_of(self, name: str, example: str) -> QLineEdit:
        """A field of the words of a setting, with blanks between them."""
        field = QLineEdit(" ".join(getattr(self._settings.now.server, name)))
        field.setPlaceholderText(example)
        field.editingFinished.connect(
            lambda: self._edit(**{name: tuple(field.text().replace(",", " ").split())})
        )
        return field

    def show_status(self, status: ServerStatus) -> None:
        """Show the state of the API."""
        self._copy.setVisible(bool(status.url))
        self._copy.setText(tr("Copy"))
        self._address.setVisible(bool(status.url))
        self._address.setText(status.url)
        set_class(self._state, "danger" if status.problem else "small")
        if status.problem:
            self._state.setText(str(status.problem))
        elif status.url:
            self._state.setText(tr("Running at"))
        else:
            self._state.setText(tr("Starting…") if self._settings.now.server.on else tr("Off"))

    def _state_card(self) -> QFrame:
        card = QFrame()
        set_class(card, "card")
        self._state = small("")
        self._state.setAccessibleName(tr("State of the server"))
        self._address = QLineEdit()
        self._address.setReadOnly(True)
        self._address.setAccessibleName(tr("Address"))
        self._address.setTextMargins(-2, 0, 0, 0)  # in line with the words above it
        set_class(self._address, "address")
        self._copy = plain_button(tr("Copy"), tr("Copy the address"))
        self._copy.clicked.connect(self._copy_address)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._state)
        words.addWidget(self._address)
        row = QHBoxLayout(card)
        row.setContentsMargins(16, 12, 12, 12)
        row.addLayout(words, 1)
        row.addWidget(self._copy)
        return card

    def _copy_address(self) -> None:
        QGuiApplication.clipboard().setText(self._address.text())
        self._copy.setText(tr("Copied"))

    def _switch(self, on: bool) -> None:
        self._edit(on=on)
        self.show_status(ServerStatus())
