"""The sequences in the KV cache: the text that each of them holds, and its reuse.

Nothing is read twice while it is there: a prompt takes over the longest beginning it shares with
any sequence, running or idle, of this conversation or another. As every cell in use costs time in
every step, idle sequences are moved to memory when somebody asks for something else, and come back
on demand; together they take at most as much memory as the cache itself. Nobody comes back to what
background work has read: it is dropped.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chatdesk.inference.native.context import Context, State
from chatdesk.inference.native.lora import AdapterKey

_WORTH_LEAVING = 32  # tokens of another branch that are kept, not overwritten for a new sequence
_IN_THE_WAY = 256  # cells of idle sequences that are worth moving away from a foreground answer


@dataclass(eq=False, slots=True)
class Live:
    """A sequence and its tokens whose KV state is in the cache, in order.

    `session` is the conversation that it may be kept on disk for; `kept` so many of its tokens are
    there already. `exact` is false after the oldest turns were moved out of it; `passing` is true
    while only background work has used it.
    """

    number: int
    adapters: AdapterKey
    session: str | None = None
    tokens: list[int] = field(default_factory=list)
    used: float = 0.0
    busy: bool = True
    kept: int = 0
    exact: bool = True
    passing: bool = True


@dataclass(eq=False, slots=True)
class _Parked:
    """An idle sequence in memory: its tokens and its KV state."""

    live: Live
    state: bytes


class Sequences:
    """All sequences of one context. `keep` may write an idle one's state to disk."""

    def __init__(self, context: Context, keep: Callable[[Live, bytes], None]) -> None:
        self._context = context
        self._keep = keep
        self._live: dict[int, Live] = {}
        self._parked: list[_Parked] = []  # the least recently used first

    @property
    def free(self) -> int:
        """How many can be taken: an idle one gives way."""
        return self._context.sequences - sum(live.busy for live in self._live.values())

    def take(self, prompt: Sequence[int], adapters: AdapterKey, session: str | None) -> Live:
        """Return a busy sequence that holds as much of the prompt's beginning as the cache has.

        At least one token remains to be read, because reading gives the logits. One must be `free`.
        """
        wanted = list(prompt[:-1])
        best, shared = self._longest(wanted, adapters)
        if parked := self._longest_parked(wanted, adapters, shared):
            self._unpark(parked)
            best, shared = self._longest(wanted, adapters)
        if best is None:
            return self._new(adapters, session)
        is_last = self.free == 1  # a branch would need the place of what it begins with
        if not best.busy and (is_last or len(best.tokens) - shared < _WORTH_LEAVING):
            return self._take_over(best, shared, session)
        return self._branch(best, shared, session)

    def _longest(self, wanted: Sequence[int], adapters: AdapterKey) -> tuple[Live | None, int]:
        """Return the sequence that shares most with a prompt, and how many tokens."""
        best, shared = None, 0
        for live in self._live.values():
            common = shared_length(live.tokens, wanted)
            if live.adapters == adapters and common > shared and self._can_begin(live, common):
                best, shared = live, common
        return best, shared

    def _longest_parked(
        self, wanted: Sequence[int], adapters: AdapterKey, shared: int
    ) -> _Parked | None:
        """Return the sequence in memory that shares clearly more than `shared` tokens."""
        best, most = None, shared + _WORTH_LEAVING
        for parked in self._parked:
            common = shared_length(parked.live.tokens, wanted)
            if parked.live.adapters == adapters and common > most:
                best, most = parked, common
        return best

    def _can_begin(self, live: Live, length: int) -> bool:
        """Return False for a recurrent state that would be shared or go back: it can do neither."""
        return not self._context.is_recurrent or (not live.busy and len(live.tokens) == length)

    def _take_over(self, live: Live, length: int, session: str | None) -> Live:
        if length < len(live.tokens):
            self._context.cut(live.number, length)
            del live.tokens[length:]
        if session != live.session:
            live.session, live.kept = session, 0
        live.kept = min(live.kept, length)
        live.busy = True
        return live

    def _branch(self, source: Live, length: int, session: str | None) -> Live:
        source.used = time.monotonic()  # so that its own branch does not evict it
        branch = self._new(source.adapters, session)
        self._context.share(source.number, branch.number, length)
        branch.tokens = source.tokens[:length]
        branch.exact = source.exact
        return branch

    def _new(self, adapters: AdapterKey, session: str | None) -> Live:
        while len(self._live) >= self._context.sequences:
            if not self.evict():
                raise RuntimeError("more requests than sequences")
        number = next(n for n in range(self._context.sequences) if n not in self._live)
        live = self._live[number] = Live(number, adapters, session)
        return live

    def bring_back(
        self, tokens: Sequence[int], state: State, adapters: AdapterKey, session: str | None
    ) -> Live | None:
        """Return a busy sequence with a state from memory or disk; None when it has no room."""
        if not self.free:
            return None
        live = self._new(adapters, session)
        while not self._context.restore(live.number, state):
            if not self.evict():
                del self._live[live.number]
                return None
        if self._context.length(live.number) != len(tokens):  # a state of another text
            self.drop(live)
            return None
        live.tokens = list(tokens)
        live.kept = len(tokens)
        return live

    def release(self, live: Live, *, passing: bool = False) -> None:
        """Make a sequence idle; its content may be reused or evicted.

        With `passing` it was background work.
        """
        live.busy = False
        live.passing &= passing
        live.used = time.monotonic()
        if not live.tokens:
            self.drop(live)

    def drop(self, live: Live) -> None:
        """Drop a sequence."""
        self._context.drop(live.number)
        live.tokens.clear()
        self._live.pop(live.number, None)

    def evict(self) -> bool:
        """Take the least recently used idle sequence out of the cache; False when none is idle."""
        idle = self.idle()
        if not idle:
            return False
        self._park(min(idle, key=lambda live: live.used))
        return True

    def clear_way(self, live: Live) -> None:
        """Move idle sequences away from a running one, where they would slow it down."""
        others = [each for each in self.idle() if each is not live]
        if sum(len(each.tokens) for each in others) > _IN_THE_WAY:
            for each in others:
                self._park(each)

    def _park(self, live: Live) -> None:
        """Move an idle sequence to memory, if somebody may come back to it."""
        if live.passing:
            self.drop(live)
            return
        state = self._context.state(live.number)
        self._keep(live, state)
        self._context.drop(live.number)
        del self._live[live.number]
        self._parked.append(_Parked(live, state))
        while sum(len(each.live.tokens) for each in self._parked) > self._context.window:
            self._parked.pop(0)

    def _unpark(self, parked: _Parked) -> None:
        """Bring a sequence back as an idle one; it stays away if there is no room."""
        self._parked.remove(parked)
        was = parked.live
        if live := self.bring_back(was.tokens, parked.state, was.adapters, was.session):
            live.kept, live.exact = was.kept, was.exact
            self.release(live)

    def move_to(self, live: Live, tokens: Sequence[int]) -> None:
        """Make a sequence hold as much of `tokens` as it can without reading them.

        Where `tokens` is its content with a part in the middle left out (the oldest turns), the
        rest is moved together; otherwise only the shared beginning stays.
        """
        start = shared_length(live.tokens, tokens)
        end = _gap_end(live.tokens, tokens, start)
        if end is not None and self._context.can_shift and not self._context.is_recurrent:
            self._context.close_gap(live.number, start, end)
            del live.tokens[start:end]
            live.exact = False
        elif self._context.is_recurrent or not self._context.cut(live.number, start):
            self._context.drop(live.number)
            live.tokens.clear()
        else:
            del live.tokens[start:]
        live.kept = 0

    def idle(self) -> list[Live]:
        """Return the idle sequences."""
        return [live for live in self._live.values() if not live.busy]

    def disown(self, session: str) -> None:
        """Stop keeping a conversation on disk, also what is being written."""
        self._parked = [each for each in self._parked if each.live.session != session]
        for live in self._live.values():
            if live.session == session:
                live.session = None

    def session_tokens(self, session: str) -> int:
        """Return how many tokens of a conversation are in the cache. Any thread may call."""
        parked = [each.live for each in list(self._parked)]
        held = [*list(self._live.values()), *parked]
        return max((len(live.tokens) for live in held if live.session == session), default=0)


def shared_length(one: Sequence[object], other: Sequence[object]) -> int:
    """Return how many items (tokens) two sequences share at their beginning.

    By bisection, because comparing slices is done in C.
    """
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _gap_end(held: Sequence[int], wanted: Sequence[int], start: int) -> int | None:
    """Return the end of the gap in `held`, after which `wanted` continues from `start`."""
    rest = len(wanted) - start  # its last tokens may not be held yet
    for unread in range(min(rest, 2)):
        end = len(held) - (rest - unread)
        if end > start and held[end:] == wanted[start : len(wanted) - unread]:
            return end
    return None
