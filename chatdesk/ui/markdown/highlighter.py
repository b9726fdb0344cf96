"""Colours for code, in slices of time.

Pygments is imported with the first code block that names a language. Its lexers cannot resume, so
while code grows only the lines since the last top-level one are read again; when the code is
complete, all of it is read once, in slices short enough for a frame.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from functools import lru_cache
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtGui import (
    QColor,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextLayout,
)

from chatdesk.ui.theme import Theme

if TYPE_CHECKING:
    from pygments.lexer import Lexer

SLICE_S = 0.004
_GROWING_LIMIT = 4_000  # characters read again while code grows
_WHOLE_LIMIT = 200_000  # characters of code; longer code stays plain


class Highlighter:
    """Colours the blocks of `document`, whose text is only code."""

    def __init__(self, document: QTextDocument, language: str, theme: Theme) -> None:
        self._document = document
        self._loading = _lexer(language)
        self._lexer: Lexer | None = None
        self._colours = _Colours(theme)
        self._from_block = 0  # where reading begins again while the code grows
        self._work: Iterator[None] | None = None

    @property
    def ready(self) -> bool:
        """True if the lexer is loaded, or known to be missing."""
        if self._loading.done():
            self._lexer = self._loading.result()
        return self._loading.done()

    def grow(self) -> None:
        """Colour the lines added at the end."""
        first = self._document.findBlockByNumber(self._from_block)
        start = first.position()
        if self._lexer is None or self._document.characterCount() - start > _GROWING_LIMIT:
            return
        text = _text(self._document, start)
        for _ in self._colour(first, text):
            pass
        self._from_block = _last_top_level(self._document, self._from_block)

    def work(self) -> bool:
        """Colour complete code, for `SLICE_S` seconds. Return True if there is more to do."""
        if self._lexer is None or self._document.characterCount() > _WHOLE_LIMIT:
            return False
        if self._work is None:
            text = _text(self._document, 0)
            self._work = self._colour(self._document.firstBlock(), text)
        end = perf_counter() + SLICE_S
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        try:
            for _ in self._work:
                if perf_counter() > end:
                    return True
        finally:
            cursor.endEditBlock()
        return False

    def _colour(self, block: QTextBlock, text: str) -> Iterator[None]:
        """Set the formats of `block` and those after it, yielding after each block."""
        assert self._lexer is not None
        ranges: list[QTextLayout.FormatRange] = []
        column = 0
        # The rules of some lexers need a line end, as the one of a comment in Bash.
        for _, kind, value in self._lexer.get_tokens_unprocessed(text + "\n"):
            form = self._colours.of(str(kind))
            for number, line in enumerate(value.split("\n")):
                if number:
                    self._set(block, ranges)
                    yield
                    block, ranges, column = block.next(), [], 0
                length = len(line.encode("utf-16-le")) // 2  # Qt counts UTF-16 units
                if form is not None and length:
                    ranges.append(_range(column, length, form))
                column += length
        if block.isValid():
            self._set(block, ranges)

    def _set(self, block: QTextBlock, ranges: list[QTextLayout.FormatRange]) -> None:
        if block.isValid() and (ranges or block.layout().formats()):
            block.layout().setFormats(ranges)
            self._document.markContentsDirty(block.position(), block.length())


class _Colours:
    def __init__(self, theme: Theme) -> None:
        def form(colour: str) -> QTextCharFormat:
            made = QTextCharFormat()
            made.setForeground(QColor(colour))
            return made

        # By the names of Pygments' token types, the longer ones first.
        self._known = (
            ("Token.Operator.Word", form(theme.code_keyword)),
            ("Token.Keyword", form(theme.code_keyword)),
            ("Token.Name.Tag", form(theme.code_keyword)),
            ("Token.Literal.String", form(theme.code_string)),
            ("Token.Name.Attribute", form(theme.code_string)),
            ("Token.Literal.Number", form(theme.code_number)),
            ("Token.Name.Builtin", form(theme.code_number)),
            ("Token.Comment", form(theme.code_comment)),
        )
        self._found: dict[str, QTextCharFormat | None] = {}

    def of(self, kind: str) -> QTextCharFormat | None:
        if kind not in self._found:
            self._found[kind] = next((f for name, f in self._known if kind.startswith(name)), None)
        return self._found[kind]


@lru_cache(maxsize=64)
def _lexer(language: str) -> "Future[Lexer | None]":
    """The lexer for `language`, made on another thread: importing it takes many frames."""
    future: Future[Lexer | None] = Future()

    def load() -> None:
        from pygments.lexers import get_lexer_by_name
        from pygments.util import ClassNotFound

        try:
            lexer = get_lexer_by_name(language)
            next(iter(lexer.get_tokens("a")), None)  # compiles its patterns
            future.set_result(lexer)
        except ClassNotFound:
            future.set_result(None)

    if language:
        Thread(target=load, name="lexer", daemon=True).start()
    else:
        future.set_result(None)
    return future


def _range(start: int, length: int, form: QTextCharFormat) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start, made.length, made.format = start, length, form
    return made


def _text(document: QTextDocument, start: int) -> str:
    cursor = QTextCursor(document)
    cursor.setPosition(start)
    cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
    return cursor.selectedText().replace("\u2029", "\n")


def _last_top_level(document: QTextDocument, after: int) -> int:
    """Return the last whole line without indent, where reading may begin again; else `after`."""
    block = document.lastBlock().previous()
    while block.isValid() and block.blockNumber() > after:
        if block.text()[:1].isalpha():
            return block.blockNumber()
        block = block.previous()
    return after
