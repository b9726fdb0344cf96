"""Chats in memory: they work as others do, and end for good."""

import threading

import pytest

from chatdesk.core.chat import MessageState, is_temporary, new_id, new_temporary_id
from chatdesk.core.errors import NotFound
from chatdesk.services.chat.facts import AnswerEnded
from tests.services.conftest import ScriptedApp


def test_it_answers_edits_and_counts_like_any_other(app: ScriptedApp) -> None:
    app.load()
    chat_id = new_temporary_id()
    chat = app.services.chat_of(chat_id)
    assert chat is not app.services.chat and is_temporary(chat_id) and not is_temporary(new_id())
    chat.send(chat_id, "say: one")
    ended = app.until(AnswerEnded)
    assert (ended.message.text, ended.unsaved) == ("one ", None)
    question = chat.conversation(chat_id).path()[0]
    chat.edit(question.id, "say: two")
    assert app.until(AnswerEnded).message.text == "two "
    assert len(chat.conversation(chat_id).siblings(question.id)) == 2
    assert chat.count_tokens(chat_id, "three more words").tokens == 6
    app.services.choose_adapter(chat_id, "")
    assert app.services.store_of(chat_id).adapter(chat_id) == ""
    assert app.services.conversations.list() == ()


def test_after_its_end_nothing_is_left_and_it_does_not_begin_again(app: ScriptedApp) -> None:
    app.load()
    chat_id = new_temporary_id()
    chat = app.services.chat_of(chat_id)
    chat.send(chat_id, "slow")
    app.services.temporary.end(chat_id)
    assert app.until(AnswerEnded).message.state is not MessageState.STREAMING
    with pytest.raises(NotFound):
        chat.conversation(chat_id)
    with pytest.raises(NotFound):
        app.services.chat_of(chat_id)
    other = new_temporary_id()
    assert app.services.chat_of(other).conversation(other).messages == ()


@pytest.mark.parametrize("attempt", range(5))
def test_it_may_end_while_many_ask(app: ScriptedApp, attempt: int) -> None:
    app.load()
    chat_id = new_temporary_id()
    chat, begun = app.services.chat_of(chat_id), threading.Barrier(5)
    bugs: list[BaseException] = []

    def ask() -> None:
        begun.wait()
        try:
            for _ in range(20):
                chat.conversation(chat_id)
        except NotFound:
            pass
        except BaseException as bug:
            bugs.append(bug)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun.wait()
    app.services.temporary.end(chat_id)
    for thread in threads:
        thread.join()
    assert bugs == [], attempt
