from dataclasses import replace

import pytest

from chatdesk.core.chat import (
    AnswerRecord,
    Conversation,
    Message,
    MessageState,
    Role,
    TitleSource,
    new_id,
    now,
    with_thinking_apart,
)
from chatdesk.core.parts import plain

TREE = {"a": None, "b": "a", "c": "b", "b2": "a", "c2": "b", "d": "b2", "a2": None}


def conversation(active: str | None) -> Conversation:
    """The tree above, in order of creation."""
    moment = now()
    messages = tuple(
        Message(key, "talk", parent, Role.USER, plain(key), MessageState.COMPLETE, moment)
        for key, parent in TREE.items()
    )
    return Conversation(
        "talk", "Title", TitleSource.NONE, "", moment, moment, None, active, messages
    )


def ids(messages: tuple[Message, ...]) -> list[str]:
    return [message.id for message in messages]


@pytest.mark.parametrize(
    ("leaf", "path"),
    [("c", ["a", "b", "c"]), ("d", ["a", "b2", "d"]), ("a2", ["a2"]), (None, [])],
)
def test_the_path_to_a_leaf(leaf: str | None, path: list[str]) -> None:
    assert ids(conversation(active=leaf).path()) == path
    if leaf:
        assert ids(conversation(active="c2").path(leaf)) == path


def test_siblings_are_in_order_and_hold_the_message_itself() -> None:
    tree = conversation("c")
    assert ids(tree.siblings("c2")) == ["c", "c2"]
    assert ids(tree.siblings("b")) == ["b", "b2"]
    assert ids(tree.siblings("a2")) == ["a", "a2"]
    assert ids(tree.siblings("d")) == ["d"]


def test_the_leaf_below_is_the_newest() -> None:
    tree = conversation("c")
    assert tree.leaf_below("a").id == "d"
    assert tree.leaf_below("b").id == "c2"
    assert tree.leaf_below("c").id == "c"


def test_a_changed_copy_does_not_remember_the_old_tree() -> None:
    tree = conversation("c")
    assert ids(tree.siblings("c")) == ["c", "c2"]
    smaller = replace(tree, messages=tree.messages[:3])
    assert ids(smaller.siblings("c")) == ["c"]


def test_a_message_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        conversation("c").path("elsewhere")


def test_ids_and_times() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert all(len(new_id()) == 16 for _ in range(10))
    assert now().utcoffset() is not None


def answer(text: str, thinking: str = "") -> Message:
    parts = plain(text, thinking)
    return Message(
        "m", "c", None, Role.ASSISTANT, parts, MessageState.COMPLETE, now(), AnswerRecord()
    )


@pytest.mark.parametrize(
    ("stored", "apart"),
    [
        (answer("\n<think>\nHm.\n</think>\n\nYes."), answer("Yes.", "Hm.")),
        (answer("<think>\nStopped in"), answer("", "Stopped in")),
        (answer("<think>\n\n</think>\n\nYes."), answer("Yes.")),
        (answer("The mark <think> opens."), answer("The mark <think> opens.")),
        (answer("<think> is a mark.", "Hm."), answer("<think> is a mark.", "Hm.")),
    ],
)
def test_thinking_that_was_stored_in_the_text_is_taken_out(stored: Message, apart: Message) -> None:
    found = with_thinking_apart(stored)
    assert (found.text, found.thinking) == (apart.text, apart.thinking)


def test_a_correction_is_the_persons_own_words_and_stays_whole() -> None:
    correction = replace(answer("<think> is a mark."), answer=None, corrects="wrong")
    assert with_thinking_apart(correction) is correction
    assert correction.thinking == ""


def test_a_question_about_thinking_stays_whole() -> None:
    asked = replace(answer("<think>What is this?"), role=Role.USER, answer=None)
    assert with_thinking_apart(asked) is asked
