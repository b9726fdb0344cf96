"""Where in a text the words stand, and the part of it to show."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from chatdesk.core.folding import composed, folded, places
from chatdesk.core.search import MATCH_BEGINS, MATCH_ENDS, Term

LENGTH = 200  # characters of a snippet
BEFORE = 50  # of these, before the first match
LOOKED_AT = 1_000_000  # characters of a text; a longer one is nobody's reading
MOST_MATCHES = 16  # of a term in a text
NEAR = 120  # characters between words that belong together

_BLANKS = re.compile(r"\s+")
_MARKS = str.maketrans("", "", MATCH_BEGINS + MATCH_ENDS + "\0")


class TermMatch(NamedTuple):
    """A match of the term of this index, in a folded text."""

    begin: int
    end: int
    term: int


def spans(text: str, terms: Sequence[Term]) -> list[TermMatch]:
    """Return the matches in a folded text, in their order."""
    return sorted(
        TermMatch(*match.span(), at)
        for at, term in enumerate(terms)
        for match in islice(term.pattern.finditer(text), MOST_MATCHES)
    )


def densest(found: Sequence[TermMatch], width: int) -> tuple[int, int]:
    """Return where the most terms stand within so many characters, and how many do."""
    best, most = 0, 0
    everything = len({span.term for span in found})
    for at, span in enumerate(found):
        if most == everything:
            break
        terms = set()
        for other in islice(found, at, None):
            if other.end > span.begin + width:
                break
            terms.add(other.term)
        if len(terms) > most:
            best, most = span.begin, len(terms)
    return best, most


def snippet(text: str, folded_text: str, terms: Sequence[Term]) -> str:
    """Return the part of a text that has the most of the terms, with marks around each.

    `folded_text` is as much of it as is looked at, folded.
    """
    source = composed(text[:LOOKED_AT])
    found = spans(folded_text, terms)
    begin, _ = densest(found, LENGTH - BEFORE)
    where = places(source)
    marked = [
        (_begin(where, span.begin), _end(where, span.end))
        for span in found
        if begin <= span.begin < begin + LENGTH
    ]
    first = _start_of_word(source, max(0, (marked[0][0] if marked else 0) - BEFORE))
    last = min(len(source), max(first + LENGTH, marked[0][1] if marked else 0))
    parts = ["…" if first else ""]
    at = first
    for start, end in marked:
        if start < at or end > last:
            continue
        parts += _plain(source[at:start]), MATCH_BEGINS, _plain(source[start:end]), MATCH_ENDS
        at = end
    parts += _plain(source[at:last]), "…" if last < len(source) or len(text) > LOOKED_AT else ""
    return _BLANKS.sub(" ", "".join(parts)).strip()


def whole_marked(text: str, terms: Sequence[Term]) -> str:
    """Return all of a short text, with marks around what matches."""
    source = composed(text)
    where = places(source)
    parts: list[str] = []
    at = 0
    for span in spans(folded(source), terms):
        start, end = _begin(where, span.begin), _end(where, span.end)
        if start >= at:
            parts += source[at:start], MATCH_BEGINS, source[start:end], MATCH_ENDS
            at = end
    return "".join((*parts, source[at:]))


def _start_of_word(text: str, at: int) -> int:
    """Return the place after the next blank, unless that is far."""
    if at == 0:
        return 0
    blank = re.compile(r"\s").search(text, at, at + BEFORE // 2)
    return blank.end() if blank else at


def _begin(where: list[int] | None, place: int) -> int:
    return place if where is None else bisect_right(where, place) - 1


def _end(where: list[int] | None, place: int) -> int:
    return place if where is None else bisect_left(where, place)


def _plain(text: str) -> str:
    return text.translate(_MARKS).replace("```", "")
