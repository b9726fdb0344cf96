"""The real window over a made home, brought from one state to the next as a person would."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QEventLoop, QPoint, QRect, QTimer
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QScrollArea, QWidget

from chatdesk.app import DesktopApp
from chatdesk.core.chat import MessageState, now
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import DownloadSettings, GeneralSettings, Settings
from chatdesk.services.app import App
from chatdesk.services.chat.facts import ConversationsChanged
from chatdesk.services.engine.facts import EngineState
from chatdesk.ui.chat.composer import ComposerState
from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.navigator import PageId
from chatdesk.ui.theme import scaled
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window.application import Application
from chatdesk.ui.window.layout import ROOM_FOR_SIDEBAR
from tests.helpers import FAKE_ENGINE
from tests.pictures.homes import Home, standing_in
from tests.stand_in_hub import StandInHub

TIMEOUT_S = 15.0
_TURN_MS = 3
_QUIET_TURNS = 2  # of the event loop, without work on a thread

_T = TypeVar("_T", bound=QWidget)


class Stage:
    """The app over one home, on one of the screens of the platform."""

    def __init__(
        self,
        application: Application,
        home: Home,
        folder: Path,
        hub: StandInHub,
        text_percent: int = 100,
    ) -> None:
        self.home = home
        self.hub = hub
        self.paths = AppPaths.under(folder)
        self.paths.make()
        self._application = application
        self._stack = ExitStack()
        self._stack.enter_context(standing_in(home, self.paths))
        home.fill(self.paths)
        settings = Settings(
            general=GeneralSettings(theme="light", text_percent=text_percent),
            downloads=DownloadSettings(mirror=hub.endpoint),
        )
        self._undo: list[Callable[[], object]] = []
        self.desktop = DesktopApp(application, self.paths, settings, FAKE_ENGINE)
        self.window = self.desktop.window
        self._busy = _Busy()
        for name in ("_quick", "_patient"):
            executor = getattr(self.desktop.bridge, name)
            setattr(self.desktop.bridge, name, self._busy.watch(executor))
        self.desktop.start()
        if home.is_ready:
            self.until(self._is_ready, "the model to be loaded")
        self._known = frozenset(self._chats())
        self.rest()

    def close(self) -> None:
        """End the app."""
        self.window.close()
        self._stack.close()

    @property
    def services(self) -> App:
        """The services, which must be open."""
        assert self.desktop.services
        return self.desktop.services

    # Waiting

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Run the event loop until a condition holds."""
        give_up = time.monotonic() + TIMEOUT_S
        while not condition():
            if time.monotonic() > give_up:
                raise TimeoutError(f"waited in vain for {what or 'the window'}")
            self._turn()

    def rest(self) -> None:
        """Run the event loop until nothing is worked on any more, and everything is laid out."""
        quiet = 0
        give_up = time.monotonic() + TIMEOUT_S
        while quiet < _QUIET_TURNS:
            quiet = 0 if self._works and time.monotonic() < give_up else quiet + 1
            self._turn()

    @property
    def _works(self) -> bool:
        """True while something is worked on, or the end of a message is still to be shown."""
        views = self.window.chat_view.findChildren(MessageView)
        return self._busy.now > 0 or any(view.unfinished for view in views)

    def _turn(self) -> None:
        loop = QEventLoop()  # which deletes what is to be deleted later; `processEvents` does not
        QTimer.singleShot(_TURN_MS, loop.quit)
        loop.exec()

    def while_open(self, open_it: Callable[[], object], look: Callable[[], None]) -> None:
        """Open a menu or a dialog that may wait for its end, look, and close it."""
        looked: list[BaseException | None] = []

        def act() -> None:
            try:
                if not (QApplication.activePopupWidget() or QApplication.activeModalWidget()):
                    raise AssertionError("nothing was opened")
                look()
                looked.append(None)
            except BaseException as problem:
                looked.append(problem)
            finally:
                self._close_popups()

        QTimer.singleShot(60, act)
        open_it()
        self.until(lambda: looked, "a menu to be opened")
        if looked[0]:
            raise looked[0]

    # From one state to the next

    def reset(self, place: QRect) -> None:
        """Bring the window back to an empty chat, at this place; it is that of a screen."""
        self._close_popups()
        while self._undo:
            self._undo.pop()()
        if self.window.composer.state is ComposerState.ANSWERING:
            self.window.parts.ask.stop()
            self.until(lambda: self.window.composer.state is ComposerState.READY, "the stop")
        self.window.navigator.show(PageId.CHAT)
        self.window.new_chat()
        self.window.composer.clear()
        self._forget_new_chats()
        sidebar, inspector = self.window.parts.sidebar, self.window.parts.inspector
        self.window.setGeometry(place)
        self.rest()
        if sidebar.isHidden() and place.width() >= scaled(ROOM_FOR_SIDEBAR):
            self.key("Ctrl+B")
        if not inspector.isHidden():
            self.key("Ctrl+I")
        for area in self.window.findChildren(QScrollArea):
            area.verticalScrollBar().setValue(0)
        if not self.home.keeps_notices:
            for notice in self.window.findChildren(Notice):
                notice.clear()
        self.rest()

    def afterwards(self, undo: Callable[[], object]) -> None:
        """Do this before the next state."""
        self._undo.append(undo)

    def scroll_to(self, part: QWidget) -> None:
        """Scroll what a part is in until it is seen from its top."""
        area = part.parentWidget()
        while not isinstance(area, QScrollArea):
            assert area
            area = area.parentWidget()
        content = area.widget()
        assert content
        top = part.mapTo(content, QPoint(0, 0)).y()
        area.verticalScrollBar().setValue(top - 24)
        self.rest()

    def key(self, keys: str) -> None:
        """Press one of the window's shortcuts."""
        shortcuts = self.window.findChildren(QShortcut)
        next(each for each in shortcuts if each.key().toString() == keys).activated.emit()
        self.rest()

    def press(self, words: str, within: QWidget | None = None) -> None:
        """Press the button with these words or this accessible name."""
        self.button(words, within).click()
        self.rest()

    def button(self, words: str, within: QWidget | None = None) -> QAbstractButton:
        """The visible button with these words or this accessible name."""
        return next(
            each
            for each in (within or self.window).findChildren(QAbstractButton)
            if each.isVisible() and words in (each.text().replace("&&", "&"), each.accessibleName())
        )

    def find(self, kind: type[_T], within: QWidget | None = None) -> _T:
        """Wait for a visible widget of a class; of several the first."""

        def found() -> list[_T]:
            return [each for each in (within or self.window).findChildren(kind) if each.isVisible()]

        self.until(found, kind.__name__)
        return found()[0]

    def open_chat(self, title: str) -> None:
        """Open the chat with this title."""
        found = {each.title: each.id for each in self.services.conversations.list()}
        self.window.open_conversation(found[title])
        self.until(lambda: self.window.chat_view.messages, "the messages")
        self.rest()

    def send(self, text: str, state: MessageState = MessageState.COMPLETE) -> None:
        """Send a text, and wait until its answer is in this state, with some words."""
        self.window.send(text)

        def answered() -> bool:
            messages = self.window.chat_view.messages
            last = messages[-1] if messages else None
            wrote = last and (len(last.text) > 40 or len(last.thinking) > 40)
            return bool(last and last.answer and last.state is state and wrote)

        self.until(answered, "an answer")

    def _chats(self) -> list[str]:
        services = self.desktop.services
        return [each.id for each in services.conversations.list()] if services else []

    def _forget_new_chats(self) -> None:
        new = [each for each in self._chats() if each not in self._known]
        for conversation_id in new:
            self.services.conversations.delete(conversation_id)
        if new:
            self.services.conversations.purge(now())
            self.desktop.bridge.publish(ConversationsChanged())

    def _is_ready(self) -> bool:
        services = self.desktop.services
        return services is not None and services.engine.status.state is EngineState.READY

    def _close_popups(self) -> None:
        while popup := QApplication.activePopupWidget():
            popup.close()
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog) and widget.isVisible():
                widget.reject()
        self._turn()


class _Busy:
    """Counts what is being worked on by the threads of a bridge."""

    def __init__(self) -> None:
        self.now = 0
        self._lock = threading.Lock()

    def watch(self, executor: Executor) -> Executor:
        submit = executor.submit

        def counted(*args: Any, **fields: Any) -> "Future[Any]":
            with self._lock:
                self.now += 1
            future = submit(*args, **fields)
            future.add_done_callback(self._done)
            return future

        executor.submit = counted  # type: ignore[method-assign]
        return executor

    def _done(self, _future: "Future[Any]") -> None:
        with self._lock:
            self.now -= 1
