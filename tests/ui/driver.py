"""The running app over real services and a scripted engine, driven as a person would."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from chatdesk.app import DesktopApp
from chatdesk.core.chat import Message, MessageState
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.services.engine.facts import EngineState
from chatdesk.ui.chat.composer import ComposerState
from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.window.application import Application
from tests.helpers import FAKE_ENGINE

TIMEOUT_MS = 20_000
_T = TypeVar("_T")


class Window:
    """A running app, driven as a person would."""

    def __init__(
        self, qtbot: QtBot, qapp: Application, paths: AppPaths, settings: Settings
    ) -> None:
        self.qtbot = qtbot
        self.paths = paths
        self.desktop = DesktopApp(qapp, paths, settings, FAKE_ENGINE)
        self.window = self.desktop.window
        self.desktop.start()

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=TIMEOUT_MS)

    def until_ready(self) -> None:
        self.until(
            lambda: (
                self.desktop.services is not None
                and self.desktop.services.engine.status.state is EngineState.READY
            )
        )

    @property
    def editor(self) -> QPlainTextEdit:
        found = self.window.composer.findChild(QPlainTextEdit)
        assert found
        return found

    @property
    def messages(self) -> list[Message]:
        return list(self.window.chat_view.messages)

    @property
    def composer_words(self) -> str:
        return texts(self.window.composer)[0]

    @property
    def titles(self) -> list[str]:
        model = self.window.parts.list_model
        rows = (model.index(row) for row in range(model.rowCount()))
        return [str(row.data()) for row in rows if row.flags() & Qt.ItemFlag.ItemIsEnabled]

    def type(self, text: str) -> None:
        self.qtbot.keyClicks(self.editor, text)

    def send(self, text: str) -> None:
        self.type(text)
        self.qtbot.keyClick(self.editor, Qt.Key.Key_Return)

    def ask(self, text: str) -> Message:
        """Send and wait for the end of the answer."""
        known = {message.id for message in self.messages}
        self.send(text)
        self.until(
            lambda: (
                bool(self.messages)
                and self.messages[-1].id not in known
                and self.messages[-1].state is not MessageState.STREAMING
                and self.messages[-1].answer is not None
            )
        )
        self.until(lambda: self.window.composer.state is ComposerState.READY)
        return self.messages[-1]

    def view_of(self, message: Message) -> MessageView:
        views = self.window.chat_view.findChildren(MessageView)
        return next(view for view in views if view.message.id == message.id)

    def close(self) -> None:
        self.window.close_anyway()

    def destroy(self) -> None:
        """Destroy what is closed: a window that stays is styled by every later theme.

        It froze itself, and its widgets' connections hold it: neither ends by itself.
        """
        parts = self.desktop.bridge, self.window
        del self.window, self.desktop
        for part in parts:
            delete(part)
        gc.unfreeze()
        gc.collect()


@contextmanager
def opened(
    qtbot: QtBot, qapp: Application, paths: AppPaths, settings: Settings | None = None
) -> Iterator[Window]:
    window = Window(qtbot, qapp, paths, settings or Settings())
    try:
        yield window
    finally:
        window.close()
        window.destroy()


def late(until: threading.Event, work: Callable[..., _T]) -> Callable[..., _T]:
    """What does `work`, but not before `until` is set."""

    def wait(*args: object, **fields: object) -> _T:
        assert until.wait(TIMEOUT_MS / 1000)
        return work(*args, **fields)

    return wait


def texts(part: QWidget) -> list[str]:
    """What is written in a part of the window, hidden words left out."""
    return [label.text() for label in part.findChildren(QLabel) if not label.isHidden()]
