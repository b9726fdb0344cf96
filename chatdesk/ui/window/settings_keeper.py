"""Saves the settings when they change, and again where the disk refused."""

from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.settings_file import save_settings
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.widgets.notice import Notice

AGAIN_MS = 5_000
_KEY = "settings"


class SettingsKeeper(QObject):
    """Tries until they are saved; the notice of a failure stands as long."""

    def __init__(self, bridge: Bridge, settings: SettingsValue, path: Path, notice: Notice) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._settings = settings
        self._path = path
        self._notice = notice
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self.save)
        settings.changed.connect(lambda _now, _before: self.save())

    def save(self) -> None:
        """Save them as they are now."""
        self._again.stop()
        self._bridge.run_now(self._write, self._saved, self._refused)

    def close(self) -> None:
        """Try for the last time; the bridge is closed."""
        if self._notice.stands(_KEY) or self._again.isActive():
            try:
                self._write()
            except EnvironmentProblem:
                return  # it was told, and stood until now

    def _write(self) -> None:
        save_settings(self._settings.now, self._path)

    def _saved(self, _: None) -> None:
        self._notice.solved(_KEY)

    def _refused(self, problem: EnvironmentProblem) -> None:
        self._notice.show_problem(problem, tr("Try again"), self.save, key=_KEY)
        self._again.start()
