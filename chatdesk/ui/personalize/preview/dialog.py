"""The preview of all examples, before the training."""

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QDialog,
    QFrame,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr, trn
from chatdesk.core.personalization import Preview, TrainingConfig
from chatdesk.services.personalize.examples.splits import split
from chatdesk.ui.personalize.preview.empty_states import Nothing, Waiting
from chatdesk.ui.personalize.preview.example_view import ExampleView
from chatdesk.ui.personalize.preview.list import PreviewList
from chatdesk.ui.personalize.preview.model import PreviewModel, RowKind
from chatdesk.ui.personalize.preview.training_fields import TrainingFields
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.fields import Fold, plain_button, recolour, small
from chatdesk.ui.widgets.fitting import fit_dialog
from chatdesk.ui.widgets.scroll import scrolling
from chatdesk.ui.widgets.wrapping import Flow
from chatdesk.ui.words import duration_words, token_words

SIZE = (1080, 720)
LIST_WIDTH = 420
STACKED = 480  # pixels below which an example stands below the list
_UNBOUNDED = (1 << 24) - 1  # Qt's own
LEAST_LIST, LEAST_EXAMPLE = 130, 180  # pixels, and then all of it scrolls
LEAST_TOTALS = 260  # pixels beside the buttons


class PreviewDialog(QDialog):
    """Shows a `Preview` and asks to change it; `start_requested` carries the config and a name.

    `choose_requested` carries ids and whether to learn them, `open_requested` an `ExampleSource`.
    `title_of` names a conversation by its id.
    """

    choose_requested = Signal(object, bool)
    mask_requested = Signal(str, bool)
    read_requested = Signal()
    add_file_requested = Signal()
    open_requested = Signal(object)
    config_changed = Signal()
    start_requested = Signal(object, str)

    def __init__(self, title_of: Callable[[str], str], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("What will be learned"))
        fit_dialog(self, *SIZE)
        self.model = PreviewModel(title_of)
        self.list = PreviewList(self.model, theme)
        self.example = ExampleView(self.model, theme)
        self._preview: Preview | None = None
        self._kinds = QButtonGroup(self)
        self._stack = QStackedWidget()
        self._waiting = Waiting()
        self._nothing = Nothing()
        self._body = self._make_body()
        self._words = QWidget()
        self._totals = small("")
        self._problem = small("")
        self._start = plain_button("")
        self._fields = TrainingFields()
        self._advanced = Fold(tr("How it is learned"), theme)
        self._how = self._make_how()
        self._build()
        self._connect()
        self.show_waiting()

    @property
    def config(self) -> TrainingConfig:
        """The training configuration."""
        return self._fields.config

    # State to show

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        recolour(self, theme)
        self.list.set_theme(theme)
        self.example.set_theme(theme)

    def show_waiting(self) -> None:
        """The examples are being read."""
        self._stack.setCurrentWidget(self._waiting)
        self._waiting.show_reading()
        self._show_problem("")
        self._start.setText(tr("Learn"))
        self._start.setEnabled(False)

    def show_preview(self, preview: Preview, seconds: float) -> None:
        """Show what would be learned; `seconds` is about how long it takes, 0 if nobody knows."""
        self._preview = preview
        self.model.show(preview)
        for button in self._kinds.buttons():
            kind = RowKind(self._kinds.id(button))
            button.setText(_kind_words(kind, self.model.count(kind)))
        self._show_body(preview)
        if not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.model.index(0))
        self._show_current()
        self._totals.setText(_totals(preview, seconds))
        self._show_problem(preview.problem if preview.examples else "")
        self._offer_start(preview)

    def show_failure(self, problem: EnvironmentProblem) -> None:
        """Something could not be done; what was shown before is shown again."""
        if self._preview:
            self._show_body(self._preview)
            self._offer_start(self._preview)
            self._show_problem(str(problem))
        else:
            self._waiting.show_failure(str(problem))

    # Assembly

    def _build(self) -> None:
        for part in (self._waiting, self._nothing, self._body):
            self._stack.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._area = scrolling(self._upper())
        layout.addWidget(self._area, 1)
        layout.addWidget(_line())
        layout.addLayout(self._bottom())

    def _upper(self) -> QWidget:
        """All above the buttons; it scrolls where there is little room."""
        upper = QWidget()
        upper.setObjectName("page")
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._top())
        column.addWidget(_line())
        column.addWidget(self._stack, 1)
        column.addWidget(self._how)
        return upper

    def _top(self) -> QVBoxLayout:
        title = QLabel(tr("What will be learned"))
        set_class(title, "page-title")
        lead = small(
            tr(
                "Exactly these words are learned and no others. Untick what you do not want "
                "to be learned."
            )
        )
        kinds = Flow(6)
        for kind in RowKind:
            button = plain_button(_kind_words(kind, 0))
            set_class(button, "chip")
            button.setCheckable(True)
            button.setChecked(kind is RowKind.ALL)
            self._kinds.addButton(button, kind.value)
            kinds.add(button)
        add = plain_button(tr("Add a chat file (JSONL)…"))
        set_class(add, "link")
        add.clicked.connect(self.add_file_requested)
        kinds.add(add, right=True)
        top = QVBoxLayout()
        top.setContentsMargins(28, 22, 28, 14)
        top.setSpacing(4)
        top.addWidget(title)
        top.addWidget(lead)
        top.addSpacing(8)
        top.addWidget(kinds)
        return top

    def _make_body(self) -> QWidget:
        body, left = QWidget(), QFrame()
        self._left = left
        left.setObjectName("examples")
        inside = QVBoxLayout(left)
        inside.setContentsMargins(8, 8, 0, 8)
        inside.addWidget(self.list)
        self._sides = row = QBoxLayout(QBoxLayout.Direction.LeftToRight, body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(left)
        row.addWidget(self.example, 1)
        return body

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the example more than half of the room, or put it below the list."""
        super().resizeEvent(event)
        stacked = self.width() < scaled(STACKED)
        way = QBoxLayout.Direction
        self._sides.setDirection(way.TopToBottom if stacked else way.LeftToRight)
        room = min(scaled(LIST_WIDTH), self.width() // 3)
        self._left.setMinimumWidth(0 if stacked else room)
        self._left.setMaximumWidth(_UNBOUNDED if stacked else room)
        self._left.setMinimumHeight(scaled(LEAST_LIST))
        self.example.setMinimumHeight(scaled(LEAST_EXAMPLE))

    def _bottom(self) -> QVBoxLayout:
        set_class(self._problem, "danger")
        cancel = plain_button(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        set_class(self._start, "primary")
        self._start.clicked.connect(
            lambda: self.start_requested.emit(self.config, self._fields.name)
        )
        words = QVBoxLayout(self._words)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(2)
        self._words.setMinimumWidth(LEAST_TOTALS)
        words.addWidget(self._totals)
        words.addWidget(self._problem)
        row = Flow(10, 8)
        row.add(self._advanced)
        row.add(self._words, grows=True)
        row.add(cancel, right=True)
        row.add(self._start, right=True)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(28, 14, 28, 18)
        bottom.setSpacing(12)
        bottom.addWidget(row)
        return bottom

    def _connect(self) -> None:
        for signal, slot in (
            (self.list.choose_requested, self.choose_requested),
            (self.list.current_changed, lambda _: self._show_current()),
            (self.example.mask_requested, self.mask_requested),
            (self.example.open_requested, self.open_requested),
            (self._waiting.again_requested, self.read_requested),
            (self._fields.changed, self.config_changed),
            (self._advanced.toggled, self._show_how),
        ):
            signal.connect(slot)
        self._kinds.idClicked.connect(self._turn_to)

    def _make_how(self) -> QWidget:
        """The fields of the training, below a line."""
        how = QWidget()
        column = QVBoxLayout(how)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        column.addWidget(_line())
        self._fields.setContentsMargins(28, 0, 28, 12)
        column.addWidget(self._fields)
        how.hide()
        return how

    def _show_how(self, shown: bool) -> None:
        self._how.setVisible(shown)
        if shown:
            QTimer.singleShot(0, self._how, self._scroll_to_how)  # when it has its place

    def _scroll_to_how(self) -> None:
        self._area.ensureWidgetVisible(self._how, 0, 0)

    # What changed

    def _show_body(self, preview: Preview) -> None:
        self._stack.setCurrentWidget(self._body if preview.examples else self._nothing)

    def _offer_start(self, preview: Preview) -> None:
        n = len(preview.chosen)
        words = trn("Learn from {n} example", "Learn from {n} examples", n) if n else tr("Learn")
        self._start.setText(words)
        self._start.setEnabled(not preview.problem and n > 0)

    def _turn_to(self, kind: int) -> None:
        self.model.set_kind(RowKind(kind))
        self.list.setCurrentIndex(self.model.index(0))
        self._show_current()

    def _show_current(self) -> None:
        longest = self._preview.longest if self._preview else 0
        self.example.show_example(self.model.example(self.list.currentIndex()), longest)

    def _show_problem(self, words: str) -> None:
        self._problem.setText(words)
        self._problem.setVisible(bool(words))


def _kind_words(kind: RowKind, n: int) -> str:
    match kind:
        case RowKind.ALL:
            return tr("All {n}", n=n)
        case RowKind.CHOSEN:
            return tr("Chosen {n}", n=n)
        case RowKind.DOUBTFUL:
            return tr("Doubtful {n}", n=n)
        case RowKind.PERSONAL:
            return tr("With personal data {n}", n=n)


def _totals(preview: Preview, seconds: float) -> str:
    tokens = sum(each.tokens for each in preview.chosen)
    parts = [
        tr("{n} of {whole} chosen", n=len(preview.chosen), whole=len(preview.examples)),
    ]
    if not preview.problem:
        sides = split(preview.chosen)
        test = len(sides.heldout)
        learn = len(preview.chosen) - test
        parts.append(tr("{n} to learn, {test} to test", n=learn, test=test))
    parts.append(token_words(tokens))
    if seconds:
        parts.append(tr("about {time}", time=duration_words(seconds)))
    return " · ".join(parts)


def _line() -> QFrame:
    line = QFrame()
    set_class(line, "line")
    return line
