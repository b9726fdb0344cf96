"""A code block: language, copy button, and code that scrolls sideways only."""

from collections.abc import Callable
from math import ceil

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from chatdesk.core.i18n import tr, trn
from chatdesk.ui.markdown.code_head import HEAD_HEIGHT, CodeHead
from chatdesk.ui.markdown.fold_button import FOLD_HEIGHT, FoldButton
from chatdesk.ui.markdown.highlighter import Highlighter
from chatdesk.ui.markdown.sticky_bar import StickyBar, is_sideways
from chatdesk.ui.markdown.text_view import PASSED_ON
from chatdesk.ui.theme import CODE_PX, Theme, code_font, scaled, set_class, text_scale

FOLD_LINES = 40  # lines in sight of a longer code

_STAYS = 40  # pixels of code that are left below a head that stays in sight
_SIDE, _ABOVE, _BELOW = 15, 10, 10
_GROWING_MS = 120
_LOADING_MS = 30


class CodeCard(QFrame):
    """Code with its language above it, and the words behind that; a long one is folded.

    `append` adds finished code, `set_tail` the line that is being written; `close_code` ends the
    code.
    """

    folded = Signal(bool)  # a person folded it, or unfolded it

    def __init__(
        self,
        language: str,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        words: str = "",
        folded: bool = True,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._folded = folded
        self._code: list[str] = []
        self._tail = ""
        self._whole = False
        self._seen = False
        self._lines = 1
        self._break_pending = False
        self._in_sight = (0, 0)
        set_class(self, "code-card")
        self.language = language
        self._text = _CodeText(theme, self)
        self._text.setAccessibleName(
            tr("Code in {language}", language=language) if language else tr("Code")
        )
        self._text.first_painted = self._start_colouring
        self.head = CodeHead(f"{language} {words}".strip(), theme, self)
        self.head.copy_button.clicked.connect(self._copy_code)
        self.sideways: StickyBar | None = None  # made for the first line that is too wide
        self.fold_button: FoldButton | None = None  # made when there are so many lines
        self._highlighter: Highlighter | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._colour)

    @property
    def code(self) -> str:
        """The finished code, as it will be copied."""
        return "".join(self._code).removesuffix("\n")

    @property
    def document(self) -> QTextDocument:
        """The document of the code."""
        return self._text.document()

    @property
    def text(self) -> str:
        """The text shown."""
        return self._text.toPlainText()

    def append(self, code: str) -> None:
        """Add finished code; line ends included."""
        self._insert("", code)
        self._code.append(code)
        self._lines += code.count("\n")
        if self._shown_lines > FOLD_LINES and self.fold_button is None:
            self.fold_button = self._make_fold_button()
        if self.fold_button is not None:
            self.fold_button.show_words()
        self._grown()

    def set_tail(self, code: str) -> None:
        """Show the line that is being written."""
        if code != self._tail:
            self._insert(code, "")
            self._grown()

    def close_code(self) -> None:
        """End the code."""
        self.set_tail("")
        self._whole = True
        if self._seen:
            self._start_colouring()

    def set_caret(self, shown: bool) -> None:
        """Show or hide the block at the end of code that is being written."""
        self._text.set_caret(shown)

    @property
    def is_folded(self) -> bool:
        """True if only the first lines are in sight."""
        return self.fold_button is not None and self.fold_button.is_folded

    @property
    def controls(self) -> list[QWidget]:
        """What can be done with it, from above."""
        found = (self.head.copy_button, self.sideways, self.fold_button)
        return [each for each in found if each is not None]

    def height_for(self, width: int) -> int:
        """Return the height in pixels at this width."""
        lines = min(self._shown_lines, FOLD_LINES) if self.is_folded else self._shown_lines
        self._show_sideways(self._text.is_wider_than(width - 2 * _SIDE))
        return scaled(HEAD_HEIGHT) + _ABOVE + ceil(lines * _line_step()) + self._below

    def keep_in_sight(self, top: int, bottom: int) -> None:
        """Place the head and the scroll bar in what is in sight, in pixels below the top."""
        self._in_sight = top, bottom
        width, end = self.width(), self.height() - 1
        bar_height = 0 if self.sideways is None else self.sideways.sizeHint().height()
        if self.fold_button is not None:
            end -= scaled(FOLD_HEIGHT)
            # It covers what is folded: all that is below the last line in sight.
            covered = bar_height + _BELOW if self.is_folded else 0
            begin = end - covered
            self.fold_button.setGeometry(0, begin, width, self.height() - begin)
        head_height = scaled(HEAD_HEIGHT)
        head = max(0, min(top, end - head_height - _STAYS))
        self.head.setGeometry(0, head, width, head_height)
        if self.sideways is not None:
            place = max(head + head_height, min(bottom or end, end) - bar_height)
            self.sideways.setGeometry(_SIDE, place, width - 2 * _SIDE, bar_height)
            self.sideways.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the code; what stands over it follows."""
        super().resizeEvent(event)
        top = scaled(HEAD_HEIGHT) + _ABOVE
        height = ceil(self._shown_lines * _line_step()) + self._below
        self._text.setGeometry(_SIDE, top, self.width() - 2 * _SIDE, height)
        self.keep_in_sight(*self._in_sight)

    @property
    def _shown_lines(self) -> int:
        return self._lines - (self._break_pending and not self._tail)

    @property
    def _below(self) -> int:
        """Return the pixels below the last line."""
        bar = 0 if self.sideways is None else self.sideways.sizeHint().height()
        fold = 0 if self.fold_button is None else scaled(FOLD_HEIGHT)
        return _BELOW + bar + fold + 2

    def _show_sideways(self, needed: bool) -> None:
        if needed and self.sideways is None:
            self.sideways = StickyBar(self._text, self)
            set_class(self.sideways, "sticky-code")
        elif not needed and self.sideways is not None:
            self.sideways.deleteLater()
            self.sideways.hide()
            self.sideways = None

    def _make_fold_button(self) -> FoldButton:
        button = FoldButton(self._theme, self._fold_words, self._theme.code, self._theme.line, self)
        set_class(button, "unfold")
        button.set_folded(self._folded)
        button.folded.connect(self.folded)
        button.show()
        return button

    def _fold_words(self, folded: bool) -> str:
        if folded:
            count = self._shown_lines
            return trn("Show all {n} line", "Show all {n} lines", count)
        return tr("Show fewer lines")

    def _insert(self, tail: str, code: str) -> None:
        """Replace the old tail by `code` and then `tail`."""
        cursor = QTextCursor(self._text.document())
        cursor.beginEditBlock()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if self._tail:
            length = len(self._tail.encode("utf-16-le")) // 2
            if self._break_pending:
                length += 1
            cursor.setPosition(cursor.position() - length, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
        # The last line end is held back until more follows: it would show an empty line.
        added = ("\n" if self._break_pending else "") + code
        if code:
            self._break_pending = added.endswith("\n")
            cursor.insertText(added.removesuffix("\n"))
        if tail:
            cursor.insertText(("\n" if self._break_pending else "") + tail)
        cursor.endEditBlock()
        self._tail = tail
        if self._text.textCursor().atEnd():  # carried along; the view would scroll sideways
            self._text.setTextCursor(QTextCursor(self._text.document()))

    def _grown(self) -> None:
        if self._seen and not self._whole and not self._timer.isActive():
            self._timer.start(_GROWING_MS)

    def _start_colouring(self) -> None:
        self._seen = True
        self._timer.start(0)

    def _colour(self) -> None:
        if self._highlighter is None:
            self._highlighter = Highlighter(self._text.document(), self.language, self._theme)
        if not self._highlighter.ready:
            self._timer.start(_LOADING_MS)
        elif not self._whole:
            self._highlighter.grow()
        elif self._highlighter.work():
            self._timer.start(1)

    def _copy_code(self) -> None:
        QGuiApplication.clipboard().setText("".join(self._code).removesuffix("\n") + self._tail)
        self.head.show_copied()


class _CodeText(QTextEdit):
    """The lines, in the code font."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._caret = False
        self.first_painted: Callable[[], None] = self.update
        self._painted = False
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        document.setDefaultFont(code_font())
        form = QTextBlockFormat()
        form.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # whatever a comment is written in
        form.setLineHeight(_line_step(), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        chars = QTextCharFormat()
        chars.setFont(code_font())
        cursor = QTextCursor(document)
        cursor.setBlockFormat(form)
        cursor.setBlockCharFormat(chars)

    def is_wider_than(self, width: int) -> bool:
        return self.document().size().width() > width

    def set_caret(self, shown: bool) -> None:
        if shown != self._caret:
            self._caret = shown
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self.first_painted()
        if self._caret:
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            rect = self.cursorRect(cursor)
            painter = QPainter(self.viewport())
            painter.fillRect(
                QRect(rect.right() + 2, rect.bottom() - 16, 7, 15), QColor(self._theme.accent)
            )
            painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the code sideways, and leave up and down to the page."""
        if is_sideways(event):
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in PASSED_ON:
            event.ignore()
        else:
            super().keyPressEvent(event)


def _line_step() -> float:
    """Pixels from one line of code to the next."""
    return round(CODE_PX * 1.6 * text_scale(), 1)
