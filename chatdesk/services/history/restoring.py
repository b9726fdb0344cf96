"""Puts a backup in the place of what is there, in steps that a crash cannot spoil.

It is unpacked and checked beside the data first. A note then says that it takes the place of the
data; whoever finds the note, now or at the next start, moves file by file. What was there is in a
backup of its own by then.
"""

import logging
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from chatdesk.core.backups import BackupContents
from chatdesk.core.files import sync_folder, write_whole
from chatdesk.core.paths import AppPaths
from chatdesk.services.history.backup_file import DATABASE, unpack
from chatdesk.store.copies import check_alone

_PREFIX = ".restoring-"

_log = logging.getLogger(__name__)


def stage(paths: AppPaths, backup: Path) -> BackupContents:
    """Unpack a backup, to take the place of the data with `finish`, or at the next start.

    Raises `BackupProblem` and `StoreProblem`; then nothing is changed.
    """
    remove_staged(paths)
    folder = paths.data / f"{_PREFIX}{secrets.token_hex(8)}"
    try:
        contents = unpack(backup, folder)
        for file in folder.rglob("*"):
            if file.is_file():
                _sync(file)
        write_whole(paths.restoring, folder.name.encode(), durable=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return contents


def finish(paths: AppPaths) -> bool:
    """Have a staged backup take the place of the data; False when there is none.

    May be done again after a crash. Raises `StoreProblem` while another process uses the data, and
    `OSError`.
    """
    note = paths.restoring
    try:
        folder = (
            paths.data / Path(note.read_text("utf-8").strip()).name
        )  # beside it, whatever it says
    except FileNotFoundError:
        return False
    if not folder.name.startswith(_PREFIX) or not folder.is_dir():  # not of our making
        note.unlink()
        return False
    check_alone(paths.database)
    for staged in sorted(folder.iterdir(), key=lambda each: each.name != DATABASE):
        home = paths.config if staged.suffix == ".json" else paths.data
        _replace(staged, home / staged.name)
    sync_folder(paths.data)
    note.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    _log.info("a backup was restored")
    return True


def remove_staged(paths: AppPaths) -> None:
    """Remove what was unpacked by restorings that were given up."""
    with suppress(OSError):
        paths.restoring.unlink(missing_ok=True)
    for folder in paths.data.glob(f"{_PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _replace(staged: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if staged.name == DATABASE:
        for journal in ("-wal", "-shm"):  # of the database that goes
            target.with_name(target.name + journal).unlink(missing_ok=True)
    if staged.suffix == ".json":  # its folder may be on another disk
        write_whole(target, staged.read_bytes(), durable=True)
        return
    if target.is_dir():
        shutil.rmtree(target)
    staged.replace(target)


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())
