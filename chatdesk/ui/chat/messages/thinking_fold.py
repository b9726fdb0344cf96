"""The model's reasoning before its answer, folded to one line."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import show_icon
from chatdesk.ui.markdown.passing_button import PassingButton
from chatdesk.ui.markdown.prose_view import ProseView
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.words import duration_words

_LINE = 28
_INDENT = 24


class ThinkingFold(QWidget):
    """One line to click or press; the reasoning below it while it is unfolded."""

    folded = Signal(bool)  # a person folded it, or unfolded it

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, folded: bool = True) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: list[str] = []
        self._view: ProseView | None = None
        self._shown = 0
        self.fold_button = PassingButton(self)
        set_class(self.fold_button, "fold")
        self.fold_button.setCheckable(True)
        self.fold_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold_button.setToolTip(tr("Show or hide how the model reasoned"))
        self._name(tr("Thinking…"))
        self.fold_button.setChecked(not folded)
        self._show_folded()
        self.fold_button.toggled.connect(self._toggle)

    @property
    def text(self) -> str:
        """The reasoning."""
        return "".join(self._parts).strip()

    @property
    def expanded(self) -> bool:
        """True if the reasoning is visible."""
        return self.fold_button.isChecked()

    @property
    def controls(self) -> list[QWidget]:
        """What can be done with it."""
        return [self.fold_button]

    def append(self, text: str) -> None:
        """More reasoning."""
        self._parts.append(text)
        if self._view is not None and self.expanded:
            self._show_text(self._view)

    def close_reasoning(self, seconds: float | None) -> None:
        """The reasoning is over, and took so long if that is known."""
        self._name(_thought(seconds))

    def set_caret(self, shown: bool) -> None:
        """While the model reasons the words of the line say so; there is no caret."""

    def height_for(self, width: int) -> int:
        """The height in pixels."""
        line, indent = scaled(_LINE), scaled(_INDENT)
        self.fold_button.setGeometry(0, 0, self.fold_button.sizeHint().width(), line)
        if self._view is None or not self.expanded:
            return line
        height = self._view.height_for(width - indent)
        self._view.setGeometry(indent, line + 4, width - indent, height)
        return line + 4 + height

    def _name(self, words: str) -> None:
        self.fold_button.setText(words)
        self.fold_button.setAccessibleName(words)

    def _toggle(self, expanded: bool) -> None:
        self._show_folded()
        self.folded.emit(not expanded)

    def _show_folded(self) -> None:
        name = "chevron-down" if self.expanded else "chevron-right"
        show_icon(self.fold_button, name, self._theme.muted)
        if self.expanded:
            self._view = self._view or ProseView(self._theme, self, quiet=True)
            self._show_text(self._view)
        if self._view is not None:
            self._view.setVisible(self.expanded)

    def _show_text(self, view: ProseView) -> None:
        text = "".join(self._parts).lstrip()
        if not text:
            return  # an empty paragraph would stand above what comes
        if not self._shown:
            view.append_plain(text)
        else:
            view.extend_plain(text[self._shown :])
        self._shown = len(text)


def _thought(seconds: float | None) -> str:
    if seconds is None:
        return tr("Thought")
    if seconds < 1:
        return tr("Thought for a moment")
    return tr("Thought for {time}", time=duration_words(seconds))
