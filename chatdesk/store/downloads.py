"""Downloads in progress, so that they resume after the app was closed or killed."""

from sqlalchemy import Connection, delete, insert, select, update

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.errors import NotFound
from chatdesk.core.i18n import tr
from chatdesk.store.database import Database
from chatdesk.store.rows import DOWNLOADS, as_download, download_values
from chatdesk.store.tables import downloads
from chatdesk.store.writers import is_alive, this_writer

UNFINISHED = (DownloadState.QUEUED, DownloadState.RUNNING, DownloadState.CHECKING)


class DownloadStore:
    """Reads and writes downloads. Every method may raise `StoreProblem`.

    A method with a download's id as argument raises `NotFound` when there is none of that id. A
    download in a state of `UNFINISHED` belongs to the process that put it there, until it ends.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, download: Download) -> Download:
        """Store a new download; the same files of the same repository are the same download."""
        same = (
            downloads.c.repo == download.repo,
            downloads.c.revision == download.revision,
            downloads.c.folder == download.folder,
            downloads.c.files == download.files,
        )
        row = {**download_values(download), "writer": _writer(download.state)}
        with self._database.writing() as connection:
            known = connection.execute(DOWNLOADS.where(*same)).first()
            if known is not None:
                return as_download(known)
            connection.execute(insert(downloads).values(row))
        return download

    def get(self, download_id: str) -> Download:
        """Return a download."""
        with self._database.reading() as connection:
            return _get(connection, download_id)

    def list(self) -> tuple[Download, ...]:
        """Return all downloads, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(DOWNLOADS.order_by(downloads.c.added, downloads.c.id))
            return tuple(map(as_download, rows))

    def change(self, download_id: str, **fields: object) -> Download:
        """Change fields of a download; return the changed download."""
        if isinstance(state := fields.get("state"), DownloadState):
            fields["writer"] = _writer(state)
        chosen = downloads.c.id == download_id
        with self._database.writing() as connection:
            connection.execute(update(downloads).where(chosen).values(fields))
            return _get(connection, download_id)

    def remove(self, download_id: str) -> None:
        """Remove a download from the list; its files stay."""
        with self._database.writing() as connection:
            _get(connection, download_id)
            connection.execute(delete(downloads).where(downloads.c.id == download_id))

    def is_elsewhere(self, download_id: str) -> bool:
        """Return True if another process that still runs owns a download."""
        with self._database.reading() as connection:
            _get(connection, download_id)
            writer = _writer_of(connection, download_id)
        return writer != this_writer() and is_alive(writer)

    def take_over(self) -> tuple[Download, ...]:
        """Take over and return the unfinished downloads of dead processes, oldest first."""
        unfinished = DOWNLOADS.where(downloads.c.state.in_(UNFINISHED))
        with self._database.writing() as connection:
            rows = connection.execute(unfinished.order_by(downloads.c.added, downloads.c.id))
            left = [
                download
                for download in map(as_download, rows)
                if not is_alive(_writer_of(connection, download.id))
            ]
            for download in left:
                chosen = update(downloads).where(downloads.c.id == download.id)
                connection.execute(chosen.values(state=DownloadState.QUEUED, writer=this_writer()))
            return tuple(_get(connection, download.id) for download in left)

    def release(self) -> None:
        """Release the unfinished downloads of this process for another one."""
        ours = downloads.c.writer == this_writer()
        with self._database.writing() as connection:
            connection.execute(update(downloads).where(ours).values(writer=None))


def _writer(state: DownloadState) -> str | None:
    return this_writer() if state in UNFINISHED else None


def _writer_of(connection: Connection, download_id: str) -> str | None:
    return connection.scalar(select(downloads.c.writer).where(downloads.c.id == download_id))


def _get(connection: Connection, download_id: str) -> Download:
    row = connection.execute(DOWNLOADS.where(downloads.c.id == download_id)).first()
    if row is None:
        raise NotFound(tr("There is no download {id}.", id=download_id))
    return as_download(row)
