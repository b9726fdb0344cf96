"""The page of the search: how much was found, filters, what was found, and what to do without."""

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QScrollArea, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr, trn
from chatdesk.core.search import Filters, Found
from chatdesk.ui.search.filter_row import FilterRow
from chatdesk.ui.search.hit_list import HitList
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.fields import plain_button, small
from chatdesk.ui.widgets.page import PageView
from chatdesk.ui.widgets.search_field import SearchField


class SearchPage(PageView):
    """The keyboard stays in the sidebar's search field, or in its own where there is no sidebar."""

    filters_changed = Signal(object)

    def __init__(self, sidebar_field: QLineEdit, theme: Theme) -> None:
        super().__init__(tr("Search"), theme)
        self._sidebar_field = sidebar_field
        self.field = SearchField(tr("Search all chats"), theme)
        self.field.setClearButtonEnabled(True)
        self.filters = FilterRow(theme)
        self.hits = HitList(theme)
        self._state = small("")
        self._state.setContentsMargins(0, 16, 0, 0)
        self._without = plain_button(tr("Search without filters"))
        self._hint = small(
            tr(
                "↑↓ to choose, Enter opens the chat at the message, Ctrl+Enter keeps this list. "
                "Also understood: {examples}",
                examples='"exact words", win*, -frost, before:2024-05, role:user, model:, in:',
            )
        )
        self._hint.setContentsMargins(0, 12, 0, 0)
        lead = QWidget()
        head = QVBoxLayout(lead)
        head.setContentsMargins(0, 8, 0, 4)
        head.setSpacing(10)
        head.addWidget(self.field)
        head.addWidget(self.filters)
        self.column.setSpacing(4)
        self.column.addLayout(self.header(lead))
        for part in (self._state, self.hits, self._hint):
            self.column.addWidget(part)
        self.column.insertWidget(2, self._without, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addStretch(1)
        self.filters.changed.connect(self.filters_changed)
        self._without.clicked.connect(self.filters.clear)
        self._without.hide()
        self.hits.hide()
        self.offer_sidebar(False)
        self.set_theme(theme)

    @property
    def focus_home(self) -> QWidget:
        """Where one types."""
        return self.focusProxy() or self

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        super().set_theme(theme)
        for part in (self.field, self.filters, self.hits):
            part.set_theme(theme)

    def offer_sidebar(self, offered: bool) -> None:
        """Where the sidebar is a drawer the page has a field of its own."""
        super().offer_sidebar(offered)
        self.field.setVisible(offered)
        self.setFocusProxy(self.field if offered else self._sidebar_field)

    def show_nothing_asked(self) -> None:
        """Say what can be done here."""
        self._title.setText(tr("Search"))
        self._show_state(tr("Type words to find them in the titles and messages of all chats."))

    def show_found(self, found: Found, words: str, projects: Mapping[str, str]) -> None:
        """Show what was found for these words, or what to do where nothing was."""
        self.filters.offer(projects, (hit.model for hit in found.hits))
        self.filters.show_seconds(found.seconds)
        self._title.setText(_count_words(found))
        is_filtered = self.filters.filters != Filters()
        self._show_state(_state_words(found, words.strip(), is_filtered=is_filtered))
        self._without.setVisible(not found.hits and is_filtered)
        self.hits.setVisible(bool(found.hits))
        self.hits.show_hits(found.hits, projects)

    def show_problem(self, words: str) -> None:
        """Say why nothing can be searched."""
        self._title.setText(tr("Search"))
        self._show_state(words)

    def step(self, by: int) -> None:
        """Choose another hit, and scroll to it."""
        place = self.hits.step(by)
        area = self.findChild(QScrollArea)
        content = area.widget() if area else None
        if area and content:
            top = self.hits.mapTo(content, place.topLeft())
            half = QPoint(0, place.height() // 2)
            area.ensureVisible(0, (top + half).y(), 0, place.height())

    def _show_state(self, words: str) -> None:
        self._state.setText(words)
        self._state.setVisible(bool(words))
        self._without.hide()
        self.hits.hide()


def _count_words(found: Found) -> str:
    if not found.hits:
        return tr("Nothing was found")
    count = len(found.hits)
    messages = trn("{n} place", "{n} places", count)
    if found.has_more:
        messages = tr("More than {n}", n=messages)
    chats = trn("{n} chat", "{n} chats", found.conversations)
    return tr("{messages} in {chats}", messages=messages, chats=chats)


def _state_words(found: Found, words: str, *, is_filtered: bool) -> str:
    """Return what is to be known about what was found."""
    parts = []
    if found.unknown_project:
        parts.append(tr("There is no project “{name}”.", name=found.unknown_project))
    elif not found.hits:
        parts.append(tr("No title and no message has “{words}”.", words=words[:80]))
        if not is_filtered:
            parts.append(tr("Fewer words, or the beginning of one, may find more."))
    if found.back_to:
        day = f"{found.back_to.astimezone():%Y-%m-%d}"
        parts.append(tr("It took too long: nothing older than {day} was searched.", day=day))
    if found.waiting:
        parts.append(
            trn(
                "{n} chat is not searched yet: it is being prepared.",
                "{n} chats are not searched yet: they are being prepared.",
                found.waiting,
            )
        )
    return " ".join(parts)
