"""Files that are dropped on the window: models are added, chats of other apps are imported, and
texts go into the message.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeDatabase, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr, trn
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # made when something is dragged
    from chatdesk.ui.widgets.drop_overlay import DropOverlay

MOST_FILES = 10  # texts in one message


class FileDrop(QObject):
    """Watches what is dragged over a window.

    `model_dropped` and `export_dropped` carry a path, `text_dropped` the text of a file.
    """

    model_dropped = Signal(object)
    export_dropped = Signal(object)
    text_dropped = Signal(str)

    def __init__(self, window: QWidget, bridge: Bridge, notice: Notice, theme: Theme) -> None:
        super().__init__(window)
        self._window = window
        self._bridge = bridge
        self._notice = notice
        self._theme = theme
        self._overlay: DropOverlay | None = None
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take files; everything else is the widgets' own."""
        if isinstance(event, QDragEnterEvent) and (paths := _files(event)):
            self._show(_promise(paths))
            event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.DragLeave:
            self._show("")
        elif event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self._show("")
            if paths := _files(event):
                event.acceptProposedAction()
                self._take(paths)
                return True
        return super().eventFilter(watched, event)

    def _show(self, words: str) -> None:
        if words and self._overlay is None:
            from chatdesk.ui.widgets.drop_overlay import DropOverlay

            self._overlay = DropOverlay(self._window, self._theme)
        if self._overlay:
            self._overlay.show_words(words, self._theme) if words else self._overlay.hide()

    def _take(self, paths: Sequence[Path]) -> None:
        others = [path for path in paths if not _is_model(path)]
        for path in paths:
            if _is_model(path):
                self.model_dropped.emit(path)
        if len(others) > MOST_FILES:
            self._refuse(
                trn("Drop {n} file at a time.", "Drop up to {n} files at a time.", MOST_FILES)
            )
        elif others:
            ask = partial(_is_export, others)
            self._bridge.run_now(ask, partial(self._take_others, others), patient=True)

    def _take_others(self, others: Sequence[Path], is_export: bool) -> None:
        if is_export:
            self.export_dropped.emit(others[0])
            return
        read = partial(_read, others)
        self._bridge.run_now(read, self._take_texts, self._notice.show_problem, patient=True)

    def _take_texts(self, texts: Sequence[tuple[Path, str | None]]) -> None:
        for path, text in texts:
            if text is not None:
                self.text_dropped.emit(text if len(texts) == 1 else f"{path.name}:\n{text}")
        unread = [path.name for path, text in texts if text is None]
        if unread:
            self._refuse(", ".join(unread[:3]) + ("…" if len(unread) > 3 else ""))

    def _refuse(self, words: str) -> None:
        self._notice.show_words(tr("ChatDesk cannot read these files yet."), words)


def _read(paths: Sequence[Path]) -> list[tuple[Path, str | None]]:
    """The texts of files, None for what is none. Raises `EnvironmentProblem`."""
    from chatdesk.services.system.text_file import read_text_file

    return [(path, read_text_file(path)) for path in paths]


def _is_export(paths: Sequence[Path]) -> bool:
    """True for a single archive or folder, and for a file with chats of another app."""
    if len(paths) != 1:
        return False
    from chatdesk.services.history.recognition import is_export

    return _is_packed(paths[0]) or is_export(paths[0])


def _files(event: QDropEvent) -> list[Path]:
    urls = event.mimeData().urls() if event.mimeData().hasUrls() else []
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]


def _is_model(path: Path) -> bool:
    return path.suffix.lower() == ".gguf"


def _is_packed(path: Path) -> bool:
    """Return True for what can only be an export: an archive, or a folder."""
    return path.suffix.lower() == ".zip" or path.is_dir()


def _promise(paths: Sequence[Path]) -> str:
    """What becomes of files, as far as their names tell."""
    if any(_is_model(path) for path in paths):
        return tr("Drop the model here to use it")
    if len(paths) == 1 and _is_packed(paths[0]):
        return tr("Drop it here to import its chats")
    kinds, by_name = QMimeDatabase(), QMimeDatabase.MatchMode.MatchExtension
    if all(kinds.mimeTypeForFile(path.name, by_name).inherits("text/plain") for path in paths):
        return tr("Drop it here to put the text into your message")
    return ""
