"""The command line's documents on backups, with the names of its contract."""

from pathlib import Path

from chatdesk.cli.parts import Document
from chatdesk.core.backups import BackupContents
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.services.history.backup_file import Progress, read_contents
from chatdesk.services.history.backups import BackupService, id_of
from chatdesk.services.history.restoring import finish
from chatdesk.store.copies import check_alone
from chatdesk.store.database import Database


def create_backup(
    paths: AppPaths, settings: Settings, file: Path | None, on_progress: Progress
) -> Document:
    """Make a backup and check it. Raises `BackupProblem` and `StoreProblem`."""
    Database.open(paths.database).close()  # made where there is none, and of this version
    return _document(_service(paths, settings).create(file and file.absolute(), on_progress))


def list_backups(paths: AppPaths, settings: Settings) -> list[Document]:
    """The backups in their folder, the newest first."""
    return [_document(each) for each in _service(paths, settings).list()]


def show_backup(paths: AppPaths, settings: Settings, file_or_id: str) -> Document:
    """What is in a backup. Raises `NotFound` and `BackupProblem`."""
    return _document(read_contents(_service(paths, settings).find(file_or_id)))


def restore_backup(paths: AppPaths, settings: Settings, file_or_id: str) -> Document:
    """Put a backup in the place of what is there, which becomes a backup of its own.

    Raises `NotFound`, `BackupProblem`, and `StoreProblem` while ChatDesk is open.
    """
    service = _service(paths, settings)
    backup = service.find(file_or_id).absolute()
    contents = read_contents(backup)
    check_alone(paths.database)
    service.stage(backup)
    finish(paths)
    return _document(contents)


def _service(paths: AppPaths, settings: Settings) -> BackupService:
    return BackupService(paths, lambda: settings, lambda _fact: None)


def _document(contents: BackupContents) -> Document:
    return {
        "id": id_of(contents.path),
        "path": str(contents.path),
        "made": contents.made.isoformat(),
        "bytes": contents.bytes,
        "conversations": contents.conversations,
        "messages": contents.messages,
        "adapters": contents.adapters,
    }
