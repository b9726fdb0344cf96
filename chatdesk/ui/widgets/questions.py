"""Small questions in a dialog that does not block the app."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QGridLayout,
    QInputDialog,
    QMessageBox,
    QSizePolicy,
    QSpacerItem,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.theme import scaled, set_class, text_scale

_WIDTH = 400
_AROUND = 40  # pixels: its own edges, and those of its window


def ask_first(
    parent: QWidget, question: str, explained: str, action: str, act: Callable[[], None]
) -> QMessageBox:
    """Ask before something that cannot be undone; `action` names the button that does it."""
    box = QMessageBox(parent)
    box.setWindowTitle(action)
    box.setText(question)
    box.setInformativeText(explained)
    go = box.addButton(action, QMessageBox.ButtonRole.AcceptRole)
    set_class(go, "danger")
    go.clicked.connect(act)
    box.setDefaultButton(box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    widen(box)
    box.open()
    return box


def widen(box: QMessageBox) -> None:
    """Give large text the width it needs, up to that of the screen; Qt would make it high.

    Buttons that have no room beside each other stand below each other.
    """
    grid, buttons = box.layout(), box.findChild(QDialogButtonBox)
    if text_scale() > 1 and isinstance(grid, QGridLayout) and buttons:
        parent = box.parentWidget() or box
        screen = parent.screen().availableGeometry().width()
        room = min(screen - 480 if screen > 1024 else screen, 1000) - _AROUND  # Qt's own limits
        for button in buttons.buttons():
            button.ensurePolished()
        wanted = max(scaled(_WIDTH) - _AROUND, buttons.sizeHint().width())
        if buttons.sizeHint().width() > room:
            buttons.setOrientation(Qt.Orientation.Vertical)
            grid.setAlignment(buttons, Qt.AlignmentFlag.AlignRight)
        policy = QSizePolicy.Policy
        across = QSpacerItem(min(wanted, room), 0, policy.Minimum, policy.Minimum)
        grid.addItem(across, grid.rowCount(), 0, 1, grid.columnCount())


def ask_for_words(
    parent: QWidget, title: str, label: str, words: str, act: Callable[[str], None]
) -> None:
    """Ask for a line of words; `words` is the present value."""
    dialog = QInputDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setLabelText(label)
    dialog.setTextValue(words)
    dialog.setOkButtonText(tr("Save"))
    dialog.setCancelButtonText(tr("Cancel"))
    dialog.textValueSelected.connect(act)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
