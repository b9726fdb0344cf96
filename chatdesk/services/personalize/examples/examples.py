"""Examples as found: the identity of their words, and the merging of duplicates."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from chatdesk.core.personalization import (
    Doubt,
    Example,
    ExampleKind,
    ExampleReason,
    ExampleSource,
    Turn,
)

# The reason that counts when the same words were found for several, the best first.
_BY_STRENGTH = (
    ExampleReason.CORRECTED,
    ExampleReason.RATED,
    ExampleReason.PREFERRED,
    ExampleReason.INCLUDED,
    ExampleReason.FILE,
)


def new_example(
    why: ExampleReason,
    turns: Sequence[Turn],
    target: str,
    sources: Sequence[ExampleSource],
    *,
    rejected: str = "",
    doubts: tuple[Doubt, ...] = (),
) -> Example:
    """Make an example that was found; with `rejected` a preference."""
    return Example(
        id=_identity(turns, target, rejected),
        kind=ExampleKind.PREFERENCE if rejected else ExampleKind.ANSWER,
        why=why,
        turns=tuple(turns),
        target=target,
        sources=tuple(sources),
        rejected=rejected,
        doubts=doubts,
    )


def merged(examples: Iterable[Example]) -> list[Example]:
    """Merge examples with the same words into one, with all sources and the best reason."""
    found: dict[str, Example] = {}
    for example in examples:
        known = found.get(example.id, example)
        best = min(known, example, key=lambda each: _BY_STRENGTH.index(each.why))
        sources = tuple(dict.fromkeys(known.sources + example.sources))
        found[example.id] = replace(best, sources=sources)
    return list(found.values())


def _identity(turns: Sequence[Turn], target: str, rejected: str) -> str:
    """Return a hash of all words, independent of the white space between them."""
    words = [*(part for turn in turns for part in (turn.role, turn.content)), target, rejected]
    text = "\0".join(" ".join(each.split()) for each in words)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
