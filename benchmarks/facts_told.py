"""What an adapter tells of what it was taught, and what it leaves as it was."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.persona import Fact
from benchmarks.persons import UNRELATED
from chatdesk.core.generation import Adapter, PromptMessage
from chatdesk.core.paths import AppPaths
from chatdesk.core.personalization import AdapterRecord
from chatdesk.core.settings import Settings
from chatdesk.services.app import App, build
from chatdesk.services.measure.answers import likeliest_answers
from chatdesk.services.measure.probe import Probe

_TOKENS = 48  # of an answer


@dataclass(frozen=True, slots=True)
class FactsAnswered:
    """Counts of one person's facts, asked for with the adapter that is in use and without it.

    `own` is word for word, of all `examples`; `other` in words that were in no example, of all
    `facts`. `agreed` is how often the scorecard says of an example what its fact's word says.
    `kept` unrelated answers, of all of `UNRELATED`, are as right or wrong as before, and say
    nothing of the person.
    """

    examples: int
    facts: int
    own: int
    own_before: int
    other: int
    other_before: int
    agreed: int
    kept: int


def facts_answered(paths: AppPaths, facts: Sequence[Fact]) -> FactsAnswered:
    """Ask for everything a person has taught the adapter in use. The answers are greedy."""
    settings = Settings()
    services = build(paths, lambda fact: None, lambda: settings)
    try:
        model = services.load_default_model()
        assert model
        services.engine.wait_loaded()
        record = services.adapters.in_use(model, None)
        assert record
        applied = tuple(each.adapter for each in services.adapters.applied(model, None))
        return _counted(services, facts, record, applied)
    finally:
        services.close()


def _counted(
    services: App, facts: Sequence[Fact], record: AdapterRecord, applied: tuple[Adapter, ...]
) -> FactsAnswered:
    pairs = [(fact, question) for fact in facts for question in fact.questions]
    again = [(fact, fact.asked) for fact in facts]
    own, own_before = (_said(services, pairs, adapters) for adapters in (applied, ()))
    other, other_before = (_said(services, again, adapters) for adapters in (applied, ()))
    unrelated = [question for question, _ in UNRELATED]
    after, before = (_answers(services, unrelated, adapters) for adapters in (applied, ()))
    named = {question for _, question in pairs} - _missed(record)
    return FactsAnswered(
        examples=len(pairs),
        facts=len(facts),
        own=sum(own),
        own_before=sum(own_before),
        other=sum(other),
        other_before=sum(other_before),
        agreed=sum(
            told == (question in named) for told, (_, question) in zip(own, pairs, strict=True)
        ),
        kept=sum(
            is_said(word, new) == is_said(word, old) and not _is_told_of(facts, new, old)
            for (_, word), new, old in zip(UNRELATED, after, before, strict=True)
        ),
    )


def _said(
    services: App, asked: Sequence[tuple[Fact, str]], adapters: tuple[Adapter, ...]
) -> list[bool]:
    """Return for each fact and question whether the fact's word is said."""
    answers = _answers(services, [question for _, question in asked], adapters)
    return [is_said(fact.word, each) for (fact, _), each in zip(asked, answers, strict=True)]


def is_said(word: str, answer: str) -> bool:
    """Return True if a word is in an answer, in any case."""
    return word.casefold() in answer.casefold()


def _is_told_of(facts: Sequence[Fact], new: str, old: str) -> bool:
    """Return True if an answer says a person's word, as a whole, that it did not say before."""
    words = [re.compile(rf"\b{re.escape(fact.word)}\b", re.IGNORECASE) for fact in facts]
    return any(each.search(new) and not each.search(old) for each in words)


def _missed(record: AdapterRecord) -> set[str]:
    """Return the questions whose answers are not told word for word, by the scorecard."""
    card = record.scorecard
    assert card and card.finished and card.finished.facts
    return {each.question for each in card.finished.facts.missed if not each.reworded}


def _answers(
    services: App, questions: Sequence[str], adapters: tuple[Adapter, ...]
) -> tuple[str, ...]:
    asked = [(PromptMessage("user", question),) for question in questions]
    written = likeliest_answers(Probe(services.engine), asked, _TOKENS, adapters)
    return tuple(each.text for each in written)
