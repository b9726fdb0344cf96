"""Other orders of a conversation, for templates that refuse the one it has.

Many templates want one system message at the beginning, and then a user and an assistant by turns.
No text is left out: a late system text goes to the head of the next user's, a greeting stands
behind a user's turn of three dots.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chatdesk.core.generation import PromptMessage

_SILENCE = "..."  # of a user, before an assistant's first words


def arrangements(turns: Sequence[PromptMessage]) -> Iterator[list[PromptMessage]]:
    """Yield the turns as they are, and then in forms that ever more templates accept."""
    yield list(turns)
    merged = _merged(turns)
    yield merged
    early = _merged(_with_early_system(turns))
    if early != merged:
        yield early
    if (opened := _merged(_opened_by_user(early))) != early:
        yield opened


def easily_lost(turns: Sequence[PromptMessage]) -> list[str]:
    """Return the texts that a template may leave out without a word: late ones, and greetings."""
    late = [n for n, turn in enumerate(turns) if n and turn.role == "system"]
    first = next((n for n, turn in enumerate(turns) if turn.role != "system"), None)
    if first is not None and turns[first].role == "assistant" and len(turns) > first + 1:
        late.append(first)
    return [turns[n].content.strip() for n in late]


def fold_system(turns: Sequence[PromptMessage]) -> list[PromptMessage]:
    """Put the system texts before the first user message, for templates without a system role."""
    system = [turn for turn in turns if turn.role == "system"]
    rest = [turn for turn in turns if turn.role != "system"]
    if not system:
        return rest
    text = "\n\n".join(turn.content for turn in system)
    if not rest or rest[0].role != "user":
        return [PromptMessage("user", text), *rest]
    return [replace(rest[0], content=f"{text}\n\n{rest[0].content}"), *rest[1:]]


def _merged(turns: Sequence[PromptMessage]) -> list[PromptMessage]:
    """Join neighbours of one role into one turn, for templates that require alternating roles."""
    merged: list[PromptMessage] = []
    for turn in turns:
        if merged and merged[-1].role == turn.role:
            merged[-1] = replace(turn, content=f"{merged[-1].content}\n\n{turn.content}")
        elif turn.content or turn.thinking:
            merged.append(turn)
    return merged


def _with_early_system(turns: Sequence[PromptMessage]) -> list[PromptMessage]:
    """Give system texts behind the beginning to the next user turn, or to a new one."""
    given: list[PromptMessage] = []
    waiting: list[str] = []
    for turn in turns:
        if turn.role == "system" and any(each.role != "system" for each in given):
            waiting.append(turn.content)
            continue
        if waiting and turn.role == "user":
            given.append(replace(turn, content="\n\n".join([*waiting, turn.content])))
        elif waiting:
            given += [PromptMessage("user", "\n\n".join(waiting)), turn]
        else:
            given.append(turn)
        waiting.clear()
    if waiting:
        given.append(PromptMessage("user", "\n\n".join(waiting)))
    return given


def _opened_by_user(turns: Sequence[PromptMessage]) -> list[PromptMessage]:
    """Put a user's turn before an assistant's first words."""
    first = next((n for n, turn in enumerate(turns) if turn.role != "system"), len(turns))
    if first == len(turns) or turns[first].role != "assistant":
        return list(turns)
    return [*turns[:first], PromptMessage("user", _SILENCE), *turns[first:]]
