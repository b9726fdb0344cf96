"""Saves and restores the window's place and state."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from chatdesk.ui.window_state import WindowState

STATE_DELAY_MS = 400


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
        self._timer = QTimer(self, singleShot=True, interval=STATE_DELAY_MS)
        self._timer.timeout.connect(self.save)
        self._restore()
        window.installEventFilter(self)

    def save_soon(self) -> None:
        """Save soon, because something changed."""
        if not self._timer.isActive():  # continuous typing must not delay it
            self._timer.start()

    def save(self) -> None:
        """Save what a restart restores."""
        self._timer.stop()
        state, window = self._state, self._window
        self._remember()
        state.maximized = window.isMaximized()
        if not state.maximized:
            state.x, state.y = window.x(), window.y()
            state.width, state.height = window.width(), window.height()
        state.write(self._path)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Detect that the window was moved or resized."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self.save_soon()
        return super().eventFilter(watched, event)

    def _restore(self) -> None:
        state, window = self._state, self._window
        window.resize(state.width, state.height)
        if state.x is not None and state.y is not None:
            wanted = QRect(state.x, state.y, state.width, state.height)
            # A screen may be gone now; an unreachable window is worse than a moved one.
            screens = QGuiApplication.screens()
            if any(screen.availableGeometry().intersects(wanted) for screen in screens):
                window.move(wanted.topLeft())
        if state.maximized:
            window.setWindowState(Qt.WindowState.WindowMaximized)
