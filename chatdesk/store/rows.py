"""Rows as the values of `core`, and back: a column is named as the field it holds."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Column, Row, select

from chatdesk.core.chat import AnswerRecord, Conversation, Message
from chatdesk.core.models import ModelFile
from chatdesk.store.tables import answers, conversations, messages, models

AnyRow = Row[*tuple[Any, ...]]

_CONVERSATION = [
    conversations.c[field.name] for field in fields(Conversation) if field.name != "messages"
]
_MESSAGE = [messages.c[field.name] for field in fields(Message) if field.name != "answer"]
_ANSWER = [answers.c[field.name] for field in fields(AnswerRecord)]
_MODEL = [models.c[field.name] for field in fields(ModelFile)]

MODELS = select(*_MODEL)
CONVERSATIONS = select(*_CONVERSATION)
MESSAGES = select(*_MESSAGE, answers.c.message_id, *_ANSWER).select_from(
    messages.outerjoin(answers)
)


def as_model(row: AnyRow) -> ModelFile:
    """A row of `MODELS`."""
    return ModelFile(*row)


def as_conversation(row: AnyRow) -> Conversation:
    """A row of `CONVERSATIONS`, without its messages."""
    return Conversation(*(*row, ()))


def as_message(row: AnyRow) -> Message:
    """A row of `MESSAGES`."""
    split = len(_MESSAGE)
    *values, pinned = row[:split]
    has_answer, answer = row[split], row[split + 1 :]
    whole = (*values, AnswerRecord(*answer) if has_answer else None, pinned)
    return Message(*whole)


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


def _values(value: object, columns: Sequence[Column[Any]]) -> dict[str, Any]:
    return {column.name: getattr(value, column.name) for column in columns}
