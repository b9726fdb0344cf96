import json
import os
import signal
from typing import Any

import pytest

from chatdesk.core.chat import (
    AnswerRecord,
    Conversation,
    Message,
    MessageState,
    Role,
    TitleSource,
    now,
)
from chatdesk.core.errors import PromptTooLong, StoreProblem
from chatdesk.core.generation import PromptMessage
from chatdesk.core.parts import plain
from chatdesk.core.prompts import prompt_messages
from chatdesk.core.unicode import sound_text
from chatdesk.services.chat.facts import (
    AnswerEnded,
    AnswerReopened,
    ConversationsChanged,
    MessageAdded,
    MessageChanged,
    TextArrived,
    ThinkingArrived,
)
from tests.helpers import disk_full
from tests.services.conftest import ScriptedApp


def test_a_turn_is_told_and_stored(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "say: hello there")
    question = app.until(MessageAdded).message
    placeholder = app.until(MessageAdded).message
    assert (question.role, question.text) == (Role.USER, "say: hello there")
    assert placeholder.state is MessageState.STREAMING
    first, second = app.until(TextArrived), app.until(TextArrived)
    assert (first.start, first.text) == (0, "hello ")
    assert (second.start, second.text) == (6, "there ")
    ended = app.until(AnswerEnded)
    assert ended.unsaved is None
    stored = app.services.conversations.get(conversation_id)
    answer = stored.path()[-1]
    assert answer == ended.message
    assert (answer.text, answer.state) == ("hello there ", MessageState.COMPLETE)
    assert answer.answer
    assert answer.answer.model_name == "Fake F16"
    assert answer.answer.completion_tokens == 2
    assert (answer.answer.drafted, answer.answer.accepted) == (3, 2)
    assert answer.answer.sampling.seed == 7
    assert answer.answer.stop_reason == "end"


