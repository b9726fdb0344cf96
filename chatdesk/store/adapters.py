"""Adapters: their runs, their sources, and which one is active."""

from collections.abc import Iterable

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)

from chatdesk.core.chat import Mark, now
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.personalization import (
    RUNNING,
    AdapterRecord,
    AdapterState,
    ExampleSource,
    RatingTrend,
    Withdrawn,
)
from chatdesk.store.database import Database
from chatdesk.store.prefixes import resolve
from chatdesk.store.ratings import rating_trend
from chatdesk.store.rows import ADAPTERS, adapter_values, as_adapter
from chatdesk.store.tables import activations, adapter_sources, adapters, conversations, messages
from chatdesk.store.writers import is_alive, this_writer


class AdapterStore:
    """Reads and writes adapters and their runs. Every method may raise `StoreProblem`.

    A method with an adapter's id as argument raises `NotFound` when there is none of that id. A run
    in a state of `RUNNING` belongs to the process that put it there, until it ends.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Records

    def add(self, record: AdapterRecord, sources: Iterable[ExampleSource] = ()) -> AdapterRecord:
        """Store a new run or adapter and its sources."""
        row = {**adapter_values(record), "writer": _writer(record.state)}
        made_from = [
            {
                "adapter_id": record.id,
                "conversation_id": source.conversation_id,
                "message_id": source.message_id,
            }
            for source in dict.fromkeys(sources)
        ]
        with self._database.writing() as connection:
            connection.execute(insert(adapters).values(row))
            if made_from:
                connection.execute(insert(adapter_sources), made_from)
            return _get(connection, record.id)

    def get(self, adapter_id: str) -> AdapterRecord:
        """Return a run and its adapter."""
        with self._database.reading() as connection:
            return _get(connection, adapter_id)

    def resolve(self, id_or_prefix: str) -> str:
        """Return the id that begins with these characters.

        Raises `NotFound` when none or more than one does, and for too few of them.
        """
        with self._database.reading() as connection:
            return resolve(connection, adapters.c.id, id_or_prefix, _no_adapter)

    def list(self, model_id: str | None = None) -> tuple[AdapterRecord, ...]:
        """Return all runs, or those of one model, newest first."""
        of_model = true() if model_id is None else adapters.c.model_id == model_id
        with self._database.reading() as connection:
            return _newest_first(connection, of_model)

    def change(self, adapter_id: str, **fields: object) -> AdapterRecord:
        """Change fields of a record, any but `active`; return the changed record."""
        with self._database.writing() as connection:
            return _change(connection, adapter_id, **fields)

    def delete(self, adapter_id: str) -> None:
        """Remove a record and its sources; conversations that chose it then have no choice.

        If it was active, the base becomes active. Raises `EnvironmentProblem` while a living
        process runs it.
        """
        with self._database.writing() as connection:
            _check_idle(connection, adapter_id)
            chosen = conversations.c.adapter == adapter_id
            connection.execute(update(conversations).where(chosen).values(adapter=None))
            connection.execute(delete(adapters).where(adapters.c.id == adapter_id))

    # Runs

    def begin(self, adapter_id: str, state: AdapterState = AdapterState.PREPARING) -> AdapterRecord:
        """Start a run, or resume it, in this process.

        Raises `EnvironmentProblem` while a living process runs it.
        """
        if state not in RUNNING:
            raise ValueError(f"{state} is not a beginning")
        with self._database.writing() as connection:
            _check_idle(connection, adapter_id)
            return _change(connection, adapter_id, state=state, ended=None, error="")

    def finish(self, adapter_id: str, state: AdapterState, **fields: object) -> AdapterRecord:
        """End a run now; no process owns it any more."""
        if state in RUNNING:
            raise ValueError(f"{state} is not an end")
        with self._database.writing() as connection:
            return _change(connection, adapter_id, state=state, ended=now(), **fields)

    def interrupt_dead(self) -> int:
        """Mark the runs whose process is gone as `INTERRUPTED`; return how many."""
        running = select(adapters.c.id, adapters.c.writer).where(adapters.c.state.in_(RUNNING))
        with self._database.writing() as connection:
            left = [row.id for row in connection.execute(running) if not is_alive(row.writer)]
            for adapter_id in left:
                _change(connection, adapter_id, state=AdapterState.INTERRUPTED)
        return len(left)

    # Lineage

    def sources(self, adapter_id: str) -> tuple[ExampleSource, ...]:
        """Return the sources of an adapter, in the order they were given."""
        row = adapter_sources.c
        query = (
            select(row.conversation_id, row.message_id)
            .where(row.adapter_id == adapter_id)
            .order_by(literal_column("adapter_sources.rowid"))
        )
        with self._database.reading() as connection:
            _get(connection, adapter_id)
            return tuple(
                ExampleSource(line.conversation_id, line.message_id)
                for line in connection.execute(query)
            )

    def trained_on(self, conversation_id: str) -> tuple[AdapterRecord, ...]:
        """Return the adapters trained on a conversation, newest first."""
        of_it = select(adapter_sources.c.adapter_id).where(
            adapter_sources.c.conversation_id == conversation_id
        )
        with self._database.reading() as connection:
            return _newest_first(connection, adapters.c.id.in_(of_it))

    def withdrawn(self, adapter_id: str) -> Withdrawn:
        """Return how many of an adapter's sources are gone, in the trash or excluded since.

        Lines of a file are never withdrawn: the app does not keep them.
        """
        row = adapter_sources.c
        of_a_file = row.conversation_id.startswith("file:")  # as `ExampleSource.is_file`
        gone = or_(
            conversations.c.id.is_(None),
            conversations.c.deleted.is_not(None),
            conversations.c.mark == Mark.EXCLUDE,
            messages.c.id.is_(None),
            messages.c.mark == Mark.EXCLUDE,
        )
        counted = (
            select(
                func.count(row.conversation_id.distinct()).label("conversations"),
                func.count().label("examples"),
            )
            .select_from(adapter_sources)
            .outerjoin(conversations, conversations.c.id == row.conversation_id)
            .outerjoin(messages, messages.c.id == row.message_id)
            .where(row.adapter_id == adapter_id, ~of_a_file, gone)
        )
        with self._database.reading() as connection:
            _get(connection, adapter_id)
            lost = connection.execute(counted).one()
        return Withdrawn(lost.conversations, lost.examples)

    # The active one

    def activate(self, model_id: str, adapter_id: str | None) -> None:
        """Use an adapter, or None of them, for a model wherever nothing else is chosen."""
        with self._database.writing() as connection:
            if adapter_id is not None and not _get(connection, adapter_id).is_usable:
                raise ValueError("only a promoted or imported adapter can be active")
            row = {"model_id": model_id, "adapter_id": adapter_id, "at": now()}
            connection.execute(insert(activations).values(row))

    def active(self, model_id: str) -> AdapterRecord | None:
        """Return the adapter that is active for a model; None for the base."""
        newest = (
            select(activations.c.adapter_id)
            .where(activations.c.model_id == model_id)
            .order_by(activations.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        with self._database.reading() as connection:
            row = connection.execute(ADAPTERS.where(adapters.c.id == newest)).first()
        return None if row is None else as_adapter(row)

    def previous(self, model_id: str) -> tuple[bool, str | None]:
        """Return if there is something to roll back to, and what: an adapter's id, None the base.

        Activating the previously active one is going back to it, so that two rollbacks go back two
        adapters; deleted ones are skipped.
        """
        known = or_(activations.c.adapter_id.is_(None), adapters.c.id.is_not(None))
        history = (
            select(activations.c.adapter_id)
            .outerjoin(adapters, adapters.c.id == activations.c.adapter_id)
            .where(activations.c.model_id == model_id, known)
            .order_by(activations.c.id)
        )
        active = self.active(model_id)
        way: list[str | None] = [None]  # the base is active at the beginning
        with self._database.reading() as connection:
            for adapter_id in connection.scalars(history):
                if adapter_id in way:
                    del way[way.index(adapter_id) + 1 :]
                else:
                    way.append(adapter_id)
        if way[-1] == (active.id if active else None):  # otherwise the active one was deleted
            way.pop()
        return bool(way), way[-1] if way else None

    def rating_trend(self, adapter_id: str) -> RatingTrend:
        """Return the thumbs on answers with an adapter, and before it was first active.

        The latter are of its model's answers.
        """
        with self._database.reading() as connection:
            return rating_trend(connection, _get(connection, adapter_id))


def _writer(state: AdapterState) -> str | None:
    return this_writer() if state in RUNNING else None


def _get(connection: Connection, adapter_id: str) -> AdapterRecord:
    row = connection.execute(ADAPTERS.where(adapters.c.id == adapter_id)).first()
    if row is None:
        raise _no_adapter(adapter_id)
    return as_adapter(row)


def _newest_first(connection: Connection, which: ColumnElement[bool]) -> tuple[AdapterRecord, ...]:
    rowid = literal_column("adapters.rowid", Integer)  # clocks may go back
    rows = connection.execute(ADAPTERS.where(which).order_by(rowid.desc()))
    return tuple(map(as_adapter, rows))


def _change(connection: Connection, adapter_id: str, **fields: object) -> AdapterRecord:
    if isinstance(state := fields.get("state"), AdapterState):
        fields["writer"] = _writer(state)
    this = update(adapters).where(adapters.c.id == adapter_id)
    connection.execute(this.values(fields))
    return _get(connection, adapter_id)


def _check_idle(connection: Connection, adapter_id: str) -> None:
    """Raise `NotFound`, or `EnvironmentProblem` while a living process runs it."""
    _get(connection, adapter_id)
    writer = select(adapters.c.writer).where(adapters.c.id == adapter_id)
    if is_alive(connection.scalar(writer)):
        raise EnvironmentProblem(
            tr("This adapter is still being made."), tr("Wait for its end, or cancel it.")
        )


def _no_adapter(adapter_id: str) -> NotFound:
    return NotFound(
        tr("There is no adapter {id}.", id=adapter_id),
        tr("`chatdesk personalize list` shows them all."),
    )
