"""Writes chats to a file that the user chooses; its ending says what they are written as."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr, trn
from chatdesk.exchange.export.file_names import file_name
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.file_dialogs import choose_new_file
from chatdesk.ui.widgets.notice import UNDO_MS, Notice

KINDS = {".md": "markdown", ".html": "html", ".json": "json", ".jsonl": "sharegpt"}
_FOLDERS = ".md", ".html"  # of several chats: each is a file


class ChatExporter(QObject):
    """Asks for a file, and says where the chats are."""

    def __init__(
        self, bridge: Bridge, notice: Notice, title_of: Callable[[str], str], window: QWidget
    ) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._notice = notice
        self._title_of = title_of
        self._window = window

    def export(self, ids: Sequence[str]) -> None:
        """Ask where to, and write them there."""
        several = len(ids) > 1
        title = tr("Chats") if several else self._title_of(ids[0])
        name = file_name(title, ".json" if several else ".md", (), tr("Chats"))
        patterns = " ".join(f"*{ending}" for ending in KINDS)
        words = tr("Markdown, HTML, JSON with everything, ShareGPT") + f" ({patterns})"
        if chosen := choose_new_file(self._window, tr("Export"), name, words):
            self.write(Path(chosen), ids)

    def write(self, target: Path, ids: Sequence[str]) -> None:
        """Write them there, as the ending says; without one that we know, as Markdown."""
        kind = KINDS.get(target.suffix.lower(), "markdown")
        if target.suffix.lower() not in KINDS and len(ids) == 1:
            target = target.with_name(f"{target.name}.md")
        if len(ids) > 1 and target.suffix.lower() in _FOLDERS:
            target = target.with_suffix("")
        attempt(
            self._bridge,
            self._notice,
            f"export to {target}",
            lambda app: app.exports.export(target, kind, ids),
            lambda done: self._tell(target, done.conversations),
        )

    def _tell(self, target: Path, chats: int) -> None:
        folder = target if target.is_dir() else target.parent
        self._notice.show_words(
            trn("{n} chat was exported.", "{n} chats were exported.", chats),
            str(target),
            tr("Show the folder"),
            partial(_show, folder),
            for_ms=UNDO_MS,
            key="export",
        )


def _show(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
