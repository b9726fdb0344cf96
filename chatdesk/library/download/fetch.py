"""Fetches one file of a repository to the byte, and recovers from errors on the way."""

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.hub import HubFile
from chatdesk.core.i18n import tr
from chatdesk.library.download.disk_problems import check_room, disk_problems, in_the_way
from chatdesk.library.download.partial_file import SYNC_BYTES, PartialFile, locked, partial_path
from chatdesk.library.download.speed_limit import SpeedLimit
from chatdesk.library.hub.client import Hub
from chatdesk.library.hub.problems import HubProblem, changed, nonsense
from chatdesk.library.models.identity import sha256_of

if TYPE_CHECKING:
    import httpx2

TRIES = 12  # consecutive ones without progress; they take about five minutes
FIRST_PAUSE_S = 0.25  # before the next try; doubled with each try without progress
LONGEST_PAUSE_S = 60.0
LONGEST_WISH_S = 600.0  # that a server may ask for; a longer wait is the user's decision


class Watcher(Protocol):
    """The caller of a fetch. Any method may raise, to give up."""

    def sleep(self, seconds: float) -> None:
        """Let time pass; also called with 0 seconds, between pieces."""

    def on_received(self, size: int) -> None:
        """So many bytes of the file are on the disk."""

    def on_waiting(self, problem: EnvironmentProblem) -> None:
        """The fetch continues by itself after a while; `problem` is why it does not now."""

    def on_checking(self) -> None:
        """All bytes are there; the hash is being computed."""


class Fetching:
    """One file of a repository on its way to `target`.

    Its methods raise `HubProblem`, `DiskProblem`, or what the watcher raises; fetched data is kept,
    except content that is wrong.
    """

    def __init__(
        self,
        hub: Hub,
        repo: str,
        revision: str,
        file: HubFile,
        target: Path,
        limit: SpeedLimit,
        watcher: Watcher,
    ) -> None:
        self._hub = hub
        self._repo = repo
        self._revision = revision
        self._file = file
        self._target = target
        self._limit = limit
        self._watcher = watcher
        self._most = 0  # most bytes of this content that were there at once
        self._has_changed = False  # on the server, since the file was begun

    def fetch(self) -> None:
        """Fetch and verify the whole file, beside its place or at it."""
        with disk_problems(self._target):
            self._target.parent.mkdir(parents=True, exist_ok=True)
            with locked(self._target, self._wait_for_another):
                if not self._is_there():
                    with self._partial() as partial:
                        self._complete(partial)

    def place(self) -> None:
        """Move the fetched file to its place."""
        with disk_problems(self._target), locked(self._target, self._wait_for_another):
            is_there = self._is_there()
            with self._partial() as partial:
                if is_there:  # another app was faster
                    partial.remove()
                elif partial.verified and partial.size == self._file.bytes:
                    partial.finish()
                else:
                    raise EnvironmentProblem(
                        tr("Another program removed what was downloaded."),
                        tr("Resume to download it again."),
                    )

    def _partial(self) -> PartialFile:
        return PartialFile(self._target, _identity(self._file, self._revision))

    def _is_there(self) -> bool:
        """Return True if the file is at its place. Without a stated hash its size decides."""
        if not self._target.exists():
            return False
        if not self._target.is_file() or self._target.stat().st_size != self._file.bytes:
            raise in_the_way(self._target)
        if self._file.sha256:
            self._watcher.on_checking()
            if sha256_of(self._target, self._given_up) != self._file.sha256:
                raise in_the_way(self._target)
        return True

    def _given_up(self) -> bool:
        self._watcher.sleep(0)
        return False

    def _wait_for_another(self) -> None:
        self._watcher.on_waiting(
            EnvironmentProblem(tr("Another program is downloading this file; waiting for it."))
        )
        self._watcher.sleep(0.2)

    def _complete(self, partial: PartialFile) -> None:
        if partial.size > self._file.bytes:
            partial.begin_anew("")
        self._watcher.on_received(partial.size)
        if partial.verified and partial.size == self._file.bytes:
            return
        check_room(self._target.parent, self._file.bytes - partial.size)
        self._receive(partial)
        self._watcher.on_checking()
        found = partial.sha256(lambda: self._watcher.sleep(0))
        if self._file.sha256 and found != self._file.sha256:
            partial.remove()
            raise EnvironmentProblem(
                tr("What was downloaded is not {name}: its hash is wrong.", name=self._target.name),
                tr("It was removed. Resume to download it again, or choose another model."),
            )
        partial.verify()

    def _receive(self, partial: PartialFile) -> None:
        """Request again, with growing pauses, until everything is there."""
        tries, self._most = 0, partial.size
        while partial.size < self._file.bytes:
            problem = HubProblem(tr("The connection to the hub was cut."), is_temporary=True)
            try:
                self._ask(partial)
            except HubProblem as found:
                if not found.is_temporary:
                    raise
                problem = found
            tries = 0 if partial.size > self._most else tries + 1
            self._most = max(self._most, partial.size)
            if partial.size < self._file.bytes:
                self._pause(problem, tries)

    def _pause(self, problem: HubProblem, tries: int) -> None:
        wish_s = problem.retry_after_s or 0.0
        if tries >= TRIES or wish_s > LONGEST_WISH_S:
            raise problem
        if tries:
            self._watcher.on_waiting(problem)
        self._watcher.sleep(max(min(FIRST_PAUSE_S * 2**tries, LONGEST_PAUSE_S), wish_s))

    def _ask(self, partial: PartialFile) -> None:
        """Make one request for the missing part, and receive as much as comes."""
        headers = {
            "Range": f"bytes={partial.size}-",
            "Accept-Encoding": "identity",  # the bytes themselves, because their positions count
        }
        url = self._hub.url(self._repo, self._revision, self._file.path)
        with self._hub.answer(url, self._target.name, headers=headers) as answer:
            if self._continues(answer, partial):
                self._take_in(answer, partial)

    def _continues(self, answer: "httpx2.Response", partial: PartialFile) -> bool:
        """Return True if the answer continues where the partial file ends.

        If the server has other content than before, or sends everything, the file begins anew.
        """
        name = self._target.name
        start, total = _range(answer)
        if start is None or answer.headers.get("Content-Encoding", "identity") != "identity":
            raise nonsense(name)
        linked = _linked_mark(answer)
        if total not in (None, self._file.bytes) or (
            linked and self._file.sha256 and linked != self._file.sha256
        ):
            raise changed(name)
        mark = linked or _unquoted(answer.headers.get("ETag", ""))
        if start not in (0, partial.size):
            raise nonsense(name)
        if partial.size and mark != partial.mark:
            if self._has_changed:
                raise changed(name)
            self._has_changed, self._most = True, 0
            partial.begin_anew(mark)
        elif start == 0:
            partial.begin_anew(mark)
        return start == partial.size

    def _take_in(self, answer: "httpx2.Response", partial: PartialFile) -> None:
        looked = partial.size
        for data in answer.iter_raw():
            missing = self._file.bytes - partial.size
            partial.write(data[:missing])
            if len(data) > missing:
                raise changed(self._target.name)
            self._watcher.on_received(partial.size)
            self._watcher.sleep(0)
            if partial.size - looked >= SYNC_BYTES:
                looked = partial.size
                check_room(self._target.parent, self._file.bytes - partial.size)
            self._limit.spend(len(data), self._watcher.sleep)


