"""One run of prose."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QWidget

from chatdesk.ui.markdown.document_writer import BlockKind, DocumentWriter
from chatdesk.ui.markdown.text_view import TextView, one_layout
from chatdesk.ui.theme import Theme

if TYPE_CHECKING:  # the parser is imported when the first message is shown
    from markdown_it.token import Token


class ProseView(TextView):
    """Shows blocks of prose. Finished blocks stay; the tail is replaced as a whole."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, quiet: bool = False) -> None:
        super().__init__(theme, parent, quiet=quiet)
        self._writer = DocumentWriter(self.document(), theme, quiet)
        self._finished_kind = BlockKind.NOTHING

    @property
    def has_links(self) -> bool:
        """True if there is something to open in it."""
        return self._writer.has_links

    def append(self, tokens: "Sequence[Token]") -> None:  # type: ignore[override]
        """Add finished blocks; remove a tail first."""
        with one_layout(self):
            self._drop()
            self._writer.write(tokens)
            self._keep()

    def append_plain(self, text: str) -> None:
        """Add text without markup."""
        with one_layout(self):
            self._drop()
            self._writer.write_plain(text)
            self._keep()

    def extend_plain(self, text: str) -> None:
        """Continue the text of the last `append_plain`."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        self._keep()

    def clear_all(self) -> None:
        """Remove everything."""
        self._finished_kind = BlockKind.NOTHING
        self.keep_tail(from_start=True)
        self._drop()

    def set_tail(self, tokens: "Sequence[Token]") -> None:
        """Show blocks that may still change, after the finished ones."""
        with one_layout(self):
            self._drop()
            self._writer.write(tokens)

    def ideal_width(self) -> int:
        """Return the width in pixels at which no line would be wrapped."""
        self.setLineWrapColumnOrWidth(100_000)
        return ceil(self.document().idealWidth()) + 1

    def _drop(self) -> None:
        cursor = self.drop_tail()
        if self._finished_kind is BlockKind.NOTHING and (list_ := cursor.currentList()):
            list_.remove(cursor.block())
        self._writer.last = self._finished_kind

    def _keep(self) -> None:
        self.keep_tail()
        self._finished_kind = self._writer.last
