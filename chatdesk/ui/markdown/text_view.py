"""A read-only text as high as its content, which scrolls with the page."""

from math import ceil

from PySide6.QtCore import QRectF, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit, QToolTip, QWidget

from chatdesk.ui.markdown.addresses import safe_link, shown_address
from chatdesk.ui.markdown.ground_painter import GroundPainter
from chatdesk.ui.markdown.properties import CODE_BLOCK
from chatdesk.ui.theme import TEXT_PX, Theme, text_scale

PASSED_ON = (
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Space,
)
_FIRST_WIDTH = 760


class TextView(QTextBrowser):
    """Shows what its kind writes into the document: finished blocks, and a tail after them."""

    def __init__(self, theme: Theme, parent: QWidget | None, *, quiet: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._ground = GroundPainter(theme, quiet=quiet)
        self._caret = False
        self._finished = 0  # where the tail begins
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        # Before it is placed; its own default of 0 would give each character its own line, which
        # takes seconds for one word of 50,000.
        self.setLineWrapColumnOrWidth(_FIRST_WIDTH)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.viewport().setAutoFillBackground(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        self.anchorClicked.connect(self._open)
        self.highlighted.connect(self._hover)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to see."""
        return self.document().isEmpty()

    def height_for(self, width: int) -> int:
        """Return the height in pixels of all the text at this width."""
        if self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
        # The ground of code extends below its last line.
        code = self.document().lastBlock().blockFormat().hasProperty(CODE_BLOCK)
        return ceil(self.document().size().height()) + (8 if code else 0)

    def set_caret(self, shown: bool) -> None:
        """Show or hide the block at the end of a text that is being written."""
        if shown != self._caret:
            self._caret = shown
            self.viewport().update(self._caret_rect().toAlignedRect().adjusted(-1, -1, 1, 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the grounds and bars below the text, then the text, then the caret."""
        painter = QPainter(self.viewport())
        painter.translate(-self.horizontalScrollBar().value(), 0)
        self._ground.begin(painter, self.lineWrapColumnOrWidth())
        layout = self.document().documentLayout()
        block = self.cursorForPosition(event.rect().topLeft()).block()
        while block.isValid():
            box = layout.blockBoundingRect(block)
            if box.top() > event.rect().bottom():
                break
            self._ground.paint(block, box)
            block = block.next()
        painter.end()
        super().paintEvent(event)
        if self._caret:
            painter = QPainter(self.viewport())
            painter.fillRect(self._caret_rect(), QColor(self._theme.accent))
            painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave scrolling to the page."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave scrolling and walking on to the page, keep links and copying."""
        if event.key() in PASSED_ON:
            event.ignore()
        else:
            super().keyPressEvent(event)

    @property
    def has_links(self) -> bool:
        """True if there is something to open in it."""
        return False

    def enter(self) -> None:
        """Take the focus, with the first link chosen."""
        self.setFocus(Qt.FocusReason.TabFocusReason)
        self.focusNextPrevChild(True)

    def focusNextPrevChild(self, following: bool) -> bool:
        """Go to the next link; say where it leads, as the pointer is told."""
        went = super().focusNextPrevChild(following)
        link = self.textCursor()
        if went and self.hasFocus() and link.hasSelection() and link.charFormat().isAnchor():
            corner = self.viewport().mapToGlobal(self.cursorRect().bottomLeft())
            address = shown_address(QUrl(link.charFormat().anchorHref()))
            QToolTip.showText(corner, address, self)
        return went

    def loadResource(self, _kind: int, _name: QUrl | str) -> None:
        """Nothing is ever fetched."""

    def drop_tail(self) -> QTextCursor:
        """Remove the blocks after the finished ones; return a cursor there."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._finished)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        return cursor

    def keep_tail(self, *, from_start: bool = False) -> None:
        """Let everything be finished; or with `from_start` nothing."""
        cursor = QTextCursor(self.document())
        if not from_start:
            cursor.movePosition(QTextCursor.MoveOperation.End)
        self._finished = cursor.position()

    def _caret_rect(self) -> QRectF:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        rect = self.cursorRect(cursor)
        wide, high = TEXT_PX / 2 * text_scale(), 15 * text_scale()
        return QRectF(rect.right() + 2, rect.bottom() - high - 2, wide, high)

    def _hover(self, target: QUrl) -> None:
        self.setToolTip(shown_address(target))

    def _open(self, target: QUrl) -> None:
        if safe_link(target.toString()):
            QDesktopServices.openUrl(target)


class one_layout:  # noqa: N801 - reads as a statement
    """Do one layout for everything written inside."""

    def __init__(self, view: TextView) -> None:
        self._cursor = QTextCursor(view.document())

    def __enter__(self) -> None:
        self._cursor.beginEditBlock()

    def __exit__(self, *_: object) -> None:
        self._cursor.endEditBlock()
