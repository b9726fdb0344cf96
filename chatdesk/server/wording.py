"""Answers in OpenAI's format: whole documents, and the chunks of a stream."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import (
    Finished,
    GenerationStats,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
)

LOWEST_LOGPROB = -9999.0  # OpenAI's figure for an almost impossible token
Document = dict[str, Any]
Delta = TextDelta | ThinkingDelta


class Wording(ABC):
    """The format of one answer. `request_id` is the engine's; `model` is a model's id."""

    prefix: str
    whole_kind: str
    chunk_kind: str

    def __init__(self, request_id: str, model: str) -> None:
        self._head = {
            "id": f"{self.prefix}-{request_id}",
            "object": self.chunk_kind,
            "created": int(time.time()),
            "model": model,
        }

    def opening(self) -> Document | None:
        """Return the chunk before the text, if there is one."""
        return None

    @abstractmethod
    def chunk(self, delta: Delta) -> Document:
        """Return the chunk of a piece of the answer."""

    @abstractmethod
    def closing(self, finished: Finished) -> Document:
        """Return the chunk after the text, with the reason for the end."""

    def usage_chunk(self, finished: Finished) -> Document:
        """Return the last chunk, for clients that ask for it: the usage."""
        return {**self._head, "choices": [], "usage": usage(finished.stats)}

    def whole(self, deltas: Sequence[Delta], finished: Finished) -> Document:
        """Return the answer as one document."""
        return {
            **self._head,
            "object": self.whole_kind,
            "choices": [self._choice(deltas, finished)],
            "usage": usage(finished.stats),
            "view_start": finished.stats.view_start,
        }

    @abstractmethod
    def _choice(self, deltas: Sequence[Delta], finished: Finished) -> Document: ...


class ChatWording(Wording):
    """The format of /v1/chat/completions."""

    prefix = "chatcmpl"
    whole_kind = "chat.completion"
    chunk_kind = "chat.completion.chunk"

    def opening(self) -> Document:
        """Return the chunk with the role."""
        return self._chunk({"role": "assistant", "content": ""})

    def chunk(self, delta: Delta) -> Document:
        """Return the chunk of a piece of the answer, or of the thinking before it."""
        if isinstance(delta, ThinkingDelta):
            return self._chunk({"reasoning_content": delta.text})
        return self._chunk({"content": delta.text}, _chat_logprobs(delta.logprobs))

    def closing(self, finished: Finished) -> Document:
        """Return the chunk with the reason for the end."""
        chunk = self._chunk({}, finish_reason=_finish_reason(finished))
        return {**chunk, "view_start": finished.stats.view_start}

    def _chunk(
        self, delta: Document, logprobs: Document | None = None, finish_reason: str | None = None
    ) -> Document:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        return {**self._head, "choices": [choice]}

    def _choice(self, deltas: Sequence[Delta], finished: Finished) -> Document:
        thinking = "".join(delta.text for delta in deltas if isinstance(delta, ThinkingDelta))
        text = "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
        message = {"role": "assistant", "content": text, "refusal": None}
        return {
            "index": 0,
            "message": message | ({"reasoning_content": thinking} if thinking else {}),
            "logprobs": _chat_logprobs(_all_logprobs(deltas)),
            "finish_reason": _finish_reason(finished),
        }


class CompletionWording(Wording):
    """The format of /v1/completions; a continued text has no separate thinking."""

    prefix = "cmpl"
    whole_kind = chunk_kind = "text_completion"

    def __init__(self, request_id: str, model: str) -> None:
        super().__init__(request_id, model)
        self._offset = 0  # characters already reported in logprobs

    def chunk(self, delta: Delta) -> Document:
        """Return the chunk of a piece of the text."""
        return {**self._head, "choices": [self._piece([delta])]}

    def closing(self, finished: Finished) -> Document:
        """Return the chunk with the reason for the end."""
        choice = self._piece([], finished)
        return {**self._head, "choices": [choice], "view_start": finished.stats.view_start}

    def _choice(self, deltas: Sequence[Delta], finished: Finished) -> Document:
        return self._piece(deltas, finished)

    def _piece(self, deltas: Sequence[Delta], finished: Finished | None = None) -> Document:
        return {
            "index": 0,
            "text": "".join(delta.text for delta in deltas),
            "logprobs": self._logprobs(_all_logprobs(deltas)),
            "finish_reason": _finish_reason(finished) if finished else None,
        }

    def _logprobs(self, tokens: Sequence[TokenLogprob]) -> Document | None:
        if not tokens:
            return None
        offsets = []
        for token in tokens:
            offsets.append(self._offset)
            self._offset += sum(byte & 0xC0 != 0x80 for byte in token.data)  # first bytes in UTF-8
        return {
            "tokens": [_token_text(token) for token in tokens],
            "token_logprobs": [_finite(token.logprob) for token in tokens],
            "top_logprobs": [
                {_token_text(other): _finite(other.logprob) for other in token.top}
                for token in tokens
            ],
            "text_offset": offsets,
        }


def usage(stats: GenerationStats) -> Document:
    """Return the cost of an answer, in tokens."""
    return {
        "prompt_tokens": stats.prompt_tokens,
        "completion_tokens": stats.completion_tokens,
        "total_tokens": stats.prompt_tokens + stats.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": stats.cached_tokens},
    }


def _finish_reason(finished: Finished) -> str:
    return "length" if finished.reason is StopReason.LENGTH else "stop"


def _all_logprobs(deltas: Sequence[Delta]) -> list[TokenLogprob]:
    return [token for delta in deltas if isinstance(delta, TextDelta) for token in delta.logprobs]


def _chat_logprobs(tokens: Sequence[TokenLogprob]) -> Document | None:
    if not tokens:
        return None
    content = [
        _chat_token(token) | {"top_logprobs": [_chat_token(other) for other in token.top]}
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def _chat_token(token: TokenLogprob) -> Document:
    return {
        "token": _token_text(token),
        "logprob": _finite(token.logprob),
        "bytes": list(token.data),
    }


def _token_text(token: TokenLogprob) -> str:
    data = bytes(token.data)
    try:
        return data.decode()
    except UnicodeDecodeError:  # part of a character: as OpenAI writes it
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)


def _finite(logprob: float) -> float:
    return max(logprob, LOWEST_LOGPROB)  # JSON has no -inf
