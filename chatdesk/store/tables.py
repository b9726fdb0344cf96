"""The tables, as they are now. How older databases get there is in `migrations/`."""

import enum
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import (
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from chatdesk.core.chat import MessageState, Role, TitleSource
from chatdesk.core.generation import SamplingParams
from chatdesk.core.models import ModelHeader

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


class Base(DeclarativeBase):
    """What all tables share: constraints with names, so that a migration can speak of them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - the name and shape SQLAlchemy wants
        str: Text(),
        datetime: UtcTime(),
        SamplingParams: AsJson(SamplingParams),
        ModelHeader: AsJson(ModelHeader),
        enum.Enum: Enum(
            enum.Enum,
            native_enum=False,
            length=16,
            values_callable=lambda kind: [member.value for member in kind],
        ),
    }


class ConversationRow(Base):
    """A conversation. `deleted` is when it went to the trash.

    `active_leaf_id` is no foreign key: the two tables would need each other to exist first.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "deleted", "updated"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    title: Mapped[str]
    title_source: Mapped[TitleSource]
    system_prompt: Mapped[str]
    active_leaf_id: Mapped[str | None] = mapped_column(String(16))
    created: Mapped[datetime]
    updated: Mapped[datetime]
    deleted: Mapped[datetime | None]


class MessageRow(Base):
    """A node of a conversation's tree.

    `position` counts a conversation's messages in order of creation, which clocks may not keep.
    `writer` is the process that streams into it (see `store.writers`), else None. Deleting a
    parent has no cascade of its own: SQLite allows 1,000 levels, a conversation may have more.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "position"),
        Index(None, "writer", sqlite_where=text("writer IS NOT NULL")),  # few or none
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), type_=String(16)
    )
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("messages.id"), type_=String(16), index=True
    )
    position: Mapped[int]
    role: Mapped[Role]
    state: Mapped[MessageState]
    created: Mapped[datetime]
    writer: Mapped[str | None]
    text: Mapped[str]  # last: SQLite reads past a long one to get at what follows

    answer: Mapped["AnswerRow | None"] = relationship(lazy="joined")


class AnswerRow(Base):
    """How an assistant message came to be: the fields of `core.chat.AnswerRecord`."""

    __tablename__ = "answers"

    message_id: Mapped[str] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), type_=String(16), primary_key=True
    )
    model_id: Mapped[str | None] = mapped_column(ForeignKey("models.id"))
    model_name: Mapped[str]
    adapter_id: Mapped[str | None]
    adapter_scale: Mapped[float | None]
    sampling: Mapped[SamplingParams]
    prompt_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    ttft_s: Mapped[float | None]
    tokens_per_s: Mapped[float | None]
    duration_s: Mapped[float | None]
    stop_reason: Mapped[str | None]
    error: Mapped[str | None]


class ModelRow(Base):
    """A model file as it once was; `listed` says whether the library still shows it."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("path", "bytes", "mtime_ns"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    header: Mapped[ModelHeader]
    bytes: Mapped[int]
    mtime_ns: Mapped[int]
    sha256: Mapped[str | None]
    added: Mapped[datetime]
    listed: Mapped[bool]
