"""Conversations and their messages."""

from dataclasses import fields
from datetime import datetime

from sqlalchemy import delete, func, literal_column, select, update
from sqlalchemy.orm import Session

from chatdesk.core.chat import (
    AnswerRecord,
    Conversation,
    ConversationSummary,
    Message,
    MessageState,
    Role,
    TitleSource,
    new_id,
    now,
)
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.i18n import tr
from chatdesk.store.database import Database
from chatdesk.store.tables import AnswerRow, ConversationRow, MessageRow
from chatdesk.store.writers import is_alive, this_writer

SHORTEST_PREFIX = 4  # characters of an id
_ANSWER_FIELDS = tuple(field.name for field in fields(AnswerRecord))


class ConversationStore:
    """Reads and writes conversations. Every method may raise `StoreProblem`.

    A method that is given an id raises `NotFound` when there is nothing of that id.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Conversations

    def create(
        self,
        *,
        title: str = "",
        title_source: TitleSource | None = None,
        system_prompt: str = "",
    ) -> Conversation:
        """A new, empty conversation. A title given here is the user's, unless said otherwise."""
        if title_source is None:
            title_source = TitleSource.USER if title else TitleSource.NONE
        moment = now()
        row = ConversationRow(
            id=new_id(),
            title=title,
            title_source=title_source,
            system_prompt=system_prompt,
            active_leaf_id=None,
            created=moment,
            updated=moment,
            deleted=None,
        )
        with self._database.writing() as session:
            session.add(row)
        return _conversation(row, ())

    def get(self, conversation_id: str) -> Conversation:
        """The whole conversation, also one in the trash (`deleted` says so)."""
        in_order = (
            select(MessageRow)
            .where(MessageRow.conversation_id == conversation_id)
            .order_by(MessageRow.position)
        )
        with self._database.reading() as session:
            row = _conversation_row(session, conversation_id)
            return _conversation(row, tuple(map(_message, session.scalars(in_order))))

    def resolve(self, id_or_prefix: str) -> str:
        """The id that begins with these characters, at least `SHORTEST_PREFIX`; trash included.

        Raises `NotFound` when none or more than one does, saying which.
        """
        if len(id_or_prefix) < SHORTEST_PREFIX:
            raise NotFound(
                tr("“{id}” is too short for the id of a conversation.", id=id_or_prefix),
                tr("Give at least {n} characters.", n=SHORTEST_PREFIX),
            )
        begins = ConversationRow.id.startswith(id_or_prefix, autoescape=True)
        with self._database.reading() as session:
            found = session.scalars(select(ConversationRow.id).where(begins).limit(2)).all()
        if not found:
            raise _no_conversation(id_or_prefix)
        if len(found) > 1:
            raise NotFound(
                tr("The ids of several conversations begin with {id}.", id=id_or_prefix),
                tr("Give more characters of the id."),
            )
        return found[0]

    def list(self, *, deleted: bool = False) -> tuple[ConversationSummary, ...]:
        """What the sidebar shows (or the trash, if `deleted`), newest `updated` first."""
        messages = (
            select(func.count())
            .where(MessageRow.conversation_id == ConversationRow.id)
            .scalar_subquery()
        )
        row = ConversationRow
        query = (
            select(row.id, row.title, row.title_source, row.created, row.updated, messages)
            .where(row.deleted.is_not(None) if deleted else row.deleted.is_(None))
            .order_by(row.updated.desc(), literal_column("conversations.rowid").desc())
        )
        with self._database.reading() as session:
            return tuple(ConversationSummary(*line) for line in session.execute(query))

    def rename(self, conversation_id: str, title: str, source: TitleSource) -> bool:
        """Name a conversation; False when the user named it before and `source` is not the user."""
        with self._database.writing() as session:
            row = _conversation_row(session, conversation_id)
            if row.title_source is TitleSource.USER and source is not TitleSource.USER:
                return False
            row.title, row.title_source = title, source
        return True

    def set_system_prompt(self, conversation_id: str, text: str) -> None:
        """Change what the model is told before the first message, from the next answer on."""
        with self._database.writing() as session:
            _conversation_row(session, conversation_id).system_prompt = text

    def delete(self, conversation_id: str) -> None:
        """Put a conversation in the trash; `restore` brings it back as it was."""
        with self._database.writing() as session:
            row = _conversation_row(session, conversation_id)
            row.deleted = row.deleted or now()

    def restore(self, conversation_id: str) -> None:
        """Take a conversation out of the trash."""
        with self._database.writing() as session:
            _conversation_row(session, conversation_id).deleted = None

    def purge(self, older_than: datetime) -> int:
        """Remove for good what went to the trash before that moment; returns how many did."""
        with self._database.writing() as session:
            gone = session.scalars(
                delete(ConversationRow)
                .where(ConversationRow.deleted < older_than)
                .returning(ConversationRow.id)
            )
            return len(gone.all())

    # Messages

    def add_message(
        self,
        conversation_id: str,
        parent_id: str | None,
        role: Role,
        text: str,
        *,
        state: MessageState = MessageState.COMPLETE,
        answer: AnswerRecord | None = None,
    ) -> Message:
        """Add a message below `parent_id` (None: a root); it becomes the active leaf.

        One that is `STREAMING` belongs to this process until `finish`.
        """
        with self._database.writing() as session:
            conversation = _conversation_row(session, conversation_id)
            if parent_id is not None:
                _check_belongs(session, conversation_id, parent_id)
            last = select(func.max(MessageRow.position)).where(
                MessageRow.conversation_id == conversation_id
            )
            position = session.scalar(last)
            row = MessageRow(
                id=new_id(),
                conversation_id=conversation_id,
                parent_id=parent_id,
                position=0 if position is None else position + 1,
                role=role,
                text=text,
                state=state,
                created=now(),
                writer=_writer(state),
                answer=None if answer is None else _answer_row(answer),
            )
            session.add(row)
            conversation.active_leaf_id, conversation.updated = row.id, row.created
        return _message(row)

    def conversation_of(self, message_id: str) -> str:
        """The id of the conversation a message belongs to."""
        with self._database.reading() as session:
            return _message_row(session, message_id).conversation_id

    def write_text(
        self, message_id: str, text: str, state: MessageState = MessageState.STREAMING
    ) -> None:
        """Save what there is of an answer so far: one small statement, for every 250 ms."""
        with self._database.writing() as session:
            saved = session.scalar(
                update(MessageRow)
                .where(MessageRow.id == message_id)
                .values(text=text, state=state, writer=_writer(state))
                .returning(MessageRow.id)
            )
            if saved is None:
                raise _no_message(message_id)

    def finish(
        self, message_id: str, text: str, state: MessageState, answer: AnswerRecord
    ) -> Message:
        """Save an answer for good, with how it came to be; it belongs to no process any more."""
        if state is MessageState.STREAMING:
            raise ValueError("streaming is not an end")
        with self._database.writing() as session:
            row = _message_row(session, message_id)
            row.text, row.state, row.writer = text, state, None
            if row.answer is None:
                row.answer = _answer_row(answer)
            else:
                for name in _ANSWER_FIELDS:
                    setattr(row.answer, name, getattr(answer, name))
        return _message(row)

    def reopen(self, message_id: str) -> Message:
        """Take a finished answer up again, to be continued by this process.

        Raises `EnvironmentProblem` while a living process streams into it.
        """
        with self._database.writing() as session:
            row = _message_row(session, message_id)
            if row.role is not Role.ASSISTANT:
                raise ValueError("only an answer can be continued")
            if row.state is MessageState.STREAMING and is_alive(row.writer):
                raise EnvironmentProblem(
                    tr("This answer is still being written."), tr("Wait for its end, or stop it.")
                )
            row.state, row.writer = MessageState.STREAMING, this_writer()
        return _message(row)

    def set_active_leaf(self, conversation_id: str, leaf_id: str) -> None:
        """Choose the branch that is read."""
        with self._database.writing() as session:
            conversation = _conversation_row(session, conversation_id)
            _check_belongs(session, conversation_id, leaf_id)
            conversation.active_leaf_id = leaf_id

    def recover(self) -> int:
        """Mark answers whose writing process is gone as `INTERRUPTED`; returns how many.

        Those of a living process, this one included, go on.
        """
        streaming = select(MessageRow).where(MessageRow.writer.is_not(None))
        with self._database.writing() as session:
            left = [row for row in session.scalars(streaming) if not is_alive(row.writer)]
            for row in left:
                row.state, row.writer = MessageState.INTERRUPTED, None
        return len(left)


def _writer(state: MessageState) -> str | None:
    return this_writer() if state is MessageState.STREAMING else None


def _conversation_row(session: Session, conversation_id: str) -> ConversationRow:
    row = session.get(ConversationRow, conversation_id)
    if row is None:
        raise _no_conversation(conversation_id)
    return row


def _message_row(session: Session, message_id: str) -> MessageRow:
    row = session.get(MessageRow, message_id)
    if row is None:
        raise _no_message(message_id)
    return row


def _check_belongs(session: Session, conversation_id: str, message_id: str) -> None:
    home = select(MessageRow.conversation_id).where(MessageRow.id == message_id)
    if session.scalar(home) != conversation_id:
        raise _no_message(message_id)


def _no_conversation(conversation_id: str) -> NotFound:
    return NotFound(
        tr("There is no conversation {id}.", id=conversation_id),
        tr("`chatdesk conversations list` shows them all."),
    )


def _no_message(message_id: str) -> NotFound:
    return NotFound(tr("There is no message {id} in this conversation.", id=message_id))


def _conversation(row: ConversationRow, messages: tuple[Message, ...]) -> Conversation:
    return Conversation(
        id=row.id,
        title=row.title,
        title_source=row.title_source,
        system_prompt=row.system_prompt,
        created=row.created,
        updated=row.updated,
        deleted=row.deleted,
        active_leaf_id=row.active_leaf_id,
        messages=messages,
    )


def _message(row: MessageRow) -> Message:
    return Message(
        id=row.id,
        conversation_id=row.conversation_id,
        parent_id=row.parent_id,
        role=row.role,
        text=row.text,
        state=row.state,
        created=row.created,
        answer=None if row.answer is None else _answer(row.answer),
    )


def _answer(row: AnswerRow) -> AnswerRecord:
    return AnswerRecord(**{name: getattr(row, name) for name in _ANSWER_FIELDS})


def _answer_row(answer: AnswerRecord) -> AnswerRow:
    return AnswerRow(**{name: getattr(answer, name) for name in _ANSWER_FIELDS})