def fetched_bytes(target: Path, file: HubFile, revision: str) -> int:
    """Return the bytes of a file that are on the disk. Raises `OSError`."""
    partial = partial_path(target, _identity(file, revision))
    there = next((place for place in (partial, target) if place.is_file()), None)
    return min(there.stat().st_size, file.bytes) if there else 0


def remove_partial(target: Path, file: HubFile, revision: str) -> None:
    """Remove everything of a file that is not at its place yet. Raises `DiskProblem`."""
    with (
        disk_problems(target),
        contextlib.suppress(FileNotFoundError, _InUse),
        locked(target, _leave_to_another),
        PartialFile(target, _identity(file, revision)) as partial,
    ):
        partial.remove()


def _identity(file: HubFile, revision: str) -> str:
    return file.sha256 or f"revision {revision}"


class _InUse(Exception):
    """Another app fetches the same file and owns the fetched data."""


def _leave_to_another() -> None:
    raise _InUse


def _range(answer: "httpx2.Response") -> tuple[int | None, int | None]:
    """Return where an answer begins, and the size of the whole file if stated."""
    if answer.status_code == 200:
        length = answer.headers.get("Content-Length", "")
        return 0, int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None
    stated = answer.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)", stated)
    if found is None:
        return None, None
    return int(found[1]), None if found[2] == "*" else int(found[2])


def _linked_mark(answer: "httpx2.Response") -> str:
    """Return the SHA-256 of a large file, stated by the hub before a redirect; "" without one."""
    for each in (*answer.history, answer):
        if linked := each.headers.get("X-Linked-Etag"):
            return _unquoted(linked)
    return ""


def _unquoted(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')
