"""The field of a system prompt."""

from PySide6.QtCore import QEvent, QTimer, Signal

from chatdesk.core.i18n import tr
from chatdesk.ui.theme import set_class
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.writing_field import WritingField

DELAY_MS = 500
LINES = 4
FRAME = 14  # pixels around the text


class PromptField(WritingField):
    """`changed` carries the text after a pause in typing; the key that sends takes it at once.

    Then `left` is emitted: the focus is to go on elsewhere.
    """

    changed = Signal(str)
    left = Signal()

    def __init__(self, enter: EnterRule) -> None:
        super().__init__(enter)
        self._rule = enter
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self._tell)
        set_class(self, "field")
        self.setAccessibleName(tr("System prompt"))
        self.set_hints(tr("How the assistant should be, in your words."))
        self.textChanged.connect(self._timer.start)
        self.sent.connect(self._leave)
        enter.changed.connect(self._show_rule)
        self._show_rule()
        self._fit()

    def flush(self) -> None:
        """Tell now what is being typed, rather than after a pause."""
        if self._timer.isActive():
            self._timer.stop()
            self._tell()

    def show_text(self, text: str) -> None:
        """Show another text, without telling it."""
        self._timer.stop()
        if text != self.toPlainText():
            self.blockSignals(True)
            self.setPlainText(text)
            self.blockSignals(False)

    def changeEvent(self, event: QEvent) -> None:
        """Fit again when the font changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(LINES * self.line_step + FRAME)

    def _tell(self) -> None:
        self.changed.emit(self.toPlainText())

    def _leave(self) -> None:
        self.flush()
        self.left.emit()

    def _show_rule(self) -> None:
        self.setToolTip(tr("{key} applies it at once", key=self._rule.key))
