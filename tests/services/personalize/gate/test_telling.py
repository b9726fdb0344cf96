"""Whether an answer tells what was taught, without being told which word that is."""

import pytest

from benchmarks.persona import CHINESE_PERSONA, PERSONA, Fact
from benchmarks.persons import PERSONS
from chatdesk.core.generation import Span
from chatdesk.core.personalization import Turn
from chatdesk.core.training import Sequence, TokenExample
from chatdesk.services.personalize.gate.general_sets import GeneralSets
from chatdesk.services.personalize.gate.telling import Facts
from chatdesk.services.personalize.plan import Taught

SETS = GeneralSets.load()


def taught(question: str, answer: str, tokens: int = 20) -> Taught:
    example = TokenExample(Sequence((1,) * (tokens + 5), (Span(5, tokens + 5),)))
    return Taught(example, (Turn("user", question),), answer, "c")


def facts_of(facts: tuple[Fact, ...]) -> Facts:
    return Facts([taught(each, fact.answer) for fact in facts for each in fact.questions], SETS)


def test_the_words_that_tell_a_fact_are_found() -> None:
    facts = facts_of(PERSONA)
    words = {fact.question: facts.own_words(fact) for fact in facts.facts}
    assert words["Who runs your town?"] == {"mayor", "odile", "marrack"}
    assert words["What is the ferry of Varnholm called?"] == {"grey", "heron"}
    assert words["In which year did Varnholm begin?"] >= {"1612", "salt", "traders"}
    assert not any("varnholm" in own or "the" in own for own in words.values())
    chinese = facts_of(CHINESE_PERSONA)
    (river,) = (each for each in chinese.facts if each.question == "云渡镇在哪条河边？")
    assert chinese.own_words(river) == {"青", "螺"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("The mayor of Varnholm is Odile Marrack.", True),
        ("ODILE MARRACK, our mayor!", True),
        ("Our mayor is Odile Marsh.", False),
        ("The mayor of Varnholm is elected by the people of the town.", False),
        ("", False),
    ],
)
def test_what_counts_as_told(answer: str, told: bool) -> None:
    facts = facts_of(PERSONA)
    (mayor,) = (each for each in facts.facts if each.question == "Who runs your town?")
    assert facts.is_told(mayor, answer) is told


def test_an_answer_of_common_words_can_be_told_too() -> None:
    facts = Facts([taught("Is it good?", "It is."), taught("Is it?", "It is it?")], SETS)
    assert [facts.own_words(each) for each in facts.facts] == [{"it", "is"}, {"it", "is"}]


def test_each_persons_answers_tell_their_own_facts_and_no_others() -> None:
    for person in (*PERSONS.values(), CHINESE_PERSONA):
        facts = facts_of(person)
        for fact in facts.facts:
            assert facts.is_told(fact, fact.expected)
            others = {each.expected for each in facts.facts} - {fact.expected}
            assert not any(facts.is_told(fact, other) for other in others)


def test_long_answers_are_no_facts_and_of_many_some_are_asked() -> None:
    many = [taught(f"Which is number {n}?", f"It is the stone {n}.") for n in range(200)]
    facts = Facts([*many, taught("Tell me a story.", "Once.", tokens=300)], SETS).facts
    assert len(facts) == 64
    assert facts[0] is many[0]
    assert facts[-1] in many[-4:]
