"""The focus stays near when what has it is disabled, hidden or removed.

Qt would hand it to the next control in the order of the Tab key, and the next press of Space or
Enter would do something that nobody asked for.
"""

from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget


class FocusKeeper(QObject):
    """Puts a lost focus into the home of its part of the window; `usual` is the window's own."""

    def __init__(self, window: QWidget, usual: Callable[[], QWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._usual = usual
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_changed)

    def _on_changed(self, lost: QWidget | None, found: QWidget | None) -> None:
        if lost is None or not shiboken6.isValid(lost) or (lost.isEnabled() and lost.isVisible()):
            return
        window = lost.window()
        if found is not None and found.window() is not window:
            return  # a dialog was opened or closed
        if window is self._window:
            home = _home_of(lost) or self._usual()
        elif window.isVisible():
            home = _home_of(lost) or window
        else:
            return
        if home is not lost and home.isEnabled() and home.isVisible():
            home.setFocus()


def _home_of(lost: QWidget) -> QWidget | None:
    """The `focus_home` of the nearest part around a widget that names one and is to be seen."""
    part: QWidget | None = lost
    while part is not None:
        home = getattr(part, "focus_home", None)
        if isinstance(home, QWidget) and part.isVisible():
            return home
        part = None if part.isWindow() else part.parentWidget()
    return None
