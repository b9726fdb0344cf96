"""Scores continuations and embeds texts: work in steps, between those of the answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import (
    Embed,
    Embedded,
    PromptProgress,
    Score,
    Scored,
)
from chatdesk.core.protocol import Event, Terminal
from chatdesk.inference.decoding.logprobs import logprob_of
from chatdesk.inference.decoding.sequences import Live, Sequences
from chatdesk.inference.loading.parameters import OUTPUTS
from chatdesk.inference.native.context import Batch, Context, NoRoom
from chatdesk.inference.native.lora import AdapterKey, Adapters
from chatdesk.inference.prompt.context_view import TooLong

_ALWAYS_FREE = 4  # sequences that texts leave to the answers

Text = tuple[int, Sequence[int], int]
"""A text's index, its tokens, and from which on each needs logits."""


@dataclass(eq=False, slots=True)
class _Reading:
    """A text in progress: from `first` on, each token needs logits."""

    index: int
    tokens: Sequence[int]
    first: int
    live: Live


class _Reader:
    """Reads many texts side by side, several in one batch where they are short."""

    def __init__(self, context: Context, sequences: Sequences, adapters: AdapterKey) -> None:
        self._context = context
        self._sequences = sequences
        self._adapters = adapters
        self._batch = Batch(context.batch)
        self._active: list[_Reading] = []
        self._put_back: list[Text] = []
        self._one_by_one = False  # while two texts do not fit beside each other

    def step(
        self,
        following: Callable[[], Text | None],
        take_row: Callable[[int, int, int], None],
        done: Callable[[int], None],
    ) -> None:
        """Compute one batch.

        `following` returns the next text; `take_row` gets index, position and row of each output,
        `done` the index of a text that is read. Without room, nothing happens until there is some.
        """
        parts = self._fill(following)
        if not parts:
            return
        try:
            self._context.decode(self._batch)
        except NoRoom:
            self._one_by_one = len(parts) > 1
            self._free_cells()
            return
        for reading, start, end, first_row in parts:
            reading.live.tokens += reading.tokens[start:end]
            for position in range(max(start, reading.first), end):
                take_row(reading.index, position, first_row + position - start)
            if end == len(reading.tokens):
                done(reading.index)
                self._one_by_one = False
                self._active.remove(reading)
                self._sequences.drop(reading.live)

    def _fill(self, following: Callable[[], Text | None]) -> list[tuple[_Reading, int, int, int]]:
        batch = self._batch
        batch.clear()
        outputs = OUTPUTS
        parts: list[tuple[_Reading, int, int, int]] = []
        waiting = list(self._active)
        while batch.room and outputs and not (parts and self._one_by_one):
            if waiting:
                reading = waiting.pop(0)
            elif not self._may_begin:
                break
            elif found := self._put_back.pop() if self._put_back else following():
                reading = self._begin(*found)
            else:
                break
            start = len(reading.live.tokens)
            end = min(len(reading.tokens), start + batch.room)
            end = min(end, max(start, reading.first) + outputs)
            first_row = batch.size
            batch.add_part(reading.tokens[start:end], start, reading.live.number)
            for position in range(max(start, reading.first), end):
                batch.want_output(first_row + position - start)
                outputs -= 1
            parts.append((reading, start, end, first_row))
        return parts

    @property
    def _may_begin(self) -> bool:
        """True if a sequence can be had: whatever else runs, one text at a time must go on."""
        return self._sequences.free > (_ALWAYS_FREE if self._active else 0)

    def _begin(self, index: int, tokens: Sequence[int], first: int) -> _Reading:
        live = self._sequences.take(tokens[: first + 1], self._adapters, None)
        reading = _Reading(index, tokens, first, live)
        self._active.append(reading)
        return reading

    def _free_cells(self) -> None:
        """Free those of an idle sequence, or of the newest text, which is read again later."""
        if self._sequences.evict() or not self._active:
            return
        newest = self._active.pop()
        self._sequences.drop(newest.live)
        self._put_back.append((newest.index, newest.tokens, newest.first))

    def close(self) -> None:
        """Free the sequences in use."""
        for reading in self._active:
            self._sequences.drop(reading.live)
        self._active.clear()


