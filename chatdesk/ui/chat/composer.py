"""The composer: a card that grows with its text, its chips, and one send or stop button."""

from collections.abc import Sequence
from enum import Enum, auto

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextOption
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.chat.adapter_chip import AdapterChip
from chatdesk.ui.icons import ICON_SIZE, icon, show_icon
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.eliding_button import ElidingButton
from chatdesk.ui.widgets.scroll import SCROLL_BAR

MAX_LINES = 10
BUTTON = 32
MARGIN = 24  # pixels beside the column, as in the chat view


class ComposerState(Enum):
    """The function of the button."""

    READY = auto()  # send
    SENDING = auto()  # the text waits until it is accepted, and stays
    ANSWERING = auto()  # stop


class _Editor(QPlainTextEdit):
    """The text field: plain text only, as high as its text up to `MAX_LINES`."""

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        self._fit()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste text; files are the window's to handle."""
        if source.hasText():
            self.insertPlainText(source.text())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Leave dropped files to the window."""
        return source.hasText() and not source.hasUrls()

    def _fit(self) -> None:
        line = self.fontMetrics().lineSpacing()
        lines = max(1, min(int(self.document().size().height()), MAX_LINES))
        self.setFixedHeight(lines * line + 6)
        more = self.document().size().height() > MAX_LINES
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if more else policy.ScrollBarAlwaysOff
        )

    def changeEvent(self, event: QEvent) -> None:
        """Fit again when the font changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()


class Composer(QFrame):
    """Asks to send or stop; sent text stays in the field until `clear` accepts it."""

    send_requested = Signal(str)
    stop_requested = Signal()
    edit_last_requested = Signal()
    model_requested = Signal(str)
    add_model_requested = Signal()
    more_models_requested = Signal()
    model_options_requested = Signal()
    text_changed = Signal(str)

    def __init__(self, theme: Theme, *, enter_sends: bool) -> None:
        super().__init__()
        self.setObjectName("composer")
        self.setProperty("class", "card")
        self.enter_sends = enter_sends
        self._theme = theme
        self._state = ComposerState.READY
        self._editor = _Editor()
        self._model = ElidingButton(tr("Model"))
        self._menu = QMenu(self)
        self.adapter = AdapterChip(theme)
        self._tokens = QLabel()
        self._button = QToolButton()
        self._build()
        self.set_theme(theme)

    def _build(self) -> None:
        self._editor.setAccessibleName(tr("Your message"))
        self._editor.textChanged.connect(self._on_text)
        self._editor.installEventFilter(self)
        self.setFocusProxy(self._editor)
        self._model.open_when_pressed(self._menu)
        self._model.explain(tr("The model that answers; press to use another one"))
        set_class(self._tokens, "small")
        self._button.setFixedSize(BUTTON, BUTTON)
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
        layout.setContentsMargins(16, 14, 12, 12)
        layout.setSpacing(10)
        layout.addWidget(self._editor)
        layout.addLayout(row)

    # State to show

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        show_icon(self._model, "chip", theme.muted)
        self._model.set_chevron(theme)
        self.adapter.set_theme(theme)
        self._show_state()

    def set_state(self, state: ComposerState) -> None:
        """Set the button: send, wait, or stop."""
        self._state = state
        self._editor.setReadOnly(state is ComposerState.SENDING)
        self._show_state()

    def set_model(self, label: str) -> None:
        """Show the model on its chip."""
        self._model.set_words(label)

    def set_models(self, models: Sequence[tuple[str, str]], current: str | None) -> None:
        """Set the chip's menu: ids and labels, and an entry to add a model."""
        self._menu.clear()
        for model_id, label in models:
            action = self._menu.addAction(label)
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

    def open_models(self) -> None:
        """Open the chip's menu."""
        self._model.setFocus()
        self._model.click()

    def set_tokens(self, text: str, *, too_long: bool = False) -> None:
        """Show the length of the prompt."""
        self._tokens.setText(text)
        set_class(self._tokens, "danger" if too_long else "small")

    @property
    def editor(self) -> QPlainTextEdit:
        """The text field."""
        return self._editor

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

    def set_placeholder(self, text: str) -> None:
        """Set the text of the empty field while nothing is being written."""
        self._editor.setPlaceholderText(text)
        self._editor.viewport().update()  # Qt repaints only the cursor's place

    def clear(self) -> None:
        """Empty the field after its text was accepted."""
        self._editor.clear()

    # Actions

    def _on_text(self) -> None:
        self._show_state()
        self.text_changed.emit(self.text)

    def _press(self) -> None:
        if self._state is ComposerState.ANSWERING:
            self.stop_requested.emit()
        elif self._state is ComposerState.READY and self.text.strip():
            self.send_requested.emit(self.text)

    def _show_state(self) -> None:
        stopping = self._state is ComposerState.ANSWERING
        enabled = stopping or (self._state is ComposerState.READY and bool(self.text.strip()))
        name = tr("Stop (Esc)") if stopping else tr("Send")
        self._button.setEnabled(enabled)
        self._button.setToolTip(name)
        self._button.setAccessibleName(name)
        colour = self._theme.on_accent if enabled else self._theme.muted
        self._button.setIcon(icon("stop" if stopping else "arrow-up", colour))
        self._button.setIconSize(ICON_SIZE)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter sends (Shift+Enter is a new line), or Ctrl+Enter by the setting; Up edits."""
        if watched is self._editor:
            if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
                self.setProperty("focused", event.type() == QEvent.Type.FocusIn)
                self.style().unpolish(self)
                self.style().polish(self)
            elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
                return self._key(event)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            control = held == Qt.KeyboardModifier.ControlModifier
            plain = held == Qt.KeyboardModifier.NoModifier
            if control or (plain and self.enter_sends):
                if self._state is not ComposerState.ANSWERING:
                    self._press()
                return True
        if event.key() == Qt.Key.Key_Up and not self.text:
            self.edit_last_requested.emit()
            return True
        return False


class ComposerColumn(QWidget):
    """Keeps what it holds at the width of the reading column, in the middle.

    Room for a scroll bar is left at the right, unless it `scrolls` itself.
    """

    def __init__(self, inner: QWidget, width: int, *, scrolls: bool = False) -> None:
        super().__init__()
        inner.setMaximumWidth(width)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN + (0 if scrolls else SCROLL_BAR), 0)
        layout.addStretch(1)
        layout.addWidget(inner, 100_000)  # to the pixel
        layout.addStretch(1)
