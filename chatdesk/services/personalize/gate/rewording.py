"""Questions in other words, written by the model itself.

A small model often asks something else. So what it writes only counts when it keeps at least half
of the question's content words and adds no more than two.
"""

from chatdesk.core.generation import PromptMessage
from chatdesk.services.measure.answers import likeliest_answers
from chatdesk.services.measure.probe import Messages, Probe
from chatdesk.services.personalize.examples.wording import words_of
from chatdesk.services.personalize.gate.evidence import asked
from chatdesk.services.personalize.gate.telling import Facts
from chatdesk.services.personalize.plan import Taught

_TOKENS = 24
_KEPT, _ADDED = 0.5, 2
_MARKS = "?？؟"
_INSTRUCTION = "Ask the same in other words: {}"
_SHOWN = (
    ("Where can I park my car?", "In which place can I leave my car?"),
    ("Who wrote this book?", "What is the name of the author of this book?"),
    ("When does the train to London leave?", "At what time does the London train go?"),
)


def reworded(probe: Probe, facts: Facts) -> tuple[Messages | None, ...]:
    """Return each fact's question in other words, as a conversation; None where there are none.

    The model writes them without an adapter, after some that show how it is done.
    """
    shown = [
        message
        for question, other in _SHOWN
        for message in (
            PromptMessage("user", _INSTRUCTION.format(question)),
            PromptMessage("assistant", other),
        )
    ]
    prompts = [
        (*shown, PromptMessage("user", _INSTRUCTION.format(each.question))) for each in facts.facts
    ]
    written = likeliest_answers(probe, prompts, _TOKENS)
    return tuple(
        (*asked(fact)[:-1], PromptMessage("user", question))
        if is_reworded(facts, fact, question := " ".join(each.text.split()))
        else None
        for fact, each in zip(facts.facts, written, strict=True)
    )


def is_reworded(facts: Facts, fact: Taught, question: str) -> bool:
    """Return True if a question probably asks for a fact, and not in its own words."""
    known = (fact.question, *(other for _, other in _SHOWN))
    if not question or words_of(question) in map(words_of, known):
        return False
    if fact.question.rstrip().endswith(tuple(_MARKS)) and not question.endswith(tuple(_MARKS)):
        return False
    own, other = facts.content_words(fact.question), facts.content_words(question)
    return len(own & other) >= _KEPT * len(own) and len(other - own) <= _ADDED
