"""The parts of Ollama's /api that its clients need to chat, generate and embed.

A request without words only loads the model, or unloads it where `keep_alive` is 0.
"""

import re
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from chatdesk.core.generation import Embed, Embedded, Generate, PromptMessage, ThinkingDelta
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import SamplingParams
from chatdesk.server.bodies.completions import ChatBody, CompletionBody
from chatdesk.server.bodies.embeddings import texts_of
from chatdesk.server.bodies.reading import Whole, converted
from chatdesk.server.bodies.sampling import SamplingBody
from chatdesk.server.dialects.ollama_models import moment_text
from chatdesk.server.errors import ApiError, bad_request
from chatdesk.server.wording.base import (
    Delta,
    Document,
    Wording,
    WrittenAnswer,
    encoded,
    is_cut,
    stats_of,
)

NewId = Callable[[], str]
_OPTIONS = {"num_predict": "max_tokens"}  # where the names differ
_SAMPLING = frozenset(field.encode_name for field in msgspec.structs.fields(SamplingBody))


class OllamaBody(msgspec.Struct, kw_only=True):
    """What chat and generate share; `format` is “json” or a schema.

    `think` may also be how much (“low”), of which only is read that it shall.
    """

    model: str = ""
    stream: bool | None = None
    format: str | dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    think: bool | str | None = None
    keep_alive: float | str | None = None

    def __post_init__(self) -> None:
        """Answer as a stream where nothing is said of it."""
        self.stream = self.stream is not False

    @property
    @abstractmethod
    def is_empty(self) -> bool:
        """True for a request without words."""

    @property
    def unloads(self) -> bool:
        """True if the model need not be kept after this."""
        return re.fullmatch(r"0+(\.0*)?(ms|s|m|h)?", str(self.keep_alive)) is not None

    @abstractmethod
    def wording(self, request_id: str, model: str) -> "Lines":
        """Return the format of the answer."""

    def _fields(self) -> Document:
        """Return the options of sampling as the fields of an OpenAI body."""
        given = {_OPTIONS.get(name, name): value for name, value in (self.options or {}).items()}
        fields: Document = {name: given[name] for name in given.keys() & _SAMPLING}
        if fields.get("max_tokens") == -2:  # “fill the context”, as -1 does here
            fields["max_tokens"] = -1
        if isinstance(self.format, dict):
            fields["json_schema"] = self.format
        elif self.format == "json":
            fields["response_format"] = {"type": "json_object"}
        elif self.format:
            raise bad_request(tr("This must be “json” or a schema."), "format")
        if self.think is not None:
            fields["enable_thinking"] = bool(self.think)
        return fields


class OllamaChatBody(OllamaBody, kw_only=True):
    """The body of /api/chat."""

    messages: list[dict[str, Any]] = []
    tools: list[Any] | None = None

    @property
    def is_empty(self) -> bool:
        """True without a message."""
        return not self.messages

    def requests(self, new_id: NewId, defaults: SamplingParams) -> list[Generate]:
        """The request to the engine. Raises `ApiError`."""
        messages = [_message(message) for message in self.messages]
        fields = {**self._fields(), "messages": messages, "tools": self.tools}
        chat: ChatBody = converted(fields, ChatBody)
        return chat.requests(new_id, defaults)

    def wording(self, request_id: str, model: str) -> "Lines":
        """Return the format of the answer."""
        return AnswerLines(request_id, model)


class OllamaGenerateBody(OllamaBody, kw_only=True):
    """The body of /api/generate; a `raw` prompt is continued without a chat template."""

    prompt: str = ""
    system: str | None = None
    raw: bool = False
    suffix: str | None = None
    images: list[Any] | None = None
    template: str | None = None

    @property
    def is_empty(self) -> bool:
        """True without a prompt."""
        return not self.prompt

    def requests(self, new_id: NewId, defaults: SamplingParams) -> list[Generate]:
        """The request to the engine. Raises `ApiError`."""
        for name in ("suffix", "images", "template"):
            if getattr(self, name):
                raise bad_request(tr("{name} is not supported.", name=name), name)
        fields = self._fields()
        if self.raw:
            raw: CompletionBody = converted({**fields, "prompt": self.prompt}, CompletionBody)
            return raw.requests(new_id, defaults)
        user = {"role": "user", "content": self.prompt}
        chat: ChatBody = converted({**fields, "messages": [user]}, ChatBody)
        (asked,) = chat.requests(new_id, defaults)
        if self.system:
            head = PromptMessage("system", self.system)
            asked = replace(asked, messages=(head, *asked.messages))
        return [asked]

    def wording(self, request_id: str, model: str) -> "Lines":
        """Return the format of the answer."""
        return GenerateLines(request_id, model)


