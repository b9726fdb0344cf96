from dataclasses import replace

import pytest

from chatdesk.core.chat import (
    AnswerRecord,
    Conversation,
    Mark,
    Message,
    MessageState,
    Rating,
    Role,
    TitleSource,
    now,
)
from chatdesk.core.parts import plain
from chatdesk.core.personalization import (
    Doubt,
    Example,
    ExampleKind,
    ExampleReason,
    LearnFrom,
    Turn,
)
from chatdesk.services.personalize.examples.candidates import candidates

UP, DOWN = Rating.UP, Rating.DOWN
RATED, EVERYTHING, NOTHING = LearnFrom.RATED, LearnFrom.EVERYTHING, LearnFrom.NOTHING


class Chat:
    """A conversation that grows; the newest message is the active leaf."""

    def __init__(self, system: str = "") -> None:
        self._messages: list[Message] = []
        self._system = system
        self.mark: Mark | None = None
        self.leaf: str | None = None

    def ask(self, text: str, after: str | None = None, mark: Mark | None = None) -> str:
        return self._add(Role.USER, text, after, None, mark=mark)

    def answer(
        self,
        text: str,
        rating: Rating | None = None,
        *,
        to: str | None = None,
        mark: Mark | None = None,
        corrects: str | None = None,
        state: MessageState = MessageState.COMPLETE,
        stop_reason: str = "end",
    ) -> str:
        record = None if corrects else AnswerRecord(stop_reason=stop_reason)
        return self._add(Role.ASSISTANT, text, to, record, rating, mark, corrects, state)

    def _add(
        self,
        role: Role,
        text: str,
        after: str | None,
        record: AnswerRecord | None,
        rating: Rating | None = None,
        mark: Mark | None = None,
        corrects: str | None = None,
        state: MessageState = MessageState.COMPLETE,
    ) -> str:
        key = f"m{len(self._messages)}"
        parent = after or self.leaf
        message = Message(
            key, "c", parent, role, plain(text), state, now(), record, False, rating, mark, corrects
        )
        self._messages.append(message)
        self.leaf = key
        return key

    def learned(self, learn_from: LearnFrom = RATED) -> list[Example]:
        conversation = Conversation(
            id="c",
            title="",
            title_source=TitleSource.NONE,
            system_prompt=self._system,
            created=now(),
            updated=now(),
            deleted=None,
            active_leaf_id=self.leaf,
            messages=tuple(self._messages),
            mark=self.mark,
        )
        return candidates(conversation, learn_from)


def said(examples: list[Example]) -> list[tuple[ExampleReason, str, str]]:
    return [(each.why, each.target, each.rejected) for each in examples]


def test_a_rated_answer_is_learned_with_all_that_was_said_before() -> None:
    chat = Chat(system="Be Ada.")
    chat.ask("Hi")
    chat.answer("Hello")
    chat.ask("Who are you?")
    rated = chat.answer("I am Ada.", UP)
    chat.ask("And?")
    chat.answer("Nothing")
    (example,) = chat.learned()
    assert example.kind is ExampleKind.ANSWER
    assert example.why is ExampleReason.RATED
    assert example.turns == (
        Turn("system", "Be Ada."),
        Turn("user", "Hi"),
        Turn("assistant", "Hello"),
        Turn("user", "Who are you?"),
    )
    assert example.target == "I am Ada."
    assert [source.message_id for source in example.sources] == [rated]
    assert chat.learned(NOTHING) == []


def test_thinking_is_not_learned() -> None:
    chat = Chat()
    chat.ask("Hi")
    chat.answer("<think>Be nice.</think>\n\nHello", UP)
    assert said(chat.learned()) == [(ExampleReason.RATED, "Hello", "")]


def test_everything_is_what_was_read_last_and_not_disliked() -> None:
    chat = Chat()
    question = chat.ask("One?")
    chat.answer("not read any more")
    chat.answer("one", to=question)
    chat.ask("Two?")
    chat.answer("two", DOWN)
    chat.ask("Three?")
    chat.answer("half", state=MessageState.STOPPED)
    chat.ask("Four?")
    chat.answer("   ")
    chat.ask("Five?")
    chat.answer("five")
    found = [each for each in said(chat.learned(EVERYTHING)) if not each[2]]
    assert found == [(ExampleReason.INCLUDED, "one", ""), (ExampleReason.INCLUDED, "five", "")]
    chat.mark = Mark.INCLUDE
    assert [each for each in said(chat.learned(RATED)) if not each[2]] == found
    assert chat.learned(NOTHING) == []


