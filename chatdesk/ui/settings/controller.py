"""Between the settings as a value and the dialog that changes it."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, PageId, SettingsId
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # made and imported when it is opened
    from chatdesk.ui.settings.dialog import SettingsDialog


class SettingsController(QObject):
    """Opens the dialog, which `opened` carries; a model in use is loaded anew when it closes."""

    opened = Signal(object)

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        settings: SettingsValue,
        notice: Notice,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._navigator = navigator
        self._settings = settings
        self._notice = notice
        self._window = window
        self._server_url = ""
        self._server_problem: EnvironmentProblem | None = None
        self._dialog: SettingsDialog | None = None
        self._theme: Theme | None = None
        navigator.settings_requested.connect(self.open)

    @property
    def dialog(self) -> "SettingsDialog | None":
        """The settings, while they are open."""
        return self._dialog

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        self._theme = theme
        if self._dialog:
            self._dialog.set_theme(theme)

    def open(self, page_id: str = "") -> None:
        """Open the settings, or bring them to the front, at one of their pages."""
        if self._dialog:
            self._dialog.raise_()
        else:
            self._open()
        if page_id:
            assert self._dialog
            self._dialog.show_page(page_id)

    def _open(self) -> None:
        from chatdesk.ui.settings.dialog import SettingsDialog

        assert self._theme
        dialog = self._dialog = SettingsDialog(self._settings, self._theme, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.models.clear_requested.connect(self._clear_kept)
        dialog.downloads.token_asked.connect(self._show_token)
        dialog.downloads.token_changed.connect(self._keep_token)
        dialog.learning.personalize_requested.connect(dialog.accept)
        dialog.learning.personalize_requested.connect(
            lambda: self._navigator.show(PageId.PERSONALIZE)
        )
        dialog.computers.check_requested.connect(self._check_computer)
        dialog.finished.connect(self._closed)
        self._show_server()
        self._measure_kept()
        self.opened.emit(dialog)
        dialog.open()

    def show_server(self, url: str, problem: EnvironmentProblem | None = None) -> None:
        """How it stands with the API: its address ("" while it is off), or why it is not there."""
        self._server_url, self._server_problem = url, problem
        if self._dialog:
            self._show_server()
        elif problem:
            show = partial(self.open, SettingsId.SERVER)
            self._notice.show_problem(problem, tr("Settings…"), show)

    def _show_server(self) -> None:
        from chatdesk.ui.settings.server_page import ServerStatus

        assert self._dialog
        self._dialog.server.show_status(ServerStatus(self._server_url, self._server_problem))

    def _measure_kept(self, _: None = None) -> None:
        self._bridge.run(lambda app: app.sessions.used_bytes(), self._show_kept)

    def _show_kept(self, used: int) -> None:
        if self._dialog:
            self._dialog.models.show_kept(used)

    def _clear_kept(self) -> None:
        self._bridge.run(lambda app: app.sessions.clear(), self._measure_kept)

    def _show_token(self, problem: EnvironmentProblem | None = None) -> None:
        def show(there: bool) -> None:
            if self._dialog:
                self._dialog.downloads.show_token(there, problem)

        self._bridge.run(lambda app: app.hub.has_token, show, patient=True)

    def _keep_token(self, token: str) -> None:
        self._bridge.run(
            lambda app: app.hub.set_token(token), self._show_token, self._show_token, patient=True
        )

    def _check_computer(self, address: str) -> None:
        from chatdesk.services.devices.addresses import answers

        def show(is_there: bool) -> None:
            if self._dialog:
                self._dialog.computers.show_answer(address, is_there)

        self._bridge.run_now(partial(answers, address), show, patient=True)

    def _closed(self, _result: int) -> None:
        self._dialog = None
        self._bridge.run(lambda app: app.apply_load_options(), patient=True)
