"""The filters of a search as chips, and how long it took."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QLabel, QMenu, QPushButton

from chatdesk.core.chat import Role
from chatdesk.core.i18n import tr
from chatdesk.core.search import Filters
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.eliding_button import ElidingButton
from chatdesk.ui.widgets.wrapping import Flow

WIDEST = 220
_DAYS = (0, 7, 31, 366)


class FilterRow(Flow):
    """`changed` carries the `Filters` that are chosen now."""

    changed = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.filters = Filters()
        self._days: int | None = None
        self._models: list[str] = []
        self._projects: Mapping[str, str] = {}
        self._project = self._chip(tr("Project"), self._fill_projects)
        self._model = self._chip(tr("Model"), self._fill_models)
        self._role = self._chip(tr("Written by"), self._fill_roles)
        self._time = self._chip(tr("Time"), self._fill_times)
        self._code = QPushButton(tr("has code"))
        self._code.setCheckable(True)
        set_class(self._code, "chip")
        self._code.toggled.connect(lambda on: self._set(has_code=on))
        self._took = QLabel()
        set_class(self._took, "small")
        self.add(self._code)
        self.add(self._took, right=True)
        self.set_theme(theme)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        for chip in (self._project, self._model, self._role, self._time):
            chip.set_chevron(theme)

    def offer(self, projects: Mapping[str, str], models: Iterable[str]) -> None:
        """Offer these projects, by their ids, and these models beside those that are known."""
        self._projects = projects
        self._models += [each for each in models if each and each not in self._models]

    def show_seconds(self, seconds: float) -> None:
        """Say how long the search took."""
        self._took.setText(tr("{n} ms", n=max(1, round(seconds * 1000))))

    def clear(self) -> None:
        """Take all filters off."""
        self._days = None
        self._code.blockSignals(True)
        self._code.setChecked(False)
        self._code.blockSignals(False)
        self.filters = Filters()
        self._show()
        self.changed.emit(self.filters)

    def _chip(self, name: str, fill: Callable[[QMenu], None]) -> ElidingButton:
        chip = ElidingButton(name, WIDEST)
        menu = QMenu(chip)
        menu.aboutToShow.connect(partial(fill, menu))
        chip.open_when_pressed(menu)
        self.add(chip)
        return chip

    def _set(self, **values: object) -> None:
        self.filters = replace(self.filters, **values)  # type: ignore[arg-type]
        self._show()
        self.changed.emit(self.filters)

    def _show(self) -> None:
        now = self.filters
        roles = {Role.USER: tr("by you"), Role.ASSISTANT: tr("by a model")}
        chips = (
            (self._project, now.project, now.project or tr("in all projects")),
            (self._model, now.model, now.model or tr("any model")),
            (self._role, now.role, roles.get(now.role or Role.SYSTEM, tr("by anyone"))),
            (self._time, self._days is not None, _time_words(self._days)),
        )
        for chip, is_on, words in chips:
            set_class(chip, "chip-on" if is_on else "chip")
            chip.set_words(words)

    def _fill_projects(self, menu: QMenu) -> None:
        names = [(name, name) for name in self._projects.values()]
        self._fill(menu, [(None, tr("All projects")), *names], "project", self.filters.project)

    def _fill_models(self, menu: QMenu) -> None:
        names = [(name, name) for name in sorted(self._models)]
        self._fill(menu, [(None, tr("Any model")), *names], "model", self.filters.model)

    def _fill_roles(self, menu: QMenu) -> None:
        roles = [(None, tr("Anyone")), (Role.USER, tr("You")), (Role.ASSISTANT, tr("A model"))]
        self._fill(menu, roles, "role", self.filters.role)

    def _fill_times(self, menu: QMenu) -> None:
        _clear(menu)
        group = QActionGroup(menu)
        for days in (None, *_DAYS):
            action = _choice(menu, group, _time_words(days).capitalize(), days == self._days)
            action.triggered.connect(partial(self._set_days, days))

    def _set_days(self, days: int | None, _checked: bool = False) -> None:
        self._days = days
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        self._set(after=None if days is None else midnight - timedelta(days=days))

    def _fill(
        self, menu: QMenu, choices: Sequence[tuple[object, str]], name: str, chosen: object
    ) -> None:
        _clear(menu)
        group = QActionGroup(menu)
        for value, words in choices:
            action = _choice(menu, group, words, value == chosen)
            action.triggered.connect(partial(self._set_one, name, value))

    def _set_one(self, name: str, value: object, _checked: bool = False) -> None:
        self._set(**{name: value})


def _clear(menu: QMenu) -> None:
    menu.clear()
    for group in menu.findChildren(QActionGroup):
        group.deleteLater()


def _choice(menu: QMenu, group: QActionGroup, words: str, is_chosen: bool) -> QAction:
    action = menu.addAction(words.replace("&", "&&"))
    action.setCheckable(True)
    action.setChecked(is_chosen)
    group.addAction(action)
    return action


def _time_words(days: int | None) -> str:
    if days is None:
        return tr("any time")
    return {
        0: tr("today"),
        7: tr("the last 7 days"),
        31: tr("the last month"),
        366: tr("the last year"),
    }[days]
