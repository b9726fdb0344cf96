"""The link between the check for newer versions and the window: its times and its reports."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported with the services, and when the settings are opened
    from chatdesk.services.system.updates import Release

FIRST_LOOK_MS = 60_000  # the start is over, and the first answer probably
AGAIN_MS = 3_600_000  # the service lets one a day through; a computer may sleep over a longer timer


class UpdateController(QObject):
    """Checks only with the user's consent in the settings."""

    def __init__(
        self, bridge: Bridge, settings: SettingsValue, notice: Notice, window: QWidget
    ) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._settings = settings
        self._notice = notice
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look_if_due)
        bridge.opened.connect(self._begin)

    def _begin(self) -> None:
        self._bridge.run(lambda app: app.updates.host, self._start)

    def _start(self, host: str) -> None:
        if host:  # a build for a store has none
            self._timer.start(FIRST_LOOK_MS)

    def _look_if_due(self) -> None:
        self._timer.start(AGAIN_MS)
        if self._settings.now.general.look_for_updates:
            self._bridge.run(lambda app: app.updates.look_if_due(), self._notify, patient=True)

    def _notify(self, release: "Release | None") -> None:
        if release is None:
            return
        what = tr("ChatDesk {version} is available.", version=release.version)
        act = partial(open_page, release.page)
        self._notice.show_words(what, release.news, tr("Open its page"), act)


def open_page(address: str) -> None:
    """Open a release's page, which is https, in the browser."""
    QDesktopServices.openUrl(QUrl(address))
