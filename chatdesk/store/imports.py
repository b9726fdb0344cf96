"""Conversations that come from elsewhere: new ones, and what has grown since the last import.

The ids of their source are kept, so that nothing is added twice; what came once is never changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from chatdesk.core.chat import (
    AnswerRecord,
    Conversation,
    Mark,
    Message,
    Role,
    TitleSource,
    new_id,
    now,
)
from chatdesk.core.imported import Arrival, ImportedConversation, ImportedMessage, OwnRecord
from chatdesk.core.parts import Part
from chatdesk.store.database import Database
from chatdesk.store.parts import add_parts
from chatdesk.store.rows import answer_values, conversation_values, message_values
from chatdesk.store.tables import (
    answers,
    conversations,
    hidden_messages,
    message_origins,
    message_parts,
    messages,
    models,
    origins,
    search_queue,
)
from chatdesk.store.trees import change_conversation, whole_conversation

OWN = "chatdesk"  # the source of our own exports: there, ids are kept
_AT_ONCE = 500  # ids in one query


@dataclass(frozen=True, slots=True)
class Standing:
    """How an imported conversation stands: its id here, and the source's ids of what is here."""

    arrival: Arrival
    conversation_id: str = ""
    known: Mapping[str, str] = field(default_factory=dict)

    def lacks(self, chat: ImportedConversation) -> list[ImportedMessage]:
        """The messages that are not here, parents first."""
        if self.arrival not in {Arrival.NEW, Arrival.GROWN}:
            return []
        return [message for message in chat.messages if message.id not in self.known]


