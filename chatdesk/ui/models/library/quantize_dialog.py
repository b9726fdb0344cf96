"""Making a model smaller: choose what to, watch it, and see what it has cost."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QRadioButton, QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.model_files import KeptModel
from chatdesk.core.quantizing import Comparison, ModelFigures, Quantizing, QuantizingState
from chatdesk.core.units import size_words
from chatdesk.ui.models.dialog import LibraryDialog, Working
from chatdesk.ui.models.words import shrink_words
from chatdesk.ui.theme import set_class
from chatdesk.ui.widgets.fields import section
from chatdesk.ui.widgets.labels import PlainLabel
from chatdesk.ui.words import speed_words

SIZE = (560, 440)
USUAL = "Q4_K_M"  # what models are mostly offered in
_STEPS = 1000  # of the progress bar
_AS_GOOD, _NEARLY = 1.01, 1.05  # of the perplexity: what nobody notices, what few do


class QuantizeDialog(LibraryDialog):
    """Waits for `show_types`, then for how far it is; closing it does not stop what was begun.

    `chat_requested` carries the smaller `ModelFile`.
    """

    start_requested = Signal(str)
    cancel_requested = Signal()
    chat_requested = Signal(object)

    def __init__(self, kept: KeptModel, parent: QWidget) -> None:
        super().__init__(
            tr("Make smaller"),
            tr(
                "“{name}” takes {size} as {type}. A smaller file needs less memory and answers "
                "faster, and is a little less exact. The original stays as it is.",
                name=kept.name,
                size=size_words(kept.model.header.bytes),
                type=kept.model.header.quantization,
            ),
            SIZE,
            parent,
        )
        self.kept = kept
        self._choices: dict[str, QRadioButton] = {}
        self._progress: Quantizing | None = None
        self._types = QWidget()
        self._working = Working("")
        self._working.bar.setAccessibleName(tr("Progress"))
        self._outcome = PlainLabel(look="strong")
        self._table = QFrame()
        for part in (self._outcome, self._types, self._working, self._table):
            part.hide()
            self.body.addWidget(part)
        self._build_buttons()

    def _build_buttons(self) -> None:
        self._close = self.add_button(tr("Close"))
        self._stop = self.add_button(tr("Cancel"))
        self._chat = self.add_button(tr("Chat with it"), "primary")
        self._start = self.add_button(tr("Make smaller"), "primary")
        self._start.setEnabled(False)
        self._stop.hide()
        self._chat.hide()
        self._close.clicked.connect(self.reject)
        self._stop.clicked.connect(self.cancel_requested)
        self._start.clicked.connect(lambda: self.start_requested.emit(self.chosen))
        self._chat.clicked.connect(self._ask_to_chat)

    @property
    def chosen(self) -> str:
        """The type that is chosen, "" for none."""
        return next((kind for kind, choice in self._choices.items() if choice.isChecked()), "")

    def show_types(self, sizes: Mapping[str, int], *, loses_twice: bool) -> None:
        """Show the possible quantizations, with the expected size of each in bytes.

        `loses_twice`: the model is quantized already.
        """
        if not sizes:
            self._say(tr("It is as small as it can be made already."))
        elif loses_twice:
            self._say(
                tr("It is quantized already. One made from an F16 file would be better."), "warn"
            )
        grid = QGridLayout(self._types)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(1, 1)
        whole = self.kept.model.header.bytes
        for row, (kind, size) in enumerate(sizes.items()):
            choice = self._choices[kind] = QRadioButton(kind)
            expected = tr("about {size}", size=size_words(size))
            share = tr("{n} %", n=round(100 * size / whole))
            loss = PlainLabel(loss_words(kind))
            choice.setAccessibleDescription(f"{loss.text()}; {expected}")
            figures = PlainLabel(f"{expected} · {share}", "value")
            figures.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for column, part in enumerate((choice, loss, figures)):
                grid.addWidget(part, row, column)
        usual = self._choices.get(USUAL) or next(iter(self._choices.values()), None)
        if usual:
            usual.setChecked(True)
            usual.setFocus()
        self._types.setVisible(self._progress is None)
        self._start.setEnabled(bool(sizes))

    def show_problem(self, problem: EnvironmentProblem) -> None:
        """Say why it cannot be made smaller."""
        self._say(f"{problem.what} {problem.todo}".strip(), "danger")
        self._start.setEnabled(False)

    def show_progress(self, progress: Quantizing) -> None:
        """Show the progress or the result."""
        self._progress = progress
        running, result = progress.is_running, progress.result
        for part, shown in (
            (self._types, False),
            (self._start, False),
            (self._working, running),
            (self._stop, running),
            (self._chat, not running and result is not None),
        ):
            part.setVisible(shown)
        self._working.bar.setRange(0, _STEPS)
        self._working.bar.setValue(round(_STEPS * progress.fraction))
        self._working.words.setText(shrink_words(progress))
        close = tr("Go on in the background") if running else tr("Close")
        self._close.setText(close)
        self._close.setAccessibleName(close)
        if progress.comparison:
            self._show_comparison(progress.comparison)
        if not running:
            self._show_end(progress)

    def _show_end(self, progress: Quantizing) -> None:
        match progress.state:
            case QuantizingState.FAILED:
                self._say(progress.problem, "danger")
            case QuantizingState.CANCELLED:
                self._say(tr("It was cancelled. The original is as it was."))
            case _ if progress.comparison:
                self._say(outcome_words(progress.comparison))

    def _say(self, words: str, look: str = "strong") -> None:
        set_class(self._outcome, look)
        self._outcome.setText(words)
        self._outcome.show()

    def _show_comparison(self, comparison: Comparison) -> None:
        if self._table.layout():
            return
        set_class(self._table, "card")
        grid = QGridLayout(self._table)
        grid.setContentsMargins(18, 14, 18, 16)
        grid.setVerticalSpacing(8)
        grid.setHorizontalSpacing(28)
        grid.setColumnStretch(0, 1)
        for column, words in ((1, tr("Original")), (2, tr("Smaller"))):
            grid.addWidget(section(words), 0, column, Qt.AlignmentFlag.AlignRight)
        for row, (name, before, after) in enumerate(comparison_rows(comparison), start=1):
            for column, (words, look) in enumerate(
                ((name, "cell-plain"), (before, "cell"), (after, "cell-strong"))
            ):
                cell = QLabel(words)
                set_class(cell, look)
                side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
                grid.addWidget(cell, row, column, side)
        note = tr("Perplexity: how surprising a text is to the model. Lower is better.")
        grid.addWidget(PlainLabel(comparison.problem or note), 4, 0, 1, 3)
        self._table.show()

    def _ask_to_chat(self) -> None:
        if self._progress and self._progress.result:
            self.chat_requested.emit(self._progress.result)


def comparison_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return the measurements of both: a name, the original's figure, the smaller one's."""

    def figures(measured: ModelFigures) -> tuple[str, str, str]:
        speed, perplexity = measured.tokens_per_s, measured.perplexity
        return (
            size_words(measured.bytes),
            speed_words(speed) if speed else "–",
            f"{perplexity:.2f}" if perplexity else "–",
        )

    names = (tr("Size"), tr("Speed"), tr("Perplexity"))
    return list(zip(names, figures(comparison.original), figures(comparison.smaller), strict=True))


def outcome_words(comparison: Comparison) -> str:
    """Return the gain and the cost, in plain words."""
    original, smaller = comparison.original, comparison.smaller
    share = round(100 * smaller.bytes / original.bytes)
    words = tr("Compared with the original, its size is {n} %.", n=share)
    if not (original.perplexity and smaller.perplexity):
        return words
    change = smaller.perplexity / original.perplexity
    if change < _AS_GOOD:
        return words + " " + tr("It reads the test text as well as the original.")
    if change < _NEARLY:
        return words + " " + tr("It reads the test text almost as well as the original.")
    return words + " " + tr("It reads the test text noticeably worse than the original.")


def loss_words(kind: str) -> str:
    """Return the cost of a type, by the measurements in llama.cpp's own list of types."""
    return {
        "Q8_0": tr("as good as the original"),
        "Q6_K": tr("hardly any loss"),
        "Q5_K_M": tr("little loss"),
        "Q4_K_M": tr("a good balance"),
        "Q4_0": tr("a little worse, for old processors"),
        "Q3_K_M": tr("noticeable loss"),
        "Q2_K": tr("great loss"),
    }.get(kind, "")
