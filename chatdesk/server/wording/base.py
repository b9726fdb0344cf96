"""The format of an answer: as one document, and as the events of a stream."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import (
    Finished,
    GenerationStats,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
)
from chatdesk.core.i18n import plain
from chatdesk.server.errors import ApiError

Document = dict[str, Any]
Delta = TextDelta | ThinkingDelta


@dataclass(slots=True)
class WrittenAnswer:
    """What has come of one answer; `finished` at its end."""

    deltas: list[Delta] = field(default_factory=list)
    finished: Finished | None = None

    @property
    def text(self) -> str:
        """Its words."""
        return "".join(delta.text for delta in self.deltas if isinstance(delta, TextDelta))

    @property
    def thinking(self) -> str:
        """What was thought before them."""
        return "".join(delta.text for delta in self.deltas if isinstance(delta, ThinkingDelta))

    @property
    def thinking_tokens(self) -> int:
        """How many tokens those were."""
        thought = (delta.tokens for delta in self.deltas if isinstance(delta, ThinkingDelta))
        return max(thought, default=0)

    @property
    def logprobs(self) -> list[TokenLogprob]:
        """Those of its tokens, if they were asked for."""
        texts = (delta for delta in self.deltas if isinstance(delta, TextDelta))
        return [token for delta in texts for token in delta.logprobs]

    @property
    def end(self) -> Finished:
        """How it ended."""
        assert self.finished
        return self.finished


class Wording(ABC):
    """The format of the answers to one request: server-sent events, unless said otherwise.

    `model` is a model's id.
    """

    content_type = b"text/event-stream; charset=utf-8"
    last_line = b""

    def __init__(self, request_id: str, model: str) -> None:
        self.id = request_id
        self.model = model
        self.created = int(time.time())

    def frame(self, document: Document) -> bytes:
        """Return a document of a stream as it is sent."""
        return (
            b"event: " + str(document["type"]).encode() + b"\ndata: " + encoded(document) + b"\n\n"
        )

    def failure(self, error: ApiError) -> Document:
        """Return an error in a stream that has begun."""
        return error.document()

    @abstractmethod
    def opening(self) -> list[Document]:
        """Return what comes before the text."""

    @abstractmethod
    def chunk(self, index: int, delta: Delta) -> list[Document]:
        """Return a piece of the answer of that index."""

    @abstractmethod
    def closing(self, index: int, answer: WrittenAnswer) -> list[Document]:
        """Return what comes after an answer."""

    def ending(self, answers: Sequence[WrittenAnswer]) -> list[Document]:
        """Return what comes after all answers."""
        return []

    @abstractmethod
    def whole(self, answers: Sequence[WrittenAnswer]) -> Document:
        """Return the answers as one document."""


def encoded(document: Document) -> bytes:
    """Return a document as JSON."""
    return msgspec.json.encode(document, enc_hook=plain)


def is_cut(answer: WrittenAnswer) -> bool:
    """Return True if an answer is as long as it may be, and not at its end."""
    return answer.end.reason is StopReason.LENGTH


def stats_of(answer: WrittenAnswer) -> GenerationStats:
    """Return what an answer took."""
    return answer.end.stats
