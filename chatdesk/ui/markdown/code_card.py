"""A code block: language, copy button, and code that scrolls sideways only."""

from collections.abc import Callable
from math import ceil

from PySide6.QtCore import QRect, Qt, QTimer
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
from PySide6.QtWidgets import QFrame, QLabel, QTextEdit, QToolButton, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import show_icon
from chatdesk.ui.markdown.highlighter import Highlighter
from chatdesk.ui.theme import CODE_PX, Theme, code_font, set_class

COPIED_MS = 1_500
_HEADER = 31
_SIDE, _ABOVE, _BELOW = 15, 10, 10
_LINE = round(CODE_PX * 1.6, 1)
_GROWING_MS = 120
_LOADING_MS = 30


class CodeCard(QFrame):
    """Code with its language above it.

    `append` adds finished code, `set_tail` the line that is being written; `close_code` ends the
    code.
    """

    def __init__(self, language: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._code: list[str] = []
        self._tail = ""
        self._whole = False
        self._seen = False
        self._lines = 1
        self._break_pending = False
        set_class(self, "code-card")
        self.language = language
        self._label = QLabel(language or tr("code"), self)
        set_class(self._label, "small")
        self.copy_button = QToolButton(self)
        self.copy_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.copy_button.setToolTip(tr("Copy this code"))
        self.copy_button.setAccessibleName(tr("Copy this code"))
        self.copy_button.clicked.connect(self._copy_code)
        self._text = _CodeText(theme, self)
        self._text.setAccessibleName(
            tr("Code in {language}", language=language) if language else tr("Code")
        )
        self._text.first_painted = self._start_colouring
        self._highlighter: Highlighter | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._colour)
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.setInterval(COPIED_MS)
        self._copied.timeout.connect(self._show_copy)
        self._show_copy()

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

    def height_for(self, _width: int) -> int:
        """Return the height in pixels: every line is visible."""
        lines = self._lines - (self._break_pending and not self._tail)
        bar = self._text.horizontalScrollBar()
        side = bar.sizeHint().height() if self._text.is_wider_than(_width - 2 * _SIDE) else 0
        return _HEADER + _ABOVE + ceil(lines * _LINE) + _BELOW + side + 2

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the header above, and the code below."""
        super().resizeEvent(event)
        width = self.width()
        button = self.copy_button.sizeHint()
        self.copy_button.setGeometry(
            width - button.width() + 3, (_HEADER - button.height()) // 2 + 1, *button.toTuple()
        )
        self._label.setGeometry(12, 1, max(0, width - button.width() - 24), _HEADER - 1)
        top = _HEADER + _ABOVE
        self._text.setGeometry(_SIDE, top, width - 2 * _SIDE, self.height() - top - 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the card, and the thin line below its header."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.fillRect(QRect(1, _HEADER, self.width() - 2, 1), QColor(self._theme.line))
        painter.end()

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
        self.copy_button.setText(tr("Copied"))
        show_icon(self.copy_button, "check", self._theme.accent)
        self.resizeEvent(QResizeEvent(self.size(), self.size()))
        self._copied.start()

    def _show_copy(self) -> None:
        self.copy_button.setText(tr("Copy"))
        show_icon(self.copy_button, "copy", self._theme.muted)
        self.resizeEvent(QResizeEvent(self.size(), self.size()))


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
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.viewport().setAutoFillBackground(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        document.setDefaultFont(code_font())
        form = QTextBlockFormat()
        form.setLineHeight(_LINE, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
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
        sideways = abs(event.angleDelta().x()) > abs(event.angleDelta().y())
        if sideways or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        scrolls = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)
        if event.key() in (*scrolls, Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()
        else:
            super().keyPressEvent(event)
