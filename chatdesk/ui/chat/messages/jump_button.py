"""The button over the conversation that goes to its end."""

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import show_icon
from chatdesk.ui.theme import Theme, set_class

_ABOVE_END = 12  # pixels


class JumpButton(QPushButton):
    """Floats at the lower end of what it is placed over."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(tr("Jump to latest"), parent)
        self.setToolTip(tr("Go to the end of the conversation"))
        set_class(self, "pill")
        self.set_theme(theme)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        show_icon(self, "arrow-down", theme.text)

    def place(self, over: QRect) -> None:
        """Stand in the middle of this part of the parent, above its end."""
        size = self.sizeHint()
        left = over.center().x() - size.width() // 2
        top = over.bottom() - size.height() - _ABOVE_END
        self.setGeometry(left, top, size.width(), size.height())
        self.raise_()
