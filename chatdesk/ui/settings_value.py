"""The settings of the running window: one value that everything reads and few things change."""

from PySide6.QtCore import QObject, Signal

from chatdesk.core.loading import LoadOptions
from chatdesk.core.settings import Settings


class SettingsValue(QObject):
    """Holds the settings; `changed` carries the new ones, then those before."""

    changed = Signal(object, object)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._now = settings

    @property
    def now(self) -> Settings:
        """The settings; any thread may read them."""
        return self._now

    def use_load_options(self, model_id: str, options: LoadOptions) -> None:
        """Load a model with these options from now on."""
        self.edit("models", options=self._now.with_load_options(model_id, options).models.options)

    def edit(self, section: str, **values: object) -> None:
        """Change values of one section."""
        before, now = self._now, self._now.edited(section, **values)
        if now != before:
            self._now = now
            self.changed.emit(now, before)
