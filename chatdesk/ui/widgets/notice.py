"""Notices: a stack of toasts over the lower left corner of a page. It moves nothing on the page."""

from collections.abc import Sequence

import shiboken6
from PySide6.QtCore import QEvent, QObject, QRect
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent
from PySide6.QtWidgets import QApplication, QLabel, QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import trn
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.motion import fade_in
from chatdesk.ui.widgets.toast import Act, Toast

UNDO_MS = 10_000
PLAIN_MS = 8_000  # for what asks for nothing
MOST = 3  # toasts in sight
WIDTH = 380
MARGIN = 24  # as left of the composer
GAP = 8
BELOW = 36  # pixels at the lower edge, for the line of the chat's state
_MOVES_CORNER = (
    QEvent.Type.Resize,
    QEvent.Type.Move,
    QEvent.Type.Show,
    QEvent.Type.Hide,
    QEvent.Type.ChildAdded,  # another page, over it
)


class Notice(QWidget):
    """Several notices can stand; none takes away another's button.

    Problems and what has an action stay until they are dealt with; plain information goes after
    some seconds, which stand still while the mouse or the focus is here. Of more than `MOST` the
    oldest that stays and the newest are seen. A notice with a `key` replaces the one of that key;
    the same words are never shown twice.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._toasts: list[Toast] = []  # the oldest first
        self._place: QWidget | None = None
        self._above: QWidget | None = None
        self._spared: tuple[QWidget, ...] = ()
        self._came_from: QWidget | None = None  # what had the focus before one of ours
        self._more = QLabel()
        set_class(self._more, "more")
        self._more.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GAP)
        self._column.addWidget(self._more)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)
        self.hide()

    def stand_in(self, place: QWidget, above: QWidget, *spared: QWidget) -> None:
        """Lie over the corner of `place`, and never over `above`, a part of it.

        Nor over those `spared`, which are below it, where there is room above it.
        """
        self.setParent(place)
        self._place, self._above, self._spared = place, above, spared
        for watched in (place, above, above.parentWidget() or place, *spared):
            watched.installEventFilter(self)
        self._arrange()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        for toast in self._toasts:
            toast.set_theme(theme)

    # Showing

    def show_problem(
        self,
        problem: EnvironmentProblem,
        action: str = "",
        act: Act | None = None,
        *,
        key: str = "",
    ) -> None:
        """Show a problem, with a button that fixes it where there is one."""
        toast = self._toast(problem.what, problem.todo, key, danger=True)
        if act:
            toast.offer(key, action, act)
        toast.last(0)
        self._show(toast)

    def show_words(
        self,
        what: str,
        todo: str = "",
        action: str = "",
        act: Act | None = None,
        *,
        other: str = "",
        act_otherwise: Act | None = None,
        for_ms: int = 0,
        key: str = "",
    ) -> None:
        """Show something that is no problem, for a while or until it is closed.

        `other` is a second action. Without a time, what has an action stays.
        """
        toast = self._toast(what, todo, key, danger=False)
        for words, does in ((action, act), (other, act_otherwise)):
            if does:
                toast.offer(key, words, does)
        toast.last(for_ms or (0 if act else PLAIN_MS))
        self._show(toast)

    def solved(self, key: str) -> None:
        """What was shown with this key is not so any more."""
        for toast in [each for each in self._toasts if key in each.keys]:
            toast.withdraw(key)
            if not toast.keys:
                self._dismiss(toast)

    def stands(self, key: str) -> bool:
        """True while there is a notice of this key."""
        return any(key in each.keys for each in self._toasts)

    def clear(self) -> None:
        """Dismiss all of them."""
        for toast in tuple(self._toasts):
            self._dismiss(toast)

    @property
    def toasts(self) -> tuple[Toast, ...]:
        """Those that stand, the oldest first."""
        return tuple(self._toasts)

    @property
    def words(self) -> str:
        """Everything that is said, the newest first; empty when there is nothing."""
        return "\n".join(toast.words for toast in reversed(self._toasts))

    def act(self) -> None:
        """Do the first action of the newest notice that has one."""
        toast = next(each for each in reversed(self._toasts) if each.offers)
        toast.act(toast.offers[0])

    def focus_newest(self) -> None:
        """Give the focus to the newest notice, for the keyboard."""
        if self._toasts:
            self._toasts[-1].focus_action()

    # Toasts

    def _toast(self, what: str, todo: str, key: str, *, danger: bool) -> Toast:
        """Return the toast for these words: of the key alone, with the same words, or a new one."""
        own = next((each for each in self._toasts if key and each.keys == {key}), None)
        same = next((each for each in self._toasts if each.is_saying(what, todo)), None)
        if key and (own is None or same not in (own, None)):
            self.solved(key)  # it stands with other words, and others' too
        toast = same or own
        if toast is None:
            toast = self._new(what, todo, danger=danger)
        elif toast is own:
            toast.withdraw(key)
            toast.show_words(what, todo, danger=danger)
        toast.keys.add(key)
        return toast

    def _new(self, what: str, todo: str, *, danger: bool) -> Toast:
        toast = Toast(what, todo, self._theme, danger=danger)
        # No lambda: freed with the toast, it would free `self`, and Qt the toast once more.
        toast.dismissed.connect(self._dismiss)
        toast.hide()
        self._toasts.append(toast)
        self._column.addWidget(toast)
        return toast

    def _show(self, toast: Toast) -> None:
        is_new = toast.isHidden()
        self._arrange()
        if is_new and toast.isVisible():
            fade_in(toast)
        if QAccessible.isActive():
            event = QAccessibleAnnouncementEvent(self, toast.words)
            if toast.is_danger:
                event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
            QAccessible.updateAccessibility(event)

    def _dismiss(self, toast: Toast) -> None:
        if toast not in self._toasts:
            return
        focused = QApplication.focusWidget()
        had_focus = (focused is not None and toast.isAncestorOf(focused)) or focused is toast
        self._toasts.remove(toast)
        if had_focus:
            self._give_focus_back()
        toast.hide()
        self._column.removeWidget(toast)
        toast.deleteLater()
        self._arrange()

    def _give_focus_back(self) -> None:
        before = self._came_from
        if before is not None and shiboken6.isValid(before) and before.isVisible():
            before.setFocus()
        elif self._above is not None:
            self._above.setFocus()

    # Placing

    def _arrange(self) -> None:
        """Show those that are to be seen, in their corner: as many as there is room for."""
        for most in range(MOST, 0, -1):
            self._choose(self._seen(most))
            if not self._toasts or self._put():
                break  # in its place before it is shown, or Qt takes it to be under the mouse
        self.setVisible(bool(self._toasts))
        self._hold()

    def _choose(self, seen: Sequence[Toast]) -> None:
        for toast in self._toasts:
            toast.setVisible(toast in seen)
        hidden = len(self._toasts) - len(seen)
        self._more.setText(trn("{n} more notice", "{n} more notices", hidden))
        self._more.setVisible(hidden > 0)

    def _seen(self, most: int) -> list[Toast]:
        newest = self._toasts[-most:]
        staying = next((each for each in self._toasts if not each.fades), None)
        return newest if staying is None or staying in newest else [staying, *newest[1:]]

    def _put(self) -> bool:
        """Lie in the corner; False if there is too little room above it."""
        place = self._place
        if place is None:
            return True
        width = min(scaled(WIDTH), place.width() - 2 * MARGIN)
        self._column.activate()
        height = self._column.totalHeightForWidth(width)
        corner = self._clear_of(QRect(MARGIN, place.height() - BELOW - height, width, height))
        fits = corner.top() >= 2 * GAP
        corner.moveTop(max(0, corner.top()))  # rather over what is below than out of the window
        self.setGeometry(corner)
        self.raise_()
        return fits

    def _clear_of(self, corner: QRect) -> QRect:
        """Move up from where it must not lie; over what is spared where there is no room above."""
        place, above = self._place, self._above
        assert place
        for parts in ((*self._spared, above), (above,)):
            moved = QRect(corner)
            for part in parts:
                if part and part.isVisible():
                    barred = QRect(part.mapTo(place, part.rect().topLeft()), part.size())
                    if barred.intersects(moved):
                        moved.moveBottom(barred.top() - GAP)
            if moved.top() >= 2 * GAP:
                break
        return moved

    # Qt's names from here on

    def event(self, event: QEvent) -> bool:
        """A toast needs another height, as when its fonts are known."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and not self.isHidden():
            self._put()
        return done

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the corner."""
        if event.type() in _MOVES_CORNER and not self.isHidden():
            self._arrange()
        return super().eventFilter(watched, event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Time stands still while they are looked at."""
        super().enterEvent(event)
        self._hold()

    def leaveEvent(self, event: QEvent) -> None:
        """Time goes on."""
        super().leaveEvent(event)
        self._hold()

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        comes = new is not None and self.isAncestorOf(new)
        if comes and old is not None and not self.isAncestorOf(old):
            self._came_from = old
        self._hold()

    def _hold(self) -> None:
        focused = QApplication.focusWidget()
        held = self.underMouse() or (focused is not None and self.isAncestorOf(focused))
        for toast in self._toasts:
            toast.hold(held or toast.isHidden())
