"""The downloads: a queue, and as many at once as the user wants."""

import builtins
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chatdesk.core.chat import new_id, now
from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.errors import EnvironmentProblem, NotWritable
from chatdesk.core.hub import Variant
from chatdesk.core.i18n import tr
from chatdesk.core.settings import Settings
from chatdesk.formats.gguf.parts import stem_of
from chatdesk.library.download.place import file_place, repository_folder
from chatdesk.library.download.speed_limit import SpeedLimit
from chatdesk.library.hub.client import Hub
from chatdesk.services.facts import Publish
from chatdesk.services.hub.download_job import DownloadJob, JobTools, OnDone, remove_fetched
from chatdesk.services.hub.facts import DownloadsChanged
from chatdesk.store.downloads import UNFINISHED, DownloadStore

_CLOSE_S = 5.0  # for a download to close its file; written data is kept anyway
_LOOK_EVERY_S = 0.5  # while waiting for a download of another process


class DownloadService:
    """Fetches models. Every method may raise `StoreProblem`.

    `folder` is where models go, asked when a download is begun; `hub` where they come from.
    `settings` are asked for how many there may be at once when one begins or ends. Each
    model that is whole is handed to `on_done`, on the download's thread. A method that is given
    an id raises `NotFound` when there is no download of that id.
    """

    def __init__(
        self,
        store: DownloadStore,
        folder: Callable[[], Path],
        hub: Callable[[], Hub],
        settings: Callable[[], Settings],
        publish: Publish,
        on_done: OnDone,
    ) -> None:
        self._store = store
        self._folder = folder
        self._settings = settings
        self._publish = publish
        limit = SpeedLimit(lambda: settings().downloads.limit_bytes)
        self._tools = JobTools(hub, store, limit, publish, on_done)
        self._queue: builtins.list[Download] = []
        self._jobs: dict[str, DownloadJob] = {}  # those that are on
        self._ending: set[DownloadJob] = set()  # those that were asked to stop
        self._closed = False
        self._changed = threading.Condition(threading.RLock())

    def start(self, repo: str, revision: str, variant: Variant) -> Download:
        """Fetch all files of a variant; one that was begun before goes on.

        Raises `EnvironmentProblem` for names that cannot be those of files.
        """
        folder = repository_folder(self._folder(), repo)
        places = [file_place(folder, file.path) for file in variant.files]
        asked = Download(
            id=new_id(),
            repo=repo,
            revision=revision,
            name=stem_of(places[0]),
            files=variant.files,
            state=DownloadState.QUEUED,
            added=now(),
            folder=str(folder),
        )
        with self._changed:
            download = self._store.add(asked)
            if download.id == asked.id:
                self._enqueue(download)
            elif download.state is not DownloadState.DONE:
                self.resume(download.id)
            elif not all(place.exists() for place in places):
                self._enqueue_anew(download.id)
            return self._store.get(download.id)

    def resume_unfinished(self) -> None:
        """Go on with what ran when the app was closed or killed; what was paused stays so.

        Where nothing can be written it waits for the next start.
        """
        with self._changed, suppress(NotWritable):  # the app's start has told it
            for download in self._store.take_over():
                self._enqueue(download)

    def list(self) -> tuple[Download, ...]:
        """All downloads, oldest first."""
        with self._changed:
            on = {job.download.id: job.download for job in self._jobs.values()}
            return tuple(on.get(each.id, each) for each in self._store.list())

    def pause(self, download_id: str) -> None:
        """Hold a download; what was fetched is kept."""
        with self._changed:
            self._check_is_ours(download_id)
            if self._store.get(download_id).state in UNFINISHED:
                job = self._let_go(download_id)
                came = {"received": job.download.received} if job else {}
                self._store.change(download_id, state=DownloadState.PAUSED, problem="", **came)
                self._go_on()

    def resume(self, download_id: str) -> None:
        """Go on with one that was paused, or try one again that failed."""
        with self._changed:
            is_on = _is_on(self._jobs.get(download_id)) or any(
                each.id == download_id for each in self._queue
            )
            is_done = self._store.get(download_id).state is DownloadState.DONE
            if not is_on and not is_done and not self._store.is_elsewhere(download_id):
                self._enqueue_anew(download_id)

    def cancel(self, download_id: str) -> None:
        """Cancel a download and remove its data; the model of a finished one stays.

        A running one removes it as soon as it has closed the file.
        """
        with self._changed:
            self._check_is_ours(download_id)
            download = self._store.get(download_id)
            job = self._let_go(download_id, cancel=True)
            self._store.remove(download_id)
            self._go_on()
        if not _is_on(job) and download.state is not DownloadState.DONE:
            remove_fetched(download)

    def clear(self, download_id: str) -> None:
        """Take a finished download off the list; its model stays. Others stay on the list."""
        with self._changed:
            if self._store.get(download_id).state is DownloadState.DONE:
                self._store.remove(download_id)
                self._go_on()

    def wait(self, download_id: str, timeout_s: float | None = None) -> Download:
        """Wait until a download is done, failed or paused; as it is then, or after the time."""
        end = time.monotonic() + (math.inf if timeout_s is None else timeout_s)
        with self._changed:
            while True:
                download = self._store.get(download_id)
                left = end - time.monotonic()
                if download.state not in UNFINISHED or left <= 0:
                    return download
                self._changed.wait(min(left, _LOOK_EVERY_S))

    def close(self) -> None:
        """Release all downloads; the next process resumes them."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            for download_id in builtins.list(self._jobs):
                self._let_go(download_id)
            ending = builtins.list(self._ending)
        for job in ending:
            job.join(_CLOSE_S)
        with suppress(NotWritable):  # whoever resumes them sees that this process is gone, too
            self._store.release()

    # The queue. `_changed` is held in all of these.

    def _enqueue_anew(self, download_id: str) -> None:
        self._enqueue(self._store.change(download_id, state=DownloadState.QUEUED, problem=""))

    def _enqueue(self, download: Download) -> None:
        self._queue.append(download)
        self._go_on()

    def _go_on(self) -> None:
        """Begin as many as are allowed at once, and publish the change."""
        while not self._closed and self._queue and len(self._jobs) < self._at_once():
            download = self._queue.pop(0)
            job = self._jobs[download.id] = DownloadJob(download, self._tools, self._on_ended)
            job.start()
        self._changed.notify_all()
        if not self._closed:
            self._publish(DownloadsChanged())

    def _at_once(self) -> int:
        return max(1, self._settings().downloads.at_once)

    def _let_go(self, download_id: str, *, cancel: bool = False) -> DownloadJob | None:
        """Take a download out of the queue, or stop it; the job that it was."""
        self._queue = [each for each in self._queue if each.id != download_id]
        job = self._jobs.pop(download_id, None)
        if job is not None:
            self._ending.add(job)
            job.stop(cancel=cancel)
        return job

    def _on_ended(self, job: DownloadJob) -> None:
        with self._changed:
            self._ending.discard(job)
            if self._jobs.get(job.download.id) is job:
                del self._jobs[job.download.id]
            self._go_on()

    def _check_is_ours(self, download_id: str) -> None:
        if self._store.is_elsewhere(download_id):
            raise EnvironmentProblem(
                tr("Another running ChatDesk is downloading this model."),
                tr("Pause or cancel it there."),
            )


def _is_on(job: DownloadJob | None) -> bool:
    """Return True if a job is at work; its thread may be about to end."""
    return job is not None and job.download.state in UNFINISHED
