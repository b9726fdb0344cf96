"""Between the search field, the page of what is found, and the services."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.search import Filters, Found, Hit, parse
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.page_controller import PageController
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported when the page is opened
    from chatdesk.services.app import App
    from chatdesk.ui.search.page import SearchPage

TYPING_MS = 120  # without another letter, before it is searched
_STEPS = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -8,
    Qt.Key.Key_PageDown: 8,
}

_Answer = tuple[Found, Mapping[str, str]]


class SearchController(PageController["SearchPage"]):
    """Searches while one types; the newest search ends those before it."""

    def __init__(
        self, bridge: Bridge, navigator: Navigator, notice: Notice, window: QWidget
    ) -> None:
        super().__init__(bridge, navigator, notice, window)
        self._fields: list[QLineEdit] = []
        self._words = ""
        self._filters = Filters()
        self._serial = 0
        self._keeps: bool | None = None  # Enter was pressed before the answer came
        self._timer = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._timer.timeout.connect(self._read)

    def take_words_of(self, field: QLineEdit) -> None:
        """Search what is typed in this field, and let its keys choose what is found."""
        self._fields.append(field)
        field.textChanged.connect(self._on_text)
        field.installEventFilter(self)

    def _make_page(self, theme: Theme) -> "SearchPage":
        from chatdesk.ui.search.page import SearchPage

        page = SearchPage(self._fields[0], theme)
        page.field.setText(self._words)
        self.take_words_of(page.field)
        page.filters_changed.connect(self._set_filters)
        page.hits.hit_chosen.connect(self._open)
        return page

    def _on_text(self, text: str) -> None:
        if text == self._words:  # the other field follows
            return
        self._show_words(text)
        if text.strip() and not self.is_looked_at:
            self._navigator.show(PageId.SEARCH)
        self._timer.start()

    def _show_words(self, text: str) -> None:
        self._words = text
        for field in self._fields:
            if field.text() != text:
                field.setText(text)

    def _set_filters(self, filters: Filters) -> None:
        self._filters = filters
        self._read()

    def _read(self) -> None:
        """Search for what is typed now."""
        self._timer.stop()
        self._serial += 1
        serial, words = self._serial, self._words
        query = parse(words, typing=True).within(self._filters)
        if not self._page:
            return
        if query.is_empty:
            self._page.show_nothing_asked()
            return

        def work(app: "App") -> _Answer:
            projects = {each.project.id: each.project.name for each in app.order.projects()}
            return app.search.find(query, is_cancelled=lambda: serial != self._serial), projects

        def done(answer: _Answer) -> None:
            if serial == self._serial and self._page:
                found, projects = answer
                self._page.show_found(found, words, projects)
                if self._keeps is not None:
                    keeps, self._keeps = self._keeps, None
                    self._page.hits.choose(keeps=keeps)

        def failed(problem: EnvironmentProblem) -> None:
            if serial == self._serial and self._page:
                self._page.show_problem(str(problem))

        self._bridge.run(work, done, failed, patient=True)

    def _open(self, hit: Hit, keeps: bool) -> None:
        """Open a chat at what was found in it; `keeps` the words, and the cursor after them."""
        field = self._page.focus_home if self._page else None
        if not keeps:
            self._serial += 1
            self._show_words("")

        def opened(_: object) -> None:
            self._navigator.open_chat(hit.conversation_id, hit.message_id or "")
            if keeps and field:
                field.setFocus()

        message_id = hit.message_id
        if message_id is None:
            opened(None)
        else:
            self._bridge.run(lambda app: app.chat.show_message(message_id), opened)

    # Qt's names from here on

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up, down, Enter and Escape in the field are the list's."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        if not self.is_looked_at:
            return self._key_beside(event) or super().eventFilter(watched, event)
        return self._key(event) or super().eventFilter(watched, event)

    def _key_beside(self, event: QKeyEvent) -> bool:
        """The list was kept, but another page is shown: go back to it."""
        keys = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() not in keys or not self._words.strip():
            return False
        self._navigator.show(PageId.SEARCH)
        return True

    def _key(self, event: QKeyEvent) -> bool:
        assert self._page
        key = Qt.Key(event.key())
        if key in _STEPS:
            self._page.step(_STEPS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            keeps = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            if self._timer.isActive():
                self._keeps = keeps
                self._read()
            else:
                self._page.hits.choose(keeps=keeps)
        elif key == Qt.Key.Key_Escape:
            self._serial += 1
            self._show_words("")
            self._navigator.show(PageId.CHAT)
        else:
            return False
        return True
