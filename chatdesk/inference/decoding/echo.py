"""The prompt given back before its answer, with the log-probability of each of its tokens."""

import time
from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import Finished, GenerationStats, TextDelta, TokenLogprob
from chatdesk.core.protocol import Event, Terminal
from chatdesk.inference.decoding.logprobs import token_logprob
from chatdesk.inference.decoding.preparer import Prepared
from chatdesk.inference.decoding.sequences import Sequences
from chatdesk.inference.decoding.text_reader import Text, TextReader
from chatdesk.inference.native.context import Context
from chatdesk.inference.native.lora import Adapters


class Echo:
    """Reads a prompt for the logits of its tokens, sends it, and lets its answer begin.

    What was read stays in the cache for the answer. The first token has no log-probability, unless
    a start token was put before what was asked, which itself is not given back.
    """

    def __init__(
        self,
        prepared: Prepared,
        context: Context,
        sequences: Sequences,
        adapters: Adapters,
        send: Callable[[Event], None],
        answer: Callable[[], None],
    ) -> None:
        self.request_id = prepared.request.request_id
        self.background = prepared.request.background
        self._prepared = prepared
        self._context = context
        self._adapters = adapters
        self._send = send
        self._answer = answer
        self._reader = TextReader(context, sequences, prepared.adapters, keep=True)
        self._likeliest = prepared.request.logprobs
        self._logprobs: dict[int, TokenLogprob] = {}  # by position
        # The logits of the last token are for the answer.
        rest = prepared.tokens[:-1] if self._likeliest is not None else ()
        self._unread: list[Text] = [(0, rest, max(0, prepared.added - 1))] if rest else []
        self._unfinished = len(self._unread)

    def step(self) -> Terminal | Callable[[], None] | None:
        """Compute a batch; after the last one return the end, or how its answer begins."""
        if self._unfinished:
            self._adapters.apply(self._context, self._prepared.adapters)
            self._reader.step(self._following, self._take_row, self._finish)
        if self._unfinished:
            return None
        self._send(self._echo())
        return self._end() if self._prepared.request.sampling.max_tokens == 0 else self._answer

    def _following(self) -> Text | None:
        return self._unread.pop() if self._unread else None

    def _take_row(self, _index: int, position: int, row: int) -> None:
        token, logits = self._prepared.tokens[position + 1], self._context.logits(row)
        written = self._context.model.vocabulary.written
        found = token_logprob(logits, token, self._likeliest or 0, written)
        self._logprobs[position + 1] = found

    def _finish(self, _index: int) -> None:
        self._unfinished -= 1

    def _echo(self) -> TextDelta:
        tokens, asked = self._prepared.tokens, self._prepared.request.prompt
        places = range(self._prepared.added, len(tokens))
        pieces = [self._context.model.vocabulary.written(tokens[place]) for place in places]
        text = b"".join(pieces).decode("utf-8", "replace")
        if isinstance(asked, str):
            if text.removeprefix(" ") == asked and text != asked:
                pieces[0] = pieces[0][1:]  # some models read every text with a space before it
            text = asked
        if self._likeliest is None:
            return TextDelta(self.request_id, text)
        found = [self._logprobs.get(at, TokenLogprob(tokens[at], (), None)) for at in places]
        logprobs = [
            replace(each, data=tuple(piece)) for each, piece in zip(found, pieces, strict=True)
        ]
        return TextDelta(self.request_id, text, tuple(logprobs))

    def _end(self) -> Finished:
        stats = GenerationStats(
            prompt_tokens=len(self._prepared.tokens),
            cached_tokens=0,
            completion_tokens=0,
            ttft_s=None,
            tokens_per_s=None,
            duration_s=time.monotonic() - self._prepared.arrived,
            seed=self._prepared.request.sampling.seed or 0,
        )
        return Finished(self.request_id, StopReason.LENGTH, stats)

    def close(self) -> None:
        """Free what it uses."""
        self._reader.close()