def test_a_title_comes_from_the_model_but_never_over_the_users(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.answered("say: hello").message.conversation_id
    store = app.services.conversations
    while store.get(conversation_id).title_source is not TitleSource.MODEL:
        app.until(ConversationsChanged)
    assert store.get(conversation_id).title == "A fitting title"
    app.services.chat.rename(conversation_id, "Mine")
    app.answered("say: more", conversation_id)
    assert store.get(conversation_id).title == "Mine"


def test_a_greeting_keeps_its_words_until_something_is_asked(app: ScriptedApp) -> None:
    app.load()
    greeted = app.answered("Hello").message
    store, conversation_id = app.services.conversations, greeted.conversation_id
    assert store.get(conversation_id).title == "Hello"
    app.answered("say: more", conversation_id)
    while store.get(conversation_id).title_source is not TitleSource.MODEL:
        app.until(ConversationsChanged)
    assert store.get(conversation_id).title == "A fitting title"


def test_regenerating_keeps_the_old_answer(app: ScriptedApp) -> None:
    app.load()
    first = app.answered("say: one").message
    app.services.chat.regenerate(first.id)
    second = app.until(AnswerEnded).message
    conversation = app.services.conversations.get(first.conversation_id)
    assert [message.id for message in conversation.siblings(first.id)] == [first.id, second.id]
    assert conversation.path()[-1].id == second.id
    back = app.services.chat.show_branch(first.id)
    assert back.path()[-1].id == first.id


def test_editing_keeps_what_came_after(app: ScriptedApp) -> None:
    app.load()
    answer = app.answered("say: one").message
    app.answered("say: two", answer.conversation_id)
    question_id = answer.parent_id
    assert question_id
    app.services.chat.edit(question_id, "say: other")
    edited = app.until(AnswerEnded).message
    conversation = app.services.conversations.get(answer.conversation_id)
    assert len(conversation.messages) == 6
    assert [message.text for message in conversation.path()] == ["say: other", "other "]
    assert conversation.leaf_below(question_id).text == "two "
    assert edited.parent_id != question_id


def test_stopping_keeps_the_text_and_continuing_goes_on_from_it(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "slow")
    app.until(TextArrived, lambda fact: fact.start > 10)
    assert app.services.chat.is_answering(conversation_id)
    app.services.chat.stop(conversation_id)
    stopped = app.until(AnswerEnded).message
    assert stopped.state is MessageState.STOPPED
    assert stopped.text.startswith("0 1 2 ")
    app.services.chat.continue_answer(stopped.id)
    assert app.until(AnswerReopened).message.text == stopped.text
    went_on = app.until(AnswerEnded).message  # the script is the text so far: said once more
    assert went_on.id == stopped.id
    assert went_on.text == stopped.text * 2
    assert stopped.answer and went_on.answer
    first, whole = stopped.answer, went_on.answer
    assert first.completion_tokens and whole.completion_tokens  # the count of all of it
    assert whole.completion_tokens > first.completion_tokens
    assert first.duration_s and whole.duration_s and whole.duration_s > first.duration_s
    assert not app.services.chat.is_answering(conversation_id)


@pytest.mark.posix
def test_the_engine_killed_in_mid_answer(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "slow")
    app.until(TextArrived, lambda fact: fact.start > 10)
    pid = app.services.engine.process_id
    assert pid
    os.kill(pid, signal.SIGKILL)
    ended = app.until(AnswerEnded).message
    assert ended.state is MessageState.INTERRUPTED
    assert ended.text.startswith("0 1 2 3 ")
    assert ended.answer
    assert "memory" in (ended.answer.error or "")  # what most often ends a process so
    assert app.services.conversations.get(conversation_id).path()[-1] == ended
    assert app.answered("say: back", conversation_id).message.text == "back "


def test_a_prompt_too_long_is_told_before_anything_is_stored(app: ScriptedApp) -> None:
    app.load()
    with pytest.raises(PromptTooLong) as caught:
        app.services.chat.send(None, "word " * 3000)
    assert caught.value.tokens == 3000
    assert "3,000" in caught.value.what
    assert app.services.conversations.list() == ()


def test_opening_in_mid_answer_shows_the_newest_text(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "slow")
    seen = app.until(TextArrived, lambda fact: fact.start > 20)
    shown = app.services.chat.conversation(conversation_id).path()[-1]
    assert len(shown.text) >= seen.start + len(seen.text)
    app.services.chat.stop(conversation_id)
    app.until(AnswerEnded)


def test_a_failure_is_kept_with_its_reason(app: ScriptedApp) -> None:
    app.load()
    ended = app.answered("fail").message
    assert ended.state is MessageState.FAILED
    assert ended.answer
    assert ended.answer.error


def test_closing_in_mid_answer_keeps_it(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "slow")
    app.until(TextArrived, lambda fact: fact.start > 10)
    app.services.chat.close()
    message = app.services.conversations.get(conversation_id).path()[-1]
    assert message.state is MessageState.INTERRUPTED
    assert message.text.startswith("0 1 2 3 ")


def test_a_full_disk_keeps_the_answer_in_memory_until_there_is_room(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "slow long")
    app.until(TextArrived)
    with disk_full(app.services):
        app.until(TextArrived, lambda fact: fact.start > 20_000)
        app.services.chat.stop(conversation_id)
        ended = app.until(AnswerEnded)
        assert ended.unsaved is not None
        shown = app.services.chat.conversation(conversation_id).path()[-1]
        assert shown.text == ended.message.text
    app.services.chat.unsaved.save()
    stored = app.services.conversations.get(conversation_id).path()[-1]
    assert (stored.text, stored.state) == (ended.message.text, MessageState.STOPPED)


def test_deleting_and_restoring(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.answered("say: one").message.conversation_id
    app.services.chat.delete(conversation_id)
    assert app.services.conversations.list() == ()
    app.services.chat.restore(conversation_id)
    assert len(app.services.conversations.list()) == 1


def test_lone_surrogates_become_sound_text() -> None:
    assert sound_text("a\ud83db") == "a\ufffdb"
    assert sound_text("\ud83c\udf31 量") == "🌱 量"
    sound_text("\udc00").encode("utf-8")


def test_a_lone_surrogate_does_not_break_the_turn(app: ScriptedApp) -> None:
    app.load()
    assert app.answered("say: \ud83d").message.state is MessageState.COMPLETE


def test_a_stop_while_the_answer_is_being_asked_for(
    app: ScriptedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.load()
    engine, chat = app.services.engine, app.services.chat
    ask = engine.generate

    def generate(*arguments: Any, **options: Any) -> str:
        chat.stop(app.services.conversations.list()[0].id)
        return ask(*arguments, **options)

    monkeypatch.setattr(engine, "generate", generate)
    assert app.answered("slow").message.state is MessageState.STOPPED


def test_an_answer_that_ends_while_it_is_being_opened_is_shown_ended(
    app: ScriptedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.load()
    store, chat = app.services.conversations, app.services.chat
    conversation_id = chat.send(None, "slow")
    read = store.get

    def get(wanted: str) -> Conversation:
        conversation = read(wanted)
        if chat.is_answering(wanted):
            chat.stop(wanted)
            app.until(AnswerEnded)
        return conversation

    monkeypatch.setattr(store, "get", get)
    assert chat.conversation(conversation_id).path()[-1].state is MessageState.STOPPED


def test_an_answers_end_is_told_when_its_title_cannot_be_made(
    app: ScriptedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.load()

    def untitled_question(wanted: str) -> str:
        raise StoreProblem("The disk is gone.")

    app.services.chat.send(None, "say: hello")
    monkeypatch.setattr(app.services.conversations, "untitled_question", untitled_question)
    assert app.until(AnswerEnded).message.text == "hello "


def test_thinking_is_told_and_stored_apart(app: ScriptedApp) -> None:
    app.load()
    ended = app.answered("think: What is done?").message
    assert (ended.text, ended.thinking) == ("Done. ", "What is done?")
    assert ended.answer
    assert ended.answer.thinking_s == 2.0
    assert app.services.conversations.get(ended.conversation_id).path()[-1] == ended


def test_an_answer_stopped_in_its_thinking_goes_on_thinking(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "ponder")
    seen = app.until(ThinkingArrived, lambda fact: fact.start > 10)
    shown = app.services.chat.conversation(conversation_id).path()[-1]
    assert len(shown.thinking) >= seen.start + len(seen.text)
    stored = app.services.conversations.get
    while not stored(conversation_id).path()[-1].thinking:  # saved while it is streaming
        app.until(ThinkingArrived)
    app.services.chat.stop(conversation_id)
    stopped = app.until(AnswerEnded).message
    assert (stopped.state, stopped.text) == (MessageState.STOPPED, "")
    assert stopped.thinking.startswith("0 1 2 ")
    app.services.chat.continue_answer(stopped.id)
    went_on = app.until(AnswerEnded).message
    assert (went_on.text, went_on.thinking) == ("Done. ", stopped.thinking + "so.")
    assert went_on.answer
    assert went_on.answer.thinking_s == 4.0


def test_an_answer_of_the_first_version_goes_on_in_its_thinking(app: ScriptedApp) -> None:
    app.load()
    store = app.services.conversations
    conversation = store.create(title="Old")
    question = store.add_message(conversation.id, None, Role.USER, "Why?")
    old = store.add_message(
        conversation.id,
        question.id,
        Role.ASSISTANT,
        "<think>\nBecause ",
        state=MessageState.STOPPED,
        answer=AnswerRecord(),
    )
    app.services.chat.continue_answer(old.id)
    assert app.until(AnswerReopened).message.thinking == "Because"
    ended = app.until(AnswerEnded).message
    assert (ended.text, ended.thinking) == ("Done. ", "Becauseso.")


def message(role: Role, text: str, thinking: str = "", *, pinned: bool = False) -> Message:
    record = AnswerRecord() if role is Role.ASSISTANT else None
    parts = plain(text, thinking)
    return Message("m", "c", None, role, parts, MessageState.COMPLETE, now(), record, pinned)


def test_what_the_model_is_given_to_read() -> None:
    path = (
        message(Role.USER, "One?", pinned=True),
        message(Role.ASSISTANT, "1", "Hm."),
        message(Role.USER, "<think> is what?"),
        message(Role.ASSISTANT, "<think>old</think>\n2"),
        message(Role.USER, "Three?"),
        message(Role.ASSISTANT, "", "never said"),
    )
    asked = (
        PromptMessage("system", "Be."),
        PromptMessage("user", "One?", pinned=True),
        PromptMessage("assistant", "1", "Hm."),
        PromptMessage("user", "<think> is what?"),
        PromptMessage("assistant", "2", "old"),
        PromptMessage("user", "Three?"),
    )
    assert prompt_messages("Be.", path, "Four?") == (*asked, PromptMessage("user", "Four?"))
    continued = PromptMessage("assistant", "", "never said")
    assert prompt_messages("Be.", path) == (*asked, continued)


def test_where_the_models_view_begins(app: ScriptedApp) -> None:
    app.load()
    chat = app.services.chat
    first = app.answered("say: " + "one " * 600).message
    conversation_id = first.conversation_id
    assert chat.count_tokens(conversation_id, "").view_after is None
    second = app.answered("say: " + "two " * 600, conversation_id).message
    use = chat.count_tokens(conversation_id, "")
    assert use.view_after == first.parent_id
    assert use.tokens <= use.window
    assert chat.count_tokens(conversation_id, "more " * 1000).view_after == second.parent_id
    assert chat.count_tokens(conversation_id, "more " * 2000).view_after == second.id
    with pytest.raises(PromptTooLong):
        chat.send(conversation_id, "more " * 3000)
    app.answered("say: three", conversation_id)  # what has left does not stand in its way


def test_an_answer_longer_than_the_context_leaves_room_to_ask_on(app: ScriptedApp) -> None:
    app.load()
    chat = app.services.chat
    answer = app.answered("say: one").message
    app.services.conversations.write_text(answer.id, "one " * 3000, MessageState.COMPLETE)
    use = chat.count_tokens(answer.conversation_id, "")
    assert use.tokens < use.window
    assert use.view_after == answer.id


def test_a_pinned_message_stays_in_view(app: ScriptedApp) -> None:
    app.load()
    chat = app.services.chat
    first = app.answered("say: " + "one " * 600).message
    second = app.answered("say: " + "two " * 600, first.conversation_id).message
    assert first.parent_id
    chat.pin(first.parent_id, True)
    assert app.until(MessageChanged).message.pinned
    assert chat.conversation(first.conversation_id).by_id[first.parent_id].pinned
    assert chat.count_tokens(first.conversation_id, "").view_after == first.id
    chat.pin(first.parent_id, False)
    assert chat.count_tokens(first.conversation_id, "").view_after == first.parent_id
    assert second.pinned is False


def test_only_saved_conversations_have_a_session(app: ScriptedApp) -> None:
    app.load()
    ended = app.answered("options").message
    asked = json.loads(ended.text)
    assert asked["session"] == ended.conversation_id
