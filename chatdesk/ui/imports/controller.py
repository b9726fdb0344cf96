"""Between the page of the import and the services."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.page_controller import PageController
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported when the page is opened
    from chatdesk.services.app import App
    from chatdesk.services.history.import_values import (
        ImportChoice,
        ImportPreview,
        ImportProgressed,
        ImportReport,
    )
    from chatdesk.ui.imports.page import ImportPage


class ImportController(PageController["ImportPage"]):
    """Reads an export and imports it; one at a time.

    `stood` carries how far it is as words, "" while nothing goes on.
    """

    stood = Signal(str)

    def __init__(
        self, bridge: Bridge, navigator: Navigator, notice: Notice, window: QWidget
    ) -> None:
        super().__init__(bridge, navigator, notice, window)
        self._path: Path | None = None
        self._is_busy = False
        navigator.import_requested.connect(self.look)

    def _make_page(self, theme: Theme) -> "ImportPage":
        from chatdesk.services.history.import_values import ImportProgressed
        from chatdesk.ui.imports.page import ImportPage

        page = ImportPage(theme)
        page.file_requested.connect(self._choose_file)
        page.folder_requested.connect(self._choose_folder)
        page.import_requested.connect(self._import)
        page.stop_requested.connect(self._stop)
        page.open_requested.connect(self._navigator.open_chat)
        self._bridge.subscribe(ImportProgressed, self._progressed)
        return page

    def _read(self) -> None:
        """What the page shows changes by what is done there."""

    def look(self, path: Path) -> None:
        """Show what is in an export."""
        self._navigator.show(PageId.IMPORT)
        if self._page is None or self._is_busy:
            return
        self._path, self._is_busy = path, True
        self._page.show_looking(path.name)
        self._bridge.run(partial(_look, path), self._looked, self._failed, patient=True)

    def _looked(self, found: "tuple[ImportPreview, dict[str, str]]") -> None:
        self._end()
        preview, projects = found
        if self._page and self._path:
            if preview.report.is_stopped:
                self._page.show_nothing()
            else:
                self._page.show_preview(self._path.name, preview, projects)

    def _import(self, choice: "ImportChoice") -> None:
        if self._page is None or self._path is None or self._is_busy:
            return
        self._is_busy = True
        self._page.show_importing()
        self._bridge.run(partial(_run, self._path, choice), self._done, self._failed, patient=True)

    def _done(self, report: "ImportReport") -> None:
        self._end()
        if self._page:
            self._page.show_report(report)
        if report.problem:
            self.notice.show_problem(report.problem)

    def _failed(self, problem: EnvironmentProblem) -> None:
        self._end()
        if self._page:
            self._page.show_nothing()
        self.notice.show_problem(problem)

    def _end(self) -> None:
        self._is_busy = False
        self.stood.emit("")

    def _stop(self) -> None:
        self._bridge.run(lambda app: app.imports.stop())

    def _progressed(self, progress: "ImportProgressed") -> None:
        if self._page and self._is_busy:
            self._page.show_progress(progress)
            self.stood.emit(f"{progress.share:.0%}")

    def _choose_file(self) -> None:
        from chatdesk.ui.widgets.file_dialogs import choose_file

        kinds = tr("Exports") + " (*.zip *.json *.jsonl *.csv *.bak *.gz)"
        if path := choose_file(self._window, tr("Choose an export"), kinds):
            self.look(Path(path))

    def _choose_folder(self) -> None:
        from chatdesk.ui.widgets.file_dialogs import choose_folder

        if path := choose_folder(self._window, tr("Choose the folder of an export")):
            self.look(Path(path))


def _look(path: Path, app: "App") -> "tuple[ImportPreview, dict[str, str]]":
    names = {each.project.name: each.project.id for each in app.order.projects()}
    return app.imports.look(path), names


def _run(path: Path, choice: "ImportChoice", app: "App") -> "ImportReport":
    return app.imports.run(path, choice)
