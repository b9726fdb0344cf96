"""A notice above the composer: what happened, and the next steps as buttons."""

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.ui.icons import ICON_SIZE, icon
from chatdesk.ui.theme import Theme, set_class

UNDO_MS = 10_000


class Notice(QFrame):
    """Shows one thing at a time; a newer one replaces an older one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._theme = theme
        self._danger = False
        self._action: Callable[[], None] | None = None
        self._other_action: Callable[[], None] | None = None
        self._mark = QLabel()
        self._what = QLabel()
        self._todo = QLabel()
        self._other = QPushButton()
        self._button = QPushButton()
        self._close = QToolButton()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self._build()
        self.hide()

    def _build(self) -> None:
        for label in (self._what, self._todo):
            label.setWordWrap(True)
        set_class(self._todo, "small")
        self._close.setAccessibleName(tr("Close this notice"))
        self._close.setToolTip(tr("Close"))
        self._close.clicked.connect(self.hide)
        self._button.clicked.connect(self.act)
        self._other.clicked.connect(self.act_otherwise)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._what)
        words.addWidget(self._todo)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 8, 10)
        row.setSpacing(10)
        row.addWidget(self._mark)
        row.addLayout(words, 1)
        row.addWidget(self._other)
        row.addWidget(self._button)
        row.addWidget(self._close)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        self._paint()

    def show_problem(
        self,
        problem: EnvironmentProblem,
        action: str = "",
        act: Callable[[], None] | None = None,
    ) -> None:
        """Show a problem, with a button that fixes it where there is one."""
        self._show(problem.what, problem.todo, action, act, danger=True)

    def show_words(
        self,
        what: str,
        todo: str = "",
        action: str = "",
        act: Callable[[], None] | None = None,
        *,
        other: str = "",
        act_otherwise: Callable[[], None] | None = None,
        for_ms: int = 0,
    ) -> None:
        """Show something that is no problem, for a while or until it is closed.

        `other` is a second action.
        """
        self._show(what, todo, action, act, danger=False)
        self._other_action = act_otherwise
        self._other.setText(other)
        self._other.setVisible(bool(act_otherwise))
        if for_ms:
            self._timer.start(for_ms)

    @property
    def words(self) -> str:
        """The words shown; empty when there are none."""
        return "" if self.isHidden() else f"{self._what.text()} {self._todo.text()}".strip()

    def _show(
        self, what: str, todo: str, action: str, act: Callable[[], None] | None, *, danger: bool
    ) -> None:
        self._timer.stop()
        self._danger = danger
        self._action = act
        self._what.setText(what)
        self._todo.setText(todo)
        self._todo.setVisible(bool(todo))
        self._button.setText(action)
        self._button.setVisible(bool(act))
        self._other.hide()
        self.setAccessibleName(f"{what} {todo}".strip())
        self._paint()
        self.show()

    def _paint(self) -> None:
        name, colour = (
            ("warning", self._theme.danger) if self._danger else ("info", self._theme.muted)
        )
        self._mark.setPixmap(icon(name, colour).pixmap(ICON_SIZE))
        self._close.setIcon(icon("close", self._theme.muted))

    def act(self) -> None:
        """Press the button."""
        self.hide()
        if self._action:
            self._action()

    def act_otherwise(self) -> None:
        """Press the other button."""
        self.hide()
        if self._other_action:
            self._other_action()
