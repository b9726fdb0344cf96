"""Rows as the values of `core`, and back: columns have the names of fields."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Column, Row, Select, func, select

from chatdesk.core.chat import AnswerRecord, Conversation, ConversationSummary, Message
from chatdesk.core.downloads import Download
from chatdesk.core.models import ModelFile
from chatdesk.core.parts import Frame, filled
from chatdesk.core.personalization import AdapterRecord
from chatdesk.store.problems import DamagedValue
from chatdesk.store.tables import (
    activations,
    adapters,
    answers,
    conversations,
    downloads,
    hidden_messages,
    messages,
    models,
)

AnyRow = Row[*tuple[Any, ...]]
Value = TypeVar("Value")

_CONVERSATION = [
    conversations.c[field.name] for field in fields(Conversation) if field.name != "messages"
]
_SUMMARY = [
    conversations.c[field.name] for field in fields(ConversationSummary) if field.name != "messages"
]
_MESSAGE = [
    messages.c[field.name]
    for field in fields(Message)
    if field.name not in ("answer", "parts", "hidden")
]
_ANSWER = [answers.c[field.name] for field in fields(AnswerRecord)]
_MODEL = [models.c[field.name] for field in fields(ModelFile)]
_ADAPTER = [adapters.c[field.name] for field in fields(AdapterRecord) if field.name != "active"]
_DOWNLOAD = [downloads.c[field.name] for field in fields(Download)]

_MESSAGE_COUNT = (
    select(func.count()).where(messages.c.conversation_id == conversations.c.id).scalar_subquery()
)
_NEWEST = select(func.max(activations.c.id)).group_by(activations.c.model_id)
_ACTIVE = adapters.c.id.in_(
    select(activations.c.adapter_id).where(
        activations.c.id.in_(_NEWEST), activations.c.adapter_id.is_not(None)
    )
)

_IS_HIDDEN = hidden_messages.c.message_id == messages.c.id

MODELS = select(*_MODEL)
KNOWN_MODELS = select(models.c.notes, models.c.listed, models.c.forgotten, *_MODEL)
CONVERSATIONS = select(*_CONVERSATION)
SUMMARIES = select(*_SUMMARY, _MESSAGE_COUNT.label("messages"))
MESSAGES = select(
    *_MESSAGE,
    hidden_messages.c.at.is_not(None).label("hidden"),
    messages.c.text,
    answers.c.message_id,
    answers.c.thinking,
    *_ANSWER,
).select_from(messages.outerjoin(answers).outerjoin(hidden_messages, _IS_HIDDEN))
ADAPTERS = select(*_ADAPTER, _ACTIVE.label("active"))
DOWNLOADS = select(*_DOWNLOAD)


def _picker(
    names: Iterable[str], statement: Select[*tuple[Any, ...]], *others: str
) -> Callable[[Sequence[Any]], Any]:
    """Return a function that picks the columns of these names out of a row of the statement.

    It finds their places only once: a long conversation has thousands of rows. Values of the names
    in `others`, which are no columns, come after those of the row.
    """
    columns = [*statement.selected_columns.keys(), *others]
    return itemgetter(*map(columns.index, names))


def _reader(
    kind: Callable[..., Value], statement: Select[*tuple[Any, ...]], *others: str
) -> Callable[..., Value]:
    """Return a function that makes a value of a row of the statement, and of other fields."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    pick = _picker(names, statement, *others)
    return lambda row, *values: kind(*pick((*row, *values)))


as_model = _reader(ModelFile, MODELS)
as_known_model = _reader(ModelFile, KNOWN_MODELS)
as_summary = _reader(ConversationSummary, SUMMARIES)
as_adapter = _reader(AdapterRecord, ADAPTERS)
as_download = _reader(Download, DOWNLOADS)
_as_conversation = _reader(Conversation, CONVERSATIONS, "messages")
_as_message = _reader(Message, MESSAGES, "parts", "answer")
_as_answer = _reader(AnswerRecord, MESSAGES)
_words = _picker(("message_id", "text", "thinking"), MESSAGES)


def as_conversation(row: AnyRow) -> Conversation:
    """A row of `CONVERSATIONS`, without its messages."""
    return _as_conversation(row, ())


def as_message(row: AnyRow, frame: Frame = ()) -> Message:
    """A row of `MESSAGES`, with the message's parts beside its text."""
    has_answer, text, thinking = _words(row)
    if not isinstance(text, str) or not isinstance(thinking, str | None):
        raise DamagedValue(TypeError.__name__)
    answer = _as_answer(row) if has_answer else None
    return _as_message(row, filled(frame, text, thinking or ""), answer)


def model_values(model: ModelFile) -> dict[str, Any]:
    """The row of a model, without the columns that `ModelFile` lacks."""
    return _values(model, _MODEL)


def conversation_values(conversation: Conversation) -> dict[str, Any]:
    """The row of a conversation."""
    return _values(conversation, _CONVERSATION)


def message_values(message: Message) -> dict[str, Any]:
    """The columns of a message; its answer has its own row."""
    return {**_values(message, _MESSAGE), "text": message.text}


def answer_values(message: Message) -> dict[str, Any]:
    """The row of an answer: its record, and the thinking before it."""
    row = _values(message.answer, _ANSWER)
    return {"message_id": message.id, "thinking": message.thinking, **row}


def adapter_values(record: AdapterRecord) -> dict[str, Any]:
    """The row of an adapter; the activations say if it is active."""
    return _values(record, _ADAPTER)


def download_values(download: Download) -> dict[str, Any]:
    """The row of a download, without its owner."""
    return _values(download, _DOWNLOAD)


def _values(value: object, columns: Sequence[Column[Any]]) -> dict[str, Any]:
    return {column.name: getattr(value, column.name) for column in columns}
