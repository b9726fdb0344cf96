"""What a person thinks of an answer: thumbs, better words, and what may be learned from."""

from chatdesk.core.chat import Mark, Message, Rating, Role
from chatdesk.core.personalization import ExampleSource, Withdrawn
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.services.chat.facts import (
    AnswerEnded,
    ConversationsChanged,
    MessageAdded,
    MessageChanged,
)
from chatdesk.store.adapters import AdapterStore
from tests.services.conftest import ScriptedApp
from tests.services.shelf import make_adapter


def answer(app: ScriptedApp) -> Message:
    app.load()
    return app.answered("say: Paris, I think").message


def test_a_thumb_is_told_kept_and_taken_back(app: ScriptedApp) -> None:
    message = answer(app)
    for rating in (Rating.UP, Rating.DOWN, None):
        app.services.chat.rate(message.id, rating)
        assert app.until(MessageChanged).message.rating is rating
        stored = app.services.conversations.get(message.conversation_id)
        assert stored.by_id[message.id].rating is rating


def test_better_words_stand_beside_the_answer_and_are_read_on(app: ScriptedApp) -> None:
    message = answer(app)
    app.services.chat.correct(message.id, "Paris.\ud83d")
    told = app.until(MessageAdded, lambda fact: fact.message.corrects is not None).message
    assert (told.text, told.role, told.corrects) == ("Paris.\ufffd", Role.ASSISTANT, message.id)
    conversation = app.services.chat.conversation(message.conversation_id)
    assert conversation.path()[-1] == told
    assert [each.id for each in conversation.siblings(told.id)] == [message.id, told.id]
    after = app.answered("say: yes", message.conversation_id).message
    assert after.parent_id
    asked = app.services.conversations.get(message.conversation_id).by_id[after.parent_id]
    assert asked.parent_id == told.id


def test_a_corrected_answer_can_be_asked_for_again(app: ScriptedApp) -> None:
    message = answer(app)
    app.services.chat.correct(message.id, "Paris.")
    correction = app.services.conversations.get(message.conversation_id).path()[-1]
    app.services.chat.regenerate(correction.id)
    again = app.until(AnswerEnded).message
    assert (again.text, again.parent_id) == (message.text, message.parent_id)


def test_what_is_excluded_is_withdrawn_from_what_was_learned(app: ScriptedApp) -> None:
    message = answer(app)
    home, chat = message.conversation_id, app.services.chat
    model = app.services.engine.status.model
    assert model
    store = AdapterStore(app.services._database)
    source = ExampleSource(home, message.id)
    record = make_adapter(store, app.paths, model, sources=(source,))
    withdrawn: list[str] = []
    app.services.forgetting.listen(withdrawn.append)
    chat.mark(message.id, Mark.INCLUDE)
    assert app.until(MessageChanged).message.mark is Mark.INCLUDE
    assert (withdrawn, store.withdrawn(record.id)) == ([], Withdrawn(0, 0))
    chat.mark(message.id, Mark.EXCLUDE)
    app.until(AdaptersChanged)
    assert (withdrawn, store.withdrawn(record.id)) == ([home], Withdrawn(1, 1))
    chat.mark(message.id, None)
    assert store.withdrawn(record.id) == Withdrawn(0, 0)
    chat.mark_conversation(home, Mark.EXCLUDE)
    app.until(ConversationsChanged)
    app.until(AdaptersChanged)
    assert (withdrawn, store.withdrawn(record.id)) == ([home] * 2, Withdrawn(1, 1))
    chat.mark_conversation(home, None)
    assert store.withdrawn(record.id) == Withdrawn(0, 0)
    chat.delete(home)
    app.until(AdaptersChanged)
    assert (withdrawn, store.withdrawn(record.id)) == ([home] * 3, Withdrawn(1, 1))
