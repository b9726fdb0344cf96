"""The common part of the pages of the settings."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import hint, recolour
from chatdesk.ui.widgets.form import Form, align_names
from chatdesk.ui.widgets.scroll import SCROLL_BAR

_T = TypeVar("_T")


class SettingsPage(QWidget):
    """A heading and fields, each of which changes one value of a section at once.

    `section` names that section, and the page itself; `icon` names the picture beside its title.
    """

    section: ClassVar[str]
    icon: ClassVar[str]

    def __init__(self, title: str, settings: SettingsValue) -> None:
        super().__init__()
        self.title = title
        self._settings = settings
        self._is_open = True
        self.setObjectName("page")
        heading = QLabel(title)
        set_class(heading, "heading")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(24, 22, 28 - SCROLL_BAR, 22)
        self._column.setSpacing(16)
        self._column.addWidget(heading)
        self._form: Form | None = None

    def serve(self, bridge: Bridge, navigator: Navigator) -> None:
        """Connect what the page asks of the services, and what it leads to."""

    def turned_to(self) -> None:
        """The page is looked at."""

    def showEvent(self, event: QShowEvent) -> None:
        """Line up the names of the fields."""
        align_names(self)
        super().showEvent(event)

    def finish(self) -> None:
        """The settings are closed: take what was typed last."""
        self._is_open = False

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
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
        explained = hint(note)
        explained.setContentsMargins(switch.words_at, 0, 0, 0)
        both.addWidget(explained)
        self._column.addLayout(both)

    def _edit(self, **values: object) -> None:
        self._settings.edit(self.section, **values)

    def _ask(
        self,
        bridge: Bridge,
        work: Work[_T],
        show: Callable[[_T], None],
        failed: Callable[[EnvironmentProblem], None] | None = None,
    ) -> None:
        """Ask the services; what comes of it is shown while the page is open."""
        bridge.run(work, self._while_open(show), failed and self._while_open(failed), patient=True)

    def _while_open(self, show: Callable[[_T], None]) -> Callable[[_T], None]:
        return lambda value: show(value) if self._is_open else None
