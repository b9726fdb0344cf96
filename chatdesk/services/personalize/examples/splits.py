"""The split of examples: for training, for validation, and held out for the gate.

Whole conversations go to one side. A hash of their ids decides, not chance, so that held-out ones
stay held out in later runs, and an adapter is not measured on what the one before it was trained
on. Only in a small set more is taken, to have enough of each.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from chatdesk.core.personalization import Example

HELDOUT_SHARE, VALIDATION_SHARE = 0.2, 0.1  # of the examples
LEAST_HELDOUT, LEAST_VALIDATION = 6, 2  # examples; below that a mean says nothing
_TOO_MUCH = 0.3  # of the examples: a conversation with more than that goes to the training


@dataclass(frozen=True, slots=True)
class Split:
    """The three sides, in the order of the examples."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    heldout: tuple[Example, ...]


def split(examples: Sequence[Example]) -> Split:
    """Split the examples; those that share a conversation go to the same side."""
    groups = _groups(examples)
    most = len(examples) * _TOO_MUCH
    heldout, groups = _take(groups, HELDOUT_SHARE, LEAST_HELDOUT, most)
    validation, groups = _take(groups, HELDOUT_SHARE + VALIDATION_SHARE, LEAST_VALIDATION, most)
    return Split(*(_in_order(examples, side) for side in (groups, validation, heldout)))


def _in_order(
    examples: Sequence[Example], groups: Sequence[Sequence[Example]]
) -> tuple[Example, ...]:
    ids = {each.id for group in groups for each in group}
    return tuple(each for each in examples if each.id in ids)


def _groups(examples: Sequence[Example]) -> list[list[Example]]:
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
    groups = {id(group): group for group in group_of.values()}
    return sorted(groups.values(), key=_place)


def _place(group: Sequence[Example]) -> float:
    """Return a number from 0 to 1 that is always the same for a conversation."""
    first = min(source.conversation_id for each in group for source in each.sources)
    return int.from_bytes(hashlib.sha256(first.encode()).digest()[:8]) / 2**64


def _take(
    groups: Sequence[list[Example]], below: float, least: int, most: float
) -> tuple[list[list[Example]], list[list[Example]]]:
    """Return the groups with a place below that, or more to have at least `least` examples.

    A group with more than `most` examples is not among them.
    """
    taken: list[list[Example]] = []
    left: list[list[Example]] = []
    count = 0
    for group in groups:
        if len(group) <= most and (_place(group) < below or count < least):
            taken.append(group)
            count += len(group)
        else:
            left.append(group)
    return taken, left
