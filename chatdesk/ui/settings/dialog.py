"""The settings: a list of pages, each with few fields and good defaults."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import ICON_SIZE, icon
from chatdesk.ui.navigator import SettingsId
from chatdesk.ui.settings.computers_page import ComputersPage
from chatdesk.ui.settings.downloads_page import DownloadsPage
from chatdesk.ui.settings.general_page import GeneralPage
from chatdesk.ui.settings.learning_page import LearningPage
from chatdesk.ui.settings.models_page import ModelsPage
from chatdesk.ui.settings.page import SettingsPage
from chatdesk.ui.settings.server_page import ServerPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import plain_button

SIZE = (760, 620)
LIST_WIDTH = 190
ICONS = ("settings", "cube", "download", "leaf", "server", "computers")


class SettingsDialog(QDialog):
    """Changes hold at once."""

    def __init__(self, settings: SettingsValue, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Settings"))
        self.resize(*SIZE)
        self.general = GeneralPage(settings, theme)
        self.models = ModelsPage(settings, theme)
        self.downloads = DownloadsPage(settings, theme)
        self.learning = LearningPage(settings, theme)
        self.server = ServerPage(settings, theme)
        self.computers = ComputersPage(settings, theme)
        self._list = QListWidget()
        self._stack = QStackedWidget()
        self._build()
        self.set_theme(theme)
        self.show_page(SettingsId.GENERAL)

    @property
    def pages(self) -> dict[str, SettingsPage]:
        """By their ids, in the order of the list."""
        return {
            SettingsId.GENERAL: self.general,
            SettingsId.MODELS: self.models,
            SettingsId.DOWNLOADS: self.downloads,
            SettingsId.LEARNING: self.learning,
            SettingsId.SERVER: self.server,
            SettingsId.COMPUTERS: self.computers,
        }

    def show_page(self, page_id: str) -> None:
        """Turn to a page."""
        self._list.setCurrentRow(list(self.pages).index(page_id))

    def _turn_to(self, row: int) -> None:
        self._stack.setCurrentIndex(row)
        match list(self.pages)[row]:
            case SettingsId.COMPUTERS:
                self.computers.check_all()
            case SettingsId.DOWNLOADS:
                self.downloads.token_asked.emit()

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        for row, (page, name) in enumerate(zip(self.pages.values(), ICONS, strict=True)):
            drawn = icon(name, theme.muted)
            shown = QIcon(drawn)  # Qt would tint it where it is selected
            pixmap = drawn.pixmap(ICON_SIZE, self.devicePixelRatioF())
            shown.addPixmap(pixmap, QIcon.Mode.Selected)
            self._list.item(row).setIcon(shown)
            page.set_theme(theme)

    def done(self, result: int) -> None:
        """Close, with what was typed last."""
        self.general.flush()
        super().done(result)

    def _build(self) -> None:
        self._list.setObjectName("pages")
        self._list.setFixedWidth(LIST_WIDTH)
        self._list.setIconSize(ICON_SIZE)  # as large as the one that is selected
        self._list.setAccessibleName(tr("Pages of the settings"))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for page in self.pages.values():
            self._list.addItem(QListWidgetItem(page.title))
            self._stack.addWidget(_scrolling(page))
        self._list.currentRowChanged.connect(self._turn_to)
        close = plain_button(tr("Done"))
        set_class(close, "primary")
        close.setDefault(False)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(28, 12, 28, 18)
        buttons.addStretch(1)
        buttons.addWidget(close)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._stack, 1)
        right.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._list)
        row.addLayout(right, 1)


def _scrolling(page: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(page)
    return area
