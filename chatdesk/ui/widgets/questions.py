"""Small questions in a dialog that does not block the app."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
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
    """Give large text the width it needs, up to that of the screen; Qt would make it high."""
    grid = box.layout()
    if text_scale() > 1 and isinstance(grid, QGridLayout):
        screen = box.screen().availableGeometry().width()
        width = min(scaled(_WIDTH), screen) - _AROUND
        policy = QSizePolicy.Policy
        across = QSpacerItem(width, 0, policy.Minimum, policy.Minimum)
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
