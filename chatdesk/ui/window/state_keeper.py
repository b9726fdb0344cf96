"""Saves and restores the window's place and state."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

from chatdesk.ui.widgets.fitting import fit_place, fit_size, refit
from chatdesk.ui.window_state import WindowState

STATE_DELAY_MS = 400
REFIT_DELAY_MS = 200  # the window system places windows too, and comes first
AGAIN_MS = 5_000  # after a disk that refused


class StateKeeper(QObject):
    """Saves `state` at `path`, soon after the window was moved or `save_soon` was called.

    `remember` is called before writing: it adds other data to the state.
    """

    def __init__(
        self, window: QWidget, state: WindowState, path: Path, remember: Callable[[], None]
    ) -> None:
        super().__init__(window)
        self._window = window
        self._state = state
        self._path = path
        self._remember = remember
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.save)
        self._refit_timer = QTimer(self, singleShot=True, interval=REFIT_DELAY_MS)
        self._refit_timer.timeout.connect(lambda: refit(window))
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenRemoved.connect(self._on_screens)
        for screen in app.screens():
            self._watch(screen)
        app.screenAdded.connect(self._watch)
        self._restore()
        window.installEventFilter(self)

    def save_soon(self) -> None:
        """Save soon, because something changed."""
        if not self._timer.isActive():  # continuous typing must not delay it
            self._timer.start(STATE_DELAY_MS)

    def save(self) -> None:
        """Save what a restart restores."""
        self._timer.stop()
        state, window = self._state, self._window
        self._remember()
        state.maximized = window.isMaximized()
        if not state.maximized:
            state.x, state.y = window.x(), window.y()
            state.width, state.height = window.width(), window.height()
        if not state.write(self._path):
            self._timer.start(AGAIN_MS)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Detect that the window was moved, resized or shown."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self.save_soon()
        elif event.type() == QEvent.Type.Show:
            self._refit_timer.start()  # its frame is known soon
        return super().eventFilter(watched, event)

    def _watch(self, screen: QScreen) -> None:
        """A screen that becomes smaller leaves less room."""
        screen.availableGeometryChanged.connect(self._on_screens)

    def _on_screens(self, _change: object) -> None:
        self._refit_timer.start()

    def _restore(self) -> None:
        state, window = self._state, self._window
        if state.x is None or state.y is None:
            fit_size(window, state.width, state.height)
        else:  # its screen may be gone, or another one by now
            fit_place(window, QRect(state.x, state.y, state.width, state.height))
        if state.maximized:
            window.setWindowState(Qt.WindowState.WindowMaximized)
