"""The tables, as they are now. How older databases get there is in `migrations/`.

SQLAlchemy's core without its ORM: values are not rows here, so there is nothing for the ORM to
map, and its import would cost the window 11 MB.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Named,
    String,
    Table,
    Text,
    TypedColumns,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from chatdesk.core.chat import MessageState, Role, TitleSource
from chatdesk.core.models import ModelHeader
from chatdesk.core.sampling import SamplingParams

Value = TypeVar("Value")


class UtcTime(TypeDecorator[datetime]):
    """A moment: stored in UTC, without an offset; aware in Python."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC without an offset. A naive moment is a bug: nobody knows which one is meant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The same moment, aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class AsJson(TypeDecorator[Value], Generic[Value]):
    """A frozen dataclass as JSON. Fields that a stored value lacks get their defaults."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[Value]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Value | None, dialect: Dialect) -> str | None:
        """The value's fields as a JSON object."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Value | None:
        """The value, its types checked."""
        return None if value is None else msgspec.json.decode(value, type=self.kind)


def _choice(kind: type[StrEnum]) -> Enum:
    return Enum(
        kind,
        native_enum=False,
        length=16,
        values_callable=lambda kind: [member.value for member in kind],
    )


metadata = MetaData(
    naming_convention={  # constraints have names, so that a migration can speak of them
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class ConversationColumns(TypedColumns):
    """A conversation. `deleted` is when it went to the trash.

    `active_leaf_id` is no foreign key: the two tables would need each other to exist first.
    """

    id: Named[str] = Column(String(16), primary_key=True)
    title: Named[str] = Column(Text)
    title_source: Named[TitleSource] = Column(_choice(TitleSource))
    system_prompt: Named[str] = Column(Text)
    active_leaf_id: Named[str | None] = Column(String(16))
    created: Named[datetime] = Column(UtcTime)
    updated: Named[datetime] = Column(UtcTime)
    deleted: Named[datetime | None] = Column(UtcTime)


conversations = Table(
    "conversations", metadata, ConversationColumns, Index(None, "deleted", "updated")
)


class MessageColumns(TypedColumns):
    """A node of a conversation's tree.

    `position` counts a conversation's messages in order of creation, which clocks may not keep.
    `writer` is the process that streams into it (see `store.writers`), else None. Deleting a
    parent has no cascade of its own: SQLite allows 1,000 levels, a conversation may have more.
    """

    id: Named[str] = Column(String(16), primary_key=True)
    conversation_id: Named[str] = Column(
        String(16), ForeignKey("conversations.id", ondelete="CASCADE")
    )
    parent_id: Named[str | None] = Column(String(16), ForeignKey("messages.id"), index=True)
    position: Named[int] = Column(Integer)
    role: Named[Role] = Column(_choice(Role))
    state: Named[MessageState] = Column(_choice(MessageState))
    created: Named[datetime] = Column(UtcTime)
    writer: Named[str | None] = Column(Text)
    pinned: Named[bool] = Column(Boolean, server_default=text("0"))
    text: Named[str] = Column(Text)  # last: SQLite reads past a long one to get at what follows


messages = Table(
    "messages",
    metadata,
    MessageColumns,
    UniqueConstraint("conversation_id", "position"),
    Index(None, "writer", sqlite_where=text("writer IS NOT NULL")),  # few or none
)


class AnswerColumns(TypedColumns):
    """How an assistant message came to be: the fields of `core.chat.AnswerRecord`."""

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
    error: Named[str | None] = Column(Text)
    thinking_s: Named[float | None] = Column(Double)
    thinking: Named[str] = Column(Text, server_default="")


answers = Table("answers", metadata, AnswerColumns)


class ModelColumns(TypedColumns):
    """A model file as it once was; `listed` says whether the library still shows it."""

    id: Named[str] = Column(Text, primary_key=True)
    path: Named[str] = Column(Text)
    header: Named[ModelHeader] = Column(AsJson(ModelHeader))
    bytes: Named[int] = Column(Integer)
    mtime_ns: Named[int] = Column(Integer)
    sha256: Named[str | None] = Column(Text)
    added: Named[datetime] = Column(UtcTime)
    listed: Named[bool] = Column(Boolean)


models = Table("models", metadata, ModelColumns, UniqueConstraint("path", "bytes", "mtime_ns"))
