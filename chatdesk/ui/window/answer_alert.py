"""Asks for attention when a long answer is ready and the window is behind others."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.ui.bridge import Bridge

LONG_S = 10.0


class AnswerAlert(QObject):
    """The task bar marks the window, as the system does it, until it is looked at."""

    def __init__(self, window: QWidget, bridge: Bridge) -> None:
        super().__init__(window)
        self._window = window
        bridge.subscribe(AnswerEnded, self._on_ended)

    def _on_ended(self, fact: AnswerEnded) -> None:
        answer = fact.message.answer
        long = answer is not None and (answer.duration_s or 0.0) >= LONG_S
        if long and not self._window.isActiveWindow():
            QApplication.alert(self._window)
