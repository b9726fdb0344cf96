"""What the pages of the settings have in common."""

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import CheckBox, Form, recolour, small


class SettingsPage(QWidget):
    """A heading and fields, each of which changes one value of a section at once."""

    def __init__(self, title: str, settings: SettingsValue, section: str) -> None:
        super().__init__()
        self._settings = settings
        self._section = section
        self.title = title
        self.setObjectName("page")
        heading = QLabel(title)
        set_class(heading, "heading")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(28, 22, 28, 22)
        self._column.setSpacing(16)
        self._column.addWidget(heading)
        self._form: Form | None = None

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        recolour(self, theme)

    def _add(self, name: str, field: QWidget, note: str = "") -> None:
        """One more field of the form."""
        if self._form is None:
            self._form = Form()
            self._column.addLayout(self._form)
        self._form.add(name, field, note)

    def _add_switch(self, switch: CheckBox, note: str) -> None:
        """A switch with the line that explains it, across the whole page."""
        both = QVBoxLayout()
        both.setSpacing(4)
        both.addWidget(switch)
        both.addWidget(small(note))
        self._column.addLayout(both)

    def _edit(self, **values: object) -> None:
        self._settings.edit(self._section, **values)
