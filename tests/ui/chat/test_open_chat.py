"""What is shown of a chat is what became of it, however late it was read."""

import threading

import pytest

from chatdesk.core.chat import MessageState
from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.ui.chat.composer import ComposerState
from tests.ui.driver import TIMEOUT_MS, Window


def test_an_answer_that_ends_while_its_chat_is_read_has_ended(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    services, chat = window.desktop.services, window.messages[0].conversation_id
    assert services
    is_answering, ended = services.chat.is_answering, threading.Event()
    window.window.new_chat()

    def read_and_end(conversation_id: str) -> bool:
        answering = is_answering(conversation_id)
        services.chat.stop(conversation_id)
        assert ended.wait(TIMEOUT_MS / 1000)  # the window knows, and what was read does not
        return answering

    window.desktop.bridge.subscribe(AnswerEnded, lambda _: ended.set())
    monkeypatch.setattr(services.chat, "is_answering", read_and_end)
    window.window.open_conversation(chat)
    window.until(lambda: len(window.messages) == 2)
    window.until(lambda: window.messages[-1].state is MessageState.STOPPED)
    assert window.window.composer.state is ComposerState.READY
