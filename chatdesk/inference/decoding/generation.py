"""One answer: its text so far, the tokens still to read, and the tokens sampled."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import (
    Cancelled,
    Finished,
    Generate,
    GenerationStats,
    PromptProgress,
)
from chatdesk.core.protocol import Event, Terminal
from chatdesk.inference.decoding.deltas import Deltas
from chatdesk.inference.decoding.logprobs import token_logprob
from chatdesk.inference.decoding.preparer import Prepared
from chatdesk.inference.decoding.sampler import Sampler
from chatdesk.inference.decoding.sequences import Live
from chatdesk.inference.decoding.text_stream import TextStream
from chatdesk.inference.native.context import Context
from chatdesk.inference.native.lora import AdapterKey
from chatdesk.inference.native.vocabulary import Vocabulary
from chatdesk.inference.prompt.context_view import View
from chatdesk.inference.prompt.thinking import Piece, ThinkingSplitter
from chatdesk.inference.speculation.guess import Guess

_PROGRESS_INTERVAL_S = 0.1


class Generation:
    """An answer in progress. The step loop reads `unread` into `live` and calls `sample`.

    `known` is the prompt and the answer so far; the part of it that is not in the KV cache must be
    read, the last token with output. That holds for a new prompt, for the one token just sampled,
    and for an answer that was set aside and resumed.
    """

    def __init__(
        self,
        prepared: Prepared,
        *,
        sampler: Sampler,
        adapters: AdapterKey,
        vocabulary: Vocabulary,
        guess: Guess | None,
        send: Callable[[Event], None],
    ) -> None:
        request: Generate = prepared.request
        self.request_id = request.request_id
        self.background = request.background
        self.adapters = adapters
        self.session = request.session
        self.prepared = prepared
        self.known = list(prepared.tokens)
        self.live: Live | None = None
        self.parked: tuple[Sequence[int], bytes] | None = None  # tokens and state, set aside
        self.guess = guess
        self.reason: StopReason | None = None
        self._sampler = sampler
        self._vocabulary = vocabulary
        self._send = send
        self._text = TextStream(prepared.stop)
        self._thinking = ThinkingSplitter(prepared.marks, prepared.tail) if prepared.marks else None
        self._forced: deque[int] = deque()  # tokens that come next, without a choice
        self._has_blank = prepared.ends_blank  # what is continued ends with one
        self._deltas = Deltas(request.request_id, send)
        self._view_start, self._view_cut = prepared.view_start, prepared.view_cut
        self._started = time.monotonic()
        self._first_token: float | None = None
        self._last_token = self._started
        self._thought_until: float | None = None
        self._reported = 0.0
        self._cached = 0
        self._completed = 0
        self._drafted = 0
        self._accepted = 0

    @property
    def unread(self) -> int:
        """The number of known tokens that are not in the KV cache."""
        return len(self.known) - (len(self.live.tokens) if self.live else 0)

    @property
    def is_answering(self) -> bool:
        """True if the next step gives it a token: only the last known one is unread."""
        return self.unread == 1

    @property
    def answer_tokens(self) -> Sequence[int]:
        """The tokens sampled so far."""
        return self.known[len(self.known) - self._completed :] if self._completed else ()

    def begin(self, live: Live) -> None:
        """Read into this sequence, which holds the beginning already."""
        self.live = live
        if not self._completed and not self.prepared.request.echo:  # it was read for the echo
            self._cached = len(live.tokens)

    def report_progress(self) -> None:
        """Report how much of the prompt is read, from time to time and at its end."""
        if self._completed or self.live is None:
            return
        now = time.monotonic()
        done, total = len(self.live.tokens), len(self.known)
        if done == total or now - self._reported >= _PROGRESS_INTERVAL_S:
            self._reported = now
            self._send(PromptProgress(self.request_id, done, total, self._cached))

    def sample(self, context: Context, rows: Sequence[int]) -> int:
        """Choose a token for each row, as long as the choice is the one guessed for the next row.

        `rows` are the row of the last known token and those of the guesses after it. Returns the
        number of right guesses; `reason` is set when the answer ends.
        """
        guessed = self.guess.tokens if self.guess else ()
        right = 0
        for place, row in enumerate(rows):
            token = self._choose(context, row)
            self._take(token, context, row)
            if self.reason or place == len(rows) - 1 or token != guessed[place]:
                break
            right += 1
        if self.guess:
            self._drafted += len(guessed)
            self._accepted += right
            self.guess.settle(self.known[len(self.known) - right - 1 :], right)
        return right

    def _choose(self, context: Context, row: int) -> int:
        """Return the next token: of the thinking before an answer in a shape, or of the answer."""
        free = self.prepared.free_thinking
        if self._forced:
            return self._forced.popleft()
        if free is None or self._thinking is None:
            return self._sampler.sample(context, row)
        if self._thinking.is_thinking:
            if self._completed >= free.limit:
                return self._force(free.closing)
            token = self._sampler.sample(context, row, confined=False)
            return self._force(free.closing) if self._vocabulary.ends_generation(token) else token
        if self._completed or not free.opening:
            return self._sampler.sample(context, row)
        token = self._sampler.sample(context, row, beside=free.opening[0])
        if token == free.opening[0]:
            return self._force(free.opening)
        self._thinking = None
        return token

    def _force(self, tokens: Sequence[int]) -> int:
        """Write these tokens, whatever the model would; return the first."""
        first, *rest = tokens
        self._forced.extend(rest)
        return first

    def _take(self, token: int, context: Context, row: int) -> None:
        self._last_token = time.monotonic()
        if self._first_token is None:
            self._first_token = self._last_token
        self._completed += 1
        self.known.append(token)
        request = self.prepared.request
        if request.logprobs is not None:
            logits, piece_of = context.logits(row), self._vocabulary.piece
            self._deltas.take_logprob(token_logprob(logits, token, request.logprobs, piece_of))
        if self._vocabulary.ends_generation(token) or token == self.prepared.closing:
            self.reason = StopReason.END
            return
        piece = self.prepared.mark_bytes.get(token) or self._vocabulary.piece(token)
        if piece:
            self._send_text(self._text.feed(piece))
        elif written := self._vocabulary.written(token):
            self._send_text(self._text.feed_hidden(written.decode("utf-8", "replace")))
        if self._text.stopped_by is not None:
            self.reason = StopReason.END
        elif self._completed == request.sampling.max_tokens:
            self.reason = StopReason.LENGTH

    def _send_text(self, text: str) -> None:
        if self._has_blank:
            text = text.lstrip(" ")
        if not text:
            return
        self._has_blank = False
        if self._thinking is None:
            self._deltas.take(text, False, self._completed)
            return
        for piece in self._thinking.feed(text):
            self._send_piece(piece)

    def _send_piece(self, piece: Piece) -> None:
        if piece.thinking:
            self._thought_until = time.monotonic()
        self._deltas.take(piece.text, piece.thinking, self._completed)

    def pause(self) -> None:
        """Send what there is before the answer gives way to others."""
        self._deltas.flush()

    def has_new_prompt(self, view: View) -> None:
        """Continue after another beginning: the oldest turns have left the full context."""
        self.pause()
        self.known = [*view.tokens, *self.answer_tokens]
        self._view_start, self._view_cut = view.view_start, view.view_cut

    def end(self, reason: StopReason) -> Terminal:
        """Send the text that was held back; return the terminal event."""
        rest = self._text.flush()
        self._send_text(rest)
        if self._thinking:
            for piece in self._thinking.flush():
                self._send_piece(piece)
        self._deltas.end(self._completed)
        stats = self._stats()
        if reason is StopReason.CANCELLED:
            return Cancelled(self.request_id, stats)
        stop = self._text.stopped_by  # it may be the template's own
        asked = stop if stop in self.prepared.request.sampling.stop else None
        return Finished(self.request_id, reason, stats, asked)

    def close(self) -> None:
        """Free native memory."""
        self._sampler.close()
        if self.guess:
            self.guess.close()

    def _stats(self) -> GenerationStats:
        first = self._first_token
        decoding = self._last_token - first if first is not None else 0.0
        thought = self._thought_until
        return GenerationStats(
            prompt_tokens=len(self.prepared.tokens),
            cached_tokens=self._cached,
            completion_tokens=self._completed,
            ttft_s=None if first is None else first - self.prepared.arrived,
            # Reading the prompt gives the first token.
            tokens_per_s=(self._completed - 1) / decoding if decoding > 0 else None,
            duration_s=time.monotonic() - self.prepared.arrived,
            seed=self._sampler.seed,
            drafted=self._drafted,
            accepted=self._accepted,
            view_start=self._view_start,
            view_cut=self._view_cut,
            thinking_s=None if thought is None or first is None else thought - first,
        )
