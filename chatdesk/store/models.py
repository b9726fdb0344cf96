"""The model files that the app knows, and those it once knew: answers refer to them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from chatdesk.core.chat import now
from chatdesk.core.errors import NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.model_files import ModelNotes
from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.store.database import Database
from chatdesk.store.rows import KNOWN_MODELS, MODELS, AnyRow, as_known_model, as_model, model_values
from chatdesk.store.tables import models


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A model file as found. Its id comes from `name`, or from the file's name without one."""

    path: Path
    header: ModelHeader
    mtime_ns: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model with all its data. `forgotten`: the user removed it from the list."""

    model: ModelFile
    notes: ModelNotes
    listed: bool
    forgotten: bool


class ModelStore:
    """Reads and writes the list of model files. Every method may raise `StoreProblem`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, path: Path, header: ModelHeader, mtime_ns: int, name: str = "") -> ModelFile:
        """List the model file at `path`; one already known with these bytes and time is kept.

        Another file at the same path is another model: the earlier one leaves the list, and the
        user's notes on it are taken over.
        """
        (model,) = self.add_all([FoundFile(path, header, mtime_ns, name)])
        return model

    def add_all(self, files: Sequence[FoundFile]) -> tuple[ModelFile, ...]:
        """`add` for each of the files, all in one transaction."""
        with self._database.writing() as connection:
            return tuple(_add(connection, file) for file in files)

    def list(self) -> tuple[ModelFile, ...]:
        """Return the models of the library, by id."""
        listed = MODELS.where(models.c.listed).order_by(models.c.id)
        with self._database.reading() as connection:
            return tuple(map(as_model, connection.execute(listed)))

    def known(self) -> tuple[KnownModel, ...]:
        """Return all past and present models, by id."""
        with self._database.reading() as connection:
            rows = connection.execute(KNOWN_MODELS.order_by(models.c.id))
            return tuple(map(_as_known, rows))

    def get(self, model_id: str) -> ModelFile:
        """Return a model, also one no longer listed. Raises `NotFound`."""
        with self._database.reading() as connection:
            return _get(connection, model_id)

    def is_forgotten(self, model_id: str) -> bool:
        """Return True if the user removed a model from the list."""
        forgotten = select(models.c.forgotten).where(models.c.id == model_id)
        with self._database.reading() as connection:
            return bool(connection.scalar(forgotten))

    def set_hash(self, model_id: str, sha256: str) -> None:
        """Record the hash of the file's bytes. Raises `NotFound`."""
        with self._database.writing() as connection:
            _change(connection, model_id, sha256=sha256)

    def move(self, model_id: str, path: Path, mtime_ns: int) -> None:
        """Record that the model's file is at `path` now, with this time. Raises `NotFound`.

        The model that was at that path leaves the list. This model stays listed, or not.
        """
        place = str(path.absolute())
        with self._database.writing() as connection:
            before = update(models).where(models.c.path == place, models.c.id != model_id)
            connection.execute(before.values(listed=False))
            _change(connection, model_id, path=place, mtime_ns=mtime_ns)

    def delist(self, model_id: str) -> None:
        """Remove a model from the list until its file is found again. Raises `NotFound`."""
        with self._database.writing() as connection:
            _change(connection, model_id, listed=False)

    def forget(self, model_id: str) -> None:
        """Remove a model from the list until it is added. Raises `NotFound`.

        Answers still refer to it.
        """
        with self._database.writing() as connection:
            _change(connection, model_id, listed=False, forgotten=True)

    def notes(self, model_id: str) -> ModelNotes:
        """Return the notes on a model. Raises `NotFound`."""
        with self._database.reading() as connection:
            return _notes(connection, model_id)

    def note(self, model_id: str, change: Callable[[ModelNotes], ModelNotes]) -> None:
        """Replace the notes on a model by `change` of them. Raises `NotFound`."""
        with self._database.writing() as connection:
            _change(connection, model_id, notes=change(_notes(connection, model_id)))


def _add(connection: Connection, file: FoundFile) -> ModelFile:
    place = str(file.path.absolute())
    here = models.c.path == place
    same = (here, models.c.bytes == file.header.bytes, models.c.mtime_ns == file.mtime_ns)
    known = connection.scalar(select(models.c.id).where(*same))
    earlier = connection.scalar(select(models.c.notes).where(here, models.c.listed))
    connection.execute(update(models).where(here).values(listed=False))
    if known is not None:
        _change(connection, known, header=file.header, listed=True, forgotten=False)
        return _get(connection, known)
    new_id = _free_id(connection, file.name or file.path.stem)
    model = ModelFile(new_id, place, file.header, file.mtime_ns, None, now())
    notes = _without_measurements(earlier) if earlier else ModelNotes()
    row = {"bytes": file.header.bytes, "listed": True, "notes": notes, **model_values(model)}
    connection.execute(insert(models).values(row))
    return model


def _as_known(row: AnyRow) -> KnownModel:
    """A row of `KNOWN_MODELS`."""
    return KnownModel(as_known_model(row), row.notes, row.listed, row.forgotten)


def _without_measurements(notes: ModelNotes) -> ModelNotes:
    """Return the user's notes only, for a file that replaces the measured one."""
    return replace(
        notes, last_used=None, tokens_per_s=0.0, estimated_bytes=0, used_bytes=0, used_context=0
    )


def _get(connection: Connection, model_id: str) -> ModelFile:
    row = connection.execute(MODELS.where(models.c.id == model_id)).first()
    if row is None:
        raise _no_model(model_id)
    return as_model(row)


def _notes(connection: Connection, model_id: str) -> ModelNotes:
    notes = connection.scalar(select(models.c.notes).where(models.c.id == model_id))
    if notes is None:
        raise _no_model(model_id)
    return notes


def _change(connection: Connection, model_id: str, **values: object) -> None:
    changed = connection.execute(update(models).where(models.c.id == model_id).values(values))
    if changed.rowcount == 0:
        raise _no_model(model_id)


def _no_model(model_id: str) -> NotFound:
    return NotFound(
        tr("There is no model {id}.", id=model_id),
        tr("`chatdesk models list` shows them all."),
    )


def _free_id(connection: Connection, name: str) -> str:
    """Return a name as a readable id, numbered if it is taken."""
    slug = re.sub(r"[^\w]+", "-", name.lower()).strip("-") or "model"
    alike = select(models.c.id).where(models.c.id.startswith(slug, autoescape=True))
    taken = set(connection.scalars(alike))
    numbered = (f"{slug}-{n}" for n in range(2, len(taken) + 3))
    return slug if slug not in taken else next(name for name in numbered if name not in taken)
