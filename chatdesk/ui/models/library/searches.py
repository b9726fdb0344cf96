"""The dialogs of the Models page that look for something first: other apps, duplicates, types."""

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import trn
from chatdesk.core.model_files import FoundElsewhere, KeptModel
from chatdesk.core.quantizing import Quantizing
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.models.library.duplicates_dialog import DuplicatesDialog
from chatdesk.ui.models.library.other_apps_dialog import OtherAppsDialog
from chatdesk.ui.models.library.quantize_dialog import QuantizeDialog
from chatdesk.ui.models.page import ModelsPage
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.theme import Theme

_T = TypeVar("_T")
Asking = OtherAppsDialog | DuplicatesDialog | QuantizeDialog
Added = tuple[int, EnvironmentProblem | None]


class LibrarySearches(QObject):
    """Opens them over the page, and gives them what the services find.

    `delete_requested` carries a `KeptModel`.
    """

    delete_requested = Signal(object)

    def __init__(
        self, bridge: Bridge, navigator: Navigator, page: ModelsPage, theme: Theme
    ) -> None:
        super().__init__(page)
        self._bridge = bridge
        self._navigator = navigator
        self._page = page
        self._theme = theme
        self._shrink: QuantizeDialog | None = None
        self._progress: Quantizing | None = None
        self._opened: set[Asking] = set()
        page.elsewhere_requested.connect(self.open_elsewhere)
        page.duplicates_requested.connect(self.open_duplicates)
        page.shrink.open_requested.connect(self._show_shrink)
        page.shrink.cancel_requested.connect(self._cancel_shrink)

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        self._theme = theme
        for dialog in self._opened:
            if isinstance(dialog, OtherAppsDialog):
                dialog.set_theme(theme)

    # Models of other apps

    def open_elsewhere(self) -> None:
        """Look for models that other apps keep."""
        dialog = OtherAppsDialog(self._theme, self._page.window())
        dialog.use_requested.connect(partial(self._use, dialog))
        self._open(dialog, lambda app: app.models.elsewhere(), dialog.show_found)

    def _use(self, dialog: OtherAppsDialog, chosen: tuple[FoundElsewhere, ...]) -> None:
        dialog.show_working()
        self._bridge.run(
            lambda app: app.models.add_all_elsewhere(chosen),
            partial(self._notify_added, dialog),
            patient=True,
        )

    def _notify_added(self, dialog: OtherAppsDialog, outcome: Added) -> None:
        added, problem = outcome
        if dialog in self._opened:
            dialog.accept()
        words = trn("{n} model was added.", "{n} models were added.", added)
        if problem:
            self._page.notice.show_problem(
                EnvironmentProblem(f"{words} {problem.what}", problem.todo)
            )
        else:
            self._page.notice.show_words(words)

    # Duplicates

    def open_duplicates(self) -> None:
        """Look for models that are the same."""
        cancelled = Event()
        dialog = DuplicatesDialog(self._page.window())
        dialog.finished.connect(lambda _: cancelled.set())
        dialog.delete_requested.connect(dialog.accept)
        dialog.delete_requested.connect(self.delete_requested)
        self._open(
            dialog,
            lambda app: app.models.duplicates(cancelled.is_set),
            dialog.show_groups,
        )

    # Smaller models

    def open_shrink(self, kept: KeptModel) -> None:
        """Offer to make a model smaller, or show how far that is."""
        model, on = kept.model, self._progress
        dialog = self._shrink = QuantizeDialog(kept, self._page.window())
        dialog.start_requested.connect(partial(self._start, dialog))
        dialog.cancel_requested.connect(self._cancel_shrink)
        dialog.chat_requested.connect(dialog.accept)
        dialog.chat_requested.connect(self._navigator.chat_with)
        dialog.finished.connect(self._shrink_closed)
        if on and on.is_running and on.model.id == model.id:
            dialog.show_progress(on)
            self._open(dialog)
            return

        def show(found: tuple[dict[str, int], bool]) -> None:
            dialog.show_types(found[0], loses_twice=found[1])

        self._open(
            dialog,
            lambda app: (
                {
                    kind: app.quantizing.expected_bytes(model, kind)
                    for kind in app.quantizing.smaller_types(model)
                },
                app.quantizing.loses_twice(model),
            ),
            show,
        )

    def show_quantizing(self, progress: Quantizing) -> bool:
        """Show the progress of a smaller model; return True if the user is looking at it."""
        dialog, self._progress = self._shrink, progress
        self._page.shrink.show_progress(progress)
        if dialog is None or dialog.kept.model.id != progress.model.id:
            return False
        dialog.show_progress(progress)
        return True

    def _show_shrink(self) -> None:
        """Show the dialog of what is being made smaller."""
        on = self._progress
        if on and (kept := self._page.kept.model(on.model.id)):
            self.open_shrink(kept)

    def _cancel_shrink(self) -> None:
        self._bridge.run(lambda app: app.quantizing.cancel(), patient=True)

    def _start(self, dialog: QuantizeDialog, kind: str) -> None:
        model = dialog.kept.model
        failed = partial(self._show_problem, dialog)
        self._bridge.run(lambda app: app.quantizing.start(model, kind), None, failed, patient=True)

    def _shrink_closed(self, _result: int) -> None:
        self._shrink = None

    # All of them

    def _open(
        self,
        dialog: Asking,
        work: Work[_T] | None = None,
        show: Callable[[_T], None] | None = None,
    ) -> None:
        """Open a dialog; `show` gets what `work` finds, if the dialog is still open then."""

        def done(found: _T) -> None:
            if dialog in self._opened and show:
                show(found)

        self._opened.add(dialog)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(lambda _: self._opened.discard(dialog))
        dialog.open()
        if work:
            self._bridge.run(work, done, partial(self._show_problem, dialog), patient=True)

    def _show_problem(self, dialog: Asking, problem: EnvironmentProblem) -> None:
        if dialog in self._opened:
            dialog.show_problem(problem)
