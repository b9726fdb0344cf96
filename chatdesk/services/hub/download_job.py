"""One download: fetches its files on a thread of its own, and says how far it is."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.library.download.disk_problems import check_room, disk_problems
from chatdesk.library.download.fetch import Fetching, fetched_bytes, remove_partial
from chatdesk.library.download.place import file_place
from chatdesk.library.download.speed_limit import SpeedLimit
from chatdesk.library.hub.client import Hub
from chatdesk.services.facts import Publish
from chatdesk.services.hub.facts import DownloadProgressed, DownloadsChanged
from chatdesk.store.downloads import DownloadStore

_log = logging.getLogger(__name__)

OnDone = Callable[[Path, str, str], None]
_REPORT_EVERY_S = 0.25
_NOTE_EVERY_S = 2.0  # in the database, for whoever looks at the list after a crash
_SMOOTHED_OVER_S = 3.0


@dataclass(frozen=True, slots=True)
class JobTools:
    """The services for downloads. `on_done` gets a model's place, its repository and hash."""

    hub: Callable[[], Hub]
    store: DownloadStore
    limit: SpeedLimit
    publish: Publish
    on_done: OnDone


class DownloadStopped(Exception):
    """The download was paused or cancelled, or the app is closing."""


class DownloadJob:
    """A download that is on. Methods may be called from any thread.

    Whoever stops it says what its state is from then on: it writes nothing more itself.
    """

    def __init__(
        self, download: Download, tools: JobTools, on_ended: Callable[["DownloadJob"], None]
    ) -> None:
        self.download = download
        self._tools = tools
        self._on_ended = on_ended
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._cancelled = False
        self._before = 0  # bytes of the parts before the one that is being fetched
        self._speed = _Speed()
        self._reported = self._noted = -math.inf
        self._thread = threading.Thread(target=self._work, name="download", daemon=True)

    def start(self) -> None:
        """Begin, or go on."""
        self._thread.start()

    def stop(self, *, cancel: bool = False) -> None:
        """Have it end soon; everything fetched is kept, or with `cancel` removed."""
        with self._lock:
            self._cancelled = cancel
            self._stopped.set()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout_s)

    # What `Fetching` calls, on the thread

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `DownloadStopped`."""
        if self._stopped.wait(seconds) if seconds else self._stopped.is_set():
            raise DownloadStopped

    def on_received(self, size: int) -> None:
        """Tell of the progress, but not too often."""
        self.download = replace(self.download, received=self._before + size)
        now = time.monotonic()
        if self.download.problem or self.download.state is not DownloadState.RUNNING:
            self._change(state=DownloadState.RUNNING, problem="")
        if now - self._reported >= _REPORT_EVERY_S or self.download.received == self.download.bytes:
            self._reported = now
            self._report(self._speed.at(self.download.received, now))
        if now - self._noted >= _NOTE_EVERY_S:
            self._noted = now
            self._change(announced=False)

    def on_waiting(self, problem: EnvironmentProblem) -> None:
        """Tell why it does not go on now."""
        if self.download.problem != problem.sentence:
            self._change(problem=problem.sentence)

    def on_checking(self) -> None:
        """Tell that what is there is being hashed."""
        self._change(state=DownloadState.CHECKING, problem="")

    # The whole way

    def _work(self) -> None:
        try:
            self._fetch_all()
        except DownloadStopped:
            pass  # whoever stopped it knows why
        except EnvironmentProblem as problem:
            self._fail(problem)
        except Exception:
            _log.exception("a bug in a download")
            self._fail(
                EnvironmentProblem(
                    tr("The download failed because of a bug in ChatDesk."),
                    tr("Details are in the log."),
                )
            )
        finally:
            if self._cancelled:
                remove_fetched(self.download)
            self._on_ended(self)

    def _fetch_all(self) -> None:
        """The parts appear last to first: a model is known by its first, which is then whole."""
        self._change(state=DownloadState.RUNNING, problem="")
        self._check_room()
        fetchings = self._fetchings(self._tools.hub())
        for file, fetching in zip(self.download.files, fetchings, strict=True):
            fetching.fetch()
            self._before += file.bytes
            self.on_received(0)
        for fetching in reversed(fetchings):
            fetching.place()
        first = self.download.files[0]
        path = file_place(Path(self.download.folder), first.path)
        self.sleep(0)
        self._tools.on_done(path, self.download.repo, first.sha256)
        self._change(state=DownloadState.DONE, problem="", path=str(path))

    def _fetchings(self, hub: Hub) -> list[Fetching]:
        download, folder = self.download, Path(self.download.folder)
        return [
            Fetching(
                hub,
                download.repo,
                download.revision,
                file,
                file_place(folder, file.path),
                self._tools.limit,
                self,
            )
            for file in download.files
        ]

    def _check_room(self) -> None:
        folder, download = Path(self.download.folder), self.download
        with disk_problems(folder / download.files[0].path):
            folder.mkdir(parents=True, exist_ok=True)
            there = sum(
                fetched_bytes(file_place(folder, file.path), file, download.revision)
                for file in download.files
            )
            check_room(folder, download.bytes - there)

    def _fail(self, problem: EnvironmentProblem) -> None:
        try:
            self._change(state=DownloadState.FAILED, problem=problem.sentence)
        except DownloadStopped:
            return
        except EnvironmentProblem as unsaved:
            _log.warning("the end of a download was not saved: %s", unsaved)

    def _change(self, *, announced: bool = True, **fields: object) -> None:
        """Raises `DownloadStopped`: what comes then is not this job's to say."""
        with self._lock:
            if self._stopped.is_set():
                raise DownloadStopped
            received = self.download.received
            self.download = self._tools.store.change(self.download.id, received=received, **fields)
        if announced:
            self._tools.publish(DownloadsChanged())

    def _report(self, bytes_per_s: float) -> None:
        left = self.download.bytes - self.download.received
        self._tools.publish(
            DownloadProgressed(
                download_id=self.download.id,
                received=self.download.received,
                bytes_per_s=bytes_per_s,
                seconds_left=left / bytes_per_s if bytes_per_s else 0.0,
            )
        )


class _Speed:
    """Bytes per second, the recent past weighing most."""

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None
        self._smoothed = 0.0

    def at(self, received: int, now: float) -> float:
        """The speed when `received` bytes are there at this moment of the monotonic clock."""
        if self._last is not None and now > self._last[1]:
            spent = now - self._last[1]
            speed = max(received - self._last[0], 0) / spent
            weight = 1 - math.exp(-spent / _SMOOTHED_OVER_S) if self._smoothed else 1.0
            self._smoothed += weight * (speed - self._smoothed)
        self._last = received, now
        return self._smoothed


def remove_fetched(download: Download) -> None:
    """Remove what was fetched of a download that is not done, as far as possible."""
    for file in download.files:
        try:
            place = file_place(Path(download.folder), file.path)
            remove_partial(place, file, download.revision)
        except EnvironmentProblem as problem:
            _log.warning("a cancelled download leaves a file: %s", problem)
