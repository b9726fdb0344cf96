"""The part of a conversation that the model reads when it is longer than the context window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.builder import PromptBuilder

_SHARE = 4  # a quarter of the window is kept for the answer
_LARGE = 4  # a turn that takes more than a quarter of the window is cut before it leaves
_WORTH_KEEPING = 8  # an eighth of the window is the least that is kept of a message that is cut
_WRONG_BY = 10  # an estimate may be a tenth too high
_LINE = 400  # characters in which a line should begin for a cut


class TooLong(Exception):
    """The system prompt and the last turn alone exceed the limit; both values in tokens."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(f"{tokens} tokens, at most {limit}")
        self.tokens = tokens
        self.limit = limit


@dataclass(frozen=True, slots=True)
class View:
    """The messages that a model reads, and their prompt.

    `view_start` is the index, among all messages, of the oldest one it reads apart from system and
    pinned ones; 0 while it reads everything. `view_cut` is the index of the one whose beginning it
    does not read.
    """

    messages: tuple[PromptMessage, ...]
    tokens: list[int]
    view_start: int
    view_cut: int | None = None


@dataclass(frozen=True, slots=True)
class _Turn:
    """A user's message and everything up to the next one, without system messages.

    `longest` is the index and `most` the tokens of its longest message, which has lost `gone`.
    """

    messages: tuple[int, ...]  # their indexes
    tokens: int
    pinned: bool
    longest: int
    most: int
    gone: int = 0


def whole(messages: Sequence[PromptMessage], builder: PromptBuilder, limit: int) -> View | None:
    """Return the view of everything, or None if that takes more than `limit` tokens.

    Raises as `PromptBuilder.tokens` does.
    """
    if builder.frame + sum(map(builder.estimate, messages)) > limit + limit // _WRONG_BY:
        return None  # no estimate of many messages is so wrong: do not read them for nothing
    prompt = builder.tokens(messages)
    return View(tuple(messages), prompt, 0) if len(prompt) <= limit else None


