"""Continuous batching: a step computes a token of each running answer and a slice of a new prompt.

So a long prompt never stops another answer: its slices are as large as fits into the time that a
reader does not notice. Background work runs only while nobody waits for anything else. Requests
with different adapters take turns, because llama.cpp applies adapters to a whole context.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatdesk.core.chat import StopReason
from chatdesk.inference.decoding.failures import broken, failed
from chatdesk.inference.decoding.generation import Generation
from chatdesk.inference.decoding.grammar import ConstraintError
from chatdesk.inference.decoding.pace import Pace
from chatdesk.inference.decoding.sequences import Live, Sequences
from chatdesk.inference.loading.parameters import OUTPUTS
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.context import Batch, Context, NoRoom
from chatdesk.inference.native.lora import AdapterKey, Adapters
from chatdesk.inference.native.model import Aborted
from chatdesk.inference.open_requests import Requests
from chatdesk.inference.speculation.speculation import StepCosts

_TURN_S = 0.1  # time for requests with one set of adapters before others have their turn
_SPARE_CELLS = 256  # room for the answers themselves, before one more request starts


@dataclass(slots=True)
class _Part:
    """The tokens that a step reads for one answer; `rows` are those with logits."""

    generation: Generation
    tokens: Sequence[int]
    rows: Sequence[int]


class Scheduler:
    """The answers that wait and run on one context. For one thread, except `is_background`.

    `refit` gives an answer another beginning when its context is full; False when there is none.
    """

    def __init__(
        self,
        context: Context,
        sequences: Sequences,
        adapters: Adapters,
        costs: StepCosts,
        *,
        parallel: int,
        abort: AbortFlag,
        requests: Requests,
        refit: Callable[[Generation], bool],
    ) -> None:
        self._context = context
        self._sequences = sequences
        self._adapters = adapters
        self._parallel = parallel
        self._abort = abort
        self._requests = requests
        self._refit = refit
        self._batch = Batch(context.batch)
        self._waiting: deque[Generation] = deque()
        self._running: list[Generation] = []
        self._turn: AdapterKey = ()
        self._turn_ends = 0.0
        self._pace = Pace(costs)
        self.computing: frozenset[str] = frozenset()  # requests in the step being computed
        self.in_foreground = False

    def add(self, generation: Generation) -> None:
        """Queue an answer."""
        self._waiting.append(generation)

    @property
    def is_empty(self) -> bool:
        """True if nothing waits or runs."""
        return not self._waiting and not self._running

    @property
    def has_foreground(self) -> bool:
        """True if somebody waits for an answer."""
        return any(not each.background for each in (*self._running, *self._waiting))

    def step(self) -> None:
        """Compute one step of the most urgent work."""
        self._abort.clear()
        self._end_cancelled()
        self._take_up()
        group = self._group()
        if not group:
            return
        self.computing = frozenset(each.request_id for each in group)
        self.in_foreground = not group[0].background
        try:
            self._compute(group)
        except Aborted:
            self._forget_recurrent(group)
        except NoRoom:
            self._make_room(group)
        except Exception as problem:  # a bug must not cost the other answers
            for generation in group:
                self._fail(generation, problem)
        finally:
            self.computing = frozenset()

    # Selection for the step

    def _end_cancelled(self) -> None:
        for generation in [*self._running, *self._waiting]:
            if self._requests.is_cancelled(generation.request_id):
                self._end(generation, StopReason.CANCELLED)

    def _take_up(self) -> None:
        """Start set-aside and waiting answers, as far as there are cells and slots for them."""
        for generation in self._running:
            gives_way = generation.background and self.has_foreground
            if generation.live is None and not gives_way and self._has_cells(generation):
                self._resume(generation)
        for generation in sorted(self._waiting, key=lambda each: each.background):
            rivals = [each for each in self._running if each.background == generation.background]
            if len(rivals) >= self._parallel or not self._has_cells(generation):
                continue
            if generation.background and self.has_foreground:
                break
            self._waiting.remove(generation)
            self._running.append(generation)
            live = self._sequences.take(generation.known, generation.adapters, generation.session)
            if not generation.background:
                self._clear_way(live)
            generation.begin(live)

    def _clear_way(self, live: Live) -> None:
        """Move away whatever would slow down an answer that somebody waits for."""
        for generation in self._running:
            if generation.background and generation.live:
                self._set_aside(generation)
        self._sequences.clear_way(live)

    def _has_cells(self, generation: Generation) -> bool:
        """Return True if it has room beside those that do not give way to it."""
        if not self._sequences.free:
            return False
        taken = sum(
            len(each.live.tokens)
            for each in self._running
            if each.live and each.background <= generation.background
        )
        return taken == 0 or taken + len(generation.known) + _SPARE_CELLS <= self._context.window

    def _group(self) -> list[Generation]:
        """Return the answers of the next step: foreground before background, one adapter set."""
        ready = [each for each in self._running if each.live is not None]
        foreground = [each for each in ready if not each.background]
        ready = foreground or ready
        keys = list(dict.fromkeys(each.adapters for each in ready))
        if not keys:
            return []
        now = time.monotonic()
        if self._turn not in keys or (len(keys) > 1 and now >= self._turn_ends):
            at = keys.index(self._turn) + 1 if self._turn in keys else 0
            self._turn = keys[at % len(keys)]
            self._turn_ends = now + _TURN_S
        return [each for each in ready if each.adapters == self._turn]

    # The step

    def _compute(self, group: Sequence[Generation]) -> None:
        self._adapters.apply(self._context, group[0].adapters)
        for generation in group:
            if len(generation.known) > self._context.window and not self._refit(generation):
                self._end(generation, StopReason.LENGTH)
                return
        self._batch.clear()
        answering = [each for each in group if each.is_answering]
        parts = [self._answer_part(each, len(answering) - 1) for each in answering]
        rows = self._batch.size
        parts += self._prompt_parts(group, rows)
        started = time.monotonic()
        self._context.decode(self._batch)
        self._pace.measured(rows, self._batch.size - rows, time.monotonic() - started)
        for part in parts:
            try:
                self._settle(part)
            except Exception as problem:  # a grammar that allows nothing, or a bug: one request's
                self._fail(part.generation, problem)

    def _answer_part(self, generation: Generation, others: int) -> _Part:
        """Return the last token of an answer, and guesses of the next ones, all with output."""
        live = generation.live
        assert live
        tokens = [generation.known[-1]]
        if generation.guess:
            window = self._context.window - len(generation.known)
            room = min(OUTPUTS, self._batch.room) // (others + 1) - 1
            tokens += generation.guess.draft(generation.known, others, min(room, window))
        position = len(live.tokens)
        rows = [
            self._batch.add(token, position + place, live.number, output=True)
            for place, token in enumerate(tokens)
        ]
        return _Part(generation, tokens, rows)

    def _prompt_parts(self, group: Sequence[Generation], rows: int) -> list[_Part]:
        """Return slices of the prompts being read, the shortest first, so that none waits long."""
        reading = sorted(
            (each for each in group if not each.is_answering), key=lambda each: each.unread
        )
        if not reading:
            return []
        left = min(self._pace.slice(rows), self._batch.room) if rows else self._batch.room
        parts = []
        for generation in reading:
            count = min(generation.unread, left)
            if count > 0:
                parts.append(self._prompt_part(generation, count))
                left -= count
        return parts

    def _prompt_part(self, generation: Generation, count: int) -> _Part:
        live = generation.live
        assert live
        start = len(live.tokens)
        tokens = generation.known[start : start + count]
        self._batch.add_part(tokens, start, live.number)
        rows = []
        if count == generation.unread:
            rows.append(self._batch.size - 1)
            self._batch.want_output(rows[0])
        return _Part(generation, tokens, rows)

    def _settle(self, part: _Part) -> None:
        """Record what was computed, and sample where there are logits."""
        generation, live = part.generation, part.generation.live
        assert live
        live.tokens += part.tokens
        generation.report_progress()
        if not part.rows:
            return
        right = generation.sample(self._context, part.rows)
        wrong = len(part.rows) - 1 - right
        if wrong:
            del live.tokens[-wrong:]
            self._context.cut(live.number, len(live.tokens))
        if generation.reason:
            self._end(generation, generation.reason)

    # Cells

    def _make_room(self, group: Sequence[Generation]) -> None:
        """Free cells: first of idle sequences, then of the running answer that can wait best."""
        if self._sequences.evict():
            return
        running = [each for each in self._running if each.live is not None]
        if len(running) > 1:
            self._set_aside(max(running, key=lambda each: (each.background, each.prepared.arrived)))
        elif not self._refit(group[0]):
            self._end(group[0], StopReason.LENGTH)

    def _set_aside(self, generation: Generation) -> None:
        live = generation.live
        assert live
        generation.pause()
        generation.parked = (tuple(live.tokens), self._context.state(live.number))
        self._sequences.drop(live)
        generation.live = None

    def _resume(self, generation: Generation) -> None:
        live = None
        if generation.parked:
            live = self._sequences.bring_back(
                *generation.parked, generation.adapters, generation.session
            )
            generation.parked = None
        if live is None:
            live = self._sequences.take(generation.known, generation.adapters, generation.session)
        generation.begin(live)

    def _forget_recurrent(self, group: Sequence[Generation]) -> None:
        """Drop recurrent states that were interrupted: they are of no use."""
        if not self._context.is_recurrent:
            return
        for generation in group:
            if generation.live:
                self._context.drop(generation.live.number)
                generation.live.tokens.clear()

    # Ends

    def _end(self, generation: Generation, reason: StopReason) -> None:
        began = generation in self._running
        self._forget(generation)
        if began:
            self._requests.end(generation.end(reason))
        else:
            self._requests.end_cancelled(generation.request_id)
        generation.close()

    def _fail(self, generation: Generation, problem: Exception) -> None:
        generation.pause()
        if generation.live:
            generation.live.tokens.clear()  # the content of the cache is unknown
        self._forget(generation)
        request_id = generation.request_id
        expected = isinstance(problem, ConstraintError)  # the grammar allows no next token
        self._requests.end((failed if expected else broken)(request_id, problem))
        generation.close()

    def _forget(self, generation: Generation) -> None:
        if generation in self._running:
            self._running.remove(generation)
        elif generation in self._waiting:
            self._waiting.remove(generation)
        if generation.live:
            self._sequences.release(generation.live, passing=generation.background)
            generation.live = None
