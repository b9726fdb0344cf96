"""Buttons that are pictures."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QToolButton

from chatdesk.ui.icons import icon_size
from chatdesk.ui.theme import scaled

BAR_MARGINS = 6, 12, 6  # above, right and below of the buttons in the bars over chat and inspector

AIR = 10  # pixels in a square button before its picture
GHOST_AIR = 15  # pixels in a button without a frame before its words, as in the style sheet


class PictureButton(QToolButton):
    """A square button, whose name is its tool tip; its picture comes with the theme."""

    def __init__(self, name: str, size: int = 36) -> None:
        super().__init__()
        self._size = size
        self.setToolTip(name)
        self.setAccessibleName(name)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Be as large as the text asks for."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._fit()

    def _fit(self) -> None:
        side = scaled(self._size)
        self.setFixedSize(side, side)
        self.setIconSize(icon_size())
