"""A problem is told once: in the answer that ended with it, or in a notice."""

import os
import signal

import pytest

from chatdesk.core.chat import MessageState
from tests.ui.driver import Window, texts


def kill(window: Window) -> None:
    assert window.desktop.services
    pid = window.desktop.services.engine.process_id
    assert pid
    os.kill(pid, signal.SIGKILL)


@pytest.mark.posix
def test_what_an_answer_has_told_is_not_told_again(window: Window) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    kill(window)
    window.until(lambda: window.messages[-1].state is MessageState.INTERRUPTED)
    ended = window.view_of(window.messages[-1])
    assert any("memory ran out" in words for words in texts(ended))
    window.until(lambda: window.window.notice.words == "It can be run with less memory.")
    (toast,) = window.window.notice.toasts
    assert len(toast.offers) == 1


@pytest.mark.posix
def test_to_who_reads_another_chat_it_is_told_whole(window: Window) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    window.window.new_chat()
    kill(window)
    window.until(lambda: "memory ran out" in window.window.notice.words)
