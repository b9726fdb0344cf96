"""A column of messages that scrolls, built only around what is read.

Widgets exist for one stretch of the path; scrolling towards either end of it builds more and
lets go of what is far away. Positions are set by hand, so that the scroll position is exact at
once and a change of one message lays out that message and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QApplication, QFrame, QWidget

from chatdesk.core.chat import Message, MessageState, Role
from chatdesk.core.i18n import tr
from chatdesk.ui.chat.messages.action_row import MessageActions
from chatdesk.ui.chat.messages.answer_body import Folds
from chatdesk.ui.chat.messages.context_start_line import ContextStartLine
from chatdesk.ui.chat.messages.jump_button import JumpButton
from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.chat.messages.message_walk import MessageWalk
from chatdesk.ui.markdown.sticky_bar import StickyBar
from chatdesk.ui.theme import Theme, scaled
from chatdesk.ui.widgets.fading_edges import HEIGHT as FADE
from chatdesk.ui.widgets.fading_edges import FadingEdges

COLUMN = 760
Siblings = Callable[[str], Sequence[str]] | Mapping[str, Sequence[str]]

_MARGIN = 24  # least pixels left and right of the column
_TOP, _BOTTOM = 12, 24
_GAPS = {Role.USER: 0, Role.ASSISTANT: 14}  # below a message
_NEAR_END = 6  # pixels from the end that still count as the end
_BUILD_BUDGET_S = 0.008
_MAX_VIEWS = 80
_HOVER_MS = 40  # after the last move, until what is under a still pointer is looked for
_AWAY = 120  # pixels from the end at which a way back is offered


class MessageColumn(QAbstractScrollArea):
    """The part of a path through a conversation that is near what is read.

    What a person asks for at a message goes to `actions`. `view_built` carries a `MessageView` that
    may have more to show, `view_dropped` one that is about to go; after `rebuilt` most are others.
    """

    view_built = Signal(object)
    view_dropped = Signal(object)
    rebuilt = Signal()

    def __init__(self, theme: Theme, actions: MessageActions) -> None:
        super().__init__()
        self._actions = actions
        self._theme = theme
        self._path: list[Message] = []
        self._siblings: Siblings = {}
        self._first = 0  # the place in the path of the first message that has a widget
        self._views: list[MessageView] = []
        self._follow = True
        self._placing = False
        self._wanted: tuple[str, int] | None = None
        self._canvas = QWidget(self.viewport())
        self._view_line = ContextStartLine(self._canvas)
        self._view_line.hide()
        self._view_after: str | None = None  # the message below which that line stands
        self._folds: dict[str, Folds] = {}  # by message, also of those without a widget
        self._walk = MessageWalk(self._canvas, self._neighbour)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # see `mousePressEvent`
        self.setAccessibleName(tr("This chat"))
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().setSingleStep(24)
        self._build_timer = QTimer(self)
        self._build_timer.setSingleShot(True)
        self._build_timer.timeout.connect(self._build_more)
        self._hover_timer = QTimer(self)
        self._hover_timer.setSingleShot(True)
        self._hover_timer.setInterval(_HOVER_MS)
        self._hover_timer.timeout.connect(self._show_hovered)
        FadingEdges(self)
        self._jump = JumpButton(theme, self)
        self._jump.clicked.connect(self.scroll_to_bottom)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_changed)

    # Content

    def show_path(self, path: Sequence[Message], siblings: Siblings) -> None:
        """Show these messages, oldest first, from their end."""
        self._path = list(path)
        self._siblings = siblings
        self._follow = True
        self._rebuild(len(self._path) - 1)

    def append(self, message: Message, siblings: Sequence[str]) -> None:
        """Show one more message at the end; one by the user is scrolled to."""
        if self._path and self._built_to_end and self._views:
            self._views[-1].set_last(False)
            self.relayout(self._views[-1])
        at_end = self._built_to_end
        self._path.append(message)
        if message.role is Role.USER:
            self._follow = True
        if at_end:
            view = self._make(len(self._path) - 1, siblings)
            self._views.append(view)
            self._place()
        elif self._follow:
            self._rebuild(len(self._path) - 1)
        self._note_news()

    def put(self, message: Message) -> None:
        """Keep another state of a message of the path; its widget is the caller's to change."""
        at = self._index(message.id)
        if at is not None:
            self._path[at] = message

    @property
    def path(self) -> Sequence[Message]:
        """All messages, oldest first."""
        return self._path

    @property
    def views(self) -> Sequence[MessageView]:
        """The widgets that there are, from above."""
        return self._views

    def message(self, message_id: str) -> Message | None:
        """A message of the path."""
        at = self._index(message_id)
        return None if at is None else self._path[at]

    def view(self, message_id: str) -> MessageView | None:
        """The widget of a message, if it has one."""
        return next((v for v in reversed(self._views) if v.message.id == message_id), None)

    def built_view(self, message_id: str) -> MessageView | None:
        """The widget of a message, built for this if need be; None if it is not of the path."""
        at = self._index(message_id)
        if at is not None and self.view(message_id) is None:
            self._follow = False
            self._rebuild(at)
        return self.view(message_id)

    def relayout(self, view: MessageView) -> None:
        """Place a message that changed, and those below it."""
        before = view.height()
        self._size_view(view)
        self._place(self._views.index(view) if view in self._views else 0)
        if view.height() > before and view.message.state is MessageState.STREAMING:
            self._note_news()

    def set_theme(self, theme: Theme) -> None:
        """Show everything in other colours, at the same place."""
        self._theme = theme
        self._jump.set_theme(theme)
        anchor = self.scroll_anchor()
        self._rebuild(len(self._path) - 1)
        self.restore_anchor(anchor)

    # Scrolling

    @property
    def at_bottom(self) -> bool:
        """True if the end of the conversation is in sight."""
        bar = self.verticalScrollBar()
        return self._built_to_end and bar.value() >= bar.maximum() - _NEAR_END

    def scroll_to_bottom(self) -> None:
        """Go to the end, and follow what is added there."""
        self._follow = True
        if not self._built_to_end:
            self._rebuild(len(self._path) - 1)
        self._set_value(self.verticalScrollBar().maximum())

    def scroll_anchor(self) -> tuple[str, int] | None:
        """The topmost message in sight and how many pixels of it are above; None at the end."""
        value = self.verticalScrollBar().value()
        if self._follow or self.at_bottom:
            return None
        for view in self._views:
            if view.y() + view.height() > value:
                return view.message.id, value - view.y()
        return None

    def restore_anchor(self, anchor: tuple[str, int] | None) -> None:
        """Scroll to where `scroll_anchor` was taken; to the end when it is None or unknown."""
        at = self._index(anchor[0]) if anchor else None
        if anchor is None or at is None:
            self.scroll_to_bottom()
            return
        self._follow = False
        if self.view(anchor[0]) is None:
            self._rebuild(at, anchor[1])
        self._wanted = anchor
        self.keep_wanted()

    def keep_wanted(self) -> None:
        """Go on to a place that was asked for in a message not wholly shown by then."""
        view = self.view(self._wanted[0]) if self._wanted else None
        if self._wanted is None or view is None:
            return
        offset = self._wanted[1]
        self._set_value(view.y() + offset)
        if not view.unfinished:
            self._wanted = None

    def reveal(self, view: MessageView) -> None:
        """Scroll as little as needed to see a message."""
        self._show_range(view.y(), view.height())

    def show_view_line(self, after: str | None, *, cut: bool = False) -> None:
        """Draw the line where the model's view begins below this message; none for None.

        With `cut` the model reads the end of that message, too.
        """
        if (after, cut) == (self._view_after, self._view_line.is_cut):
            return
        anchor = self._reading_place()
        self._view_after = after
        self._view_line.show_cut(cut=cut)
        self._place()
        if anchor is not None and not self._follow:
            self._set_value(anchor[0].y() + anchor[1])

    # Qt

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        """The bar moved, by the reader or by us."""
        self._canvas.move(0, -self.verticalScrollBar().value())
        if not self._placing:
            self._wanted = None
            self._follow = self.at_bottom
            self._want_more()
        self._after_move()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other widths mean other heights; the place being read stays."""
        super().resizeEvent(event)
        anchor = self.scroll_anchor()
        is_wider = event.oldSize().width() != event.size().width()
        for view in self._views:
            if is_wider or view.editing:
                self._size_view(view)
        self._place()
        kept = self.view(anchor[0]) if anchor else None
        if anchor is not None and kept is not None:
            self._set_value(kept.y() + anchor[1])
        self._want_more()

    def showEvent(self, event: QShowEvent) -> None:
        """The first time, widths are known only now."""
        super().showEvent(event)
        self._place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Home and End go to the ends; arrows lead through a message; other keys scroll."""
        if self._walk.arrow(event):
            event.accept()
        elif event.key() == Qt.Key.Key_Home:
            self._follow = False
            if self._first > 0:
                self._rebuild(0)
            self._set_value(0)
        elif event.key() == Qt.Key.Key_End:
            self.scroll_to_bottom()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go from message to message, and to what comes before or after the conversation."""
        if self.hasFocus() and forward and (first := self._first_in_sight()):
            first.setFocus(Qt.FocusReason.TabFocusReason)
            return True
        if self._walk.tab(1 if forward else -1):
            return True
        if not self.hasFocus():  # the way on begins here, not at the message made last
            self.setFocus(Qt.FocusReason.OtherFocusReason)
            if not self.hasFocus():  # what had it is gone, and somebody has placed it
                return True
            if not forward:
                return True
        return super().focusNextPrevChild(forward)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the buttons takes the focus; Qt would take it for one on them, too."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """From behind, the focus comes to the last message."""
        super().focusInEvent(event)
        if event.reason() is Qt.FocusReason.BacktabFocusReason and self._views:
            self._views[-1].setFocus(event.reason())

    def viewportSizeHint(self) -> QSize:
        """Room for the column."""
        return QSize(scaled(COLUMN) + 2 * _MARGIN, 480)

    # Building

    @property
    def _built_to_end(self) -> bool:
        return self._first + len(self._views) >= len(self._path)

    @property
    def _column(self) -> int:
        return max(160, min(scaled(COLUMN), self.viewport().width() - 2 * _MARGIN))

    def _index(self, message_id: str) -> int | None:
        places = range(len(self._path) - 1, -1, -1)
        return next((at for at in places if self._path[at].id == message_id), None)

    def _rebuild(self, around: int, offset: int = 0) -> None:
        """Drop all widgets and build a screenful around a place in the path.

        The place is `offset` pixels into the message number `around`.
        """
        for view in self._views:
            self._drop(view)
        self._views = []
        self._first = max(0, around)
        if self._path:
            height = 0
            screen = offset + self.viewport().height() + 200
            while height < screen and self._first + len(self._views) < len(self._path):
                self._views.append(self._make(self._first + len(self._views)))
                height += self._views[-1].height()
            while height < screen and self._first > 0:
                self._first -= 1
                self._views.insert(0, self._make(self._first))
                height += self._views[0].height()
        self._place()
        self.rebuilt.emit()
        self._want_more()

    def _make(self, at: int, siblings: Sequence[str] | None = None) -> MessageView:
        message = self._path[at]
        if siblings is None:
            find = self._siblings
            siblings = find(message.id) if callable(find) else find.get(message.id, ())
        is_last = at == len(self._path) - 1
        folds = self._folds.setdefault(message.id, {})
        view = MessageView(
            message, self._theme, self._actions, siblings, is_last, self._canvas, folds
        )
        view.resized.connect(lambda: self.relayout(view))
        view.fold_turned.connect(lambda button, folded: self._turn_fold(view, button, folded))
        self.view_built.emit(view)
        self._size_view(view)
        view.show()
        return view

    def _drop(self, view: MessageView) -> None:
        self.view_dropped.emit(view)
        self._walk.forget(view)
        if not self._folds.get(view.message.id):
            self._folds.pop(view.message.id, None)
        focused = QApplication.focusWidget()
        if focused is not None and view.isAncestorOf(focused):
            self.setFocus()  # Qt would hand it to whatever comes first in the window
        view.hide()
        view.setParent(None)
        view.deleteLater()

    def _want_more(self) -> None:
        bar = self.verticalScrollBar()
        near = 1.5 * self.viewport().height()
        above = self._first > 0 and bar.value() < near
        below = not self._built_to_end and bar.value() > bar.maximum() - near
        if (above or below) and not self._build_timer.isActive():
            self._build_timer.start()

    def _build_more(self) -> None:
        """Build on towards the end that is near, a few milliseconds long."""
        end = perf_counter() + _BUILD_BUDGET_S
        bar = self.verticalScrollBar()
        near = 1.5 * self.viewport().height()
        anchor = self._reading_place()
        upwards = self._first > 0 and bar.value() < near
        last_s = 0.0  # how long the last message took: the next one may take as long
        while (begun := perf_counter()) + last_s < end:
            if upwards and self._first > 0:
                self._first -= 1
                self._views.insert(0, self._make(self._first))
            elif not upwards and not self._built_to_end:
                self._views.append(self._make(self._first + len(self._views)))
            else:
                break
            last_s = perf_counter() - begun
        self._trim(from_end=upwards)
        self._place()
        if anchor is not None and not self._follow:
            self._set_value(anchor[0].y() + anchor[1])
        self._want_more()

    def _trim(self, from_end: bool) -> None:
        while len(self._views) > _MAX_VIEWS:
            view = self._views[-1 if from_end else 0]
            if view.editing or view.message.state is MessageState.STREAMING:
                return
            self._views.remove(view)
            self._first += 0 if from_end else 1
            self._drop(view)

    # Placing

    def _reading_place(self) -> tuple[MessageView, int] | None:
        value = self.verticalScrollBar().value()
        found = (v for v in self._views if v.y() + v.height() > value)
        return next(((view, value - view.y()) for view in found), None)

    def _size_view(self, view: MessageView) -> None:
        view.most_high = self.viewport().height() - 2 * FADE
        view.resize(self._column, view.relayout(self._column))

    def _place(self, start: int = 0) -> None:
        """Put the messages from number `start` on below one another, and scroll when following."""
        left = (self.viewport().width() - self._column) // 2
        top = _TOP
        if start > 0:
            before = self._views[start - 1]
            top = before.y() + before.height() + self._gap_below(before)
        for view in self._views[start:]:
            view.move(left, top)
            top += view.height() + self._gap_below(view)
        self._place_view_line(left)
        height = max(top + _BOTTOM, self.viewport().height())
        self._canvas.resize(self.viewport().width(), height)
        bar = self.verticalScrollBar()
        self._placing = True
        bar.setRange(0, height - self.viewport().height())
        bar.setPageStep(self.viewport().height())
        bar.setEnabled(bar.maximum() > 0)
        if self._follow and self._built_to_end:
            bar.setValue(bar.maximum())
        self._placing = False
        self._canvas.move(0, -bar.value())
        self._walk.place_ring()
        self._after_move()

    def _gap_below(self, view: MessageView) -> int:
        gap = _GAPS.get(view.message.role, 0)
        if view.message.id == self._view_after:
            gap += self._view_line.height_for(self._column)
        return gap

    def _place_view_line(self, left: int) -> None:
        view = self.view(self._view_after) if self._view_after else None
        self._view_line.setVisible(view is not None)
        if view is not None:
            below = view.y() + view.height()
            height = self._view_line.height_for(self._column)
            self._view_line.setGeometry(left, below, self._column, height)

    def _set_value(self, value: int) -> None:
        self._placing = True
        self.verticalScrollBar().setValue(value)
        self._placing = False
        # The end of what is shown so far is no end to follow.
        is_whole = not any(view.unfinished for view in self._views)
        self._follow = self.at_bottom and (self._follow or is_whole)
        self._want_more()
        self._after_move()

    def _turn_fold(self, view: MessageView, button: QWidget, folded: bool) -> None:
        """Place a message of which a part was folded or unfolded.

        What is unfolded begins where it was; what is folded ends where it was, at the button.
        """
        value = self.verticalScrollBar().value()
        before = button.mapTo(self._canvas, QPoint()).y()
        self._follow = False
        self.relayout(view)
        if folded:
            moved = button.mapTo(self._canvas, QPoint()).y() - before
            self._set_value(value + moved)

    def _show_range(self, top: int, height: int) -> None:
        """Scroll as little as needed to see this part of the canvas."""
        value, page = self.verticalScrollBar().value(), self.viewport().height()
        if top < value or height > page:
            self._set_value(max(0, top - FADE))
        elif top + height > value + page:
            self._set_value(top + height - page + FADE)

    def _show_part(self, top: int, height: int) -> None:
        """Scroll to what has the focus; not if it is higher than the view and some is in sight."""
        value, page = self.verticalScrollBar().value(), self.viewport().height()
        if height <= page or top > value + page or top + height < value:
            self._show_range(top, height)

    def _first_in_sight(self) -> MessageView | None:
        """The first message that begins in sight; else the one that fills the view."""
        top = self.verticalScrollBar().value()
        page = self.viewport().height()
        begins = (view for view in self._views if top <= view.y() < top + page)
        place = self._reading_place()
        return next(begins, place[0] if place else None)

    def _neighbour(self, view: MessageView, step: int) -> MessageView | None:
        """The message so many places after another, built if need be."""
        at = self._index(view.message.id)
        if at is None or not 0 <= at + step < len(self._path):
            return None
        if self.view(self._path[at + step].id) is None:
            self._build_more()
        return self.view(self._path[at + step].id)

    def _focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        self._walk.show_focus(new)
        if new is not None and self._canvas.isAncestorOf(new) and _is_stop(new):
            self._show_part(new.mapTo(self._canvas, QPoint()).y(), new.height())

    # What stands over the messages

    def _after_move(self) -> None:
        """The messages are at other places: let what depends on these follow."""
        self._hover_timer.start()
        top = self.verticalScrollBar().value()
        bottom = top + self.viewport().height()
        seen = [v for v in self._views if v.y() < bottom and v.y() + v.height() > top]
        for view in seen:
            view.keep_in_sight(top - view.y(), bottom - view.y())
        away = self.verticalScrollBar().maximum() - top > _AWAY or not self._built_to_end
        away = away and not any(view.editing for view in seen)  # it would lie over its buttons
        if self.at_bottom:
            self._jump.set_news(False)
        self._jump.setVisible(away)
        if away:
            edge = (self.viewport().width() + self._column) // 2
            self._jump.place(self.viewport().geometry(), edge)

    def _note_news(self) -> None:
        if not self._follow and not self.at_bottom:
            self._jump.set_news(True)

    def _show_hovered(self) -> None:
        """Qt does not report that a message came under a pointer that did not move, or left it."""
        under = QApplication.widgetAt(QCursor.pos())
        for view in self._views:
            view.set_hovered(under is view or (under is not None and view.isAncestorOf(under)))


def _is_stop(widget: QWidget) -> bool:
    """Return True for what the Tab key and the arrow keys lead to."""
    return isinstance(widget, MessageView | QAbstractButton | StickyBar)
