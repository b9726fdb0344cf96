"""Conversations and their messages."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)

from chatdesk.core.chat import (
    AnswerRecord,
    Conversation,
    ConversationSummary,
    Mark,
    Message,
    MessageState,
    Rating,
    Role,
    TitleSource,
    new_conversation,
    new_id,
    new_message,
    now,
)
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.parts import Part, plain
from chatdesk.store.database import Database
from chatdesk.store.hidden import empty, hide, unhide
from chatdesk.store.parts import replace_parts
from chatdesk.store.prefixes import resolve
from chatdesk.store.projects import has_project, no_project
from chatdesk.store.rows import SUMMARIES, answer_values, as_summary, conversation_values
from chatdesk.store.search_index import (
    index,
    index_title,
    unindex,
    unindex_conversations,
    unindex_title,
)
from chatdesk.store.tables import TOUCHED, answers, conversations, messages
from chatdesk.store.trash_clock import keep_up
from chatdesk.store.trees import (
    add_message,
    change_conversation,
    change_message,
    check_belongs,
    get_conversation,
    get_message,
    last_model,
    no_conversation,
    whole_conversation,
    writer_of,
)
from chatdesk.store.writers import is_alive, this_writer


class ConversationStore:
    """Reads and writes conversations. Every method may raise `StoreProblem`.

    A method with an id as argument raises `NotFound` when there is nothing of that id.
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
        adapter: str | None = None,
    ) -> Conversation:
        """Create an empty conversation. A title given here is the user's, unless stated."""
        if title_source is None:
            title_source = TitleSource.USER if title else TitleSource.NONE
        made = new_conversation(title, title_source, system_prompt, adapter)
        self.add(begins=made)
        return made

    def get(self, conversation_id: str) -> Conversation:
        """Return the whole conversation, also one in the trash (see `deleted`)."""
        with self._database.reading() as connection:
            return whole_conversation(connection, conversation_id)

    def resolve(self, id_or_prefix: str) -> str:
        """Return the id that begins with these characters; trash included.

        Raises `NotFound` when none or more than one does, and for too few of them.
        """
        with self._database.reading() as connection:
            return resolve(connection, conversations.c.id, id_or_prefix, no_conversation)

    def list(self, *, deleted: bool = False) -> tuple[ConversationSummary, ...]:
        """Return the sidebar's conversations (or the trash), newest `updated` first."""
        row = conversations.c
        query = SUMMARIES.where(
            row.deleted.is_not(None) if deleted else row.deleted.is_(None)
        ).order_by(row.updated.desc(), literal_column("conversations.rowid").desc())
        with self._database.reading() as connection:
            return tuple(map(as_summary, connection.execute(query)))

    def is_empty(self) -> bool:
        """Return True while there are no conversations, and none in the trash."""
        with self._database.reading() as connection:
            return connection.scalar(select(conversations.c.id).limit(1)) is None

    def rename(self, conversation_id: str, title: str, source: TitleSource) -> bool:
        """Name a conversation; False when the user named it before and `source` is not the user."""
        with self._database.writing() as connection:
            before = get_conversation(connection, conversation_id)
            if before.title_source is TitleSource.USER and source is not TitleSource.USER:
                return False
            unindex_title(connection, conversation_id)
            change_conversation(connection, conversation_id, title=title, title_source=source)
            index_title(connection, conversation_id, title, before.created)
        return True

    def untitled_question(self, conversation_id: str) -> str | None:
        """Return the first question of a conversation that nobody has named; else None."""
        begins = (
            select(messages.c.text)
            .where(messages.c.conversation_id == conversation_id, messages.c.parent_id.is_(None))
            .order_by(messages.c.position.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            source = get_conversation(connection, conversation_id).title_source
            return connection.scalar(begins) if source is TitleSource.NONE else None

    def set_system_prompt(self, conversation_id: str, text: str) -> None:
        """Change the text that the model gets before the first message, from the next answer on."""
        with self._database.writing() as connection:
            change_conversation(connection, conversation_id, system_prompt=text)

    def set_conversation_mark(self, conversation_id: str, mark: Mark | None) -> None:
        """Set by hand if a conversation may be learned from; None means the default."""
        with self._database.writing() as connection:
            change_conversation(connection, conversation_id, mark=mark)

    def set_adapter(self, conversation_id: str, adapter_id: str | None) -> None:
        """Choose who answers in a conversation: "" is the base, None the model's active adapter."""
        with self._database.writing() as connection:
            change_conversation(connection, conversation_id, adapter=adapter_id)

    def set_project(self, conversation_ids: Sequence[str], project_id: str | None) -> None:
        """Move conversations into a project, or with None out of theirs."""
        these = update(conversations).where(conversations.c.id.in_(conversation_ids))
        with self._database.writing() as connection:
            if project_id is not None and not has_project(connection, project_id):
                raise no_project(project_id)
            connection.execute(these.values(project_id=project_id))

    def set_on_top(self, conversation_ids: Sequence[str], pinned: bool) -> None:
        """List conversations above all others, or no longer."""
        these = update(conversations).where(conversations.c.id.in_(conversation_ids))
        with self._database.writing() as connection:
            connection.execute(these.values(pinned=pinned))

    def set_archived(self, conversation_ids: Sequence[str], archived: bool) -> None:
        """Put conversations into the archive, or take them out."""
        these = update(conversations).where(conversations.c.id.in_(conversation_ids))
        with self._database.writing() as connection:
            connection.execute(these.values(archived=archived))

    def adapter(self, conversation_id: str) -> str | None:
        """Return who answers in a conversation, as in `set_adapter`."""
        with self._database.reading() as connection:
            return get_conversation(connection, conversation_id).adapter

    def held_with(self, conversation_id: str) -> str | None:
        """Return `Conversation.held_with` without reading what was said."""
        with self._database.reading() as connection:
            return last_model(connection, conversation_id)

    def learnable(self, everything: bool) -> Iterator[Conversation]:
        """Yield the conversations that may be learned from, oldest first, one at a time in memory.

        Those in the trash or excluded are not. Unless `everything`, only those in which something
        was rated, marked or corrected by hand, or answered more than once. All are read as of one
        moment.
        """
        row = conversations.c
        marked = row.mark == Mark.INCLUDE
        touched = row.id.in_(select(messages.c.conversation_id).where(TOUCHED))
        several = row.id.in_(  # answers to one question: one of them was preferred
            select(messages.c.conversation_id)
            .where(messages.c.role == Role.ASSISTANT)
            .group_by(messages.c.parent_id)
            .having(func.count() > 1)
        )
        query = (
            select(row.id)
            .where(row.deleted.is_(None), row.mark.is_distinct_from(Mark.EXCLUDE))
            .where(true() if everything else or_(marked, touched, several))
            .order_by(row.created, literal_column("conversations.rowid"))
        )
        with self._database.reading() as connection:
            for conversation_id in connection.scalars(query).all():
                yield whole_conversation(connection, conversation_id)

    def delete(self, conversation_id: str) -> None:
        """Put a conversation in the trash; `restore` brings it back as it was."""
        with self._database.writing() as connection:
            keep_up(connection)
            if get_conversation(connection, conversation_id).deleted is None:
                change_conversation(connection, conversation_id, deleted=now())

    def restore(self, conversation_id: str) -> None:
        """Take a conversation out of the trash."""
        with self._database.writing() as connection:
            change_conversation(connection, conversation_id, deleted=None)

    def delete_for_good(self, conversation_ids: Sequence[str]) -> None:
        """Delete these for good, as far as they are in the trash."""
        these = conversations.c.id.in_(conversation_ids), conversations.c.deleted.is_not(None)
        with self._database.writing() as connection:
            _delete(connection, *these)

    def purge(self, older_than: datetime) -> tuple[str, ...]:
        """Delete for good what went to the trash before that moment; return the ids.

        Likewise the words of messages that were hidden before it. A clock that jumped counts for
        little: see `store.trash_clock`.
        """
        with self._database.writing() as connection:
            keep_up(connection)
            empty(connection, older_than)
            return _delete(connection, conversations.c.deleted < older_than)

    # Messages

    def add_message(
        self,
        conversation_id: str,
        parent_id: str | None,
        role: Role,
        content: str | Sequence[Part],
        *,
        state: MessageState = MessageState.COMPLETE,
        answer: AnswerRecord | None = None,
    ) -> Message:
        """Add a message below `parent_id` (None: a root); it becomes the active leaf.

        `content` is its text or its parts. A `STREAMING` one belongs to this process until
        `finish`.
        """
        parts = plain(content) if isinstance(content, str) else tuple(content)
        message = new_message(conversation_id, parent_id, role, parts, state, answer)
        self.add(message)
        return message

    def add(self, *new: Message, begins: Conversation | None = None) -> None:
        """Save new messages, all or none; the last becomes the active leaf.

        `begins` is a new conversation that they begin.
        """
        with self._database.writing() as connection:
            if begins:
                if not has_project(connection, begins.project_id):  # deleted in the meantime
                    begins = replace(begins, project_id=None)
                connection.execute(insert(conversations).values(conversation_values(begins)))
                index_title(connection, begins.id, begins.title, begins.created)
            for message in new:
                add_message(connection, message)

    def add_correction(self, message_id: str, text: str) -> Message:
        """Add the user's own words beside an answer; they become the active leaf.

        A correction of a correction corrects the same answer.
        """
        with self._database.writing() as connection:
            wrong = get_message(connection, message_id)
            if wrong.role is not Role.ASSISTANT:
                raise ValueError("only an answer can be corrected")
            correction = Message(
                id=new_id(),
                conversation_id=wrong.conversation_id,
                parent_id=wrong.parent_id,
                role=Role.ASSISTANT,
                parts=plain(text),
                state=MessageState.COMPLETE,
                created=now(),
                corrects=wrong.corrects or wrong.id,
            )
            add_message(connection, correction)
        return correction

    def conversation_of(self, message_id: str) -> str:
        """Return the id of a message's conversation."""
        with self._database.reading() as connection:
            return get_message(connection, message_id).conversation_id

    def write_text(
        self,
        message_id: str,
        text: str,
        state: MessageState = MessageState.STREAMING,
        *,
        thinking: str | None = None,
    ) -> None:
        """Save an answer's text so far: one or two small statements, for every 250 ms.

        Leave out thinking that did not grow.
        """
        thought = update(answers).where(answers.c.message_id == message_id)
        with self._database.writing() as connection:
            if state is not MessageState.STREAMING:
                unindex(connection, [message_id])
            change_message(connection, message_id, text=text, state=state, writer=writer_of(state))
            if thinking is not None:
                connection.execute(thought.values(thinking=thinking))
            if state is not MessageState.STREAMING:
                index(connection, get_message(connection, message_id))

    def finish(self, message: Message) -> Message:
        """Save a complete answer, with its record; no process owns it any more.

        Returns it as it is stored: its rating, mark and pin are those of the database.
        """
        if message.answer is None or message.state is MessageState.STREAMING:
            raise ValueError("this is not the end of an answer")
        record = insert(answers).prefix_with("OR REPLACE").values(answer_values(message))
        text, state = message.text, message.state
        with self._database.writing() as connection:
            unindex(connection, [message.id])
            change_message(connection, message.id, text=text, state=state, writer=None)
            connection.execute(record)
            replace_parts(connection, message)
            saved = get_message(connection, message.id)
            index(connection, saved)
        return saved

    def reopen(self, message_id: str) -> Message:
        """Resume a finished answer: this process continues it.

        Raises `EnvironmentProblem` while a living process streams into it.
        """
        writer = select(messages.c.writer).where(messages.c.id == message_id)
        with self._database.writing() as connection:
            message = get_message(connection, message_id)
            if message.role is not Role.ASSISTANT:
                raise ValueError("only an answer can be continued")
            if is_alive(connection.scalar(writer)):
                raise EnvironmentProblem(
                    tr("This answer is still being written."), tr("Wait for its end, or stop it.")
                )
            state = MessageState.STREAMING
            unindex(connection, [message_id])
            change_message(connection, message_id, state=state, writer=this_writer())
        return replace(message, state=state)

    def set_pinned(self, message_id: str, pinned: bool) -> None:
        """Keep a message in the model's view when the context is full, or no longer."""
        with self._database.writing() as connection:
            change_message(connection, message_id, pinned=pinned)

    def set_rating(self, message_id: str, rating: Rating | None) -> None:
        """Give an answer a thumb, or take it back."""
        with self._database.writing() as connection:
            change_message(connection, message_id, rating=rating)

    def set_mark(self, message_id: str, mark: Mark | None) -> None:
        """Set by hand if a message may be learned from; None means the default."""
        with self._database.writing() as connection:
            change_message(connection, message_id, mark=mark)

    def hide(self, message_ids: Sequence[str], conversation_id: str, leaf_id: str | None) -> None:
        """Hide messages of a conversation; with `leaf_id`, choose the branch to show."""
        with self._database.writing() as connection:
            hide(connection, message_ids)
            if leaf_id:
                change_conversation(connection, conversation_id, active_leaf_id=leaf_id)

    def unhide(self, message_ids: Sequence[str], conversation_id: str, leaf_id: str | None) -> None:
        """Show messages of a conversation again; otherwise as `hide`."""
        with self._database.writing() as connection:
            unhide(connection, message_ids)
            if leaf_id:
                change_conversation(connection, conversation_id, active_leaf_id=leaf_id)

    def set_active_leaf(self, conversation_id: str, leaf_id: str) -> None:
        """Choose the branch to show."""
        with self._database.writing() as connection:
            change_conversation(connection, conversation_id, active_leaf_id=leaf_id)
            check_belongs(connection, conversation_id, leaf_id)

    def recover(self) -> int:
        """Mark answers whose writing process is gone as `INTERRUPTED`; return how many.

        Those of a living process, this one included, continue.
        """
        streaming = select(messages.c.id, messages.c.writer).where(messages.c.writer.is_not(None))
        with self._database.writing() as connection:
            left = [row.id for row in connection.execute(streaming) if not is_alive(row.writer)]
            for message_id in left:
                state = MessageState.INTERRUPTED
                change_message(connection, message_id, state=state, writer=None)
                index(connection, get_message(connection, message_id))
        return len(left)


def _delete(connection: Connection, *which: ColumnElement[bool]) -> tuple[str, ...]:
    """Delete conversations for good; return their ids."""
    gone = tuple(connection.scalars(select(conversations.c.id).where(*which)))
    unindex_conversations(connection, gone)
    connection.execute(delete(conversations).where(conversations.c.id.in_(gone)))
    return gone
