"""The settings: few, each with a good default."""

from dataclasses import replace

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import LANGUAGES, tr
from chatdesk.core.settings import Settings
from chatdesk.ui.icons import ICON_SIZE, icon
from chatdesk.ui.theme import Theme, set_class

CONTEXT_WINDOWS = (2048, 4096, 8192, 16384, 32768)


class SettingsDialog(QDialog):
    """Shows settings; `chosen` is what the user made of them."""

    def __init__(self, settings: Settings, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Settings"))
        self.setMinimumWidth(460)
        self._settings = settings
        self._theme = _choice(
            {"system": tr("Same as the system"), "light": tr("Light"), "dark": tr("Dark")},
            settings.theme,
            theme,
        )
        languages = {"system": tr("Same as the system"), **LANGUAGES}
        self._language = _choice(languages, settings.language, theme)
        self._enter = QCheckBox(tr("Enter sends, Shift+Enter begins a new line"))
        self._enter.setChecked(settings.enter_sends)
        windows = sorted({*CONTEXT_WINDOWS, settings.context_window})
        self._context = _choice(
            {str(size): tr("{n} tokens", n=f"{size:,}") for size in windows},
            str(settings.context_window),
            theme,
        )
        self._prompt = QPlainTextEdit(settings.system_prompt)
        self._build()

    def _build(self) -> None:
        heading = QLabel(tr("Settings"))
        set_class(heading, "heading")
        set_class(self._prompt, "field")
        self._prompt.setFixedHeight(84)
        self._prompt.setTabChangesFocus(True)
        form = QFormLayout()
        form.setVerticalSpacing(14)
        form.setHorizontalSpacing(16)
        for name, widget in (
            (tr("Appearance"), self._theme),
            (tr("Language"), self._language),
            (tr("Context window"), self._context),
            (tr("System prompt of new chats"), self._prompt),
        ):
            widget.setAccessibleName(name)
            form.addRow(name, widget)
        form.addRow(tr("Sending"), self._enter)
        note = QLabel(
            tr(
                "A larger context window remembers more of a long chat and takes more memory. "
                "The language changes with the next start."
            )
        )
        note.setWordWrap(True)
        set_class(note, "small")
        buttons = QDialogButtonBox()
        cancel = buttons.addButton(tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        save = buttons.addButton(tr("Save"), QDialogButtonBox.ButtonRole.AcceptRole)
        set_class(save, "primary")
        save.setDefault(True)
        cancel.setAutoDefault(False)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(18)
        for part in (heading, form, note, buttons):
            layout.addLayout(part) if isinstance(part, QFormLayout) else layout.addWidget(part)

    @property
    def chosen(self) -> Settings:
        """The settings as the dialog shows them."""
        return replace(
            self._settings,
            theme=self._theme.currentData(),
            language=self._language.currentData(),
            enter_sends=self._enter.isChecked(),
            context_window=int(self._context.currentData()),
            system_prompt=self._prompt.toPlainText().strip(),
        )


class _ComboBox(QComboBox):
    """A combo box with the app's own chevron; a style sheet could not recolour it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._chevron = icon("chevron-down", theme.muted)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box, then the chevron."""
        super().paintEvent(event)
        size = ICON_SIZE.width()
        left, top = self.width() - size - 10, (self.height() - size) // 2
        self._chevron.paint(QPainter(self), left, top, size, size)


def _choice(options: dict[str, str], current: str, theme: Theme) -> QComboBox:
    box = _ComboBox(theme)
    for value, label in options.items():
        box.addItem(label, value)
    box.setCurrentIndex(max(0, box.findData(current)))
    return box
