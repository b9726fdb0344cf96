"""Sides of a run: whole conversations, always the same ones, and enough of them."""

import random

from chatdesk.core.personalization import Example
from chatdesk.services.personalize.examples.splits import Split, split
from tests.services.personalize.examples_data import example


def conversations(side: tuple[Example, ...]) -> set[str]:
    return {source.conversation_id for each in side for source in each.sources}


def sides(found: Split) -> list[tuple[Example, ...]]:
    return [found.train, found.validation, found.heldout]


def test_every_example_is_on_one_side_and_no_conversation_on_two() -> None:
    source = random.Random(1)
    examples = [
        example(f"q{n}", f"a{n}", *{f"c{source.randrange(60)}" for _ in range(1 + n % 2)})
        for n in range(150)
    ]
    found = split(examples)
    assert sorted(each.id for side in sides(found) for each in side) == sorted(
        each.id for each in examples
    )
    train, validation, heldout = map(conversations, sides(found))
    assert not train & validation
    assert not train & heldout
    assert not validation & heldout


def test_the_shares_are_about_what_they_should_be() -> None:
    train, validation, heldout = map(
        len, sides(split([example(f"q{n}", f"a{n}") for n in range(1000)]))
    )
    assert 650 < train < 750
    assert 70 < validation < 130
    assert 160 < heldout < 240


def test_few_examples_still_have_enough_on_each_side() -> None:
    found = split([example(f"q{n}") for n in range(12)])
    assert len(found.heldout) >= 6
    assert len(found.validation) >= 2
    assert found.train


def test_what_was_trained_on_is_not_tested_on_as_more_comes() -> None:
    before = [example(f"q{n}", f"a{n % 40}") for n in range(60)]
    after = split([*before, *(example(f"new{n}", f"a{n + 20}") for n in range(60))])
    trained = conversations(split(before).train)
    assert not trained & conversations(after.heldout)
    assert split(before) == split(before)
    assert {e.id for e in split(before[::-1]).heldout} == {e.id for e in split(before).heldout}


def test_one_large_conversation_is_trained_on() -> None:
    examples = [example(f"q{n}", f"a{n}", "large") for n in range(30)]
    examples += [example(f"s{n}", f"a{n}", f"small{n}") for n in range(10)]
    found = split(examples)
    assert "large" in conversations(found.train)
    assert len(found.heldout) >= 6


def test_a_fact_that_was_asked_in_several_chats_is_never_held_out_in_all() -> None:
    source = random.Random(2)
    for forms in (2, 3, 4):
        answers = [f"The {n} of {source.random()} is called {source.random()}." for n in range(20)]
        examples = [
            example(f"q{form} {n}", answers[n] + "!" * form, f"c{form} {n} {source.random()}")
            for n in range(20)
            for form in range(forms)
        ]
        found = split(examples)
        trained = {each.target.rstrip("!") for each in found.train}
        assert trained == set(answers)
        heldout = [each.target.rstrip("!") for each in found.heldout]
        assert len(heldout) == len(set(heldout)) >= 6


def test_few_facts_with_many_forms_still_have_enough_on_each_side() -> None:
    words = ("red", "green", "blue")
    examples = [example(f"q{n}", f"The colour is {words[n % 3]}.") for n in range(16)]
    found = split(examples)
    assert len(found.heldout) == 6
    assert {each.target for each in found.heldout} == {each.target for each in examples}
    assert {each.target for each in found.train} == {each.target for each in examples}


def test_what_one_chat_alone_teaches_may_be_held_out() -> None:
    examples = [example(f"q{n} {k}", f"answer {n}", f"c{n}") for n in range(8) for k in range(2)]
    assert len(split(examples).heldout) >= 6
