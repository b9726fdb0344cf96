"""Between the settings as a value and the dialog that changes it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # made and imported when it is opened
    from chatdesk.ui.settings.dialog import SettingsDialog
    from chatdesk.ui.settings_page import SettingsPage


class SettingsController(QObject):
    """Opens the dialog over the pages that `make_pages` makes.

    A model in use is loaded anew when it closes, if its options have changed.
    """

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        settings: SettingsValue,
        make_pages: Callable[[SettingsValue, Theme], "Sequence[SettingsPage]"],
        notice: Notice,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._navigator = navigator
        self._settings = settings
        self._make_pages = make_pages
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
        """Apply a theme."""
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
        pages = self._make_pages(self._settings, self._theme)
        dialog = self._dialog = SettingsDialog(pages, self._theme, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._closed)
        self._navigator.page_requested.connect(dialog.accept)
        for page in pages:
            page.serve(self._bridge, self._navigator)
        self._show_server()
        dialog.open()

    def show_server(self, url: str, problem: EnvironmentProblem | None = None) -> None:
        """Show the API's address ("" while it is off), or why it does not run."""
        self._server_url, self._server_problem = url, problem
        if self._dialog:
            self._show_server()
        elif problem:
            show = partial(self.open, SettingsId.SERVER)
            self._notice.show_problem(problem, tr("Settings…"), show)

    def _show_server(self) -> None:
        from chatdesk.ui.settings.server_page import ServerPage, ServerStatus

        assert self._dialog
        status = ServerStatus(self._server_url, self._server_problem)
        self._dialog.page(ServerPage).show_status(status)

    def _closed(self, _result: int) -> None:
        self._dialog = None
        self._bridge.run(lambda app: app.apply_load_options(), patient=True)
