"""Search over all conversations.

The index gives the newest rows that may match; their texts are looked into, which makes every word
literal, and the best of these come first. So a very common word costs no more than a rare one.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice

from chatdesk.core.errors import StoreProblem
from chatdesk.core.folding import folded, is_joined
from chatdesk.core.search import Found, Hit, Query, Term
from chatdesk.services.history.snippets import (
    LOOKED_AT,
    NEAR,
    densest,
    snippet,
    spans,
    whole_marked,
)
from chatdesk.store.search import Candidate, SearchedText, SearchSession, SearchStore, expression

MOST = 100  # messages that are ranked: the newest
MOST_TITLES = 50
SHOWN = 60
BATCH = 50  # texts read at once
LATEST = 1000  # messages looked through for a letter or two, before the index is asked for these
INDEXED_BEGINNING = 3  # letters: beginnings of this length are in the index as they are
PATIENCE_S = 3.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Match:
    """A candidate whose text has everything, with what it is ranked by."""

    row: Candidate
    said: SearchedText
    folded: str  # all that is searched of it
    is_whole: bool
    is_near: bool

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        """Titles first; whole words before their beginnings, near ones before others, new ones."""
        is_title = self.row.message_id is None
        return is_title, self.is_whole, self.is_near, self.row.number


class SearchService:
    """Finds messages and titles, and indexes what an older database brought."""

    def __init__(self, store: SearchStore) -> None:
        self._store = store
        self._wake = threading.Event()
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def find(
        self,
        query: Query,
        limit: int = SHOWN,
        is_cancelled: Callable[[], bool] = lambda: False,
        patience_s: float = PATIENCE_S,
    ) -> Found:
        """Return what matches, the best first; what is found so far when it is cancelled.

        Raises `StoreProblem`.
        """
        began = time.monotonic()
        if query.is_empty:
            return Found()
        give_up = began + patience_s
        with self._store.session(lambda: is_cancelled() or time.monotonic() > give_up) as session:
            search = _Search(session, query)
            titles = search.matches(titles=True, most=MOST_TITLES) if query.names_titles else []
            messages = search.matches(titles=False, most=MOST)
            name = query.filters.project
            unknown = name if name and not session.project_ids(name) else ""
        best = sorted(titles + messages, key=lambda each: each.rank, reverse=True)
        return Found(
            hits=tuple(_hit(each, query.terms) for each in best[:limit]),
            has_more=search.has_more or len(best) > limit,
            back_to=search.back_to if session.was_stopped else None,
            waiting=self._store.waiting(),
            unknown_project=unknown,
            seconds=time.monotonic() - began,
        )

    # What is done beside

    def start(self) -> None:
        """Index what an older database brought, on a thread of its own."""
        self._thread = threading.Thread(target=self._keep_up, name="search-index", daemon=True)
        self._thread.start()

    def keep_up_soon(self) -> None:
        """Something was imported or deleted for good: have the index follow."""
        self._wake.set()

    def close(self) -> None:
        """End the work beside; the rest of it is done after the next start."""
        self._is_closing = True
        self._wake.set()
        if self._thread:
            self._thread.join()

    def keep_up(self) -> None:
        """Do all the work beside now. Raises `StoreProblem`."""
        while not self._is_closing and self._store.index_next():
            time.sleep(0)  # others may write between
        is_first = True
        while not self._is_closing and self._store.merge_some(first=is_first):
            is_first = False

    def _keep_up(self) -> None:
        while not self._is_closing:
            self._wake.clear()
            try:
                self.keep_up()
            except StoreProblem as problem:  # after the next start, then
                _log.warning("the search index was not brought up to date: %s", problem)
            self._wake.wait()


class _Search:
    """One search in one session."""

    def __init__(self, session: SearchSession, query: Query) -> None:
        self._session = session
        self._query = query
        self.has_more = False
        self.back_to: datetime | None = None

    def matches(self, *, titles: bool, most: int) -> list[_Match]:
        """Return the newest matches."""
        found: list[_Match] = []
        rows = _once(chain.from_iterable(self._stages(titles)))
        while batch := list(islice(rows, BATCH)):
            texts = {} if titles else self._session.texts(batch)
            for row in batch:
                said = SearchedText(row.title) if titles else texts.get(row.message_id or "")
                if said and (match := self._look(row, said)):
                    found.append(match)
            self.back_to = batch[-1].created
            if len(found) > most:
                self.has_more = True
                return found[:most]
            if self._session.is_over():
                break
        return found

    def _stages(self, titles: bool) -> Iterator[Iterator[Candidate]]:
        """Yield where to look, the quickest first."""
        query, filters = self._query, self._query.filters
        longer = tuple(each for each in query.terms if not _is_short(each))
        if len(longer) < len(query.terms):
            words = expression(replace(query, terms=longer), titles=titles)
            most = None if titles else LATEST
            latest = list(self._session.candidates(words, filters, titles=titles, limit=most))
            yield iter(latest)
            if titles or len(latest) < LATEST:  # these were all
                return
        words = expression(query, titles=titles)
        whole = expression(query, titles=titles, whole=True)
        if whole != words:
            yield self._session.candidates(whole, filters, titles=titles)
        yield self._session.candidates(words, filters, titles=titles)

    def _look(self, row: Candidate, said: SearchedText) -> _Match | None:
        """Look into a text; None when it does not match."""
        text = said.whole
        terms = self._query.terms
        is_cut = len(text) > LOOKED_AT
        text = folded(text[:LOOKED_AT])
        if any(each.pattern.search(text) for each in self._query.excluded):
            return None
        for each in terms:
            if not each.pattern.search(text) and not (is_cut and each.tokens == [each.text]):
                return None
        is_whole = all(each.whole.search(text) for each in terms if each.is_prefix)
        is_near = len(terms) < 2 or densest(spans(text, terms), NEAR)[1] == len(terms)
        return _Match(row, said, text, is_whole, is_near)


def _once(rows: Iterable[Candidate]) -> Iterator[Candidate]:
    seen: set[int] = set()
    for row in rows:
        if row.number not in seen:
            seen.add(row.number)
            yield row


def _is_short(term: Term) -> bool:
    """True for what the index finds slowly: a letter or two that very many words begin with."""
    length = len(term.text)
    return (length < INDEXED_BEGINNING and term.is_prefix) or (length == 1 and is_joined(term.text))


def _hit(match: _Match, terms: tuple[Term, ...]) -> Hit:
    row, said = match.row, match.said
    is_title = row.message_id is None
    is_all = said.whole == said.text  # as nearly always: it is folded once
    begin = match.folded if is_all else folded(said.text[:LOOKED_AT])
    in_text = any(each.pattern.search(begin) for each in terms) if terms else bool(said.text)
    shown, shown_folded = (said.text, begin) if in_text else (said.whole, match.folded)
    return Hit(
        conversation_id=row.conversation_id,
        title=whole_marked(row.title, terms) if is_title else row.title,
        created=row.created,
        snippet="" if is_title else snippet(shown, shown_folded, terms),
        message_id=row.message_id,
        role=said.role,
        model=said.model,
        project_id=row.project_id,
        is_archived=row.is_archived,
        is_thinking=bool(said.thinking) and not in_text,
    )
