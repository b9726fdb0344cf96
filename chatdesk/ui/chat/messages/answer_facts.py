"""The figures at the end of an answer's row: model, tokens, seconds."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from chatdesk.core.chat import Message
from chatdesk.core.i18n import tr
from chatdesk.ui.theme import set_class
from chatdesk.ui.words import token_words

_BETWEEN = " · "


def facts(message: Message) -> list[str]:
    """Return the measurements of an answer: model, tokens, seconds. Missing ones are left out."""
    answer = message.answer
    if answer is None or message.corrects:  # what a person wrote has no such figures
        return []
    parts = [answer.model_name] if answer.model_name else []
    if answer.completion_tokens is not None:
        parts.append(token_words(answer.completion_tokens))
    if answer.duration_s is not None:
        parts.append(tr("{seconds} s", seconds=f"{answer.duration_s:.1f}"))
    return parts


class AnswerFacts(QLabel):
    """At the right end; where it is narrow the first ones are left out, the model's name at first.

    All of them are in the tool tip then.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parts: Sequence[str] = ()
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(1)
        set_class(self, "tiny")

    def show_facts(self, parts: Sequence[str]) -> None:
        """Show these, as many as there is room for."""
        self._parts = parts
        self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show more of them, or fewer."""
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        room = self.width() + 1  # widths are rounded
        metrics = self.fontMetrics()
        tails = (_BETWEEN.join(self._parts[at:]) for at in range(len(self._parts)))
        fitting = next((tail for tail in tails if metrics.horizontalAdvance(tail) <= room), "")
        whole = _BETWEEN.join(self._parts)
        self.setText(fitting)
        self.setAccessibleName(whole)
        self.setToolTip("" if fitting == whole else whole)
