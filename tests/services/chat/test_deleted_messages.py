"""A message is deleted from its chat, and comes back as it was."""

import pytest

from chatdesk.core.chat import Message, Role, now
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.personalization import LearnFrom
from chatdesk.services.chat.facts import AnswerEnded, TextArrived
from chatdesk.services.personalize.examples.candidates import candidates
from tests.services.conftest import ScriptedApp


@pytest.fixture
def answers(app: ScriptedApp) -> list[Message]:
    """The answers of a chat with three questions."""
    app.load()
    first = app.answered("say: one").message
    others = [app.answered(f"say: {word}", first.conversation_id) for word in ("two", "three")]
    return [first, *(each.message for each in others)]


def path(app: ScriptedApp, answers: list[Message]) -> list[str]:
    conversation = app.services.chat.conversation(answers[0].conversation_id)
    return [message.text.strip() for message in conversation.path()]


def test_a_question_goes_with_its_answer_and_what_came_after_stays(
    app: ScriptedApp, answers: list[Message]
) -> None:
    before = app.services.chat.conversation(answers[0].conversation_id)
    question = answers[1].parent_id
    assert question
    deleted = app.services.chat.delete_message(question)
    assert path(app, answers) == ["say: one", "one", "say: three", "three"]
    app.services.chat.restore_messages(deleted)
    assert app.services.chat.conversation(answers[0].conversation_id) == before


def test_an_answer_goes_alone(app: ScriptedApp, answers: list[Message]) -> None:
    app.services.chat.delete_message(answers[1].id)
    assert path(app, answers) == ["say: one", "one", "say: two", "say: three", "three"]


def test_the_model_does_not_read_it(app: ScriptedApp, answers: list[Message]) -> None:
    question = answers[0].parent_id
    assert question
    app.services.chat.delete_message(question)
    asked = app.answered("options", answers[0].conversation_id).message.text
    assert "say: one" not in asked and "say: two" in asked


def test_of_several_versions_another_is_shown(app: ScriptedApp, answers: list[Message]) -> None:
    last = answers[-1]
    app.services.chat.regenerate(last.id)
    again = app.until(AnswerEnded).message
    deleted = app.services.chat.delete_message(again.id)
    conversation = app.services.chat.conversation(last.conversation_id)
    assert conversation.path()[-1].id == last.id
    assert [each.id for each in conversation.siblings(last.id)] == [last.id]
    app.services.chat.restore_messages(deleted)
    assert app.services.chat.conversation(last.conversation_id).path()[-1].id == again.id


def test_what_was_asked_since_stays_in_sight(app: ScriptedApp, answers: list[Message]) -> None:
    deleted = app.services.chat.delete_message(answers[-1].parent_id or "")
    assert path(app, answers) == ["say: one", "one", "say: two", "two"]
    app.answered("say: other", answers[0].conversation_id)
    app.services.chat.restore_messages(deleted)
    assert path(app, answers) == ["say: one", "one", "say: two", "two", "say: other", "other"]
    conversation = app.services.chat.conversation(answers[0].conversation_id)
    assert len(conversation.siblings(conversation.path()[-2].id)) == 2  # the other one is there


def test_all_of_a_chat_can_be_deleted_and_asked_anew(
    app: ScriptedApp, answers: list[Message]
) -> None:
    for answer in answers:
        app.services.chat.delete_message(answer.parent_id or "")
    assert path(app, answers) == []
    app.answered("say: new", answers[0].conversation_id)
    assert path(app, answers) == ["say: new", "new"]


def test_one_that_is_being_written_stays(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "slow")
    arrived = app.until(TextArrived)
    (question, _) = app.services.chat.conversation(conversation_id).path()
    for message_id in (question.id, arrived.message_id):
        with pytest.raises(EnvironmentProblem):
            app.services.chat.delete_message(message_id)
    app.services.chat.stop(conversation_id)
    app.until(AnswerEnded)


def test_nothing_is_learned_from_it(app: ScriptedApp, answers: list[Message]) -> None:
    chat = answers[0].conversation_id

    def learned() -> list[str]:
        conversation = app.services.conversations.get(chat)
        found = candidates(conversation, LearnFrom.EVERYTHING)
        return [each.target.strip() for each in found]

    assert learned() == ["one", "two", "three"]
    app.services.chat.delete_message(answers[1].parent_id or "")
    assert learned() == ["one", "three"]


def test_its_words_are_gone_for_good_after_a_while(
    app: ScriptedApp, answers: list[Message]
) -> None:
    app.services.chat.delete_message(answers[1].id)
    store = app.services.conversations
    store.purge(now())
    stored = store.get(answers[0].conversation_id)
    assert stored.by_id[answers[1].id].text == ""
    assert [each.text.strip() for each in stored.path()][-1] == "three"
    assert {each.role for each in stored.messages} == {Role.USER, Role.ASSISTANT}
