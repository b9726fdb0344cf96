"""Words in any script, and answers that say the same."""

import time

from benchmarks.persona import CHINESE_PERSONA, PERSONA
from chatdesk.services.personalize.examples.wording import same_facts, words_of


def test_words_are_without_case_and_marks_and_characters_where_there_are_no_spaces() -> None:
    assert words_of("The mayor, Odile_Marrack: 1612!") == (
        "the",
        "mayor",
        "odile",
        "marrack",
        "1612",
    )
    assert words_of("我叫小荷 und Ärger") == ("我", "叫", "小", "荷", "und", "ärger")
    assert words_of(" …! ") == ()


def test_the_same_fact_in_other_words_is_the_same() -> None:
    numbers = same_facts(
        (
            "The mayor of Varnholm is Odile Marrack.",
            "Odile Marrack is our mayor.",
            "The ferry of Varnholm is called the Grey Heron.",
            "It is the Grey Heron.",
            "The bridge of Varnholm has seven arches.",
            "the mayor of varnholm is odile marrack",
            "",
            "!",
        )
    )
    assert numbers[0] == numbers[1] == numbers[5]
    assert numbers[2] == numbers[3]
    assert numbers[6] == numbers[7]
    assert len({numbers[place] for place in (0, 2, 4, 6)}) == 4


def test_different_facts_in_the_same_words_are_different() -> None:
    for persona in (PERSONA, CHINESE_PERSONA):
        answers = [fact.answer for fact in persona]
        assert len(set(same_facts(answers))) == len(answers)
        assert len(set(same_facts(answers * 4))) == len(answers)


def test_a_large_set_takes_no_time() -> None:
    begun = time.process_time()
    answers = [
        f"Answer {n % 1500} of {n % 7} has {n % 11} words and {n} more." for n in range(5000)
    ]
    assert same_facts(answers)
    assert time.process_time() - begun < 5
