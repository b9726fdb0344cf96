"""The models on this computer: a row each, favourites first, then those used last."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr, trn
from chatdesk.core.model_files import KeptModel, Presence
from chatdesk.core.units import size_words
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.models.row import HubRow
from chatdesk.ui.models.words import about_words, state_words
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import plain_button
from chatdesk.ui.widgets.labels import tool_tip
from chatdesk.ui.widgets.menus import open_menu
from chatdesk.ui.widgets.row_ground import paint_focus, paint_ground
from chatdesk.ui.widgets.tag import Tag, Tone

OVERHANG = 10  # pixels by which a row's ground is wider than its words, at both ends
AT_ONCE = 50  # rows shown until more are asked for: each is a dozen widgets
_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class ModelList(QWidget):
    """Shows models; every request carries the `KeptModel` it is about."""

    chat_requested = Signal(object)
    details_requested = Signal(object)
    favourite_requested = Signal(object)  # to change whether it is one
    rename_requested = Signal(object)
    renew_requested = Signal(object)  # to take a file that changed as it is now
    shrink_requested = Signal(object)
    folder_requested = Signal(object)
    delete_requested = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._kept: tuple[KeptModel, ...] = ()
        self._in_use = ""
        self._most = AT_ONCE
        self._rows: dict[str, ModelListRow] = {}
        self._more = plain_button("")
        set_class(self._more, "ghost")
        self._more.clicked.connect(self._show_more)
        self._more.hide()
        self.setAccessibleName(tr("On this computer"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)

    @property
    def rows(self) -> "list[ModelListRow]":
        """As they stand, from the top."""
        return [self._rows[each.model.id] for each in self._kept[: self._most]]

    def model(self, model_id: str) -> KeptModel | None:
        """Return the model of this id."""
        return next((each for each in self._kept if each.model.id == model_id), None)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        for row in self._rows.values():
            row.set_theme(theme)

    def show_kept(self, kept: Sequence[KeptModel], in_use: str) -> None:
        """Show these; `in_use` is the id of the model in use, "" for none."""
        self._kept, self._in_use = tuple(sorted(kept, key=_rank)), in_use
        shown = {each.model.id: each for each in self._kept[: self._most]}
        for model_id, row in list(self._rows.items()):
            if model_id not in shown or shown[model_id].name != row.kept.name:
                self._rows.pop(model_id).deleteLater()
        for place, (model_id, each) in enumerate(shown.items()):
            row = self._rows.get(model_id) or ModelListRow(each, self, self._theme)
            self._rows[model_id] = row
            if self._column.indexOf(row) != place:
                self._column.insertWidget(place, row)
            row.show_kept(each, in_use=model_id == in_use)
            row.show()  # not only when the layout comes to it: it may be given the focus before
        self._order_stops()
        left = len(self._kept) - len(shown)
        self._more.setText(trn("Show {n} more", "Show {n} more", left))
        self._more.setVisible(left > 0)

    def step(self, row: "ModelListRow", by: int) -> None:
        """Give the focus to a row beside this one."""
        rows = self.rows
        rows[min(max(rows.index(row) + by, 0), len(rows) - 1)].setFocus()

    def _show_more(self) -> None:
        before, self._most = self._most, self._most + AT_ONCE
        self.show_kept(self._kept, self._in_use)
        self.rows[before].setFocus()

    def _order_stops(self) -> None:
        """Let Tab go as the eye does, whatever was made first."""
        stops = [self, *(stop for row in self.rows for stop in row.stops), self._more]
        for first, second in pairwise(stops):
            QWidget.setTabOrder(first, second)


class ModelListRow(HubRow):
    """One model; a click or Return shows its details, Ctrl+Return chats with it."""

    button_width = 72

    def __init__(self, kept: KeptModel, requests: ModelList, theme: Theme) -> None:
        super().__init__(kept.name, kept.model.header.quantization)
        self.kept = kept
        self._requests = requests
        self._theme = theme
        self._in_use = Tag()
        self._star = _tool()
        self._chat = self.add_button(tr("Chat"))
        self._renew = self.add_button(tr("Use as it is now"))
        self._menu = _tool()
        self._tags.insertWidget(self._tags.count() - 1, self._in_use)
        self._tags.insertWidget(self._tags.count() - 1, self._star)
        self._buttons.addWidget(self._menu)
        self._build_row()
        self.set_theme(theme)

    def _build_row(self) -> None:
        set_class(self, "kept-row")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._both.setContentsMargins(OVERHANG, 11, OVERHANG, 12)
        set_class(self._star, "star")
        for button in (self._chat, self._renew, self._star, self._menu):
            button.setCursor(Qt.CursorShape.ArrowCursor)
        requests = self._requests
        self._chat.clicked.connect(lambda: requests.chat_requested.emit(self.kept))
        self._renew.clicked.connect(lambda: requests.renew_requested.emit(self.kept))
        self._star.clicked.connect(lambda: requests.favourite_requested.emit(self.kept))
        self._menu.clicked.connect(self._open_menu)
        self._menu.setAccessibleName(tr("More about {name}", name=self.kept.name))

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """The stops of the Tab key, in order."""
        return (self, self._star, self._chat, self._renew, self._menu)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        self._menu.setIcon(icon("more", theme.muted))
        self._show_star()
        self.update()

    def show_kept(self, kept: KeptModel, *, in_use: bool) -> None:
        """Show the present data of the model."""
        self.kept = kept
        about, (state, tone) = about_words(kept, datetime.now(UTC)), state_words(kept)
        self.say(about)
        self.say_size(size_words(kept.model.header.bytes))
        self.chip.show_words(state, tone)
        self._in_use.show_words(tr("in use") if in_use else "", Tone.GOOD)
        self._chat.setVisible(kept.answers)
        self._renew.setVisible(kept.presence is Presence.CHANGED)
        self.setToolTip(tool_tip(kept.model.path))
        self.setAccessibleDescription(
            "; ".join(
                filter(None, (tr("in use") if in_use else "", about, state, self.size_label.text()))
            )
        )
        self._show_star()

    def menu(self) -> QMenu:
        """Return the menu of actions on the model."""
        kept, requests, menu = self.kept, self._requests, QMenu(self)
        there, changed = (kept.presence is each for each in (Presence.THERE, Presence.CHANGED))
        favourite = kept.notes.favourite
        for offered, words, request in (
            (kept.answers, tr("Chat"), requests.chat_requested),
            (changed, tr("Use as it is now"), requests.renew_requested),
            (True, tr("Details…"), requests.details_requested),
            (True, _star_words(favourite=favourite), requests.favourite_requested),
            (True, tr("Rename…"), requests.rename_requested),
            (kept.answers, tr("Make smaller…"), requests.shrink_requested),
            (there, tr("Show in folder"), requests.folder_requested),
            (not kept.is_starter, tr("Delete…"), requests.delete_requested),
        ):
            if offered:
                menu.addAction(words, partial(request.emit, kept))
        return menu

    def _show_star(self) -> None:
        favourite = self.kept.notes.favourite
        colour = self._theme.accent if favourite else self._theme.faint
        self._star.setIcon(icon("star-filled" if favourite else "star", colour))
        words = _star_words(favourite=favourite)
        self._star.setToolTip(words)
        self._star.setAccessibleName(tr("{action}: {name}", action=words, name=self.kept.name))

    def _open_menu(self) -> None:
        open_menu(self.menu(), self._menu, once=True)

    # Qt's names from here on

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the class; Up and Down go to the rows beside it, Delete asks to delete."""
        key, requests = Qt.Key(event.key()), self._requests
        chat = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if key in _RETURN and not chat:
            requests.details_requested.emit(self.kept)
        elif key in _RETURN and self.kept.answers:
            requests.chat_requested.emit(self.kept)
        elif key in _STEPS:
            requests.step(self, _STEPS[key])
        elif key == Qt.Key.Key_F2:
            requests.rename_requested.emit(self.kept)
        elif key == Qt.Key.Key_Delete and not self.kept.is_starter:
            requests.delete_requested.emit(self.kept)
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click shows the details."""
        inside = self.rect().contains(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and inside:
            self._requests.details_requested.emit(self.kept)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu: below the three dots, or where one has pointed."""
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            self._open_menu()
        else:
            open_menu(self.menu(), self, QRect(event.pos(), QSize(0, 0)), once=True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a line below, and a ground where it is pointed at or has the focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = self.rect().adjusted(1, 2, -1, -3)
        if self.underMouse():
            paint_ground(painter, ground, self._theme.hover)
        if self.hasFocus():
            paint_focus(painter, ground, self._theme)
        painter.fillRect(
            OVERHANG, self.height() - 1, self.width() - 2 * OVERHANG, 1, QColor(self._theme.line)
        )


def _rank(kept: KeptModel) -> tuple[bool, float, str]:
    used = kept.notes.last_used
    return (not kept.notes.favourite, -used.timestamp() if used else 0.0, kept.name.casefold())


def _star_words(*, favourite: bool) -> str:
    return tr("Remove from favourites") if favourite else tr("Add to favourites")


def _tool() -> QToolButton:
    button = QToolButton()
    button.setIconSize(icon_size())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
