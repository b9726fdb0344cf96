"""Finding models on the hub. Nothing is sent before Enter: what is typed stays on this computer."""

import re
from collections.abc import Collection, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.hub import HubModel, HubRepository
from chatdesk.core.i18n import tr
from chatdesk.ui.models.download_words import FileKey
from chatdesk.ui.models.hub.repository_view import RepositoryView
from chatdesk.ui.models.hub.results import HubResults
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import Choice, plain_button
from chatdesk.ui.widgets.labels import PlainLabel
from chatdesk.ui.widgets.search_field import SearchField
from chatdesk.ui.widgets.wrapping import Flow

if TYPE_CHECKING:  # with it comes what talks to the hub
    from chatdesk.services.hub.service import Judged

_LINK = re.compile(r"\S+://\S+|[^\s/]+/[^\s/]+/\S+")  # also without its scheme
_ORDER_CHARS = 13  # that the longest order is read whole
_LONGEST = 500  # characters of a link or of words to look for


class _Shown(Enum):
    NOTHING = auto()
    WAITING = auto()
    EMPTY = auto()
    FAILED = auto()
    RESULTS = auto()
    REPOSITORY = auto()


class HubSearch(QWidget):
    """A field, and below it what was found or the repository that was opened.

    `search_requested` carries words and an order, one of the hub's own; `open_requested` a
    repository or a link; what comes of either is shown here. After `cancelled` nobody waits for an
    answer any more. `download_requested` carries a `HubRepository` and a `Variant`;
    `settings_requested` asks for those of downloads.
    """

    search_requested = Signal(str, str)
    open_requested = Signal(str)
    cancelled = Signal()
    download_requested = Signal(object, object)
    settings_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._has_results = False
        self._opened = ""
        self._field = SearchField(tr("Search Hugging Face, or paste a link"), theme, inset=12)
        self._sort = Choice(_orders(), "downloads", theme)
        self._close = plain_button(tr("Close"), tr("Close the results"))
        self.state = _State()
        self.results = HubResults(theme)
        self.repository = RepositoryView(theme)
        self._build()
        self._connect()
        self._show(_Shown.NOTHING)
        self.set_theme(theme)

    def _build(self) -> None:
        field = self._field
        set_class(field, "find")
        field.setAccessibleDescription(
            tr("Enter sends it; until then nothing leaves this computer.")
        )
        field.setMaxLength(_LONGEST)
        self._sort.setAccessibleName(tr("Order of the results"))
        self._sort.setMinimumContentsLength(_ORDER_CHARS)
        set_class(self._sort, "find")
        set_class(self._close, "ghost")
        top = Flow(8, 8)
        top.add(field, grows=True)
        top.add(self._sort)
        top.add(self._close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        column.addWidget(top)
        for part in (self.state, self.results, self.repository):
            column.addWidget(part)

    def _connect(self) -> None:
        self._field.returnPressed.connect(self._search)
        self._field.textChanged.connect(lambda text: None if text else self._leave())
        self._sort.activated.connect(lambda _: self._search())
        self._close.clicked.connect(self._field.clear)
        self.state.cancel_requested.connect(self._back)
        self.state.again_requested.connect(self._again)
        self.results.open_requested.connect(self._open)
        self.repository.back_requested.connect(self._back)
        self.repository.settings_requested.connect(self.settings_requested)
        self.repository.download_requested.connect(self.download_requested)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        for part in (self._field, self._sort, self.results, self.repository):
            part.set_theme(theme)

    # Results

    def show_models(self, models: Sequence[HubModel]) -> None:
        """Show the results."""
        self._has_results = bool(models)
        if models:
            self.results.show_models(models)
        else:
            self.state.show_empty(self._field.text())
        self._show(_Shown.RESULTS if models else _Shown.EMPTY)

    def show_repository(self, repository: HubRepository) -> None:
        """The repository that was opened."""
        self.repository.show_repository(repository)
        self._show(_Shown.REPOSITORY)
        if not self._field.hasFocus():  # somebody may be typing again
            self.repository.setFocus()

    def show_judged(self, repository: HubRepository, judged: "Judged") -> None:
        """Show how the variants of the repository would fit."""
        self.repository.show_judged(repository, judged)

    def show_problem(self, problem: EnvironmentProblem) -> None:
        """Why there is no answer."""
        self.state.show_problem(problem)
        self._show(_Shown.FAILED)

    def mark_taken(self, fetching: Collection[FileKey], kept: Collection[FileKey]) -> None:
        """Mark the files that are being fetched, and those on this computer."""
        self.repository.mark_taken(fetching, kept)

    # Input

    def _search(self) -> None:
        words = self._field.text().strip()
        self._opened = ""
        if _LINK.fullmatch(words):
            self._has_results = False
            self._open(words)
        elif words:
            self._wait(tr("Asking the hub for “{words}”…", words=words))
            self.search_requested.emit(words, self._sort.value)

    def _open(self, repo_or_link: str) -> None:
        self._opened = repo_or_link
        self._wait(tr("Opening {repository}…", repository=repo_or_link))
        self.open_requested.emit(repo_or_link)

    def _again(self) -> None:
        if self._opened:
            self._open(self._opened)
        else:
            self._search()

    def _back(self) -> None:
        self.cancelled.emit()
        self._show(_Shown.RESULTS if self._has_results else _Shown.NOTHING)
        if self._has_results:
            self.results.focus(self._opened)
        else:
            self._field.setFocus()

    def _leave(self) -> None:
        """The field was emptied: whoever does that wants the page as it was."""
        self.cancelled.emit()
        self._has_results = False
        self._show(_Shown.NOTHING)
        self._field.setFocus()

    def _wait(self, words: str) -> None:
        self.state.show_waiting(words)
        self._show(_Shown.WAITING)

    def _show(self, shown: _Shown) -> None:
        self.state.setVisible(shown in (_Shown.WAITING, _Shown.EMPTY, _Shown.FAILED))
        self.results.setVisible(shown is _Shown.RESULTS)
        self.repository.setVisible(shown is _Shown.REPOSITORY)
        self._sort.setVisible(shown is not _Shown.NOTHING)
        self._close.setVisible(shown is not _Shown.NOTHING)


class _State(QWidget):
    """That the hub is being asked, has nothing, or could not be asked."""

    cancel_requested = Signal()
    again_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._what = PlainLabel(look="strong")
        self._todo = PlainLabel()
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._cancel = plain_button(tr("Cancel"), tr("Stop asking the hub"))
        self._again = plain_button(tr("Try again"))
        self._cancel.clicked.connect(self.cancel_requested)
        self._again.clicked.connect(self.again_requested)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self._what)
        words.addWidget(self._todo)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addLayout(words, 1)
        for button in (self._cancel, self._again):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 8)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self._bar)

    def show_waiting(self, words: str) -> None:
        """The hub is being asked."""
        self._show(words, "", waiting=True)
        self._bar.setAccessibleName(words)

    def show_empty(self, words: str) -> None:
        """Nothing was found."""
        self._show(
            tr("No GGUF model was found for “{words}”.", words=words),
            tr("Fewer words find more. The name of a model family is a good beginning."),
        )

    def show_problem(self, problem: EnvironmentProblem) -> None:
        """It could not be asked."""
        self._show(problem.what, problem.todo, failed=True)

    def _show(self, what: str, todo: str, *, waiting: bool = False, failed: bool = False) -> None:
        self._what.setText(what)
        self._todo.setText(todo)
        self._todo.setVisible(bool(todo))
        self._bar.setVisible(waiting)
        self._cancel.setVisible(waiting)
        self._again.setVisible(failed)


def _orders() -> dict[str, str]:
    return {
        "downloads": tr("most downloaded"),
        "likes": tr("most liked"),
        "lastModified": tr("newest"),
    }
