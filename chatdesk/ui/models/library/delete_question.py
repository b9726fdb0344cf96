"""The question before a model is removed: its file to the trash, or only from the list."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.model_files import KeptModel, Presence
from chatdesk.core.units import size_words
from chatdesk.ui.theme import set_class
from chatdesk.ui.widgets.questions import widen


class DeleteQuestion(QMessageBox):
    """`trash` and `forget` are the answers; `app` is whose file it is, "" for nobody else's."""

    trash = Signal()
    forget = Signal()

    def __init__(self, kept: KeptModel, app: str, parent: QWidget) -> None:
        super().__init__(parent)
        there = kept.presence is not Presence.MISSING
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWindowTitle(tr("Delete"))
        self.setText(
            tr("Delete “{name}”?", name=kept.full_name)
            if there
            else tr("Remove “{name}” from the list?", name=kept.full_name)
        )
        self.setInformativeText(_explained(kept, app, there=there))
        if there:
            away = self.addButton(tr("Move to the trash"), QMessageBox.ButtonRole.AcceptRole)
            set_class(away, "danger")
            away.clicked.connect(self.trash)
        forget = self.addButton(
            tr("Remove from the list only") if there else tr("Remove from the list"),
            QMessageBox.ButtonRole.ActionRole,
        )
        forget.clicked.connect(self.forget)
        self.setDefaultButton(self.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole))
        widen(self)


def _explained(kept: KeptModel, app: str, *, there: bool) -> str:
    if not there:
        words = tr("Its file is not there. It can be added again if it comes back.")
    else:
        size = size_words(kept.model.header.bytes)
        words = tr("Its file goes to the trash; that frees {size} once it is emptied.", size=size)
    parts = [words, kept.model.path]
    if app and there:
        parts.append(tr("{app} uses this file, too, and will not find it any more.", app=app))
    return "\n\n".join(parts)
