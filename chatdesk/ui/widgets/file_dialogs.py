"""Choosing files and folders: in the system's own dialog, or in Qt's in our colours."""

from PySide6.QtCore import QFileInfo
from PySide6.QtGui import QAbstractFileIconProvider, QIcon
from PySide6.QtWidgets import QFileDialog, QPushButton, QToolButton, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.widgets.fitting import fit_dialog

SIZE = (760, 480)
_BUTTONS = {  # of Qt's dialog, and our icons
    "backButton": "chevron-left",
    "forwardButton": "chevron-right",
    "toParentButton": "chevron-up",
    "newFolderButton": "plus",
}
_VIEWS = ("listModeButton", "detailModeButton")


class FileDialog(QFileDialog):
    """Where the system has no dialog of its own, Qt's shows our icons; `words` name the files."""

    def __init__(self, parent: QWidget, title: str, folder: str = "", words: str = "") -> None:
        super().__init__(parent, title, folder, words)
        if self.findChild(QToolButton, "backButton"):
            self._dress()

    def _dress(self) -> None:
        colour = self.palette().text().color().name()
        self._icons = _FileIcons(colour)  # Qt does not keep it
        self.setIconProvider(self._icons)
        self.setViewMode(QFileDialog.ViewMode.Detail)
        for name, picture in _BUTTONS.items():
            if button := self.findChild(QToolButton, name):
                button.setIcon(icon(picture, colour))
                button.setIconSize(icon_size())
        for name in _VIEWS:
            if button := self.findChild(QToolButton, name):
                button.hide()
        for words in self.findChildren(QPushButton):
            words.setIcon(QIcon())
        label = QFileDialog.DialogLabel  # Qt has no Chinese for these two
        self.setLabelText(label.LookIn, tr("Folder:"))
        self.setLabelText(label.FileType, tr("Kind of file:"))
        fit_dialog(self, *SIZE)


class _FileIcons(QAbstractFileIconProvider):
    def __init__(self, colour: str) -> None:
        super().__init__()
        self._folder, self._file = icon("folder", colour), icon("file", colour)

    def icon(self, what: QFileInfo | QAbstractFileIconProvider.IconType) -> QIcon:
        """Return the picture of a file, or of a kind of place."""
        if isinstance(what, QFileInfo):
            return self._folder if what.isDir() else self._file
        return self._file if what is QAbstractFileIconProvider.IconType.File else self._folder


def choose_file(parent: QWidget, title: str, words: str) -> str:
    """Ask for a file that is there; "" for none. `words` are a name and its patterns."""
    return next(iter(_chosen(FileDialog(parent, title, "", words), _Mode.ExistingFile)), "")


def choose_files(parent: QWidget, title: str, words: str) -> list[str]:
    """Ask for files that are there."""
    return _chosen(FileDialog(parent, title, "", words), _Mode.ExistingFiles)


def choose_new_file(parent: QWidget, title: str, name: str, words: str) -> str:
    """Ask where to write a file, with a name to begin with; "" for nowhere."""
    dialog = FileDialog(parent, title, "", words)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    return next(iter(_chosen(dialog, _Mode.AnyFile)), "")


def choose_folder(parent: QWidget, title: str, folder: str = "") -> str:
    """Ask for a folder, beginning in one; "" for none."""
    dialog = FileDialog(parent, title, folder)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    return next(iter(_chosen(dialog, _Mode.Directory)), "")


_Mode = QFileDialog.FileMode


def _chosen(dialog: FileDialog, mode: QFileDialog.FileMode) -> list[str]:
    dialog.setFileMode(mode)
    chosen = dialog.selectedFiles() if dialog.exec() else []
    dialog.deleteLater()
    return chosen
