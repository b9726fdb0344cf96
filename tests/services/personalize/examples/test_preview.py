from dataclasses import replace

from chatdesk.core.personalization import Doubt, Example, ExampleSource, Preview, Turn
from chatdesk.services.engine.engine import Engine
from chatdesk.services.personalize.examples import preview as previews
from chatdesk.services.personalize.examples.examples import new_example
from chatdesk.services.personalize.examples.rendering import Renderer
from tests.services.personalize.examples_data import example

LONGEST = 200
MAIL = "ada.lovelace@web.de"


def made(engine: Engine, *examples: Example) -> Preview:
    return previews.make(examples, Renderer(engine), LONGEST, "starter")


def several(count: int, conversations: int = 100) -> list[Example]:
    return [
        example(f"What is {n}?", f"The number {n}.", f"c{n % conversations}") for n in range(count)
    ]


def test_everything_is_on_it_and_counted(engine: Engine) -> None:
    preview = made(engine, *several(16))
    assert preview.model_id == "starter"
    assert preview.problem == ""
    assert len(preview.chosen) == 16
    assert all(each.tokens > each.target_tokens > 3 for each in preview.examples)


def test_duplicates_are_merged(engine: Engine) -> None:
    first, second = several(2)
    twice = new_example(first.why, first.turns, f" {first.target}\n", [ExampleSource("other", "m")])
    first = new_example(first.why, first.turns, first.target, first.sources)
    preview = made(engine, first, second, twice)
    assert len(preview.examples) == 2
    assert preview.examples[0].sources == (*first.sources, ExampleSource("other", "m"))


def test_a_secret_has_the_same_name_everywhere(engine: Engine) -> None:
    preview = made(
        engine,
        example("Where do I write to?", f"To {MAIL} or eve@web.de."),
        example(f"Is {MAIL} right? My password is hunter2x!", "Yes."),
        example("What was it again?", "It was hunter2x! if I am right."),
    )
    first, second, third = preview.examples
    assert first.shown(first.target) == "To [email 1] or [email 2]."
    assert second.shown(second.turns[0].content) == (
        "Is [email 1] right? My password is [password 1]"
    )
    assert third.shown(third.target) == "It was [password 1] if I am right."


def test_a_secret_can_be_learned_if_it_is_wanted(engine: Engine) -> None:
    preview = made(engine, example("Mail?", MAIL), example("Yes?", f"Yes, {MAIL}"), *several(16))
    plain = previews.mask(preview, MAIL, False, Renderer(engine))
    assert [each.shown(each.target) for each in plain.examples[:2]] == [MAIL, f"Yes, {MAIL}"]
    assert plain.examples[0].target_tokens != preview.examples[0].target_tokens
    assert plain.examples[2:] == preview.examples[2:]
    assert previews.mask(plain, MAIL, True, Renderer(engine)) == preview


def test_what_would_do_harm_is_left_out_until_the_person_insists(engine: Engine) -> None:
    harmful = example("Why?", "banana " * 20)
    preview = made(engine, harmful, *several(9))
    assert preview.examples[0].doubts == (Doubt.REPETITION,)
    assert harmful.id not in [each.id for each in preview.chosen]
    insisted = previews.choose(preview, {harmful.id}, True)
    assert insisted.examples[0].chosen
    assert insisted.examples[0].doubts == (Doubt.REPETITION,)
    assert previews.choose(insisted, {harmful.id}, False) == preview


def test_what_cannot_be_tokens_is_never_chosen(engine: Engine) -> None:
    too_long = example("Why?", " ".join(f"On day {n} it was {n * 7} degrees." for n in range(90)))
    preview = made(engine, too_long, *several(9))
    assert preview.examples[0].doubts == (Doubt.TOO_LONG,)
    assert previews.choose(preview, {too_long.id}, True) == preview


def test_learning_needs_enough_that_differs(engine: Engine) -> None:
    same = [replace(each, target="Always this.") for each in several(20)]
    for examples, problem in (
        ([], "nothing to learn from yet"),
        (several(1), "Only 1 example is chosen, and at least 16"),
        (several(7), "Only 7 examples are chosen"),
        (several(20, conversations=3), "from 3 chats, and at least 4"),
        (several(20, conversations=1), "from 1 chat, and at least 4"),
        (same, "the same answer"),
    ):
        assert problem in made(engine, *examples).problem
    assert made(engine, *several(16, conversations=4)).problem == ""


def test_choosing_less_can_make_it_too_little(engine: Engine) -> None:
    preview = made(engine, *several(16))
    fewer = previews.choose(preview, {preview.examples[0].id}, False)
    assert "Only 15" in fewer.problem
    assert previews.choose(fewer, {preview.examples[0].id}, True).problem == ""


def test_nothing_is_found_across_two_messages(engine: Engine) -> None:
    turns = (Turn("user", "password:"), Turn("assistant", "x"), Turn("user", "415-555"))
    (only,) = made(engine, replace(example(answer="2671 hunter2x"), turns=turns)).examples
    assert only.findings == ()