class OllamaEmbedBody(msgspec.Struct, kw_only=True):
    """The body of /api/embed."""

    input: str | list[str | int | list[int]]
    model: str = ""
    dimensions: Whole | None = None

    @property
    def is_empty(self) -> bool:
        """True without a text."""
        return not self.input

    def request(self, request_id: str) -> Embed:
        """The request to the engine. Raises `ApiError`."""
        return Embed(request_id, texts_of(self.input, "input"))


class OllamaOldEmbedBody(msgspec.Struct, kw_only=True):
    """The body of /api/embeddings, for one text, which older clients send."""

    prompt: str
    model: str = ""

    def request(self, request_id: str) -> Embed:
        """The request to the engine. Raises `ApiError`."""
        return Embed(request_id, texts_of(self.prompt, "prompt"))


class ShowBody(msgspec.Struct):
    """The body of /api/show; older clients say `name`."""

    model: str = ""
    name: str = ""


def _message(message: Document) -> Document:
    if message.get("images"):
        raise bad_request(tr("This model reads text only, no images."), "messages")
    return {
        "role": message.get("role"),
        "content": message.get("content"),
        "reasoning_content": message.get("thinking"),
        "name": message.get("tool_name"),
        "tool_calls": message.get("tool_calls"),
    }


class Lines(Wording):
    """A JSON document a line."""

    content_type = b"application/x-ndjson; charset=utf-8"

    def __init__(self, request_id: str, model: str) -> None:
        super().__init__(request_id, model)
        self._began = time.monotonic_ns()

    def frame(self, document: Document) -> bytes:
        """Return a line."""
        return encoded(document) + b"\n"

    def opening(self) -> list[Document]:
        """Return nothing."""
        return []

    def chunk(self, index: int, delta: Delta) -> list[Document]:
        """Return a piece."""
        thinking = isinstance(delta, ThinkingDelta)
        words = self._words("" if thinking else delta.text, delta.text if thinking else "")
        return [{**self._head(), **words, "done": False}]

    def closing(self, index: int, answer: WrittenAnswer) -> list[Document]:
        """Return the figures."""
        return [{**self._head(), **self._words("", ""), **self._figures(answer)}]

    def whole(self, answers: Sequence[WrittenAnswer]) -> Document:
        """Return the answer and its figures."""
        (answer,) = answers
        words = self._words(answer.text, answer.thinking)
        return {**self._head(), **words, **self._figures(answer)}

    def failure(self, error: ApiError) -> Document:
        """Return an error in Ollama's words."""
        return error_document(error)

    def wordless(self, *, unloaded: bool) -> Document:
        """Return the answer to a request without words: the model is loaded, or `unloaded`."""
        reason = "unload" if unloaded else "load"
        return {**self._head(), **self._words("", ""), "done": True, "done_reason": reason}

    def _head(self) -> Document:
        return {"model": self.model, "created_at": moment_text(datetime.now(UTC))}

    def _figures(self, answer: WrittenAnswer) -> Document:
        stats = stats_of(answer)
        read = round((stats.ttft_s or 0) * 1e9)
        return {
            "done": True,
            "done_reason": "length" if is_cut(answer) else "stop",
            "total_duration": max(time.monotonic_ns() - self._began, round(stats.duration_s * 1e9)),
            "load_duration": 0,
            "prompt_eval_count": stats.prompt_tokens,
            "prompt_eval_duration": read,
            "eval_count": stats.completion_tokens,
            "eval_duration": max(0, round(stats.duration_s * 1e9) - read),
        }

    @abstractmethod
    def _words(self, text: str, thinking: str) -> Document: ...


class AnswerLines(Lines):
    """The format of /api/chat."""

    def _words(self, text: str, thinking: str) -> Document:
        thought = {"thinking": thinking} if thinking else {}
        return {"message": {"role": "assistant", "content": text, **thought}}


class GenerateLines(Lines):
    """The format of /api/generate."""

    def _words(self, text: str, thinking: str) -> Document:
        return {"response": text} | ({"thinking": thinking} if thinking else {})


def old_embedding(embedded: Embedded, _model: str) -> Document:
    """Return a vector as /api/embeddings sends it."""
    return {"embedding": embedded.vectors[0]}


def embeddings(embedded: Embedded, model: str) -> Document:
    """Return vectors as /api/embed sends them."""
    return {
        "model": model,
        "embeddings": embedded.vectors,
        "total_duration": 0,
        "load_duration": 0,
        "prompt_eval_count": embedded.tokens,
    }


def error_document(error: ApiError) -> Document:
    """Return an error as Ollama's clients read it."""
    return {"error": f"{error.param}: {error.message}" if error.param else error.message}
