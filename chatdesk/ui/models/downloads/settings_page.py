"""The settings of downloads: where models are fetched from, how fast, and to which folder."""

from pathlib import Path
from urllib.parse import urlsplit

from PySide6.QtCore import Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QLineEdit

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.settings import DownloadSettings
from chatdesk.core.units import MB
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import Decimal, WholeNumber, plain_button
from chatdesk.ui.widgets.file_dialogs import choose_folder
from chatdesk.ui.widgets.form import Tall
from chatdesk.ui.widgets.labels import LineLabel, PlainLabel

MOST_AT_ONCE = 8
_FASTEST_MB = 10_000.0


class DownloadSettingsPage(SettingsPage):
    """Settings of downloads; `token_changed` carries an access token to save, "" to delete it.

    `token_asked` asks for the state of the token; `show_token` shows it. A keyring is large, and a
    locked one asks the user to unlock it: it is asked once the token's field has the focus. Until
    then the page says what it remembers.
    """

    section, icon = SettingsId.DOWNLOADS, "download"
    token_changed = Signal(str)
    token_asked = Signal()

    def __init__(self, settings: SettingsValue, theme: Theme) -> None:
        super().__init__(tr("Downloads"), settings)
        now = settings.now.downloads
        self._folder = now.folder
        self._add(
            tr("Mirror"),
            self._mirror(now.mirror),
            tr("An address to ask in place of Hugging Face itself. Empty: no mirror."),
        )
        self._problem = PlainLabel(look="danger")
        self._problem.hide()
        self._column.addWidget(self._problem)
        self._speed(now)
        self._token_part()
        self._folder_part()
        self._column.addStretch(1)
        self._show_remembered(now.token_saved)
        self._show_folder()
        self.set_theme(theme)

    def serve(self, bridge: Bridge, navigator: Navigator) -> None:
        """Look for a token, and keep one."""

        def look(problem: EnvironmentProblem | None = None) -> None:
            def show(there: bool) -> None:
                self._edit(token_saved=there and problem is None)
                self.show_token(there, problem)

            self._ask(bridge, lambda app: app.hub.has_token, show)

        def keep(token: str) -> None:
            self._ask(bridge, lambda app: app.hub.set_token(token), look, look)

        self.token_asked.connect(look)
        self.token_changed.connect(keep)

    # The mirror

    def _mirror(self, address: str) -> QLineEdit:
        self._endpoint = QLineEdit(address)
        self._endpoint.setPlaceholderText("https://")
        self._endpoint.editingFinished.connect(self._check_mirror)
        return self._endpoint

    def _check_mirror(self) -> None:
        address = self._endpoint.text().strip().rstrip("/")
        if right := not address or is_web_address(address):
            self._edit(mirror=address)
        else:
            self._problem.setText(
                tr("“{address}” is not a web address: it begins with https://", address=address)
            )
        self._problem.setVisible(not right)

    # The token

    def _token_part(self) -> None:
        self._token = _TokenField()
        self._token.entered.connect(self._ask_once)
        self._save = plain_button(tr("Save"), tr("Save the access token"))
        self._token.setAccessibleName(tr("Access token"))
        self._token.returnPressed.connect(self._save_token)
        self._token.textChanged.connect(lambda text: self._save.setEnabled(bool(text.strip())))
        self._save.clicked.connect(self._save_token)
        self._save.setEnabled(False)
        self._remove = plain_button(tr("Remove"), tr("Remove the access token"))
        self._remove.clicked.connect(lambda: self.token_changed.emit(""))
        self._state = PlainLabel()
        self._state.setAccessibleName(tr("State of the access token"))
        field = Tall(self._token, (self._save, self._remove), self._state)
        self._add(
            tr("Access token"),
            field,
            tr(
                "Only for models whose makers ask for an agreement. It is kept in the keyring of "
                "this system and sent to the hub alone."
            ),
        )

    def _ask_once(self) -> None:
        self._token.entered.disconnect(self._ask_once)
        self.token_asked.emit()

    def _show_remembered(self, saved: bool) -> None:
        self.show_token(saved)
        self._state.setText(tr("A token was saved.") if saved else "")
        self._state.setVisible(saved)

    def show_token(self, there: bool, problem: EnvironmentProblem | None = None) -> None:
        """Show if there is a token, and why it was not saved."""
        set_class(self._state, "danger" if problem else "good" if there else "small")
        state = tr("A token is saved.") if there else tr("No token is saved.")
        self._state.setText(str(problem) if problem else state)
        self._state.show()
        self._token.setPlaceholderText("••••••••" if there else "")
        self._remove.setVisible(there)

    def _save_token(self) -> None:
        if token := self._token.text().strip():
            self._token.clear()
            self.token_changed.emit(token)

    # Speed and folder

    def _speed(self, now: DownloadSettings) -> None:
        at_once = WholeNumber(1, MOST_AT_ONCE, min(now.at_once, MOST_AT_ONCE))
        at_once.valueChanged.connect(lambda n: self._edit(at_once=n))
        limit = Decimal(0, _FASTEST_MB, now.limit_bytes / MB, tr("no limit"), digits=1)
        limit.setSuffix(" " + tr("MB/s"))
        limit.valueChanged.connect(lambda mb: self._edit(limit_bytes=round(mb * MB)))
        self._add(tr("Downloads at once"), at_once, tr("The others wait for their turn."))
        self._add(tr("Speed limit"), limit, tr("Of all downloads together. 0: no limit."))

    def _folder_part(self) -> None:
        self._shown = LineLabel(look="value")
        self._shown.setAccessibleName(tr("Folder of new models"))
        choose = plain_button(tr("Choose…"), tr("Choose the folder of new models"))
        choose.clicked.connect(self._choose_folder)
        self._own = plain_button(tr("Use the app's own"))
        self._own.clicked.connect(lambda: self._use_folder(""))
        self._add(
            tr("Folder of new models"),
            Tall(self._shown, (choose, self._own)),
            tr("Models that are there already stay where they are, and go on working."),
        )

    def _choose_folder(self) -> None:
        chosen = choose_folder(self, tr("Folder of new models"), self._folder)
        if chosen:
            self._use_folder(str(Path(chosen)))

    def _use_folder(self, folder: str) -> None:
        self._folder = folder
        self._show_folder()
        self._edit(folder=folder)

    def _show_folder(self) -> None:
        self._shown.setText(self._folder or tr("The app's own folder"))
        self._own.setVisible(bool(self._folder))


class _TokenField(QLineEdit):
    entered = Signal()  # it has the focus

    def __init__(self) -> None:
        super().__init__()
        self.setEchoMode(QLineEdit.EchoMode.Password)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()


def is_web_address(address: str) -> bool:
    """Return True for an address of a hub: http or https, with a host and without secrets."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        return False
    plain = not parts.username and not parts.password and not parts.query and not parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain
