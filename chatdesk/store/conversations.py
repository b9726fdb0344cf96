"""Conversations and their messages."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, literal_column, select, update

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
from chatdesk.store.rows import (
    CONVERSATIONS,
    MESSAGES,
    answer_values,
    as_conversation,
    as_message,
    conversation_values,
    message_values,
)
from chatdesk.store.tables import answers, conversations, messages
from chatdesk.store.writers import is_alive, this_writer

SHORTEST_PREFIX = 4  # characters of an id


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
        made = Conversation(
            id=new_id(),
            title=title,
            title_source=title_source,
            system_prompt=system_prompt,
            created=moment,
            updated=moment,
            deleted=None,
            active_leaf_id=None,
            messages=(),
        )
        with self._database.writing() as connection:
            connection.execute(insert(conversations).values(conversation_values(made)))
        return made

    def get(self, conversation_id: str) -> Conversation:
        """The whole conversation, also one in the trash (`deleted` says so)."""
        in_order = MESSAGES.where(messages.c.conversation_id == conversation_id).order_by(
            messages.c.position
        )
        with self._database.reading() as connection:
            found = _conversation(connection, conversation_id)
            return replace(found, messages=tuple(map(as_message, connection.execute(in_order))))

    def resolve(self, id_or_prefix: str) -> str:
        """The id that begins with these characters, at least `SHORTEST_PREFIX`; trash included.

        Raises `NotFound` when none or more than one does, saying which.
        """
        if len(id_or_prefix) < SHORTEST_PREFIX:
            raise NotFound(
                tr("“{id}” is too short for the id of a conversation.", id=id_or_prefix),
                tr("Give at least {n} characters.", n=SHORTEST_PREFIX),
            )
        begins = conversations.c.id.startswith(id_or_prefix, autoescape=True)
        with self._database.reading() as connection:
            found = connection.scalars(select(conversations.c.id).where(begins).limit(2)).all()
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
        count = (
            select(func.count())
            .where(messages.c.conversation_id == conversations.c.id)
            .scalar_subquery()
        )
        row = conversations.c
        query = (
            select(row.id, row.title, row.title_source, row.created, row.updated, count)
            .where(row.deleted.is_not(None) if deleted else row.deleted.is_(None))
            .order_by(row.updated.desc(), literal_column("conversations.rowid").desc())
        )
        with self._database.reading() as connection:
            return tuple(ConversationSummary(*line) for line in connection.execute(query))

    def rename(self, conversation_id: str, title: str, source: TitleSource) -> bool:
        """Name a conversation; False when the user named it before and `source` is not the user."""
        with self._database.writing() as connection:
            before = _conversation(connection, conversation_id).title_source
            if before is TitleSource.USER and source is not TitleSource.USER:
                return False
            _change_conversation(connection, conversation_id, title=title, title_source=source)
        return True

    def untitled_question(self, conversation_id: str) -> str | None:
        """The question a conversation began with, while nobody has named it; else None."""
        begins = (
            select(messages.c.text)
            .where(messages.c.conversation_id == conversation_id, messages.c.parent_id.is_(None))
            .order_by(messages.c.position.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            source = _conversation(connection, conversation_id).title_source
            return connection.scalar(begins) if source is TitleSource.NONE else None

    def set_system_prompt(self, conversation_id: str, text: str) -> None:
        """Change what the model is told before the first message, from the next answer on."""
        with self._database.writing() as connection:
            _change_conversation(connection, conversation_id, system_prompt=text)

    def delete(self, conversation_id: str) -> None:
        """Put a conversation in the trash; `restore` brings it back as it was."""
        with self._database.writing() as connection:
            if _conversation(connection, conversation_id).deleted is None:
                _change_conversation(connection, conversation_id, deleted=now())

    def restore(self, conversation_id: str) -> None:
        """Take a conversation out of the trash."""
        with self._database.writing() as connection:
            _change_conversation(connection, conversation_id, deleted=None)

    def purge(self, older_than: datetime) -> int:
        """Remove for good what went to the trash before that moment; returns how many did."""
        old = delete(conversations).where(conversations.c.deleted < older_than)
        with self._database.writing() as connection:
            return connection.execute(old).rowcount

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
        message = Message(
            id=new_id(),
            conversation_id=conversation_id,
            parent_id=parent_id,
            role=role,
            text=text,
            state=state,
            created=now(),
            answer=answer,
        )
        next_position = (
            select(func.coalesce(func.max(messages.c.position) + 1, 0))
            .where(messages.c.conversation_id == conversation_id)
            .scalar_subquery()
        )
        row = {**message_values(message), "position": next_position, "writer": _writer(state)}
        with self._database.writing() as connection:
            _change_conversation(
                connection, conversation_id, active_leaf_id=message.id, updated=message.created
            )
            if parent_id is not None:
                _check_belongs(connection, conversation_id, parent_id)
            connection.execute(insert(messages).values(row))
            if answer is not None:
                connection.execute(insert(answers).values(answer_values(message.id, answer)))
        return message

    def conversation_of(self, message_id: str) -> str:
        """The id of the conversation a message belongs to."""
        with self._database.reading() as connection:
            return _message(connection, message_id).conversation_id

    def write_text(
        self,
        message_id: str,
        text: str,
        state: MessageState = MessageState.STREAMING,
        *,
        thinking: str | None = None,
    ) -> None:
        """Save what there is of an answer so far: one or two small statements, for every 250 ms.

        Thinking that did not grow is best left out.
        """
        thought = update(answers).where(answers.c.message_id == message_id)
        with self._database.writing() as connection:
            _change_message(connection, message_id, text=text, state=state, writer=_writer(state))
            if thinking is not None:
                connection.execute(thought.values(thinking=thinking))

    def finish(
        self, message_id: str, text: str, state: MessageState, answer: AnswerRecord
    ) -> Message:
        """Save an answer for good, with how it came to be; it belongs to no process any more."""
        if state is MessageState.STREAMING:
            raise ValueError("streaming is not an end")
        record = insert(answers).prefix_with("OR REPLACE").values(answer_values(message_id, answer))
        with self._database.writing() as connection:
            _change_message(connection, message_id, text=text, state=state, writer=None)
            connection.execute(record)
            return _message(connection, message_id)

    def reopen(self, message_id: str) -> Message:
        """Take a finished answer up again, to be continued by this process.

        Raises `EnvironmentProblem` while a living process streams into it.
        """
        writer = select(messages.c.writer).where(messages.c.id == message_id)
        with self._database.writing() as connection:
            message = _message(connection, message_id)
            if message.role is not Role.ASSISTANT:
                raise ValueError("only an answer can be continued")
            if is_alive(connection.scalar(writer)):
                raise EnvironmentProblem(
                    tr("This answer is still being written."), tr("Wait for its end, or stop it.")
                )
            state = MessageState.STREAMING
            _change_message(connection, message_id, state=state, writer=this_writer())
        return replace(message, state=state)

    def set_pinned(self, message_id: str, pinned: bool) -> None:
        """Keep a message in the model's view when the context is full, or no longer."""
        with self._database.writing() as connection:
            _change_message(connection, message_id, pinned=pinned)

    def set_active_leaf(self, conversation_id: str, leaf_id: str) -> None:
        """Choose the branch that is read."""
        with self._database.writing() as connection:
            _change_conversation(connection, conversation_id, active_leaf_id=leaf_id)
            _check_belongs(connection, conversation_id, leaf_id)

    def recover(self) -> int:
        """Mark answers whose writing process is gone as `INTERRUPTED`; returns how many.

        Those of a living process, this one included, go on.
        """
        streaming = select(messages.c.id, messages.c.writer).where(messages.c.writer.is_not(None))
        with self._database.writing() as connection:
            left = [row.id for row in connection.execute(streaming) if not is_alive(row.writer)]
            for message_id in left:
                state = MessageState.INTERRUPTED
                _change_message(connection, message_id, state=state, writer=None)
        return len(left)


def _writer(state: MessageState) -> str | None:
    return this_writer() if state is MessageState.STREAMING else None


def _conversation(connection: Connection, conversation_id: str) -> Conversation:
    """A conversation without its messages."""
    row = connection.execute(CONVERSATIONS.where(conversations.c.id == conversation_id)).first()
    if row is None:
        raise _no_conversation(conversation_id)
    return as_conversation(row)


def _change_conversation(connection: Connection, conversation_id: str, **values: object) -> None:
    this = update(conversations).where(conversations.c.id == conversation_id)
    if connection.execute(this.values(values)).rowcount == 0:
        raise _no_conversation(conversation_id)


def _message(connection: Connection, message_id: str) -> Message:
    row = connection.execute(MESSAGES.where(messages.c.id == message_id)).first()
    if row is None:
        raise _no_message(message_id)
    return as_message(row)


def _change_message(connection: Connection, message_id: str, **values: object) -> None:
    this = update(messages).where(messages.c.id == message_id)
    if connection.execute(this.values(values)).rowcount == 0:
        raise _no_message(message_id)


def _check_belongs(connection: Connection, conversation_id: str, message_id: str) -> None:
    home = select(messages.c.conversation_id).where(messages.c.id == message_id)
    if connection.scalar(home) != conversation_id:
        raise _no_message(message_id)


def _no_conversation(conversation_id: str) -> NotFound:
    return NotFound(
        tr("There is no conversation {id}.", id=conversation_id),
        tr("`chatdesk conversations list` shows them all."),
    )


def _no_message(message_id: str) -> NotFound:
    return NotFound(tr("There is no message {id} in this conversation.", id=message_id))
