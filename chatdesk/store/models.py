"""The model files the app knows, and those it once knew: answers refer to them."""

import re
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chatdesk.core.chat import now
from chatdesk.core.errors import NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.store.database import Database
from chatdesk.store.tables import ModelRow


class ModelStore:
    """Reads and writes the list of model files. Every method may raise `StoreProblem`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, path: Path, header: ModelHeader, mtime_ns: int) -> ModelFile:
        """List the model file at `path`; one already known with these bytes and time is kept.

        Another file at the same path is another model: the earlier one leaves the list.
        """
        place = str(path.absolute())
        with self._database.writing() as session:
            at_place = select(ModelRow).where(ModelRow.path == place)
            row = session.scalar(
                at_place.where(ModelRow.bytes == header.bytes, ModelRow.mtime_ns == mtime_ns)
            )
            session.execute(update(ModelRow).where(ModelRow.path == place).values(listed=False))
            if row is None:
                row = ModelRow(
                    id=_free_id(session, path),
                    path=place,
                    bytes=header.bytes,
                    mtime_ns=mtime_ns,
                    sha256=None,
                    added=now(),
                )
                session.add(row)
            row.header, row.listed = header, True
        return _model(row)

    def list(self) -> tuple[ModelFile, ...]:
        """The models of the library, by id."""
        listed = select(ModelRow).where(ModelRow.listed).order_by(ModelRow.id)
        with self._database.reading() as session:
            return tuple(map(_model, session.scalars(listed)))

    def get(self, model_id: str) -> ModelFile:
        """A model, also one no longer listed. Raises `NotFound`."""
        with self._database.reading() as session:
            return _model(_row(session, model_id))

    def set_hash(self, model_id: str, sha256: str) -> None:
        """Record what the file's bytes hash to. Raises `NotFound`."""
        with self._database.writing() as session:
            _row(session, model_id).sha256 = sha256

    def forget(self, model_id: str) -> None:
        """Take a model off the list; answers still know it. Raises `NotFound`."""
        with self._database.writing() as session:
            _row(session, model_id).listed = False


def _row(session: Session, model_id: str) -> ModelRow:
    row = session.get(ModelRow, model_id)
    if row is None:
        raise NotFound(
            tr("There is no model {id}.", id=model_id),
            tr("`chatdesk models list` shows them all."),
        )
    return row


def _free_id(session: Session, path: Path) -> str:
    """The file's name as a readable id, numbered where it is taken."""
    slug = re.sub(r"[^\w]+", "-", path.stem.lower()).strip("-") or "model"
    taken = set(
        session.scalars(select(ModelRow.id).where(ModelRow.id.startswith(slug, autoescape=True)))
    )
    numbered = (f"{slug}-{n}" for n in range(2, len(taken) + 3))
    return slug if slug not in taken else next(name for name in numbered if name not in taken)


def _model(row: ModelRow) -> ModelFile:
    return ModelFile(
        id=row.id,
        path=row.path,
        header=row.header,
        mtime_ns=row.mtime_ns,
        sha256=row.sha256,
        added=row.added,
    )
