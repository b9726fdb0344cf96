"""The key that undoes: in a text field what was typed, elsewhere the last deletion."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QPlainTextEdit, QWidget


class UndoShortcut(QShortcut):
    """A text field takes the key for itself; `field` only while it has something to undo."""

    def __init__(self, window: QWidget, field: QPlainTextEdit, undo: Callable[[], None]) -> None:
        super().__init__(QKeySequence(QKeySequence.StandardKey.Undo), window)
        self._field = field
        self.activated.connect(undo)
        field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the key to the window."""
        return (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.matches(QKeySequence.StandardKey.Undo)
            and not self._field.document().isUndoAvailable()
        )
