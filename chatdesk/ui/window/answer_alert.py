"""Asks for attention when a long answer is ready and the window is behind others."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.core.i18n import tr
from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.settings_value import SettingsValue

if TYPE_CHECKING:  # imported when there is something to show
    from chatdesk.ui.window.desktop_notice import DesktopNotice

LONG_S = 10.0


class AnswerAlert(QObject):
    """The task bar marks the window, and the desktop shows the title of the chat, if it may.

    No words of the answer: others may see the screen. `open_requested` carries the id of the chat.
    """

    open_requested = Signal(str)

    def __init__(
        self,
        window: QWidget,
        bridge: Bridge,
        settings: SettingsValue,
        title_of: Callable[[str], str],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._title_of = title_of
        self._notice: DesktopNotice | None = None
        bridge.subscribe(AnswerEnded, self._on_ended)

    def _on_ended(self, fact: AnswerEnded) -> None:
        answer = fact.message.answer
        long = answer is not None and (answer.duration_s or 0.0) >= LONG_S
        if long and not self._window.isActiveWindow():
            QApplication.alert(self._window)
            if self._settings.now.general.announce_answers:
                chat = fact.message.conversation_id
                self._notify().show(chat, tr("The answer is ready"), self._title_of(chat))

    def _notify(self) -> "DesktopNotice":
        if self._notice is None:
            from chatdesk.ui.window.desktop_notice import DesktopNotice

            self._notice = DesktopNotice(self._window)
            self._notice.clicked.connect(self.open_requested)
            self._window.installEventFilter(self)
        return self._notice

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What was shown is old once the window is looked at."""
        if self._notice and event.type() == QEvent.Type.WindowActivate:
            self._notice.forget()
        return super().eventFilter(watched, event)
