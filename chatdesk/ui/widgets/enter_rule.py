"""What Enter does in every field for several lines: the setting "Enter sends", in one place."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent

from chatdesk.core.i18n import tr


class EnterRule(QObject):
    """Ctrl+Enter always sends; Enter alone does by the setting, and else begins a new line."""

    changed = Signal()

    def __init__(self, *, enter_sends: bool = True) -> None:
        super().__init__()
        self._enter_sends = enter_sends

    def set_enter_sends(self, enter_sends: bool) -> None:
        """Change the rule."""
        if enter_sends != self._enter_sends:
            self._enter_sends = enter_sends
            self.changed.emit()

    def sends(self, event: QKeyEvent) -> bool:
        """True for a key that sends what is in the field."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return False
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if held == Qt.KeyboardModifier.ControlModifier:
            return True
        return self._enter_sends and held == Qt.KeyboardModifier.NoModifier

    @property
    def key(self) -> str:
        """The name of the key that sends."""
        return tr("Enter") if self._enter_sends else tr("Ctrl+Enter")

    @property
    def words(self) -> str:
        """The rule in a sentence, as in the settings."""
        return enter_words(enter_sends=self._enter_sends)


def enter_words(*, enter_sends: bool) -> str:
    """Either rule in a sentence."""
    if enter_sends:
        return tr("Enter sends, Shift+Enter begins a new line")
    return tr("Ctrl+Enter sends, Enter begins a new line")
