"""The way of the keyboard's focus: from message to message, and through the controls of one."""

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QWidget
from shiboken6 import isValid

from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.markdown.text_view import TextView
from chatdesk.ui.theme import set_class

_AROUND = 8  # pixels between a message and the ring around it
_STEPS = {
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Up: -1,
}
_INWARDS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Return)
_KEYBOARD = Qt.FocusReason.TabFocusReason


class MessageWalk:
    """The Tab key goes from message to message, the arrow keys lead through the controls of one.

    From the message itself only left, right and Enter lead in: up and down scroll. `neighbour`
    returns the message so many places after another.
    """

    def __init__(
        self, canvas: QWidget, neighbour: Callable[[MessageView, int], MessageView | None]
    ) -> None:
        self._canvas = canvas
        self._neighbour = neighbour
        self._focused: MessageView | None = None
        self._ring = QFrame(canvas)
        self._ring.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        set_class(self._ring, "focus-ring")
        self._ring.hide()

    def show_focus(self, focused: QWidget | None) -> None:
        """The focus is in this widget: show the actions of its message."""
        if not isValid(self._canvas):
            return  # the window is closing
        view = self._message_of(focused)
        if self._focused is not view:
            if self._focused is not None and isValid(self._focused.actions_row):
                self._focused.set_focused(False)  # while the window goes, a part of it may be gone
            self._focused = view
            if view is not None:
                view.set_focused(True)
        self.place_ring()

    def forget(self, view: MessageView) -> None:
        """The message is about to go."""
        if self._focused is view:
            self._focused = None
            self._ring.hide()

    def place_ring(self) -> None:
        """Stand around the message that has the focus itself."""
        view = self._focused
        is_shown = view is not None and view.hasFocus()
        self._ring.setVisible(is_shown)
        if view is not None and is_shown:
            around = view.geometry().adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND)
            self._ring.setGeometry(around & QRect(0, 0, self._canvas.width(), 1 << 24))
            self._ring.raise_()

    def tab(self, step: int) -> bool:
        """Go to the next message, or the one before; False at the end and outside of messages."""
        focused = QApplication.focusWidget()
        view = self._message_of(focused)
        if view is None:
            return False
        stops = view.editor.stops if view.editor is not None else []
        if focused in stops and 0 <= stops.index(focused) + step < len(stops):
            stops[stops.index(focused) + step].setFocus(_KEYBOARD)
            return True
        following = self._neighbour(view, step)
        if following is None:
            return False
        following.setFocus(_KEYBOARD)
        return True

    def arrow(self, event: QKeyEvent) -> bool:
        """Go to the next control of the focused message; False if the key is not for that."""
        key = Qt.Key(event.key())
        focused = QApplication.focusWidget()
        view = self._message_of(focused)
        if view is None or view.editing or (focused is view and key not in _INWARDS):
            return False
        step = 1 if key is Qt.Key.Key_Return and focused is view else _STEPS.get(key, 0)
        if step:
            _walk(view, focused, step)
        return bool(step)

    def _message_of(self, widget: QWidget | None) -> MessageView | None:
        while widget is not None and widget is not self._canvas:
            if isinstance(widget, MessageView):
                return widget
            widget = widget.parentWidget()
        return None


def _walk(view: MessageView, focused: QWidget | None, step: int) -> None:
    """Focus the next control, or the one before; before the first is the message itself."""
    controls = view.controls
    at = controls.index(focused) if focused in controls else -1
    to = min(at + step, len(controls) - 1)
    if to < 0:
        view.setFocus(_KEYBOARD)
    elif isinstance(control := controls[to], TextView):
        control.enter()
    else:
        control.setFocus(_KEYBOARD)
