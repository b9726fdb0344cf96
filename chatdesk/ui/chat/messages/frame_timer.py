"""When what has come of an answer is shown: once a frame, and rarer when that takes long."""

from time import perf_counter

from PySide6.QtCore import QTimer

from chatdesk.ui.chat.messages.message_column import MessageColumn
from chatdesk.ui.chat.messages.message_view import MessageView

FRAME_MS = 16
_FRAME_BUDGET_S = 0.006


class FrameTimer(QTimer):
    """Flushes messages that have more to show, all of them together."""

    def __init__(self, column: MessageColumn) -> None:
        super().__init__(column, singleShot=True)
        self._column = column
        self._waiting: set[str] = set()  # ids of messages
        self.timeout.connect(self._frame)

    def want(self, view: MessageView) -> None:
        """Show with the next frame what has come of this message."""
        self._waiting.add(view.message.id)
        if not self.isActive():
            self.start(FRAME_MS)

    def forget(self, message_id: str) -> None:
        """There is nothing more to show of a message."""
        self._waiting.discard(message_id)

    def _frame(self) -> None:
        start = perf_counter()
        for message_id in list(self._waiting):
            view = self._column.view(message_id)
            if view is not None:
                view.flush(_FRAME_BUDGET_S)
                self._column.relayout(view)
            if view is None or not view.unfinished:
                self._waiting.discard(message_id)
        self._column.keep_wanted()
        spent_ms = (perf_counter() - start) * 1000
        if self._waiting or spent_ms > FRAME_MS / 4:
            self.start(max(FRAME_MS, int(5 * spent_ms)))
