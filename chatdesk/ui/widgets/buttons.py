"""Buttons that are pictures."""

from PySide6.QtWidgets import QToolButton

from chatdesk.ui.icons import ICON_SIZE

BAR_MARGINS = 6, 12, 6  # above, right and below of the buttons in the bars over chat and inspector

AIR = 10  # pixels in a square button before its picture


def tool_button(name: str, size: int = 36) -> QToolButton:
    """A square button, whose name is its tool tip; its picture comes with the theme."""
    button = QToolButton()
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setFixedSize(size, size)
    button.setIconSize(ICON_SIZE)
    return button
