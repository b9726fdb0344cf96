from dataclasses import replace

from chatdesk.core.personalization import ExampleReason, ExampleSource, Turn
from chatdesk.services.personalize.examples.examples import merged, new_example

QUESTION = (Turn("user", "Who?"),)


def test_duplicates_become_one_with_all_sources_and_the_best_reason() -> None:
    rated = new_example(ExampleReason.RATED, QUESTION, "Ada.", [ExampleSource("a", "1")])
    again = new_example(
        ExampleReason.CORRECTED,
        QUESTION,
        " Ada.",
        [ExampleSource("b", "2"), ExampleSource("a", "1")],
    )
    other = new_example(ExampleReason.RATED, QUESTION, "Eve.", [ExampleSource("c", "3")])
    assert merged([rated, other, again]) == [
        replace(again, sources=(ExampleSource("a", "1"), ExampleSource("b", "2"))),
        other,
    ]


def test_who_says_it_and_what_is_worse_make_a_difference() -> None:
    sources = [ExampleSource("a", "1")]
    answer = new_example(ExampleReason.RATED, QUESTION, "Ada.", sources)
    system = new_example(ExampleReason.RATED, (Turn("system", "Who?"),), "Ada.", sources)
    pair = new_example(ExampleReason.RATED, QUESTION, "Ada.", sources, rejected="Eve.")
    assert len({answer.id, system.id, pair.id}) == 3
