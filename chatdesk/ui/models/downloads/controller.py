"""The link between the list of downloads and their service: pause, resume, cancel, report."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.services.hub.facts import DownloadProgressed, DownloadsChanged
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.models.download_words import name_and_quantization, status_words
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported when it is made
    from chatdesk.ui.models.downloads.list import DownloadList


class DownloadsController(QObject):
    """Makes the list on demand.

    `status_changed` reports the progress in few words, "" without downloads. `notice` is a place
    where a message is seen.
    """

    status_changed = Signal(str)

    def __init__(self, bridge: Bridge, navigator: Navigator, notice: Callable[[], Notice]) -> None:
        super().__init__()
        self._bridge = bridge
        self._navigator = navigator
        self._notice = notice
        self._downloads: dict[str, Download] = {}
        self._received: dict[str, int] = {}  # of what is running, newer than in the list
        self._made: DownloadList | None = None
        bridge.opened.connect(self._read)  # what was being fetched before goes on
        bridge.subscribe(DownloadsChanged, self._on_downloads)
        bridge.subscribe(DownloadProgressed, self._on_progress)

    @cached_property
    def view(self) -> "DownloadList":
        """The list of downloads."""
        from chatdesk.ui.models.downloads.list import DownloadList

        view = self._made = DownloadList()
        view.pause_requested.connect(self._pause)
        view.resume_requested.connect(self._resume)
        view.cancel_requested.connect(self._cancel)
        view.clear_requested.connect(self._clear)
        view.chat_requested.connect(self._chat)
        view.show_downloads(tuple(self._downloads.values()))
        return view

    # Facts

    def _on_downloads(self, _fact: DownloadsChanged) -> None:
        """There are others, or one is in another state."""
        self._read()

    def _on_progress(self, fact: DownloadProgressed) -> None:
        """One has come further."""
        self._received[fact.download_id] = fact.received
        if self._made:
            self._made.show_progress(fact)
        self._show_status()

    def _read(self) -> None:
        self._bridge.run(lambda app: app.downloads.list(), self._show)

    def _show(self, downloads: Sequence[Download]) -> None:
        before, self._downloads = self._downloads, {each.id: each for each in downloads}
        self._received = {each.id: each.received for each in downloads}
        if self._made:
            self._made.show_downloads(downloads)
        for gone in before.keys() - self._downloads.keys():
            self._notice().solved(_key(gone))
        for download in downloads:
            known = before.get(download.id)
            if known and known.state is DownloadState.FAILED is not download.state:
                self._notice().solved(_key(download.id))
            if known and known.state is not download.state and not self._is_seen:
                self._notify(download)
        self._show_status()

    @property
    def _is_seen(self) -> bool:
        return self._made is not None and self._made.isVisible()

    def _show_status(self) -> None:
        self.status_changed.emit(status_words(self._downloads.values(), self._received))

    def _notify(self, download: Download) -> None:
        """Tell how one has ended, to someone who does not look at the list."""
        name, _ = name_and_quantization(download)
        if download.state is DownloadState.DONE:
            self._notice().show_words(
                tr("{name} is on this computer now.", name=name),
                "",
                tr("Chat"),
                partial(self._chat, download.path),
            )
        elif download.state is DownloadState.FAILED:
            self._notice().show_problem(
                EnvironmentProblem(
                    tr("{name} could not be downloaded.", name=name), download.problem
                ),
                tr("Try again"),
                partial(self._resume, download.id),
                key=_key(download.id),
            )

    # Input

    def _pause(self, download_id: str) -> None:
        self._do(lambda app: app.downloads.pause(download_id))

    def _resume(self, download_id: str) -> None:
        self._do(lambda app: app.downloads.resume(download_id))

    def _cancel(self, download_id: str) -> None:
        self._do(lambda app: app.downloads.cancel(download_id))

    def _clear(self, download_id: str) -> None:
        self._do(lambda app: app.downloads.clear(download_id))

    def _chat(self, path: str) -> None:
        failed = self._notice().show_problem
        self._bridge.run(lambda app: app.models.get(path), self._navigator.chat_with, failed)

    def _do(self, work: Work[object]) -> None:
        self._bridge.run(work, None, self._notice().show_problem)  # one after the other


def _key(download_id: str) -> str:
    """The key of the notice that a download failed."""
    return f"download {download_id}"
