"""The model files the app knows, and those it once knew: answers refer to them."""

import re
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from chatdesk.core.chat import now
from chatdesk.core.errors import NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.store.database import Database
from chatdesk.store.rows import MODELS, as_model, model_values
from chatdesk.store.tables import models


class ModelStore:
    """Reads and writes the list of model files. Every method may raise `StoreProblem`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, path: Path, header: ModelHeader, mtime_ns: int) -> ModelFile:
        """List the model file at `path`; one already known with these bytes and time is kept.

        Another file at the same path is another model: the earlier one leaves the list.
        """
        place = str(path.absolute())
        same = (
            models.c.path == place,
            models.c.bytes == header.bytes,
            models.c.mtime_ns == mtime_ns,
        )
        with self._database.writing() as connection:
            known = connection.scalar(select(models.c.id).where(*same))
            connection.execute(update(models).where(models.c.path == place).values(listed=False))
            if known is not None:
                _change(connection, known, header=header, listed=True)
                return _get(connection, known)
            model = ModelFile(_free_id(connection, path), place, header, mtime_ns, None, now())
            row = {"bytes": header.bytes, "listed": True, **model_values(model)}
            connection.execute(insert(models).values(row))
        return model

    def list(self) -> tuple[ModelFile, ...]:
        """The models of the library, by id."""
        listed = MODELS.where(models.c.listed).order_by(models.c.id)
        with self._database.reading() as connection:
            return tuple(map(as_model, connection.execute(listed)))

    def get(self, model_id: str) -> ModelFile:
        """A model, also one no longer listed. Raises `NotFound`."""
        with self._database.reading() as connection:
            return _get(connection, model_id)

    def set_hash(self, model_id: str, sha256: str) -> None:
        """Record what the file's bytes hash to. Raises `NotFound`."""
        with self._database.writing() as connection:
            _change(connection, model_id, sha256=sha256)

    def forget(self, model_id: str) -> None:
        """Take a model off the list; answers still know it. Raises `NotFound`."""
        with self._database.writing() as connection:
            _change(connection, model_id, listed=False)


def _get(connection: Connection, model_id: str) -> ModelFile:
    row = connection.execute(MODELS.where(models.c.id == model_id)).first()
    if row is None:
        raise _no_model(model_id)
    return as_model(row)


def _change(connection: Connection, model_id: str, **values: object) -> None:
    changed = connection.execute(update(models).where(models.c.id == model_id).values(values))
    if changed.rowcount == 0:
        raise _no_model(model_id)


def _no_model(model_id: str) -> NotFound:
    return NotFound(
        tr("There is no model {id}.", id=model_id),
        tr("`chatdesk models list` shows them all."),
    )


def _free_id(connection: Connection, path: Path) -> str:
    """The file's name as a readable id, numbered where it is taken."""
    slug = re.sub(r"[^\w]+", "-", path.stem.lower()).strip("-") or "model"
    alike = select(models.c.id).where(models.c.id.startswith(slug, autoescape=True))
    taken = set(connection.scalars(alike))
    numbered = (f"{slug}-{n}" for n in range(2, len(taken) + 3))
    return slug if slug not in taken else next(name for name in numbered if name not in taken)
