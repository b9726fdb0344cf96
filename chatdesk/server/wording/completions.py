"""Answers in OpenAI's format of chat and plain completions."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence

from chatdesk.core.generation import ThinkingDelta, TokenLogprob
from chatdesk.server.wording.base import (
    Delta,
    Document,
    Wording,
    WrittenAnswer,
    encoded,
    is_cut,
    stats_of,
)

LOWEST_LOGPROB = -9999.0  # OpenAI's figure for an almost impossible token


class _OpenAiWording(Wording):
    """What both formats share. Each `per_prompt` answers are to one prompt, which is paid once."""

    prefix: str
    whole_kind: str
    chunk_kind: str
    last_line = b"data: [DONE]\n\n"

    def __init__(
        self, request_id: str, model: str, *, usage_wanted: bool = False, per_prompt: int = 1
    ) -> None:
        super().__init__(request_id, model)
        self._usage_wanted = usage_wanted
        self._per_prompt = per_prompt
        self._head = {
            "id": f"{self.prefix}-{request_id}",
            "object": self.chunk_kind,
            "created": self.created,
            "model": model,
        }

    def frame(self, document: Document) -> bytes:
        """Return an event without a name."""
        return b"data: " + encoded(document) + b"\n\n"

    def opening(self) -> list[Document]:
        """Return nothing."""
        return []

    def ending(self, answers: Sequence[WrittenAnswer]) -> list[Document]:
        """Return the usage, for clients that ask for it."""
        if not self._usage_wanted:
            return []
        return [{**self._head, "choices": [], "usage": usage(answers, self._per_prompt)}]

    def whole(self, answers: Sequence[WrittenAnswer]) -> Document:
        """Return all answers as one document."""
        return {
            **self._head,
            "object": self.whole_kind,
            "choices": [self._choice(index, answer) for index, answer in enumerate(answers)],
            "usage": usage(answers, self._per_prompt),
            **_view(answers),
        }

    @abstractmethod
    def _choice(self, index: int, answer: WrittenAnswer) -> Document: ...


class ChatWording(_OpenAiWording):
    """The format of /v1/chat/completions."""

    prefix = "chatcmpl"
    whole_kind = "chat.completion"
    chunk_kind = "chat.completion.chunk"

    def opening(self) -> list[Document]:
        """Return the chunks with the role."""
        delta = {"role": "assistant", "content": ""}
        return [self._chunk(index, delta) for index in range(self._per_prompt)]

    def chunk(self, index: int, delta: Delta) -> list[Document]:
        """Return the chunk of a piece of an answer, or of the thinking before it."""
        if isinstance(delta, ThinkingDelta):
            return [self._chunk(index, {"reasoning_content": delta.text})]
        return [self._chunk(index, {"content": delta.text}, _chat_logprobs(delta.logprobs))]

    def closing(self, index: int, answer: WrittenAnswer) -> list[Document]:
        """Return the chunk with the reason for the end."""
        return [{**self._chunk(index, {}, finish_reason=_finish_reason(answer)), **_view([answer])}]

    def _chunk(
        self,
        index: int,
        delta: Document,
        logprobs: Document | None = None,
        finish_reason: str | None = None,
    ) -> Document:
        choice = {
            "index": index,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        }
        return {**self._head, "choices": [choice]}

    def _choice(self, index: int, answer: WrittenAnswer) -> Document:
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        thinking = {"reasoning_content": answer.thinking} if answer.thinking else {}
        return {
            "index": index,
            "message": message | thinking,
            "logprobs": _chat_logprobs(answer.logprobs),
            "finish_reason": _finish_reason(answer),
        }


class CompletionWording(_OpenAiWording):
    """The format of /v1/completions; a continued text has no separate thinking."""

    prefix = "cmpl"
    whole_kind = chunk_kind = "text_completion"

    def __init__(
        self, request_id: str, model: str, *, usage_wanted: bool = False, per_prompt: int = 1
    ) -> None:
        super().__init__(request_id, model, usage_wanted=usage_wanted, per_prompt=per_prompt)
        self._offsets: Counter[int] = Counter()  # characters reported in each answer's logprobs

    def chunk(self, index: int, delta: Delta) -> list[Document]:
        """Return the chunk of a piece of a text."""
        piece = self._piece(index, WrittenAnswer([delta]), None)
        return [{**self._head, "choices": [piece]}]

    def closing(self, index: int, answer: WrittenAnswer) -> list[Document]:
        """Return the chunk with the reason for the end."""
        choice = self._piece(index, WrittenAnswer(), _finish_reason(answer))
        return [{**self._head, "choices": [choice], **_view([answer])}]

    def _choice(self, index: int, answer: WrittenAnswer) -> Document:
        return self._piece(index, answer, _finish_reason(answer))

    def _piece(self, index: int, answer: WrittenAnswer, finish_reason: str | None) -> Document:
        return {
            "index": index,
            "text": "".join(delta.text for delta in answer.deltas),
            "logprobs": self._logprobs(index, answer.logprobs),
            "finish_reason": finish_reason,
        }

    def _logprobs(self, index: int, tokens: Sequence[TokenLogprob]) -> Document | None:
        if not tokens:
            return None
        offsets = []
        for token in tokens:
            offsets.append(self._offsets[index])
            first_bytes = sum(byte & 0xC0 != 0x80 for byte in token.data)  # in UTF-8
            self._offsets[index] += first_bytes
        return {
            "tokens": [_token_text(token) for token in tokens],
            "token_logprobs": [_finite(token.logprob) for token in tokens],
            "top_logprobs": [_by_text(token) for token in tokens],
            "text_offset": offsets,
        }


def _view(answers: Sequence[WrittenAnswer]) -> Document:
    """Return where the view of the chat began, for the answer from which most had left."""
    stats = max(map(stats_of, answers), key=lambda each: (each.view_start, each.view_cut or -1))
    return {"view_start": stats.view_start, "view_cut": stats.view_cut}


def usage(answers: Sequence[WrittenAnswer], per_prompt: int = 1) -> Document:
    """Return the cost of answers, in tokens; each `per_prompt` of them share a prompt."""
    every = [stats_of(answer) for answer in answers]
    firsts = every[::per_prompt]
    prompt = sum(stats.prompt_tokens for stats in firsts)
    completion = sum(stats.completion_tokens for stats in every)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": sum(stats.cached_tokens for stats in firsts)},
    }


def _finish_reason(answer: WrittenAnswer) -> str:
    return "length" if is_cut(answer) else "stop"


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


def _by_text(token: TokenLogprob) -> dict[str, float | None] | None:
    """Return the likeliest tokens by their text; of those that look alike, the best."""
    if token.logprob is None:
        return None
    found: dict[str, float | None] = {}
    for other in token.top:
        found.setdefault(_token_text(other), _finite(other.logprob))
    return found


def _finite(logprob: float | None) -> float | None:
    return None if logprob is None else max(logprob, LOWEST_LOGPROB)  # JSON has no -inf
