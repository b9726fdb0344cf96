"""A toast: what happened on a small card, the next steps as buttons, a bar for the time left."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, Qt
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.reduced_motion import reduced_motion
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.buttons import PictureButton

Act = Callable[[], None]
_CLOSE = 24  # pixels
_ROOM, _LINES = 285, 1.7  # pixels for words and a button beside them; words end lines early


class Toast(QFrame):
    """Escape in it, its close button and its actions dismiss it; so does its time, if it has one.

    It may say the same for several askers, each known by a key: an action then does what each of
    them wants, and it goes when the last one is served.
    """

    dismissed = Signal(object)  # itself

    def __init__(self, what: str, todo: str, theme: Theme, *, danger: bool) -> None:
        super().__init__()
        self.installEventFilter(_EscapeOwner(self))
        self.setObjectName("toast")
        self.keys: set[str] = set()
        self._theme = theme
        self._danger = danger
        self._acts: dict[str, dict[str, Act]] = {}  # by the words of the action, then by key
        self._mark = QLabel()
        self._what = QLabel()
        self._todo = QLabel()
        self._close = PictureButton(tr("Close (Esc)"), _CLOSE)
        self._buttons: dict[str, QPushButton] = {}
        self._bar = _TimeBar(self)
        self._time = QVariantAnimation(self, startValue=1.0, endValue=0.0)
        self._build()
        self.show_words(what, todo, danger=danger)

    def _build(self) -> None:
        for label in (self._what, self._todo):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        set_class(self._todo, "small")
        self._close.setAccessibleName(tr("Close this notice"))
        self._close.clicked.connect(self.dismiss)
        self._time.valueChanged.connect(self._bar.show_left)
        self._time.finished.connect(self.dismiss)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._what)
        words.addWidget(self._todo)
        words.setContentsMargins(0, 3, 0, 3)
        self._beside, self._below = QHBoxLayout(), QHBoxLayout()
        words.addLayout(self._below)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(10)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addLayout(self._beside)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)

    # Content

    @property
    def words(self) -> str:
        """Everything it says."""
        return f"{self._what.text()} {self._todo.text()}".strip()

    def is_saying(self, what: str, todo: str) -> bool:
        """True if it says just this."""
        return (self._what.text(), self._todo.text()) == (what, todo)

    @property
    def fades(self) -> bool:
        """True if it goes by itself."""
        return self._time.duration() > 0

    @property
    def is_danger(self) -> bool:
        """True if it tells of a problem."""
        return self._danger

    def show_words(self, what: str, todo: str, *, danger: bool) -> None:
        """Say something else."""
        self._danger = danger
        self._what.setText(what)
        self._todo.setText(todo)
        self._todo.setVisible(bool(todo))
        self._place_buttons()
        self.setAccessibleName(self.words)
        self.set_theme(self._theme)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        name, colour = ("warning", theme.danger) if self._danger else ("info", theme.muted)
        self._mark.setPixmap(icon(name, colour).pixmap(icon_size(), self.devicePixelRatioF()))
        self._close.setIcon(icon("close", theme.muted))
        self._bar.colour = theme.faint

    # Actions

    def offer(self, key: str, words: str, act: Act) -> None:
        """Offer an action; a later one of the same key and words takes its place."""
        self._acts.setdefault(words, {})[key] = act
        if words not in self._buttons:
            button = self._buttons[words] = QPushButton(words)
            set_class(button, "toast")
            button.clicked.connect(lambda: self.act(words))
            self._place_buttons()
            self.setTabOrder(button, self._close)

    def withdraw(self, key: str) -> None:
        """Forget an asker and what it offered."""
        self.keys.discard(key)
        for words in list(self._acts):
            self._acts[words].pop(key, None)
            if not self._acts[words]:
                del self._acts[words]
                self._buttons.pop(words).deleteLater()
        self._place_buttons()

    @property
    def _is_short(self) -> bool:
        """True if there is one button, and the words have two lines beside it."""
        if len(self._buttons) != 1 or self._todo.text():
            return False
        (button,) = self._buttons.values()
        for part in (self._what, button):
            part.ensurePolished()
        words = self._what.fontMetrics().horizontalAdvance(self._what.text())
        return words <= _LINES * (_ROOM - button.sizeHint().width())

    def _place_buttons(self) -> None:
        """One beside words of two lines, others below them."""
        while item := self._beside.takeAt(0) or self._below.takeAt(0):
            del item
        row = self._beside if self._is_short else self._below
        for button in self._buttons.values():
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self._below.addStretch(1)  # an empty layout would keep the words narrow
        self._below.setContentsMargins(0, 6 if self._below.count() > 1 else 0, 0, 0)

    def focus_action(self) -> None:
        """Give the focus to the first action, or else to the close button."""
        first = next(iter(self._buttons.values()), None)
        (first or self._close).setFocus(Qt.FocusReason.TabFocusReason)

    @property
    def offers(self) -> tuple[str, ...]:
        """The words of its actions, the first first."""
        return tuple(self._acts)

    def act(self, words: str) -> None:
        """Do an action, for everyone who asked for it."""
        acts = tuple(self._acts[words].values())
        self.dismiss()
        for act in acts:
            act()

    def dismiss(self) -> None:
        """Ask to be taken away."""
        self.dismissed.emit(self)

    # Time

    def last(self, for_ms: int) -> None:
        """Go after some time; 0 stays until it is dismissed."""
        self._time.stop()
        self._time.setDuration(for_ms)
        app = QApplication.instance()
        still = isinstance(app, QApplication) and reduced_motion(app)
        self._bar.setVisible(for_ms > 0 and not still)
        if for_ms:
            self._time.start()

    def hold(self, held: bool) -> None:
        """Let its time stand still, or go on."""
        state = self._time.state()
        if held and state is QVariantAnimation.State.Running:
            self._time.pause()
        elif not held and state is QVariantAnimation.State.Paused:
            self._time.resume()

    # Qt's names from here on

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape dismisses it."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: object) -> None:
        """The bar lies at the lower edge, inside the round corners."""
        self._bar.setGeometry(12, self.height() - 3, self.width() - 24, 2)


class _EscapeOwner(QObject):
    """Escape belongs to a toast, not to the window, while the focus is in it."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return False


class _TimeBar(QWidget):
    """How much time is left, as a thin line that becomes shorter."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.colour = ""
        self._left = 1.0
        self._drawn = -1  # pixels
        self.hide()

    def show_left(self, left: float) -> None:
        self._left = left
        if round(left * self.width()) != self._drawn:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._drawn = round(self._left * self.width())
        painter = QPainter(self)
        painter.fillRect(0, 0, self._drawn, self.height(), QColor(self.colour))