class ImportStore:
    """Adds what is imported, whole conversations at a time. May raise `StoreProblem`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standings(self, source: str, chats: Sequence[ImportedConversation]) -> list[Standing]:
        """Return how each conversation stands now."""
        with self._database.reading() as connection:
            return [_standing(connection, source, chat) for chat in chats]

    def add(
        self,
        source: str,
        chats: Sequence[ImportedConversation],
        projects: Mapping[str, str | None],
        mark: Mark | None,
    ) -> list[Standing]:
        """Add what is new of these, all or none; return how they stood.

        Their parts are those of `core.parts`. `projects` are ids by folders' names; `mark` is that
        of new conversations.
        """
        with self._database.writing() as connection:
            stood: list[Standing] = []
            for chat in chats:
                standing = _standing(connection, source, chat)
                if new := standing.lacks(chat):
                    adding = _Adding(connection, source, chat, standing)
                    adding.add(new, projects.get(chat.folder), mark)
                    standing = replace(standing, conversation_id=adding.conversation_id)
                stood.append(standing)
        return stood

    def exported(self, conversation_id: str, folder: str, colour: str) -> ImportedConversation:
        """Return everything of a conversation, for our own export. Raises `NotFound`."""
        with self._database.reading() as connection:
            return _exported(connection, conversation_id, folder, colour)

    def named_files(self) -> set[str]:
        """Return the names of all files that messages have."""
        query = select(message_parts.c.sha256).where(message_parts.c.sha256.is_not(None))
        with self._database.reading() as connection:
            return {name for name in connection.scalars(query.distinct()) if name}


def _standing(connection: Connection, source: str, chat: ImportedConversation) -> Standing:
    if not chat.messages:
        return Standing(Arrival.EMPTY)
    known: dict[str, str] = {}
    found = _by_id(connection, chat.id) if chat.own else None
    if found:
        known = {each: each for each in _message_ids(connection, chat.id)}
    else:
        origin = chat.own.origin if chat.own else (source, chat.id)
        found = _by_origin(connection, *origin) if origin else None
        if found:
            here = _origin_ids(connection, found[0])
            named = chat.own.message_origins if chat.own else None
            pairs = named.items() if named is not None else ((each, each) for each in here)
            known = {each: here[source_id] for each, source_id in pairs if source_id in here}
    if not found:
        return Standing(Arrival.NEW)
    conversation_id, deleted = found
    if deleted is not None:
        return Standing(Arrival.TRASHED, conversation_id, known)
    grown = any(message.id not in known for message in chat.messages)
    return Standing(Arrival.GROWN if grown else Arrival.SAME, conversation_id, known)


def _by_id(connection: Connection, conversation_id: str) -> tuple[str, datetime | None] | None:
    row = conversations.c
    found = connection.execute(select(row.id, row.deleted).where(row.id == conversation_id)).first()
    return (found.id, found.deleted) if found else None


def _by_origin(
    connection: Connection, source: str, source_id: str
) -> tuple[str, datetime | None] | None:
    row = conversations.c
    query = select(row.id, row.deleted).join(origins)
    query = query.where(origins.c.source == source, origins.c.source_id == source_id)
    found = connection.execute(query).first()
    return (found.id, found.deleted) if found else None


def _message_ids(connection: Connection, conversation_id: str) -> Sequence[str]:
    mine = messages.c.conversation_id == conversation_id
    return connection.scalars(select(messages.c.id).where(mine)).all()


def _origin_ids(connection: Connection, conversation_id: str) -> dict[str, str]:
    """The messages of a conversation by the ids that they have in their source."""
    row = message_origins.c
    query = select(row.source_id, row.message_id).join(messages)
    query = query.where(messages.c.conversation_id == conversation_id)
    return {each.source_id: each.message_id for each in connection.execute(query)}


class _Adding:
    """One conversation on its way into the database."""

    def __init__(
        self,
        connection: Connection,
        source: str,
        chat: ImportedConversation,
        standing: Standing,
    ) -> None:
        self._connection = connection
        self._source = source
        self._chat = chat
        self._own = chat.own
        self._ids = dict(standing.known)
        self._is_new = standing.arrival is Arrival.NEW
        self.conversation_id = standing.conversation_id or (chat.id if chat.own else new_id())

    def add(self, new: Sequence[ImportedMessage], project: str | None, mark: Mark | None) -> None:
        """Add the messages that are not there, and the conversation if it is not."""
        self._name(new)
        made = list(self._made(new))
        if self._is_new:
            conversation = self._conversation(made, project, mark)
            self._insert(conversations, [conversation_values(conversation)])
            self._note_origin()
        else:
            self._grow(made)
        position = 0 if self._is_new else self._next_position()
        rows = [
            {**message_values(message), "position": position + place, "writer": None}
            for place, message in enumerate(made)
        ]
        self._insert(messages, rows)
        self._insert(answers, [answer_values(message) for message in made if message.answer])
        add_parts(self._connection, *made)
        self._insert(message_origins, self._message_origins(new))
        self._insert(
            hidden_messages,
            [{"message_id": self._ids[each.id], "at": each.hidden} for each in new if each.hidden],
        )
        queued = insert(search_queue).prefix_with("OR IGNORE")
        self._connection.execute(queued.values(conversation_id=self.conversation_id))

    def _insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._connection.execute(insert(table), rows)

    def _name(self, new: Sequence[ImportedMessage]) -> None:
        """Choose the ids: new ones, but those of our own exports stay where they are free."""
        taken = self._taken([each.id for each in new]) if self._own else frozenset[str]()
        for each in new:
            is_kept = self._own and each.id not in taken
            self._ids[each.id] = each.id if is_kept else new_id()

    def _taken(self, ids: Sequence[str]) -> frozenset[str]:
        found: set[str] = set()
        for start in range(0, len(ids), _AT_ONCE):
            some = messages.c.id.in_(ids[start : start + _AT_ONCE])
            found |= set(self._connection.scalars(select(messages.c.id).where(some)))
        return frozenset(found)

    def _made(self, new: Sequence[ImportedMessage]) -> Iterator[Message]:
        moment = self._chat.created or self._chat.updated or now()
        for each in new:
            moment = each.created or moment
            parts: Any = each.parts
            yield Message(
                id=self._ids[each.id],
                conversation_id=self.conversation_id,
                parent_id=self._ids[each.parent] if each.parent else None,
                role=each.role,
                parts=parts,
                state=each.state,
                created=moment,
                answer=self._answer(each),
                pinned=each.pinned,
                rating=each.rating,
                mark=each.mark,
                corrects=self._ids.get(each.corrects) if each.corrects else None,
            )

    def _answer(self, message: ImportedMessage) -> AnswerRecord | None:
        if message.role is not Role.ASSISTANT or (self._own and message.answer is None):
            return None
        answer = message.answer
        if answer is None:
            return AnswerRecord(model_name=message.model, thinking_s=message.thinking_s)
        if answer.model_id and not self._knows_model(answer.model_id):
            return replace(answer, model_id=None)
        return answer

    def _knows_model(self, model_id: str) -> bool:
        query = select(models.c.id).where(models.c.id == model_id)
        return self._connection.scalar(query) is not None

    def _conversation(
        self, made: Sequence[Message], project: str | None, mark: Mark | None
    ) -> Conversation:
        chat, own = self._chat, self._own
        created = chat.created or min(message.created for message in made)
        return Conversation(
            id=self.conversation_id,
            title=chat.title,
            title_source=_title_source(chat, own),
            system_prompt=chat.system_prompt,
            created=created,
            updated=chat.updated or max(created, *(message.created for message in made)),
            deleted=own.deleted if own else None,
            active_leaf_id=self._ids.get(chat.shown) if chat.shown else made[-1].id,
            messages=(),
            mark=own.mark if own else mark,
            adapter=own.adapter if own else None,
            project_id=project,
            pinned=chat.pinned,
            archived=chat.archived,
        )

    def _note_origin(self) -> None:
        origin = self._own.origin if self._own else (self._source, self._chat.id)
        if origin:
            source, source_id = origin
            here = self.conversation_id
            row = {"conversation_id": here, "source": source, "source_id": source_id}
            self._insert(origins, [row])

    def _message_origins(self, new: Sequence[ImportedMessage]) -> list[dict[str, str]]:
        named = self._own.message_origins if self._own else {each.id: each.id for each in new}
        return [
            {"message_id": self._ids[each.id], "source_id": named[each.id]}
            for each in new
            if each.id in named
        ]

    def _grow(self, made: Sequence[Message]) -> None:
        """Show the source's branch, unless the user went on from another message here."""
        active = select(conversations.c.active_leaf_id, conversations.c.updated)
        row = self._connection.execute(
            active.where(conversations.c.id == self.conversation_id)
        ).one()
        newest = max(message.created for message in made)
        values: dict[str, Any] = {"updated": max(row.updated, newest)}
        new = {message.id for message in made}
        shown = self._ids.get(self._chat.shown) if self._chat.shown else None
        if shown and row.active_leaf_id in set(self._ids.values()) - new:
            values["active_leaf_id"] = shown
        change_conversation(self._connection, self.conversation_id, **values)

    def _next_position(self) -> int:
        last = select(func.max(messages.c.position) + 1)
        mine = last.where(messages.c.conversation_id == self.conversation_id)
        return self._connection.scalar(mine) or 0


