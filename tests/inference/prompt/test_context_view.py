"""The turns that leave a full context, when, and how rarely."""

import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.builder import PromptBuilder
from chatdesk.inference.prompt.context_view import TooLong, View, fit, whole
from chatdesk.inference.prompt.template import ChatTemplate
from tests.inference.engine_process import turns
from tests.inference.vocabularies import model_of
from tests.tiny_models import CHATML

WINDOW, ROOM = 1024, 256
SYSTEM = PromptMessage("system", "Be brief.")


@pytest.fixture(scope="module")
def builder(starter_model: Path) -> Iterator[PromptBuilder]:
    with model_of(starter_model) as model:
        yield PromptBuilder(ChatTemplate(CHATML), model.vocabulary)


def talk(count: int, length: int = 20) -> list[PromptMessage]:
    """Return so many questions, all but the last answered; each text of about so many tokens."""
    return list(turns(*(f"{n}" + " word" * length for n in range(2 * count - 1))))


def pin(messages: Sequence[PromptMessage], *indexes: int) -> list[PromptMessage]:
    return [
        PromptMessage(each.role, each.content, pinned=n in indexes)
        for n, each in enumerate(messages)
    ]


def kept(messages: Sequence[PromptMessage], view: View) -> list[int]:
    indexes = {id(each): n for n, each in enumerate(messages)}
    return [indexes[id(each)] for each in view.messages]


def test_everything_stays_while_it_fits(builder: PromptBuilder) -> None:
    messages = [SYSTEM, *talk(10)]
    view = fit(messages, builder, WINDOW, ROOM)
    assert view == View(tuple(messages), builder.tokens(messages), 0)


def test_the_oldest_whole_turns_leave_and_the_system_prompt_stays(builder: PromptBuilder) -> None:
    messages = [SYSTEM, *talk(40)]
    view = fit(messages, builder, WINDOW, ROOM)
    assert messages[view.view_start].role == "user"
    assert kept(messages, view) == [0, *range(view.view_start, len(messages))]
    assert view.tokens == builder.tokens(view.messages)
    assert WINDOW / 4 < len(view.tokens) <= WINDOW - ROOM


def test_pinned_turns_stay_whole(builder: PromptBuilder) -> None:
    messages = pin([SYSTEM, *talk(40)], 4, 9)
    view = fit(messages, builder, WINDOW, ROOM)
    assert kept(messages, view) == [0, 3, 4, 9, 10, *range(view.view_start, len(messages))]


def test_what_was_said_before_the_first_question_is_a_turn(builder: PromptBuilder) -> None:
    greeting = PromptMessage("assistant", "Hello!")
    messages = [SYSTEM, greeting, *talk(40)]
    assert kept(messages, fit(messages, builder, WINDOW, ROOM))[:2] != [0, 1]
    messages = pin(messages, 1)
    assert kept(messages, fit(messages, builder, WINDOW, ROOM))[:2] == [0, 1]


def test_pinned_turns_leave_before_a_question_is_refused(builder: PromptBuilder) -> None:
    messages = pin(talk(8, length=100), 0, 2, 4, 6)
    view = fit(messages, builder, WINDOW, ROOM)
    assert kept(messages, view) == [2, 3, 4, 5, 6, 7, 14]
    assert view.view_start == 14


def test_a_pinned_turn_that_fills_half_the_window_does_not_push_out_the_others(
    builder: PromptBuilder,
) -> None:
    large = turns("Long" + " word" * 900, "Yes.", "Short?", "Yes.", "And now?")
    messages = pin(large, 0)
    view = fit(messages, builder, WINDOW, ROOM)
    assert view.messages[2:] == tuple(messages[2:])
    assert view.view_cut == 0


