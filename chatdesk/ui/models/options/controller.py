"""Between the settings and the dialog over one model's own options."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from chatdesk.core.models import ModelFile
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme

if TYPE_CHECKING:  # imported when it is made
    from chatdesk.ui.models.options.dialog import ModelOptionsDialog

_T = TypeVar("_T")


class ModelOptionsController(QObject):
    """Opens the dialog, and puts what was chosen there into the settings."""

    def __init__(self, bridge: Bridge, settings: SettingsValue, window: QWidget) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._settings = settings
        self._window = window
        self._in_use: ModelFile | None = None
        self._theme: Theme | None = None
        self._dialog: ModelOptionsDialog | None = None
        bridge.subscribe(EngineChanged, self._on_engine)

    @property
    def dialog(self) -> "ModelOptionsDialog | None":
        """The dialog, while it is open."""
        return self._dialog

    def _on_engine(self, fact: EngineChanged) -> None:
        self._in_use = fact.status.model

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        if self._dialog:
            self._dialog.set_theme(theme)

    def open(self, model: ModelFile | None = None) -> None:
        """Open the options of a model, or of the one in use."""
        from chatdesk.ui.models.options.dialog import ModelOptionsDialog

        model = model or self._in_use
        if model is None or self._dialog or self._theme is None:
            return
        settings = self._settings.now
        dialog = self._dialog = ModelOptionsDialog(
            model,
            settings.load_options(model.id),
            settings.general_options(),
            self._theme,
            self._window,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(partial(self._closed, dialog, model))
        self._look_up(lambda app: app.models.refresh(), dialog.show_models)
        self._look_up(lambda app: app.engine.ready().devices, dialog.show_devices, patient=True)
        dialog.open()

    def _look_up(
        self, work: Work[_T], show: Callable[[_T], None], *, patient: bool = False
    ) -> None:
        """Look something up for the dialog; a problem only leaves it out."""
        dialog = self._dialog

        def done(found: _T) -> None:
            if self._dialog is dialog:
                show(found)

        self._bridge.run(work, done, lambda problem: None, patient=patient)

    def _closed(self, dialog: "ModelOptionsDialog", model: ModelFile, accepted: int) -> None:
        self._dialog = None
        if accepted:
            self._settings.use_load_options(model.id, dialog.chosen)
