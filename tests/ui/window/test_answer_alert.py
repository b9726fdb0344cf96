"""A long answer that is ready while the window is behind is told outside of it."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.chat import Message
from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.ui.navigator import PageId
from chatdesk.ui.window.desktop_notice import DesktopNotice
from tests.ui.driver import Window

CHILD = Path(__file__).parents[2] / "notice_child.py"
needs_a_bus = pytest.mark.skipif(
    not shutil.which("dbus-run-session"), reason="there is no D-Bus to show it on"
)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """What the desktop was asked to show."""
    asked: list[tuple[str, str, str]] = []
    monkeypatch.setattr(DesktopNotice, "show", lambda _self, *words: asked.append(words))
    return asked


def end(window: Window, message: Message, seconds: float) -> None:
    """Tell once more that an answer ended, after so many seconds."""
    assert message.answer
    took = replace(message, answer=replace(message.answer, duration_s=seconds))
    window.desktop.bridge.publish(AnswerEnded(took))
    window.qtbot.wait(20)


def leave(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window.window, "isActiveWindow", lambda: False)


def test_only_a_long_answer_behind_other_windows_is_told(
    window: Window, shown: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = window.ask("say: a secret")
    monkeypatch.setattr(window.window, "isActiveWindow", lambda: True)
    end(window, answer, 60)
    leave(window, monkeypatch)
    end(window, answer, 2)
    assert shown == []
    assert not window.window.findChildren(DesktopNotice)  # nothing is made before it is needed
    window.until(lambda: window.titles != [])
    title = window.titles[0]
    end(window, answer, 60)
    assert shown == [(answer.conversation_id, "The answer is ready", title)]
    window.desktop.settings.edit("general", announce_answers=False)
    end(window, answer, 60)
    assert len(shown) == 1


def test_a_click_opens_the_chat(
    window: Window, shown: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = window.ask("say: hello")
    window.window.new_chat()
    window.window.navigator.show(PageId.MODELS)
    leave(window, monkeypatch)
    end(window, answer, 60)
    notice = window.window.findChild(DesktopNotice)
    assert notice
    notice.clicked.emit(answer.conversation_id)
    window.until(lambda: [each.id for each in window.messages][-1:] == [answer.id])
    assert window.editor.isVisible()


@needs_a_bus
@pytest.mark.parametrize(
    ("portal", "said"),
    [
        (
            "yes",
            [
                "org.freedesktop.portal.Notification AddNotification sa{sv} chat-1",
                "clicked chat-1",
                "ended",
            ],
        ),
        ("no", ["ended"]),
    ],
)
def test_the_portal_shows_it_and_tells_of_a_click(portal: str, said: list[str]) -> None:
    asked = ["dbus-run-session", "--", sys.executable, str(CHILD), portal]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == said