def document(words: int) -> PromptMessage:
    return PromptMessage("user", "\n".join(f"Line {n} of the text." for n in range(words // 7)))


def test_everything_is_read_while_it_fits_and_leaves_some_room(builder: PromptBuilder) -> None:
    messages = [document(650), *turns("x", "Fine.", "And what is in line 3?")[1:]]
    all_of_it = builder.tokens(messages)
    assert WINDOW * 3 / 4 < len(all_of_it) < WINDOW
    assert whole(messages, builder, len(all_of_it)) == View(tuple(messages), all_of_it, 0)
    assert whole(messages, builder, len(all_of_it) - 1) is None
    assert whole(messages, builder, -5) is None


def test_a_document_loses_its_beginning_bit_by_bit_before_it_leaves(
    builder: PromptBuilder,
) -> None:
    messages = [SYSTEM, document(700)]
    left: list[int] = []
    for n in range(40):
        messages.append(PromptMessage("assistant", f"{n}" + " yes" * 20))
        messages.append(PromptMessage("user", f"{n}" + " why" * 20))
        view = fit(messages, builder, WINDOW, ROOM)
        assert len(view.tokens) <= WINDOW - ROOM
        if view.view_cut is None:
            continue
        assert (view.view_cut, view.view_start) == (1, 1)
        rest = view.messages[1].content
        assert rest.startswith("Line ")  # at the beginning of a line
        assert messages[1].content.endswith(rest)
        left.append(len(rest))
        assert view.messages[2:] == tuple(messages[2:])  # nothing else is missing
    assert left == sorted(left, reverse=True)
    assert len(set(left)) >= 3
    assert min(left) > len(messages[1].content) / 10
    assert view.view_start > 1  # in the end it has left


def test_a_long_answer_is_cut_likewise_and_its_question_stays(builder: PromptBuilder) -> None:
    long = PromptMessage("assistant", document(600).content)
    messages = [PromptMessage("user", "Write it."), long, *talk(8)]
    view = fit(messages, builder, WINDOW, ROOM)
    assert (view.view_cut, view.view_start) == (1, 0)
    assert view.messages[0] == messages[0]
    assert long.content.endswith(view.messages[1].content)


def test_the_view_moves_rarely_and_never_back(builder: PromptBuilder) -> None:
    lengths = random.Random(3)
    messages = [SYSTEM]
    starts: list[int] = []
    before: list[int] = []
    reread = 0
    for n in range(200):
        words = (lengths.randrange(1, 30) for _ in range(2))
        question, answer = turns(*(f"{n}" + " word" * count for count in words))
        messages.append(PromptMessage("user", question.content, pinned=n == 7))
        view = fit(messages, builder, WINDOW, ROOM)
        starts.append(view.view_start)
        common = next(
            (
                at
                for at, pair in enumerate(zip(before, view.tokens, strict=False))
                if len({*pair}) > 1
            ),
            min(len(before), len(view.tokens)),
        )
        reread += len(view.tokens) - common
        before = view.tokens
        messages.append(answer)
    assert starts == sorted(starts)
    total = len(builder.tokens(messages))
    moves = len(set(starts)) - 1
    assert moves <= total / (WINDOW / 4) + 1
    assert reread < 3.5 * total


@pytest.mark.parametrize("room", [16, 256, 512])
def test_an_answer_that_fills_the_window_goes_on_after_less(
    builder: PromptBuilder, room: int
) -> None:
    messages = [SYSTEM, *talk(14)]
    start = 0
    for words in range(0, 600, 50):
        answer = PromptMessage("assistant", "so" + " far" * words)
        view = fit([*messages, answer], builder, WINDOW, room)
        assert view.messages[-2:] == (messages[-1], answer)
        assert view.view_start >= start
        assert len(view.tokens) <= WINDOW - max(room, WINDOW // 4)
        start = view.view_start
        if len(builder.tokens([SYSTEM, messages[-1], answer])) > WINDOW // 2 - 60:
            break
    assert start > 0


def test_more_leaves_for_more_room(builder: PromptBuilder) -> None:
    messages = [SYSTEM, *talk(14)]
    some, more = (fit(messages, builder, WINDOW, room) for room in (WINDOW // 4, WINDOW // 2))
    assert len(more.tokens) <= WINDOW // 2
    assert more.view_start > some.view_start


def test_a_last_turn_that_is_too_long_is_reported(builder: PromptBuilder) -> None:
    messages = [SYSTEM, *talk(3), PromptMessage("user", "word " * 900)]
    with pytest.raises(TooLong) as caught:
        fit(messages, builder, WINDOW, ROOM)
    assert caught.value.tokens == len(builder.tokens([SYSTEM, messages[-1]]))
    assert caught.value.limit == WINDOW - ROOM
    assert fit(messages, builder, WINDOW, 16).messages == (SYSTEM, messages[-1])


def test_estimates_that_are_too_low_are_made_up_for(starter_model: Path) -> None:
    chatty = CHATML.replace(
        "<|im_end|>", "{% if loop.index > 4 %}{{ ' and so on' * 20 }}{% endif %}<|im_end|>"
    )
    with model_of(starter_model) as model:
        builder = PromptBuilder(ChatTemplate(chatty), model.vocabulary)
        messages = [SYSTEM, *talk(20, length=1)]
        view = fit(messages, builder, WINDOW, ROOM)
        assert len(view.tokens) <= WINDOW - ROOM
        assert kept(messages, view) == [0, *range(view.view_start, len(messages))]
        assert view.view_start > 20


def test_ten_thousand_messages_and_two_megabytes(builder: PromptBuilder) -> None:
    messages = [SYSTEM, *talk(5000, length=5)]
    first = fit(messages, builder, WINDOW, ROOM)
    started = time.monotonic()
    assert fit(messages, builder, WINDOW, ROOM) == first
    assert time.monotonic() - started < 1
    long = "All work and no play. " * 100_000
    messages[5000] = PromptMessage("assistant", long)
    view = fit(messages, builder, WINDOW, ROOM)
    assert long not in [each.content for each in view.messages]
    assert view.view_start > 9900
    messages[-1] = PromptMessage("user", long)
    with pytest.raises(TooLong) as caught:
        fit(messages, builder, WINDOW, ROOM)
    assert caught.value.tokens > 500_000
    started = time.monotonic()
    with pytest.raises(TooLong):
        fit(messages, builder, WINDOW, ROOM)
    assert time.monotonic() - started < 1  # counted once


def test_no_message_and_only_a_system_prompt(builder: PromptBuilder) -> None:
    assert fit([], builder, WINDOW, ROOM).tokens == builder.tokens([])
    assert fit([SYSTEM], builder, WINDOW, ROOM) == View((SYSTEM,), builder.tokens([SYSTEM]), 0)
    with pytest.raises(TooLong):
        fit([PromptMessage("system", "word " * 2000)], builder, WINDOW, ROOM)


def test_what_cannot_be_rendered_is_refused(builder: PromptBuilder) -> None:
    with pytest.raises(ValueError, match="role"):
        fit([PromptMessage("tool", "Hi"), *talk(40)], builder, WINDOW, ROOM)
    lone = [PromptMessage("user", "\ud800")]
    assert fit(lone, builder, WINDOW, ROOM).tokens == builder.tokens(lone)
