"""One answer: read the prompt, then choose token after token."""

import time
from collections.abc import Callable, Sequence

from chatdesk.core.generation import (
    ANSWER_ROOM,
    Cancelled,
    EngineEvent,
    Failed,
    FailureCode,
    Finished,
    GenerationStats,
    PromptProgress,
    SamplingParams,
    StopReason,
    TextDelta,
)
from chatdesk.inference.llama import Aborted, Model
from chatdesk.inference.native import AbortFlag
from chatdesk.inference.sampling import Sampler
from chatdesk.inference.text import TextStream

_PROGRESS_INTERVAL_S = 0.1


class Generation:
    """Answers one prompt on a model, telling everything through `send`."""

    def __init__(
        self,
        model: Model,
        *,
        request_id: str,
        prompt: Sequence[int],
        params: SamplingParams,
        abort: AbortFlag,
        send: Callable[[EngineEvent], None],
    ) -> None:
        self._model = model
        self._id = request_id
        self._prompt = prompt
        self._params = params
        self._abort = abort
        self._send = send
        self._started = time.monotonic()
        self._first_token: float | None = None
        self._last_token = self._started
        self._cached = 0
        self._completed = 0

    def run(self) -> None:
        """Generate; the last event is the terminal one. Raises `ValueError` for bad parameters."""
        limit = self._model.context_window - ANSWER_ROOM
        if len(self._prompt) > limit:
            tokens = len(self._prompt)
            detail = f"{tokens} tokens, at most {limit}"
            self._send(Failed(self._id, FailureCode.PROMPT_TOO_LONG, detail, tokens, limit))
            return
        with Sampler(self._params, self._model.vocabulary.size, self._prompt) as sampler:
            text = TextStream(self._params.stop)
            try:
                self._read_prompt()
                reason = self._answer(sampler, text)
            except Aborted:
                reason = StopReason.CANCELLED
            if rest := text.flush():
                self._send(TextDelta(self._id, rest))
            stats = self._stats(sampler.seed)
        if reason is StopReason.CANCELLED:
            self._send(Cancelled(self._id, stats))
        else:
            self._send(Finished(self._id, reason, stats))

    def _read_prompt(self) -> None:
        total = len(self._prompt)
        done = self._cached = self._model.reuse(self._prompt)
        told = 0.0
        while done < total:
            now = time.monotonic()
            if now - told >= _PROGRESS_INTERVAL_S:
                told = now
                self._send(PromptProgress(self._id, done, total, self._cached))
            part = self._prompt[done : done + self._model.batch]
            self._model.read(part)
            done += len(part)
        self._send(PromptProgress(self._id, total, total, self._cached))

    def _answer(self, sampler: Sampler, text: TextStream) -> StopReason:
        """The loop every token passes through: nothing in it that need not be."""
        model, vocabulary, context = self._model, self._model.vocabulary, self._model.context
        limit = self._params.max_tokens
        while limit is None or self._completed < limit:
            token = sampler.sample(context)
            self._last_token = time.monotonic()
            if self._first_token is None:
                self._first_token = self._last_token
            self._completed += 1
            if vocabulary.ends_generation(token):
                return StopReason.END
            if shown := text.feed(vocabulary.piece(token)):
                self._send(TextDelta(self._id, shown))
            if text.stopped:
                return StopReason.END
            if self._abort.is_set():
                raise Aborted
            if model.is_full:
                return StopReason.LENGTH
            model.read_one(token)
        return StopReason.LENGTH

    def _stats(self, seed: int) -> GenerationStats:
        first = self._first_token
        decoding = self._last_token - first if first is not None else 0.0
        return GenerationStats(
            prompt_tokens=len(self._prompt),
            cached_tokens=self._cached,
            completion_tokens=self._completed,
            ttft_s=None if first is None else first - self._started,
            # The first token comes out of reading the prompt.
            tokens_per_s=(self._completed - 1) / decoding if decoding > 0 else None,
            duration_s=time.monotonic() - self._started,
            seed=seed,
        )
