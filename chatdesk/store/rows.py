"""Rows as the values of `core`, and back: a column is named as the field it holds."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Column, Row, func, select

from chatdesk.core.chat import AnswerRecord, Conversation, Message
from chatdesk.core.library import Download
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import AdapterRecord
from chatdesk.store.tables import (
    activations,
    adapters,
    answers,
    conversations,
    downloads,
    messages,
    models,
)

AnyRow = Row[*tuple[Any, ...]]

_CONVERSATION = [
    conversations.c[field.name] for field in fields(Conversation) if field.name != "messages"
]
_MESSAGE = [messages.c[field.name] for field in fields(Message) if field.name != "answer"]
_ANSWER = [answers.c[field.name] for field in fields(AnswerRecord)]
_MODEL = [models.c[field.name] for field in fields(ModelFile)]
_ADAPTER = [adapters.c[field.name] for field in fields(AdapterRecord) if field.name != "active"]
_DOWNLOAD = [downloads.c[field.name] for field in fields(Download)]

_NEWEST = select(func.max(activations.c.id)).group_by(activations.c.model_id)
_ACTIVE = adapters.c.id.in_(
    select(activations.c.adapter_id).where(
        activations.c.id.in_(_NEWEST), activations.c.adapter_id.is_not(None)
    )
)

MODELS = select(*_MODEL)
KNOWN_MODELS = select(models.c.notes, models.c.listed, models.c.forgotten, *_MODEL)
CONVERSATIONS = select(*_CONVERSATION)
MESSAGES = select(*_MESSAGE, answers.c.message_id, *_ANSWER).select_from(
    messages.outerjoin(answers)
)
ADAPTERS = select(*_ADAPTER, _ACTIVE)
DOWNLOADS = select(*_DOWNLOAD)


def as_model(row: AnyRow) -> ModelFile:
    """A row of `MODELS`."""
    return ModelFile(*row)


def as_conversation(row: AnyRow) -> Conversation:
    """A row of `CONVERSATIONS`, without its messages."""
    *values, mark, adapter = row
    return Conversation(*(*values, (), mark, adapter))


def as_message(row: AnyRow) -> Message:
    """A row of `MESSAGES`."""
    split = len(_MESSAGE)
    *values, pinned, rating, mark, corrects = row[:split]
    has_answer, answer = row[split], row[split + 1 :]
    record = AnswerRecord(*answer) if has_answer else None
    return Message(*(*values, record, pinned, rating, mark, corrects))


def as_adapter(row: AnyRow) -> AdapterRecord:
    """A row of `ADAPTERS`."""
    *values, active = row
    named = {column.name: value for column, value in zip(_ADAPTER, values, strict=True)}
    return AdapterRecord(**named, active=active)


def as_download(row: AnyRow) -> Download:
    """A row of `DOWNLOADS`."""
    return Download(*row)


def model_values(model: ModelFile) -> dict[str, Any]:
    """The row of a model, without what `ModelFile` does not say."""
    return _values(model, _MODEL)


def conversation_values(conversation: Conversation) -> dict[str, Any]:
    """The row of a conversation."""
    return _values(conversation, _CONVERSATION)


def message_values(message: Message) -> dict[str, Any]:
    """What the table of messages holds of a message; its answer is a row of its own."""
    return _values(message, _MESSAGE)


def answer_values(message_id: str, answer: AnswerRecord) -> dict[str, Any]:
    """The row of an answer."""
    return {"message_id": message_id, **_values(answer, _ANSWER)}


def adapter_values(record: AdapterRecord) -> dict[str, Any]:
    """The row of an adapter; whether it is active is told by the activations."""
    return _values(record, _ADAPTER)


def download_values(download: Download) -> dict[str, Any]:
    """The row of a download, without which process sees to it."""
    return _values(download, _DOWNLOAD)


def _values(value: object, columns: Sequence[Column[Any]]) -> dict[str, Any]:
    return {column.name: getattr(value, column.name) for column in columns}
