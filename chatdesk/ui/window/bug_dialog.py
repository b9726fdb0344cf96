"""Reports a bug, and offers to copy its details. Content of chats is not in them."""

import platform
import traceback

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from chatdesk import __version__
from chatdesk.core.i18n import tr


def report_of(bug: BaseException) -> str:
    """Return the traceback with versions; file names and lines, no values."""
    lines = "".join(traceback.format_exception(bug))
    return f"ChatDesk {__version__}, Python {platform.python_version()}\n\n{lines}"


def show_bug(bug: BaseException, parent: QWidget) -> None:
    """Open the dialog; the app keeps running behind it."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(tr("Something went wrong"))
    box.setText(tr("Something went wrong that should not have. Your chats are safe."))
    box.setInformativeText(tr("You can copy the report and send it to those who build ChatDesk."))
    box.setDetailedText(report_of(bug))
    copy = box.addButton(tr("Copy the report"), QMessageBox.ButtonRole.ActionRole)
    box.addButton(tr("Close"), QMessageBox.ButtonRole.RejectRole)
    copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report_of(bug)))
    box.setModal(False)
    box.finished.connect(box.deleteLater)
    box.show()
