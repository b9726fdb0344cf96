"""Between the settings as a value and the dialogs that change it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import ModelFile
from chatdesk.core.settings import Settings
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # made and imported when they are opened; SQLAlchemy comes with the services
    from chatdesk.services.app import AppServices
    from chatdesk.ui.models.options.dialog import ModelOptionsDialog
    from chatdesk.ui.settings.dialog import SettingsDialog


class SettingsController(QObject):
    """Holds the settings; `changed` carries them when they are others, `opened` their dialog.

    `reload_requested` asks to load the model in use anew, as its options have changed;
    `personalize_requested` for the page of that name.
    """

    changed = Signal(object)
    opened = Signal(object)
    reload_requested = Signal()
    personalize_requested = Signal()

    def __init__(self, bridge: Bridge, settings: Settings, notice: Notice, window: QWidget) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._settings = settings
        self._notice = notice
        self._window = window
        self._services: AppServices | None = None
        self._server_url = ""
        self._server_problem: EnvironmentProblem | None = None
        self._dialog: SettingsDialog | None = None
        self._options: ModelOptionsDialog | None = None
        self._theme: Theme | None = None

    @property
    def settings(self) -> Settings:
        """As they are now."""
        return self._settings

    @property
    def dialog(self) -> "SettingsDialog | None":
        """The settings, while they are open."""
        return self._dialog

    @property
    def options_dialog(self) -> "ModelOptionsDialog | None":
        """The model's options, while they are open."""
        return self._options

    def attach(self, services: "AppServices") -> None:
        """The services are there."""
        self._services = services

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        self._theme = theme
        for dialog in (self._dialog, self._options):
            if dialog:
                dialog.set_theme(theme)

    def edit(self, **fields: object) -> None:
        """Change some of the settings."""
        edited = replace(self._settings, **fields)  # type: ignore[arg-type]
        if edited != self._settings:
            self._settings = edited
            self.changed.emit(edited)

    # The settings

    def open(self) -> None:
        """Open the settings, or bring them to the front."""
        from chatdesk.ui.settings.dialog import SettingsDialog

        if self._dialog:
            self._dialog.raise_()
            return
        assert self._theme
        dialog = self._dialog = SettingsDialog(self._settings, self._theme, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.edited.connect(lambda fields: self.edit(**fields))
        dialog.models.clear_requested.connect(self._clear_kept)
        dialog.downloads.token_asked.connect(self._show_token)
        dialog.downloads.token_changed.connect(self._keep_token)
        dialog.learning.personalize_requested.connect(dialog.accept)
        dialog.learning.personalize_requested.connect(self.personalize_requested)
        dialog.computers.check_requested.connect(self._check_computer)
        dialog.finished.connect(partial(self._closed, self._options_in_use()))
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
            self._notice.show_problem(problem, tr("Settings…"), self.open_server)

    def open_server(self) -> None:
        """Open the settings of the API."""
        self.open()
        assert self._dialog
        self._dialog.show_page(self._dialog.server)

    def open_computers(self) -> None:
        """Open the settings of other computers."""
        self.open()
        assert self._dialog
        self._dialog.show_page(self._dialog.computers)

    def open_learning(self) -> None:
        """Open the settings of personalization."""
        self.open()
        assert self._dialog
        self._dialog.show_page(self._dialog.learning)

    def open_downloads(self) -> None:
        """Open the settings of downloads."""
        self.open()
        assert self._dialog
        self._dialog.show_page(self._dialog.downloads)

    def _show_server(self) -> None:
        from chatdesk.ui.settings.server_page import ServerStatus

        assert self._dialog
        self._dialog.server.show_status(ServerStatus(self._server_url, self._server_problem))

    def _measure_kept(self, _: None = None) -> None:
        if services := self._services:
            self._bridge.run(services.sessions.used_bytes, self._show_kept)

    def _show_kept(self, used: int) -> None:
        if self._dialog:
            self._dialog.models.show_kept(used)

    def _clear_kept(self) -> None:
        if services := self._services:
            self._bridge.run(services.sessions.clear, self._measure_kept)

    def _show_token(self, problem: EnvironmentProblem | None = None) -> None:
        def show(there: bool) -> None:
            if self._dialog:
                self._dialog.downloads.show_token(there, problem)

        if services := self._services:
            self._bridge.run(lambda: services.hub.has_token, show, patient=True)

    def _keep_token(self, token: str) -> None:
        if services := self._services:
            work = partial(services.hub.set_token, token)
            self._bridge.run(work, self._show_token, self._show_token, patient=True)

    def _check_computer(self, address: str) -> None:
        from chatdesk.services.devices.addresses import answers

        def show(is_there: bool) -> None:
            if self._dialog:
                self._dialog.computers.show_answer(address, is_there)

        self._bridge.run(partial(answers, address), show, patient=True)

    def _closed(self, before: LoadOptions | None, _result: int) -> None:
        self._dialog = None
        self._reload_if_other(before)

    # A model's own options

    def open_model_options(self, model: ModelFile | None = None) -> None:
        """Open the options of a model, or of the one in use."""
        from chatdesk.ui.models.options.dialog import ModelOptionsDialog

        services, model = self._services, model or self._model()
        if services is None or model is None or self._options or self._theme is None:
            return
        general = replace(self._settings, model_options={}).load_options(model.id)
        dialog = self._options = ModelOptionsDialog(
            model,
            self._settings.load_options(model.id),
            general,
            self._theme,
            self._window,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(partial(self._options_closed, dialog, model))
        self._when_open(services.models.refresh, dialog.show_models)
        self._when_open(lambda: services.engine.ready().devices, dialog.show_devices, patient=True)
        dialog.open()

    def use_options(self, model: ModelFile, options: LoadOptions) -> None:
        """Load a model with these options from now on, and at once if it is the one in use."""
        before = self._options_in_use()
        changed = self._settings.with_load_options(model.id, options)
        self.edit(model_options=changed.model_options)
        self._reload_if_other(before)

    def _when_open(
        self, work: Callable[[], object], show: Callable[..., None], *, patient: bool = False
    ) -> None:
        """Look something up for the options' dialog; a problem only leaves it out."""
        dialog = self._options

        def done(found: object) -> None:
            if self._options is dialog:
                show(found)

        self._bridge.run(work, done, lambda problem: None, patient=patient)

    def _options_closed(
        self, dialog: "ModelOptionsDialog", model: ModelFile, accepted: int
    ) -> None:
        self._options = None
        if accepted:
            self.use_options(model, dialog.chosen)

    # The model in use

    def _model(self) -> ModelFile | None:
        return self._services.engine.status.model if self._services else None

    def _options_in_use(self) -> LoadOptions | None:
        model = self._model()
        return self._settings.load_options(model.id) if model else None

    def _reload_if_other(self, before: LoadOptions | None) -> None:
        if before and self._options_in_use() != before:
            self.reload_requested.emit()