def _title_source(chat: ImportedConversation, own: OwnRecord | None) -> TitleSource:
    if own:
        return own.title_source
    return TitleSource.USER if chat.title else TitleSource.NONE


def _exported(
    connection: Connection, conversation_id: str, folder: str, colour: str
) -> ImportedConversation:
    found = whole_conversation(connection, conversation_id)
    row = origins.c
    query = select(row.source, row.source_id).where(row.conversation_id == conversation_id)
    origin = connection.execute(query).first()
    here = _origin_ids(connection, conversation_id) if origin else {}
    mine = messages.c.conversation_id == conversation_id
    hidden = select(hidden_messages.c.message_id, hidden_messages.c.at).join(messages).where(mine)
    moments = {each.message_id: each.at for each in connection.execute(hidden)}
    return ImportedConversation(
        id=found.id,
        title=found.title,
        messages=tuple(_exported_message(each, moments.get(each.id)) for each in found.messages),
        shown=found.active_leaf_id,
        created=found.created,
        updated=found.updated,
        system_prompt=found.system_prompt,
        folder=folder,
        pinned=found.pinned,
        archived=found.archived,
        own=OwnRecord(
            title_source=found.title_source,
            mark=found.mark,
            adapter=found.adapter,
            deleted=found.deleted,
            colour=colour,
            origin=(origin.source, origin.source_id) if origin else None,
            message_origins={message_id: source_id for source_id, message_id in here.items()},
        ),
    )


def _exported_message(message: Message, hidden: datetime | None) -> ImportedMessage:
    parts: tuple[Part, ...] = message.parts
    return ImportedMessage(
        id=message.id,
        parent=message.parent_id,
        role=message.role,
        parts=parts,
        created=message.created,
        model=message.answer.model_name if message.answer else "",
        rating=message.rating,
        answer=message.answer,
        state=message.state,
        pinned=message.pinned,
        mark=message.mark,
        corrects=message.corrects,
        hidden=hidden,
    )