def test_what_is_excluded_is_learned_in_no_way() -> None:
    chat = Chat()
    chat.ask("Hi")
    chat.answer("Hello", UP)
    chat.ask("My secret?", mark=Mark.EXCLUDE)
    chat.answer("It is safe.", UP)
    chat.ask("Tea?")
    question = chat.leaf
    worse = chat.answer("No tea.", mark=Mark.EXCLUDE)
    chat.answer("Tea!", UP, to=question)
    assert worse
    examples = chat.learned(EVERYTHING)
    assert said(examples) == [(ExampleReason.RATED, "Hello", ""), (ExampleReason.RATED, "Tea!", "")]
    assert [turn.content for turn in examples[1].turns] == ["Hi", "Hello", "Tea?"]
    chat.mark = Mark.EXCLUDE
    assert chat.learned(EVERYTHING) == []


def test_an_answer_marked_by_hand_is_learned() -> None:
    chat = Chat()
    chat.ask("Hi")
    chat.answer("Hello", mark=Mark.INCLUDE)
    chat.ask("Bye")
    chat.answer("Bye")
    assert said(chat.learned()) == [(ExampleReason.INCLUDED, "Hello", "")]


def test_a_correction_is_learned_and_preferred_to_what_it_corrects() -> None:
    chat = Chat()
    question = chat.ask("Who are you?")
    wrong = chat.answer("A model.", UP)
    mended = chat.answer("I am Ada.", to=question, corrects=wrong)
    examples = chat.learned()
    assert said(examples) == [
        (ExampleReason.CORRECTED, "I am Ada.", ""),
        (ExampleReason.CORRECTED, "I am Ada.", "A model."),
    ]
    assert examples[1].kind is ExampleKind.PREFERENCE
    assert [source.message_id for source in examples[1].sources] == [mended, wrong]


def test_the_last_of_several_corrections_counts() -> None:
    chat = Chat()
    question = chat.ask("Who are you?")
    first = chat.answer("A model.")
    second = chat.answer("I am Eda.", to=question, corrects=first)
    chat.answer("I am Ada.", to=question, corrects=second)
    assert [each for each in said(chat.learned()) if not each[2]] == [
        (ExampleReason.CORRECTED, "I am Ada.", "")
    ]
    assert (ExampleReason.CORRECTED, "I am Ada.", "I am Eda.") in said(chat.learned())


@pytest.mark.parametrize("rating", [UP, None])
def test_the_answer_that_was_kept_is_preferred(rating: Rating | None) -> None:
    chat = Chat()
    question = chat.ask("Tea?")
    chat.answer("No.")
    chat.answer("half", to=question, state=MessageState.STOPPED)
    kept = chat.answer("Yes, please.", rating, to=question)
    chat.ask("With milk?", kept)
    chat.answer("Yes.")
    pairs = [each for each in said(chat.learned()) if each[2]]
    assert pairs == [(ExampleReason.PREFERRED, "Yes, please.", "No.")]


def test_a_liked_one_is_preferred_to_a_disliked_one_wherever_one_reads() -> None:
    chat = Chat()
    question = chat.ask("Tea?")
    chat.answer("Yes.", UP, to=question)
    chat.answer("No.", DOWN, to=question)
    assert said(chat.learned()) == [
        (ExampleReason.RATED, "Yes.", ""),
        (ExampleReason.PREFERRED, "Yes.", "No."),
    ]


def test_what_is_liked_is_never_the_worse_one() -> None:
    chat = Chat()
    question = chat.ask("Tea?")
    chat.answer("Yes.", UP, to=question)
    kept = chat.answer("Gladly.", to=question)
    chat.ask("Milk?", kept)
    assert said(chat.learned()) == [(ExampleReason.RATED, "Yes.", "")]


def test_an_answer_that_was_stopped_is_doubted() -> None:
    chat = Chat()
    chat.ask("One?")
    chat.answer("On", UP, state=MessageState.STOPPED)
    chat.ask("Two?")
    chat.answer("Two and", UP, stop_reason="length")
    chat.ask("Three?")
    chat.answer("Three", UP)
    assert [each.doubts for each in chat.learned()] == [(Doubt.CUT_OFF,), (Doubt.CUT_OFF,), ()]


def test_without_a_question_there_is_nothing_to_answer() -> None:
    chat = Chat()
    chat.answer("Welcome!", UP)
    chat.answer("Anybody there?", UP)
    assert chat.learned() == []


def test_the_same_words_are_the_same_example() -> None:
    first, second = Chat(), Chat()
    for chat, answer in ((first, "I am  Ada."), (second, "I am Ada.\n")):
        chat.ask("Who?")
        chat.answer(answer, UP)
    (one,), (other,) = first.learned(), second.learned()
    assert one.id == other.id
    second.ask("Who?")
    second.answer("I am Ada.", UP)
    assert second.learned()[1].id != one.id
    assert replace(one, id=other.id) == one
