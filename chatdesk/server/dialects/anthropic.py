"""Anthropic's Messages: /v1/messages and /v1/messages/count_tokens."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from chatdesk.core.generation import CountTokens, Generate, PromptMessage, ThinkingDelta
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import SamplingParams
from chatdesk.server.bodies.completions import ChatBody
from chatdesk.server.bodies.messages import Content, call_words, result_words, text_of
from chatdesk.server.bodies.reading import Whole, converted
from chatdesk.server.errors import ApiError, bad_request
from chatdesk.server.wording.base import Delta, Document, Wording, WrittenAnswer, is_cut, stats_of

_ERRORS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    500: "api_error",
    503: "overloaded_error",
}
_NO_END: Document = {"stop_reason": None, "stop_sequence": None}


class AnthropicTurn(msgspec.Struct):
    """A turn; the blocks of its content are read one by one."""

    role: str
    content: str | list[dict[str, Any]]


class MessagesBody(msgspec.Struct, kw_only=True):
    """The body of /v1/messages; those who only count leave `max_tokens` out."""

    model: str | None = None
    messages: list[AnthropicTurn]
    system: Content = None
    max_tokens: Whole | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: Whole | None = None
    tools: list[Any] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None

    def requests(self, new_id: Callable[[], str], defaults: SamplingParams) -> list[Generate]:
        """The request to the engine. Raises `ApiError`."""
        if self.max_tokens is None:
            raise bad_request(tr("{name} is missing.", name="max_tokens"), "max_tokens")
        (asked,) = self._chat().requests(new_id, defaults)
        return [replace(asked, messages=self._with_system(asked.messages))]

    def count(self, request_id: str) -> CountTokens:
        """The request to count the prompt. Raises `ApiError`."""
        (asked,) = self._chat().requests(lambda: request_id, SamplingParams())
        return CountTokens(request_id, self._with_system(asked.messages))

    def wording(self, request_id: str, model: str) -> Wording:
        """Return the format of the answer."""
        return MessageWording(request_id, model)

    def _chat(self) -> ChatBody:
        names = {
            block.get("id"): block.get("name", "")
            for turn in self.messages
            for block in (() if isinstance(turn.content, str) else turn.content)
            if block.get("type") == "tool_use"
        }
        choice = (self.tool_choice or {}).get("type")
        thinking = (self.thinking or {}).get("type")
        chat: ChatBody = converted(
            {
                "messages": [
                    _message(turn, names, f"messages[{index}]")
                    for index, turn in enumerate(self.messages)
                ],
                "max_tokens": self.max_tokens,
                "stop": self.stop_sequences,
                "temperature": self.temperature,
                "top_p": self.top_p,
                "top_k": self.top_k,
                "tools": self.tools,
                "tool_choice": "none" if choice == "none" else None,
                "reasoning_effort": "none" if thinking == "disabled" else None,
            },
            ChatBody,
        )
        return chat

    def _with_system(self, turns: tuple[PromptMessage, ...]) -> tuple[PromptMessage, ...]:
        system = text_of(self.system, "system")
        return (PromptMessage("system", system), *turns) if system else turns


def _message(turn: AnthropicTurn, names: dict[Any, str], place: str) -> Document:
    if isinstance(turn.content, str):
        return {"role": turn.role, "content": turn.content}
    thinking = [
        block.get("thinking", "") for block in turn.content if block.get("type") == "thinking"
    ]
    return {
        "role": turn.role,
        "content": [
            _block(block, names, f"{place}.content[{index}]")
            for index, block in enumerate(turn.content)
        ],
        "reasoning_content": "".join(thinking),
    }


def _block(block: dict[str, Any], names: dict[Any, str], place: str) -> dict[str, Any]:
    """Return a block as a part of a message; the place of each stays the same."""
    match block.get("type"):
        case "thinking" | "redacted_thinking":
            text = ""
        case "tool_use":
            text = call_words(str(block.get("name", "")), block.get("input"))
        case "tool_result":
            result = converted(block.get("content"), Content)
            name = names.get(block.get("tool_use_id"), "")
            text = result_words(name, text_of(result, f"{place}.content"))
        case _:
            return block
    return {"type": "text", "text": text}


class MessageWording(Wording):
    """The format of /v1/messages: blocks of thinking and of text."""

    def __init__(self, request_id: str, model: str) -> None:
        super().__init__(request_id, model)
        self._blocks = 0  # begun so far
        self._kind = ""  # of the block that is open

    def opening(self) -> list[Document]:
        """Return the empty message."""
        usage = {"input_tokens": 0, "output_tokens": 0}
        message = self._message([], _NO_END, usage)
        return [{"type": "message_start", "message": message}]

    def chunk(self, index: int, delta: Delta) -> list[Document]:
        """Return a piece, and the beginning of its block."""
        kind = "thinking" if isinstance(delta, ThinkingDelta) else "text"
        begin = []
        if kind != self._kind:
            begin = [*self._end_block(), self._begin_block(kind)]
        piece = {"type": f"{kind}_delta", kind: delta.text}
        return [
            *begin,
            {"type": "content_block_delta", "index": self._blocks - 1, "delta": piece},
        ]

    def closing(self, index: int, answer: WrittenAnswer) -> list[Document]:
        """Return the end of the last block, and of the message."""
        return [
            *self._end_block(),
            {"type": "message_delta", "delta": _end(answer), "usage": _usage(answer)},
            {"type": "message_stop"},
        ]

    def whole(self, answers: Sequence[WrittenAnswer]) -> Document:
        """Return the message."""
        (answer,) = answers
        content = [_text_block("text", answer.text)]
        if answer.thinking:
            content.insert(0, _text_block("thinking", answer.thinking))
        return self._message(content, _end(answer), _usage(answer))

    def failure(self, error: ApiError) -> Document:
        """Return an error in Anthropic's words."""
        return error_document(error)

    def _begin_block(self, kind: str) -> Document:
        self._kind = kind
        self._blocks += 1
        return {
            "type": "content_block_start",
            "index": self._blocks - 1,
            "content_block": _text_block(kind, ""),
        }

    def _end_block(self) -> list[Document]:
        if not self._kind:
            return []
        self._kind = ""
        return [{"type": "content_block_stop", "index": self._blocks - 1}]

    def _message(self, content: list[Document], end: Document, usage: Document) -> Document:
        return {
            "id": f"msg_{self.id}",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            **end,
            "usage": usage,
        }


def _text_block(kind: str, text: str) -> Document:
    return {"type": kind, kind: text} | ({"signature": ""} if kind == "thinking" else {})


def _end(answer: WrittenAnswer) -> Document:
    if is_cut(answer):
        return {"stop_reason": "max_tokens", "stop_sequence": None}
    stop = answer.end.stopped_by
    reason = "end_turn" if stop is None else "stop_sequence"
    return {"stop_reason": reason, "stop_sequence": stop}


def _usage(answer: WrittenAnswer) -> Document:
    stats = stats_of(answer)
    return {
        "input_tokens": stats.prompt_tokens - stats.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": stats.cached_tokens,
        "output_tokens": stats.completion_tokens,
    }


def error_document(error: ApiError) -> Document:
    """Return an error as Anthropic's clients read it."""
    kind = _ERRORS.get(error.status, "invalid_request_error")
    message = f"{error.param}: {error.message}" if error.param else error.message
    return {"type": "error", "error": {"type": kind, "message": message}}
