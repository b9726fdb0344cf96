"""The present tables. `migrations/` brings older databases to this state.

SQLAlchemy's core without its ORM: values are not rows here, so there is nothing for the ORM to map,
and its import would cost the window 11 MB.
"""

from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Named,
    String,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    event,
    text,
)

from chatdesk.core.chat import Mark, MessageState, Rating, Role, TitleSource
from chatdesk.core.downloads import DownloadState
from chatdesk.core.hub import HubFile
from chatdesk.core.model_files import ModelNotes
from chatdesk.core.models import ModelHeader
from chatdesk.core.personalization import AdapterState, LossPoint, Scorecard, TrainingConfig
from chatdesk.core.sampling import SamplingParams
from chatdesk.store.column_types import AsJson, UtcTime, choice
from chatdesk.store.sentences import AsSentence

metadata = MetaData(
    naming_convention={  # constraints have names, for migrations to use
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class ProjectColumns(TypedColumns):
    """A folder of conversations: the fields of `core.projects.Project`."""

    id: Named[str] = Column(String(16), primary_key=True)
    name: Named[str] = Column(Text)
    colour: Named[str] = Column(Text)
    position: Named[int] = Column(Integer)
    created: Named[datetime] = Column(UtcTime)


projects = Table("projects", metadata, ProjectColumns)


class ConversationColumns(TypedColumns):
    """A conversation. `deleted` is when it went to the trash.

    `active_leaf_id` is no foreign key: the two tables would need each other to exist first.
    `adapter` is none either: it may be "", and the deletion of an adapter also clears it here.
    """

    id: Named[str] = Column(String(16), primary_key=True)
    title: Named[str] = Column(Text)
    title_source: Named[TitleSource] = Column(choice(TitleSource))
    system_prompt: Named[str] = Column(Text)
    active_leaf_id: Named[str | None] = Column(String(16))
    created: Named[datetime] = Column(UtcTime)
    updated: Named[datetime] = Column(UtcTime)
    deleted: Named[datetime | None] = Column(UtcTime)
    mark: Named[Mark | None] = Column(choice(Mark))
    adapter: Named[str | None] = Column(String(16))
    project_id: Named[str | None] = Column(
        String(16), ForeignKey("projects.id", ondelete="SET NULL"), index=True
    )
    pinned: Named[bool] = Column(Boolean, server_default=text("0"))
    archived: Named[bool] = Column(Boolean, server_default=text("0"))


conversations = Table(
    "conversations", metadata, ConversationColumns, Index(None, "deleted", "updated")
)


class OriginColumns(TypedColumns):
    """The place of an imported conversation in the app that it is from, for the next import."""

    conversation_id: Named[str] = Column(
        String(16), ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    source: Named[str] = Column(Text)  # the format's name, as "chatgpt"
    source_id: Named[str] = Column(Text)


origins = Table("origins", metadata, OriginColumns, UniqueConstraint("source", "source_id"))


class MessageColumns(TypedColumns):
    """A node of a conversation's tree.

    `position` counts a conversation's messages in order of creation, because clocks may go back.
    `writer` is the process that streams into it (see `store.writers`), else None. Deleting a parent
    has no cascade of its own: SQLite allows 1,000 levels, a conversation may have more. `corrects`
    is no foreign key: messages are only deleted all together, and it would need an index.
    """

    id: Named[str] = Column(String(16), primary_key=True)
    conversation_id: Named[str] = Column(
        String(16), ForeignKey("conversations.id", ondelete="CASCADE")
    )
    parent_id: Named[str | None] = Column(String(16), ForeignKey("messages.id"), index=True)
    position: Named[int] = Column(Integer)
    role: Named[Role] = Column(choice(Role))
    state: Named[MessageState] = Column(choice(MessageState))
    created: Named[datetime] = Column(UtcTime)
    writer: Named[str | None] = Column(Text)
    pinned: Named[bool] = Column(Boolean, server_default=text("0"))
    rating: Named[Rating | None] = Column(choice(Rating))
    mark: Named[Mark | None] = Column(choice(Mark))
    corrects: Named[str | None] = Column(String(16))
    text: Named[str] = Column(Text)  # last: SQLite reads past a long one to get at what follows


# Few messages, found by an index: those with a person's rating, mark or correction.
TOUCHED = text("rating IS NOT NULL OR mark IS NOT NULL OR corrects IS NOT NULL")

messages = Table(
    "messages",
    metadata,
    MessageColumns,
    UniqueConstraint("conversation_id", "position"),
    Index(None, "writer", sqlite_where=text("writer IS NOT NULL")),  # few or none
    Index("ix_messages_touched", "conversation_id", sqlite_where=TOUCHED),
)


class MessageOriginColumns(TypedColumns):
    """The id of an imported message in the app that it is from; unique in its conversation."""

    message_id: Named[str] = Column(
        String(16), ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    source_id: Named[str] = Column(Text)


message_origins = Table("message_origins", metadata, MessageOriginColumns)


class AnswerColumns(TypedColumns):
    """The record of an assistant message: the fields of `core.chat.AnswerRecord`."""

    message_id: Named[str] = Column(
        String(16), ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    model_id: Named[str | None] = Column(Text, ForeignKey("models.id"))
    model_name: Named[str] = Column(Text)
    adapter_id: Named[str | None] = Column(Text)
    adapter_scale: Named[float | None] = Column(Double)
    sampling: Named[SamplingParams] = Column(AsJson(SamplingParams))
    prompt_tokens: Named[int | None] = Column(Integer)
    cached_tokens: Named[int | None] = Column(Integer)
    completion_tokens: Named[int | None] = Column(Integer)
    ttft_s: Named[float | None] = Column(Double)
    tokens_per_s: Named[float | None] = Column(Double)
    duration_s: Named[float | None] = Column(Double)
    stop_reason: Named[str | None] = Column(Text)
    error: Named[str | None] = Column(AsSentence)
    thinking_s: Named[float | None] = Column(Double)
    thinking: Named[str] = Column(Text, server_default="")
    drafted: Named[int | None] = Column(Integer)
    accepted: Named[int | None] = Column(Integer)


answers = Table("answers", metadata, AnswerColumns)


class MessagePartColumns(TypedColumns):
    """A part of a message other than text (see `store.parts`), in order of `position`.

    `conversation_id` is the message's: one query finds that a conversation has none. `sha256` is
    the file's that the part names, if it names one: what nobody names can go.
    """

    message_id: Named[str] = Column(
        String(16), ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    position: Named[int] = Column(Integer, primary_key=True)
    conversation_id: Named[str] = Column(String(16), index=True)
    kind: Named[str] = Column(String(16))
    content: Named[str] = Column(Text)
    sha256: Named[str | None] = Column(String(64))


NAMES_A_FILE = text("sha256 IS NOT NULL")

message_parts = Table(
    "message_parts",
    metadata,
    MessagePartColumns,
    Index(None, "sha256", sqlite_where=NAMES_A_FILE),
)


class HiddenMessageColumns(TypedColumns):
    """A message that was deleted from its conversation, and when (see `store.hidden`)."""

    message_id: Named[str] = Column(
        String(16), ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    at: Named[datetime] = Column(UtcTime)


hidden_messages = Table("hidden_messages", metadata, HiddenMessageColumns)


class SearchRowColumns(TypedColumns):
    """A row of the search index: a message's, or a conversation's title (`message_id` is None).

    `number` is its rowid there: the moment in milliseconds since 1970, or the next free number, so
    that the index itself is in order of time. `conversation_id` is no foreign key: that would need
    an index of a row a message; `store.search_index` removes titles itself.
    """

    number: Named[int] = Column(Integer, primary_key=True)
    conversation_id: Named[str] = Column(String(16))
    message_id: Named[str | None] = Column(
        String(16), ForeignKey("messages.id", ondelete="CASCADE"), index=True, unique=True
    )


IS_TITLE = text("message_id IS NULL")

search_rows = Table(
    "search_rows",
    metadata,
    SearchRowColumns,
    Index(None, "conversation_id", sqlite_where=IS_TITLE),
)


class SearchQueueColumns(TypedColumns):
    """A conversation whose messages are not in the search index yet (see `store.search_index`)."""

    conversation_id: Named[str] = Column(
        String(16), ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )


search_queue = Table("search_queue", metadata, SearchQueueColumns)


class SearchRemainsColumns(TypedColumns):
    """When something was deleted for good: its words stay in the index until that is merged."""

    at: Named[datetime] = Column(UtcTime, primary_key=True)


search_remains = Table("search_remains", metadata, SearchRemainsColumns)

# Of words only the index is kept: a row is removed by giving its words once more. `pairs` are the
# overlapping pairs of letters of scripts without blanks; `core.folding` prepares all of them.
SEARCH_INDEX = (
    "CREATE VIRTUAL TABLE search_index USING fts5(words, pairs, facets, content='', columnsize=0, "
    "prefix='3', tokenize=\"ascii tokenchars '#$%&+@'\")"
)


@event.listens_for(metadata, "after_create")
def _make_search_index(_tables: MetaData, connection: Connection, **_options: object) -> None:
    connection.exec_driver_sql(SEARCH_INDEX)


class ModelColumns(TypedColumns):
    """A past or present model file; `listed` ones are in the library.

    The user removed `forgotten` ones from the list: finding the file again does not list it.
    """

    id: Named[str] = Column(Text, primary_key=True)
    path: Named[str] = Column(Text)
    header: Named[ModelHeader] = Column(AsJson(ModelHeader))
    bytes: Named[int] = Column(Integer)
    mtime_ns: Named[int] = Column(Integer)
    sha256: Named[str | None] = Column(Text)
    added: Named[datetime] = Column(UtcTime)
    listed: Named[bool] = Column(Boolean)
    notes: Named[ModelNotes] = Column(AsJson(ModelNotes), server_default=text("'{}'"))
    forgotten: Named[bool] = Column(Boolean, server_default=text("0"))


models = Table("models", metadata, ModelColumns, UniqueConstraint("path", "bytes", "mtime_ns"))


class AdapterColumns(TypedColumns):
    """A run and its adapter: the fields of `core.personalization.AdapterRecord`.

    `writer` is the process that runs it (see `store.writers`), else None.
    """

    id: Named[str] = Column(String(16), primary_key=True)
    name: Named[str] = Column(Text)
    model_id: Named[str] = Column(Text, ForeignKey("models.id"))
    model_name: Named[str] = Column(Text)
    model_sha256: Named[str | None] = Column(Text)
    state: Named[AdapterState] = Column(choice(AdapterState))
    writer: Named[str | None] = Column(Text)
    created: Named[datetime] = Column(UtcTime)
    ended: Named[datetime | None] = Column(UtcTime)
    config: Named[TrainingConfig] = Column(AsJson(TrainingConfig))
    examples: Named[int] = Column(Integer)
    heldout: Named[int] = Column(Integer)
    scale: Named[float] = Column(Double)
    scorecard: Named[Scorecard | None] = Column(AsJson(Scorecard))
    losses: Named[tuple[LossPoint, ...]] = Column(AsJson(tuple[LossPoint, ...]))
    tokens: Named[int] = Column(Integer)
    tokens_per_s: Named[float] = Column(Double)
    seconds: Named[float] = Column(Double)
    peak_bytes: Named[int] = Column(Integer)
    bytes: Named[int] = Column(Integer)
    error: Named[str] = Column(AsSentence)


adapters = Table("adapters", metadata, AdapterColumns)


class AdapterSourceColumns(TypedColumns):
    """A source of an adapter.

    The adapter is its only foreign key: the source must stay known when the messages are gone.
    """

    adapter_id: Named[str] = Column(
        String(16), ForeignKey("adapters.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Named[str] = Column(Text, primary_key=True, index=True)
    message_id: Named[str] = Column(Text, primary_key=True)


adapter_sources = Table("adapter_sources", metadata, AdapterSourceColumns)


class ActivationColumns(TypedColumns):
    """The time when an adapter became a model's active one; None is the base.

    `adapter_id` is no foreign key: without the deleted adapter, an older one would be active.
    """

    id: Named[int] = Column(Integer, primary_key=True)  # in order of time; clocks may go back
    model_id: Named[str] = Column(Text, ForeignKey("models.id"), index=True)
    adapter_id: Named[str | None] = Column(String(16))
    at: Named[datetime] = Column(UtcTime)


activations = Table("activations", metadata, ActivationColumns)


class DownloadColumns(TypedColumns):
    """A download: the fields of `core.downloads.Download`.

    `writer` is the process that owns it (see `store.writers`), else None.
    """

    id: Named[str] = Column(String(16), primary_key=True)
    repo: Named[str] = Column(Text)
    revision: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    files: Named[tuple[HubFile, ...]] = Column(AsJson(tuple[HubFile, ...]))
    state: Named[DownloadState] = Column(choice(DownloadState))
    added: Named[datetime] = Column(UtcTime)
    received: Named[int] = Column(Integer)
    problem: Named[str] = Column(AsSentence)
    path: Named[str] = Column(Text)
    folder: Named[str] = Column(Text)
    writer: Named[str | None] = Column(Text)


downloads = Table("downloads", metadata, DownloadColumns)
