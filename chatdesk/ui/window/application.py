"""Qt's application object; macOS passes it the files that people open with the app."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from chatdesk.ui.window.freed_memory import give_back_regularly
from chatdesk.ui.window.garbage import collect_in_this_thread


class Application(QApplication):
    """The application; `files_opened` carries the paths of files to open, as a list."""

    files_opened = Signal(object)

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        super().__init__(list(arguments))
        collect_in_this_thread(self)
        give_back_regularly(self)

    def event(self, event: QEvent) -> bool:
        """Take files; other systems pass them on the command line."""
        if isinstance(event, QFileOpenEvent) and event.file():
            self.files_opened.emit([Path(event.file())])
            return True
        return super().event(event)
