"""The list of downloads: the progress of each model, and its actions."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.i18n import tr
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.ui.models.download_words import HELD, download_words, name_and_quantization
from chatdesk.ui.models.downloads.discard_question import discard
from chatdesk.ui.models.row import HubRow
from chatdesk.ui.theme import set_class
from chatdesk.ui.widgets.fields import section

_STEPS = 1000  # of the progress bar


class DownloadList(QWidget):
    """Asks by a download's id; `chat_requested` carries the path of a finished file.

    Hidden while nothing is being fetched and nothing has been.
    """

    pause_requested = Signal(str)
    resume_requested = Signal(str)  # also to try a failed one again
    cancel_requested = Signal(str)
    clear_requested = Signal(str)
    chat_requested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, DownloadRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(section(tr("Downloads").upper()))
        self.setAccessibleName(tr("Downloads"))
        self.hide()

    def show_downloads(self, downloads: Sequence[Download]) -> None:
        """Show these; rows of those that were there stay, with the focus they have."""
        there = {download.id for download in downloads}
        for gone in self._rows.keys() - there:
            self._rows.pop(gone).deleteLater()
        for place, download in enumerate(downloads, start=1):
            row = self._rows.get(download.id) or self._new_row(download)
            if self._column.indexOf(row) != place:
                self._column.insertWidget(place, row)
            row.show_download(download)
        self.setVisible(bool(downloads))

    def show_progress(self, progress: DownloadProgressed) -> None:
        """One has come further."""
        if row := self._rows.get(progress.download_id):
            row.show_progress(progress)

    def _new_row(self, download: Download) -> "DownloadRow":
        row = self._rows[download.id] = DownloadRow(download)
        for signal, request in (
            (row.pause_requested, self.pause_requested),
            (row.resume_requested, self.resume_requested),
            (row.cancel_requested, self.cancel_requested),
            (row.clear_requested, self.clear_requested),
            (row.chat_requested, self.chat_requested),
        ):
            signal.connect(request)
        return row


class DownloadRow(HubRow):
    """One download; its two buttons do what its state allows."""

    pause_requested = Signal(str)
    resume_requested = Signal(str)
    cancel_requested = Signal(str)
    clear_requested = Signal(str)
    chat_requested = Signal(str)
    button_width = 98

    def __init__(self, download: Download) -> None:
        super().__init__(*name_and_quantization(download))
        self._download = download
        self._progress: DownloadProgressed | None = None
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setAccessibleName(tr("Progress of {name}", name=self.title.text()))
        self.left.addSpacing(3)
        self.left.addWidget(self._bar)
        self._do = self.add_button("")
        self._end = self.add_button("", "ghost")
        for button in (self._do, self._end):  # the bars of all rows end at the same place
            policy = button.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            button.setSizePolicy(policy)
        self._do.clicked.connect(self._act)
        self._end.clicked.connect(self._finish)

    def show_download(self, download: Download) -> None:
        """Its state is another one."""
        self._download = download
        if download.state is not DownloadState.RUNNING:
            self._progress = None
        done = download.state is DownloadState.DONE
        self._bar.setVisible(not done)
        words = {
            DownloadState.PAUSED: tr("Resume"),
            DownloadState.FAILED: tr("Try again"),
            DownloadState.DONE: tr("Chat"),
        }
        self.say_button(self._do, words.get(download.state, tr("Pause")))
        self._do.setVisible(download.state is not DownloadState.CHECKING)
        self.say_button(self._end, tr("Clear") if done else tr("Cancel"))
        set_class(self._do, "primary" if done else "")
        failed = download.state is DownloadState.FAILED
        set_class(self.line, "danger" if failed else "small")
        self._say_progress()

    def show_progress(self, progress: DownloadProgressed) -> None:
        """It has come further; what comes late is of no interest any more."""
        if self._download.state is DownloadState.RUNNING:
            self._progress = progress
            self._say_progress()

    def _say_progress(self) -> None:
        received = self._progress.received if self._progress else self._download.received
        self._bar.setValue(round(_STEPS * received / max(1, self._download.bytes)))
        self.say(download_words(self._download, self._progress))

    def _act(self) -> None:
        if self._download.state is DownloadState.DONE:
            self.chat_requested.emit(self._download.path)
        elif self._download.state in HELD:
            self.resume_requested.emit(self._download.id)
        else:
            self.pause_requested.emit(self._download.id)

    def _finish(self) -> None:
        received = self._progress.received if self._progress else self._download.received
        if self._download.state is DownloadState.DONE:
            self.clear_requested.emit(self._download.id)
        else:
            discard(self, received, lambda: self.cancel_requested.emit(self._download.id))
