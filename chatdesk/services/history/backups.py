"""Backups: made by hand or once a day, kept in a folder, the oldest removed."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import chain, count
from pathlib import Path

from chatdesk.core.backups import BackupContents
from chatdesk.core.chat import now
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.services.facts import Publish
from chatdesk.services.history.backup_file import (
    BackupCancelled,
    BackupProblem,
    Progress,
    read_contents,
    write_backup,
)
from chatdesk.services.history.facts import BackupEnded
from chatdesk.services.history.restoring import stage

FIRST_AFTER_S = 600.0  # of the start, which a backup must not slow down
LOOK_EVERY_S = 1800.0
EVERY = timedelta(days=1)
_PREFIX, _SUFFIX = "chatdesk-", ".zip"
_DAILY, _KEPT = "daily-", "before-restore-"

_log = logging.getLogger(__name__)


class BackupService:
    """The backups of one home. Methods may raise `BackupProblem` and `StoreProblem`."""

    def __init__(self, paths: AppPaths, settings: Callable[[], Settings], publish: Publish) -> None:
        self._paths = paths
        self._settings = settings
        self._publish = publish
        self._closing = threading.Event()
        self._one_at_a_time = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where backups are kept unless another file is chosen."""
        chosen = self._settings().backup.folder
        return Path(chosen) if chosen else self._paths.data / "backups"

    def create(
        self,
        target: Path | None = None,
        on_progress: Progress = lambda _done, _all: None,
        *,
        kind: str = "",
    ) -> BackupContents:
        """Make a backup, in the folder of backups if no file is given."""

        def watched(done: int, total: int) -> None:
            if self._closing.is_set():
                raise BackupCancelled
            on_progress(done, total)

        with self._one_at_a_time:
            return write_backup(self._paths, target or self._new_file(kind), watched)

    def list(self) -> tuple[BackupContents, ...]:
        """Return what is in the folder of backups, the newest first; passes over other files."""
        found = []
        for file in self.folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            with suppress(BackupProblem):
                found.append(read_contents(file))
        return tuple(sorted(found, key=lambda each: each.made, reverse=True))

    def contents(self, path: Path) -> BackupContents:
        """Say what is in a backup."""
        return read_contents(path)

    def find(self, file_or_id: str) -> Path:
        """Return the file of a backup by its path, or by its id in the folder of backups."""
        path = Path(file_or_id)
        if path.exists():
            return path
        path = self.folder / f"{_PREFIX}{file_or_id}{_SUFFIX}"
        if "/" not in file_or_id and path.exists():
            return path
        raise NotFound(
            tr("There is no backup {id}.", id=file_or_id),
            tr("`chatdesk backup list` shows them all."),
        )

    def stage(self, path: Path) -> BackupContents:
        """Have a backup take the place of everything at the next start.

        What is there now is kept as a backup of its own before.
        """
        contents = read_contents(path)
        if self._paths.database.exists():
            self.create(kind=_KEPT)
        stage(self._paths, path)
        return contents

    # Daily

    def start(self) -> None:
        """Make a backup each day from now on, where the settings want it."""
        threading.Thread(target=self._go_on, name="backups", daemon=True).start()

    def close(self) -> None:
        """Give up a backup that is being made."""
        self._closing.set()
        with self._one_at_a_time:
            pass

    def _go_on(self) -> None:
        wait_s = FIRST_AFTER_S
        while not self._closing.wait(wait_s):
            wait_s = LOOK_EVERY_S
            if self._settings().backup.daily and self._is_due():
                self._make_daily()

    def _is_due(self) -> bool:
        """True a day after the last one if anything changed.

        One of a time to come, which a wrong clock has said, does not count.
        """
        made = (each.made for each in self.list() if _DAILY in each.path.name)
        last = max((moment for moment in made if moment <= now()), default=None)
        if last is None:
            return True
        return now() - last >= EVERY and self._changed_since(last.timestamp())

    def _changed_since(self, moment: float) -> bool:
        database = self._paths.database
        files = database, database.with_name(database.name + "-wal")
        return any(file.exists() and file.stat().st_mtime > moment for file in files)

    def _make_daily(self) -> None:
        try:
            self._remove_old(self.create(kind=_DAILY))
        except BackupCancelled:
            return
        except EnvironmentProblem as problem:
            _log.warning("no daily backup: %s", type(problem).__name__)
            self._publish(BackupEnded(problem))
        else:
            self._publish(BackupEnded())

    def _remove_old(self, newest: BackupContents) -> None:
        """Remove the oldest daily ones, and not the newest though the clock went back.

        Those made by hand stay.
        """
        others = [each for each in self.list() if _DAILY in each.path.name]
        others = [each for each in others if each.path != newest.path]
        for old in others[max(0, self._settings().backup.kept - 1) :]:
            with suppress(OSError):
                old.path.unlink()

    def _new_file(self, kind: str) -> Path:
        name = f"{_PREFIX}{kind}{now().astimezone():%Y%m%d-%H%M%S}"
        names = chain([name], (f"{name}-{number}" for number in count(2)))
        files = (self.folder / f"{each}{_SUFFIX}" for each in names)
        return next(file for file in files if not file.exists())


def id_of(path: Path) -> str:
    """Return the id of a backup in the folder of backups: what its name has of its own."""
    return path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
