"""The split of examples: for training, for validation, and held out for the gate.

Whole conversations go to one side. A hash of their ids decides, not chance, so that held-out ones
stay held out in later runs, and an adapter is not measured on what the one before it was trained
on. Only in a small set more is taken, to have enough of each.

What is held out is spread over facts: at most one form of each, where that is enough, and never all
forms of one that was asked in several conversations. What is left of them teaches the fact.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatdesk.core.personalization import Example
from chatdesk.services.personalize.examples.wording import same_facts

HELDOUT_SHARE, VALIDATION_SHARE = 0.2, 0.1  # of the examples
LEAST_HELDOUT, LEAST_VALIDATION = 6, 2  # examples; below that a mean says nothing
_TOO_MUCH = 0.3  # of the examples: a conversation with more than that goes to the training


@dataclass(frozen=True, slots=True)
class Split:
    """The three sides, in the order of the examples."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    heldout: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Examples that share conversations; `facts` are the facts of their answers, by number."""

    examples: tuple[Example, ...]
    facts: frozenset[int]
    place: float  # from 0 to 1, always the same for a conversation


def split(examples: Sequence[Example]) -> Split:
    """Split the examples; those that share a conversation go to the same side."""
    groups = _groups(examples)
    most = len(examples) * _TOO_MUCH
    sides = _Sides([each for each in groups if len(each.examples) <= most], groups)
    heldout = sides.take(HELDOUT_SHARE, LEAST_HELDOUT)
    validation = sides.take(HELDOUT_SHARE + VALIDATION_SHARE, LEAST_VALIDATION)
    train = [each for each in groups if each not in heldout and each not in validation]
    return Split(*(_in_order(examples, side) for side in (train, validation, heldout)))


class _Sides:
    """Takes groups for a side that is not trained on, from those that are `offered`."""

    def __init__(self, offered: Sequence[_Group], everything: Sequence[_Group]) -> None:
        self._offered = list(offered)
        self._asked = Counter(fact for group in everything for fact in group.facts)
        self._left = self._asked.copy()  # conversations that may still teach each fact

    def take(self, below: float, least: int) -> list[_Group]:
        """Return the groups with a place below that, one of each fact.

        When these have fewer than `least` examples more are taken: first of further facts, then
        of the same ones, at last all that is known of one.
        """
        taken: list[_Group] = []
        known: set[int] = set()

        def is_enough() -> bool:
            return sum(len(each.examples) for each in taken) >= least

        for is_spread, is_taught in ((True, True), (False, True), (False, False)):
            for group in self._offered:
                wanted = not is_enough() or (is_spread and group.place < below)
                if not wanted or group in taken or (is_spread and group.facts & known):
                    continue
                if is_taught and not self._stays_taught(group):
                    continue
                taken.append(group)
                known |= group.facts
                self._left.subtract(group.facts)
        self._offered = [each for each in self._offered if each not in taken]
        return taken

    def _stays_taught(self, group: _Group) -> bool:
        """Return True if each of its facts has another conversation left, or never had one."""
        return all(self._left[fact] > 1 or self._asked[fact] == 1 for fact in group.facts)


def _in_order(examples: Sequence[Example], groups: Sequence[_Group]) -> tuple[Example, ...]:
    ids = {each.id for group in groups for each in group.examples}
    return tuple(each for each in examples if each.id in ids)


def _groups(examples: Sequence[Example]) -> list[_Group]:
    """Return groups of examples connected by conversations, in the order of their hashes."""
    group_of: dict[str, list[Example]] = {}  # by conversation
    for example in examples:
        conversations = {source.conversation_id for source in example.sources}
        merged = [example]
        for known in {
            id(group_of[c]): group_of[c] for c in conversations if c in group_of
        }.values():
            merged += known
        for conversation in {s.conversation_id for each in merged for s in each.sources}:
            group_of[conversation] = merged
    numbers = same_facts([each.target for each in examples])
    facts = dict(zip((each.id for each in examples), numbers, strict=True))
    groups = {id(group): _group(group, facts) for group in group_of.values()}
    return sorted(groups.values(), key=lambda group: group.place)


def _group(examples: Sequence[Example], facts: Mapping[str, int]) -> _Group:
    first = min(source.conversation_id for each in examples for source in each.sources)
    place = int.from_bytes(hashlib.sha256(first.encode()).digest()[:8]) / 2**64
    return _Group(tuple(examples), frozenset(facts[each.id] for each in examples), place)