def fit(messages: Sequence[PromptMessage], builder: PromptBuilder, window: int, room: int) -> View:
    """Return the part of the conversation that leaves `room` of the `window`, both in tokens.

    System messages and turns with a pinned one stay, unless such a turn fills half of the window;
    the oldest other turns leave, each as a whole; of one that is large by itself (a document, say)
    the longest message loses its beginning, as long as enough of it stays. Only the conversation
    decides which ones: read from its beginning, whenever three quarters of the window are full,
    turns leave until half of it is. So the same beginning is missing for many turns, and the rest
    need not be read again with each of them. An answer that fills the window is fitted as the last
    message: what was left out stays out.

    With more than a quarter as `room`, turns leave correspondingly earlier. Where the last turn
    leaves no place for pinned ones, they leave as well, the oldest first. Raises `TooLong`, and as
    `PromptBuilder.tokens` does.
    """
    limit = window - room
    step = window // _SHARE
    turns = _turns(messages, builder, window // 2)
    frame = builder.frame + sum(builder.estimate(m) for m in messages if m.role == "system")
    limits = {window - step, min(limit, window - step)}
    oldest, gone = max(_oldest(turns, frame, each, each - step, window) for each in limits)
    kept = [turn for n, turn in enumerate(turns) if n >= oldest or turn.pinned]
    if gone:
        cut = replace(turns[oldest], tokens=turns[oldest].tokens - gone, gone=gone)
        kept[kept.index(turns[oldest])] = cut
    estimated = frame + sum(turn.tokens for turn in kept)
    surplus = estimated - limit
    while True:
        kept, freed = _let_go(kept, surplus, step)
        estimated -= freed
        if estimated > 2 * max(limit, 0):  # no estimate is so wrong: do not read it
            raise TooLong(estimated, limit)
        view_cut = next((turn.longest for turn in kept if turn.gone), None)
        chosen = _chosen(messages, kept)
        prompt = builder.tokens(chosen)
        if len(prompt) <= limit:
            is_whole = view_cut is None and len(chosen) == len(messages)
            return View(chosen, prompt, 0 if is_whole else _start(kept), view_cut)
        if len(kept) <= 1:
            raise TooLong(len(prompt), limit)
        wrong_by = estimated / len(prompt)
        surplus, step = ceil((len(prompt) - limit) * wrong_by), int(step * wrong_by)


def _chosen(messages: Sequence[PromptMessage], kept: Sequence[_Turn]) -> tuple[PromptMessage, ...]:
    """Return the system messages and those of the turns, one of them perhaps cut."""
    shown = {index for turn in kept for index in turn.messages}
    cuts = {turn.longest: turn.gone / turn.most for turn in kept if turn.gone}
    return tuple(
        replace(each, content=_end(each.content, cuts[n])) if n in cuts else each
        for n, each in enumerate(messages)
        if n in shown or each.role == "system"
    )


def _end(text: str, share: float) -> str:
    """Return a text without this share of its beginning, from the next line or word on.

    Nothing is put in its place: so the tokens of the rest stay as they are in the KV cache.
    """
    at = int(len(text) * share)
    for mark in ("\n", " "):
        found = text.find(mark, at, at + _LINE)
        if found >= 0:
            return text[found + 1 :]
    return text[at:]


def _start(kept: Sequence[_Turn]) -> int:
    """Return the oldest message that is not kept for its pin, or that of the last turn."""
    return next((turn for turn in kept if not turn.pinned), kept[-1]).messages[0]


def _turns(messages: Sequence[PromptMessage], builder: PromptBuilder, most: int) -> list[_Turn]:
    """Return the turns of a conversation; messages before the first question are one, too.

    A pin holds only a turn of at most `most` tokens: a larger one would push out all others.
    """
    groups: list[list[int]] = []
    for index, message in enumerate(messages):
        if message.role == "user" or (message.role != "system" and not groups):
            groups.append([])
        if message.role != "system":
            groups[-1].append(index)
    turns = []
    for group in groups:
        counts = {index: builder.estimate(messages[index]) for index in group}
        tokens, longest = sum(counts.values()), max(group, key=counts.__getitem__)
        pinned = tokens <= most and any(messages[index].pinned for index in group)
        turns.append(_Turn(tuple(group), tokens, pinned, longest, counts[longest]))
    return turns


def _oldest(
    turns: Sequence[_Turn], frame: int, limit: int, goal: int, window: int
) -> tuple[int, int]:
    """Return the oldest turn that remains when the conversation is read from its beginning.

    Whenever it becomes longer than `limit`, turns leave until `goal` is reached, except the one
    being read and pinned ones; `frame` are the tokens beside the turns. Also returns how many
    tokens of that turn have left: a large one is cut.
    """
    tokens = frame
    oldest = gone = 0
    for current, turn in enumerate(turns):
        tokens += turn.tokens
        if tokens <= limit:
            continue
        while oldest < current and tokens > goal:
            first, surplus = turns[oldest], tokens - goal
            is_large = first.tokens > window // _LARGE and not first.pinned
            if is_large and first.most - gone - surplus >= window // _WORTH_KEEPING:
                gone += surplus
                tokens = goal
                break
            if not first.pinned:
                tokens -= first.tokens - gone
            oldest, gone = oldest + 1, 0
    return oldest, gone


def _let_go(turns: list[_Turn], surplus: int, more: int) -> tuple[list[_Turn], int]:
    """Return `turns` without `surplus` tokens, if the turns before the last one have as many.

    Pinned ones leave only if there is no other way; of the others `more` tokens leave, so that the
    space lasts for a while. Also returns the number of removed tokens.
    """
    freed = 0
    gone: list[_Turn] = []
    if surplus > 0:
        for pinned, enough in ((False, surplus + more), (True, surplus)):
            for turn in turns[:-1]:
                if turn.pinned == pinned and freed < enough:
                    gone.append(turn)
                    freed += turn.tokens
    left = set(turns) - set(gone)
    return [turn for turn in turns if turn in left], freed
