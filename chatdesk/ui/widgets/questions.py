"""Small questions in a dialog that does not block the app."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMessageBox, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.theme import set_class


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
    box.open()
    return box


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
