"""Reads texts for what the model says of each of their tokens, many side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatdesk.inference.decoding.sequences import Live, Sequences
from chatdesk.inference.loading.parameters import OUTPUTS
from chatdesk.inference.native.context import Batch, Context, NoRoom
from chatdesk.inference.native.lora import AdapterKey

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


class TextReader:
    """Reads many texts side by side, several in one batch where they are short.

    With `keep` what was read stays in the cache, for an answer that goes on from it.
    """

    def __init__(
        self,
        context: Context,
        sequences: Sequences,
        adapters: AdapterKey,
        *,
        keep: bool = False,
    ) -> None:
        self._context = context
        self._sequences = sequences
        self._adapters = adapters
        self._keep = keep
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
                self._leave(reading.live)

    def _leave(self, live: Live) -> None:
        if self._keep:
            self._sequences.release(live)
        else:
            self._sequences.drop(live)

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