class Scoring:
    """The log-probability of every token of some continuations. Raises `TooLong` for a long one."""

    def __init__(
        self,
        request: Score,
        key: AdapterKey,
        context: Context,
        sequences: Sequences,
        adapters: Adapters,
        send: Callable[[Event], None],
    ) -> None:
        self.request_id = request.request_id
        self.background = True
        longest = max((len(s.prompt) + len(s.continuation) for s in request.sequences), default=0)
        if longest > context.window:
            raise TooLong(longest, context.window)
        _check_tokens(request, context.model.vocabulary.size)
        self._request = request
        self._key = key
        self._context = context
        self._adapters = adapters
        self._send = send
        self._reader = _Reader(context, sequences, key)
        self._next = 0
        self._done = 0
        self._logprobs = [[0.0] * len(each.continuation) for each in request.sequences]

    def step(self) -> Terminal | None:
        """Compute a batch; the answer when it was the last."""
        self._adapters.apply(self._context, self._key)
        self._reader.step(self._following, self._take_row, self._finish)
        total = len(self._request.sequences)
        if self._done < total:
            self._send(PromptProgress(self.request_id, self._done, total, 0))
            return None
        return Scored(self.request_id, tuple(map(tuple, self._logprobs)))

    def _following(self) -> Text | None:
        while self._next < len(self._request.sequences):
            index = self._next
            self._next += 1
            sequence = self._request.sequences[index]
            if sequence.continuation:
                # The last token's own logits predict the token after it, which nobody asked for.
                tokens = (*sequence.prompt, *sequence.continuation)[:-1]
                return index, tokens, len(sequence.prompt) - 1
            self._done += 1
        return None

    def _take_row(self, index: int, position: int, row: int) -> None:
        sequence = self._request.sequences[index]
        place = position + 1 - len(sequence.prompt)
        token = sequence.continuation[place]
        self._logprobs[index][place] = logprob_of(self._context.logits(row), token)

    def _finish(self, _index: int) -> None:
        self._done += 1

    def close(self) -> None:
        """Free what it uses."""
        self._reader.close()


def _check_tokens(request: Score, size: int) -> None:
    for sequence in request.sequences:
        if not sequence.prompt:
            raise ValueError("a sequence without a prompt")
        for tokens in (sequence.prompt, sequence.continuation):
            if tokens and not 0 <= min(tokens) <= max(tokens) < size:
                raise ValueError("a token id that is not in the vocabulary")


class Embedding:
    """Vectors of texts: the mean of the last layer over a text's tokens, at length 1.

    Raises `TooLong` for a text that does not fit the context window, `ValueError` for an empty one.
    """

    def __init__(
        self,
        request: Embed,
        context: Context,
        sequences: Sequences,
        adapters: Adapters,
    ) -> None:
        self.request_id = request.request_id
        self.background = False
        vocabulary = context.model.vocabulary
        begin = [] if vocabulary.bos is None else [vocabulary.bos]
        self._texts = [
            [*begin, *vocabulary.tokenize(text, parse_special=False)] for text in request.texts
        ]
        longest = max(map(len, self._texts), default=0)
        if longest > context.window:
            raise TooLong(longest, context.window)
        if not all(self._texts):
            raise ValueError("an empty text")
        self._context = context
        self._adapters = adapters
        self._reader = _Reader(context, sequences, ())
        width = int(lib.llama_model_n_embd(context.model.handle))
        self._sums = np.zeros((len(self._texts), width), dtype=np.float64)
        self._next = 0
        self._done = 0

    def step(self) -> Terminal | None:
        """Compute a batch; return the answer when it was the last."""
        if self._texts:
            self._adapters.apply(self._context, ())
            lib.llama_set_embeddings(self._context.handle, True)
            try:
                self._reader.step(self._following, self._take_row, self._finish)
            finally:
                lib.llama_set_embeddings(self._context.handle, False)
        if self._done < len(self._texts):
            return None
        lengths = np.linalg.norm(self._sums, axis=1, keepdims=True)
        vectors = self._sums / np.where(lengths == 0, 1, lengths)
        read = sum(map(len, self._texts))
        return Embedded(self.request_id, tuple(map(tuple, vectors.tolist())), read)

    def _following(self) -> Text | None:
        if self._next == len(self._texts):
            return None
        index = self._next
        self._next += 1
        return index, self._texts[index], 0

    def _take_row(self, index: int, position: int, row: int) -> None:
        if position == 0:
            self._sums[index] = 0  # it may have been put back and read once more
        pointer = lib.llama_get_embeddings_ith(self._context.handle, row)
        self._sums[index] += np.ctypeslib.as_array(pointer, (self._sums.shape[1],))

    def _finish(self, _index: int) -> None:
        self._done += 1

    def close(self) -> None:
        """Free its sequences."""
        self._reader.close()


Task = Scoring | Embedding
