"""The composer: a card that grows with its text, its chips, and one send or stop button."""

from collections.abc import Sequence
from enum import Enum, auto

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.chat.adapter_chip import AdapterChip
from chatdesk.ui.icons import icon, icon_size, show_icon
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.eliding_button import ElidingButton
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.scroll import SCROLL_BAR
from chatdesk.ui.widgets.writing_field import WritingField

MAX_LINES = 10
_ROW = 36  # pixels of the chips and the button
SHARE = 3  # its lines take at most the third part of the page
TOP = 2  # pixels above the first line
PAGE_KEYS: dict[int, int] = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
BUTTON = 32
_BESIDE_LABEL = 80  # pixels in a menu
MARGIN = 24  # pixels beside the column, as in the chat view


class ComposerState(Enum):
    """The function of the button."""

    READY = auto()  # send
    SENDING = auto()  # what was sent is not accepted yet; what is sent now waits for it
    ANSWERING = auto()  # stop; likewise


class _Field(WritingField):
    """As high as its text up to `most` lines; `page_scrolled` carries -1 or 1 for a page key."""

    page_scrolled = Signal(int)
    edit_last_requested = Signal()
    focus_changed = Signal(bool)

    def __init__(self, enter: EnterRule) -> None:
        super().__init__(enter)
        self._most = MAX_LINES
        self.setViewportMargins(0, TOP, 0, 0)
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        self._fit()

    def fit_into(self, height: int) -> None:
        """Leave room for the others on a page of so many pixels."""
        room = height // SHARE - (scaled(_ROW) - _ROW)  # larger text has a higher row below it
        self._most = min(MAX_LINES, max(1, room // self.line_step))
        self._fit()

    def _fit(self) -> None:
        lines = max(1, min(self.lines, self._most))
        self.setFixedHeight(lines * self.line_step + TOP)
        policy = Qt.ScrollBarPolicy
        more = self.lines > self._most
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if more else policy.ScrollBarAlwaysOff
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Page keys scroll the chat; Up in an empty field edits the last message."""
        pages = PAGE_KEYS.get(event.key())
        if pages and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.page_scrolled.emit(pages)
        elif event.key() == Qt.Key.Key_Up and self.document().isEmpty():
            self.edit_last_requested.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The card shows it."""
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The card shows it."""
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def changeEvent(self, event: QEvent) -> None:
        """Fit again when the font changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()


class Composer(QFrame):
    """Asks to send or stop. The whole card is one field: a click in it puts the cursor there."""

    send_requested = Signal(str)
    stop_requested = Signal()
    edit_last_requested = Signal()
    page_scrolled = Signal(int)  # -1 or 1: the chat, a page up or down
    model_requested = Signal(str)
    add_model_requested = Signal()
    more_models_requested = Signal()
    model_options_requested = Signal()
    text_changed = Signal(str)

    def __init__(self, theme: Theme, enter: EnterRule) -> None:
        super().__init__()
        self.setObjectName("composer")
        self.setProperty("class", "card")
        self._enter = enter
        self._theme = theme
        self._state = ComposerState.READY
        self._continues = False
        self._editor = _Field(enter)
        self._model = ElidingButton(tr("Model"))
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fit_menu)
        self.adapter = AdapterChip(theme)
        self._tokens = QLabel()
        self._button = QToolButton()
        self._build()
        self.set_theme(theme)

    def _build(self) -> None:
        editor = self._editor
        editor.setAccessibleName(tr("Your message"))
        editor.textChanged.connect(self._on_text)
        editor.sent.connect(self._send)
        editor.edit_last_requested.connect(self.edit_last_requested)
        editor.page_scrolled.connect(self.page_scrolled)
        editor.focus_changed.connect(self._show_focus)
        self._enter.changed.connect(self._show_state)
        self.setFocusProxy(editor)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        for button in (self._model, self.adapter, self._button):
            button.setCursor(Qt.CursorShape.ArrowCursor)
        self._model.open_when_pressed(self._menu)
        self._model.explain(tr("The model that answers; press to use another one"))
        set_class(self._tokens, "small")
        set_class(self._button, "primary")
        self._button.clicked.connect(self._press)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._model)
        row.addWidget(self.adapter)
        row.addStretch(1)
        row.addWidget(self._tokens)
        row.addWidget(self._button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 12, 12)
        layout.setSpacing(10)
        layout.addWidget(editor)
        layout.addLayout(row)

    # State to show

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        self._button.setFixedSize(scaled(BUTTON), scaled(BUTTON))
        show_icon(self._model, "chip", theme.muted)
        self._model.set_chevron(theme)
        self.adapter.set_theme(theme)
        self._show_state()

    def set_state(self, state: ComposerState) -> None:
        """Set the button: send, wait, or stop."""
        self._state = state
        self._show_state()

    def set_temporary(self, temporary: bool) -> None:
        """Mark that nothing of this chat is kept."""
        self.setProperty("temporary", temporary)
        self._repolish()

    def set_model(self, label: str) -> None:
        """Show the model on its chip."""
        self._model.set_words(label)

    def set_continues(self, *, continues: bool) -> None:
        """Say that the model continues a text and answers no questions."""
        self._continues = continues
        self._show_state()

    def set_models(self, models: Sequence[tuple[str, str]], current: str | None) -> None:
        """Set the chip's menu: ids and labels, and an entry to add a model."""
        self._menu.clear()
        for model_id, label in models:
            action = self._menu.addAction(label)
            action.setData(label)
            action.setCheckable(True)
            action.setChecked(model_id == current)
            action.triggered.connect(
                lambda _=False, chosen=model_id: self.model_requested.emit(chosen)
            )
        self._menu.addSeparator()
        options = self._menu.addAction(tr("Model options…"), self.model_options_requested.emit)
        options.setEnabled(current is not None)
        self._menu.addAction(tr("Add a model file…"), self.add_model_requested.emit)
        self._menu.addAction(tr("More models…"), self.more_models_requested.emit)

    def _fit_menu(self) -> None:
        """Show as much of the labels as a menu on this screen has room for."""
        room = self.screen().availableGeometry().width() - scaled(_BESIDE_LABEL)
        measure = self._menu.fontMetrics()
        for action in self._menu.actions():
            if label := action.data():
                action.setText(measure.elidedText(label, Qt.TextElideMode.ElideMiddle, room))

    def open_models(self) -> None:
        """Open the chip's menu."""
        self._model.setFocus()
        self._model.click()

    def set_tokens(self, text: str, explained: str = "", *, too_long: bool = False) -> None:
        """Show the length of the prompt; `explained` says what was counted."""
        self._tokens.setText(text)
        self._tokens.setToolTip(explained)
        set_class(self._tokens, "danger" if too_long else "small")

    @property
    def editor(self) -> WritingField:
        """The text field."""
        return self._editor

    def fit_into(self, height: int) -> None:
        """Leave room for the others on a page of so many pixels."""
        self._editor.fit_into(height)

    @property
    def state(self) -> ComposerState:
        """The present function of the button."""
        return self._state

    @property
    def text(self) -> str:
        """The text in the field."""
        return self._editor.toPlainText()

    def set_text(self, text: str) -> None:
        """Set the text and put the cursor after it."""
        if text == self.text:
            return
        self._editor.setPlainText(text)
        self._editor.moveCursor(self._editor.textCursor().MoveOperation.End)

    def insert(self, text: str) -> None:
        """Put a text of several lines where the cursor is, on lines of its own."""
        cursor = self._editor.textCursor()
        before = "\n\n" if cursor.position() else ""
        cursor.insertText(f"{before}{text.strip()}\n\n")
        self._editor.setTextCursor(cursor)
        self._editor.setFocus()

    def clear(self) -> None:
        """Empty the field after its text was taken."""
        self._editor.clear()

    def type(self, event: QKeyEvent) -> bool:
        """Take a key that was pressed elsewhere in the chat; False if it types nothing."""
        command = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier
        printable = event.text().isprintable() and bool(event.text().strip())
        altgr = event.modifiers() & Qt.KeyboardModifier.AltModifier
        types = printable and not (event.modifiers() & command and not altgr)
        pastes = event.matches(QKeySequence.StandardKey.Paste)
        if self._editor.hasFocus() or not (types or pastes):
            return False
        self._editor.setFocus(Qt.FocusReason.OtherFocusReason)
        again = QKeyEvent(event.type(), event.key(), event.modifiers(), event.text())
        QCoreApplication.sendEvent(self._editor, again)
        return True

    # Actions

    def _on_text(self) -> None:
        self._show_state()
        self.text_changed.emit(self.text)

    def _press(self) -> None:
        if self._state is ComposerState.ANSWERING:
            self.stop_requested.emit()
        else:
            self._send()

    def _send(self) -> None:
        if self.text.strip():
            self.send_requested.emit(self.text)

    def _show_state(self) -> None:
        stopping = self._state is ComposerState.ANSWERING
        enabled = stopping or bool(self.text.strip())
        name = tr("Stop (Esc)") if stopping else tr("Send ({key})", key=self._enter.key)
        self._button.setEnabled(enabled)
        self._button.setToolTip(name)
        self._button.setAccessibleName(name)
        colour = self._theme.on_accent if enabled else self._theme.muted
        self._button.setIcon(icon("stop" if stopping else "arrow-up", colour))
        self._button.setIconSize(icon_size())
        if stopping:
            waits = tr("Esc stops the answer. What you send now waits for its end.")
            self._editor.set_hints(waits, tr("Esc to stop"))
        elif self._continues:
            rule = tr("Begin a text. {enter_sends}.", enter_sends=self._enter.words)
            self._editor.set_hints(rule, tr("Begin a text"))
        else:
            rule = tr("Ask anything. {enter_sends}.", enter_sends=self._enter.words)
            self._editor.set_hints(rule, tr("Ask anything"))

    def _show_focus(self, focused: bool) -> None:
        self.setProperty("focused", focused)
        self._repolish()

    def _repolish(self) -> None:
        self.style().unpolish(self)
        self.style().polish(self)

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor where it was clicked, as in any field."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._editor.setFocus(Qt.FocusReason.MouseFocusReason)
            self._point_to(event.position(), keep=event.modifiers())
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select from where it was pressed."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._point_to(event.position(), keep=Qt.KeyboardModifier.ShiftModifier)

    def _point_to(self, at: QPointF, keep: Qt.KeyboardModifier) -> None:
        """Move the cursor to the text nearest to a point of the card."""
        viewport = self._editor.viewport()
        inside = viewport.mapFrom(self, at)
        nearest = QPointF(inside.x(), max(0.0, min(inside.y(), viewport.height() - 1.0)))
        cursor, there = self._editor.textCursor(), self._editor.position_at(nearest)
        selects = bool(keep & Qt.KeyboardModifier.ShiftModifier)
        mode = cursor.MoveMode.KeepAnchor if selects else cursor.MoveMode.MoveAnchor
        cursor.setPosition(there, mode)
        self._editor.setTextCursor(cursor)


class ComposerColumn(QWidget):
    """Keeps what it holds in the middle, as wide as `keep` says.

    Room for a scroll bar is left at the right, unless it `scrolls` itself.
    """

    def __init__(self, inner: QWidget, *, scrolls: bool = False) -> None:
        super().__init__()
        self._inner = inner
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN + (0 if scrolls else SCROLL_BAR), 0)
        layout.addStretch(1)
        layout.addWidget(inner, 100_000)  # to the pixel
        layout.addStretch(1)

    def keep(self, width: int) -> None:
        """Give it so many pixels in text of the usual size, where there is room."""
        self._inner.setMaximumWidth(scaled(width))
