"""The gate's measurements, before and after, with a judgement in words beside each figure."""

from collections.abc import Iterable, Iterator, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import (
    AdapterRecord,
    FinishedAdapter,
    HeldOutLoss,
    MissedAnswer,
    Reason,
    SampleAnswer,
    Scorecard,
    Verdict,
)
from chatdesk.services.personalize.gate.reason_words import sentence
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.personalize.figure_table import FigureTable, cell
from chatdesk.ui.personalize.scorecard_figures import loss_words, measured
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import small
from chatdesk.ui.widgets.tag import Tone
from chatdesk.ui.widgets.wrapping import Columns

_NAME = 16  # characters of a name above a column
_GLANCE = 110  # characters of an answer where only one sample is shown
_QUESTION = 90  # of a question in a row
_ANSWER = 180  # pixels of an answer beside another, at least


class ScorecardView(QWidget):
    """Shows the scorecard of a record: the figures and one sample, or in `full` everything."""

    def __init__(self, theme: Theme, *, full: bool) -> None:
        super().__init__()
        self._theme = theme
        self._full = full
        self._record: AdapterRecord | None = None
        self._shown: QWidget | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def show_record(self, record: AdapterRecord) -> None:
        """Show a record's measurements; nothing if there are none."""
        if self._shown:
            self._shown.hide()
            self._shown.deleteLater()
        self._record = record
        self._shown = shown = QWidget()
        column = QVBoxLayout(shown)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(18 if self._full else 12)
        if scorecard := record.scorecard:
            for part in self._parts(record.name, scorecard):
                column.addWidget(part)
        self._layout.addWidget(shown)

    def _parts(self, name: str, scorecard: Scorecard) -> Iterator[QWidget]:
        if self._full or scorecard.verdict is Verdict.REJECTED:
            yield _reason_list(scorecard.reasons, self._theme)
        finished = scorecard.finished
        if finished and not finished.used and scorecard.verdict is Verdict.PROMOTED:
            yield _unused(finished, self._theme)
        yield _table(name, scorecard, full=self._full)
        if not self._full:
            yield from (_comparison(each, full=False) for each in scorecard.samples[:1])
            return
        facts = finished.facts if finished else None
        if facts and facts.missed:
            yield _titled(tr("Not told"), map(_missed, facts.missed))
        if scorecard.heldout:
            yield _heldout_table(scorecard.heldout)
        if scorecard.samples:
            samples = (_comparison(each, full=True) for each in scorecard.samples)
            yield _titled(tr("Answers before and after"), samples)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        if self._record:
            self.show_record(self._record)


def _table(name: str, scorecard: Scorecard, *, full: bool) -> QWidget:
    parts = measured(scorecard, full=full)
    heads = (
        tr("Measured on the model as you use it"),
        _shortened(scorecard.active_name or tr("before"), _NAME),
        _shortened(name, _NAME),
        "",
    )
    grid = FigureTable(heads)
    for part in parts:
        if part.title:
            grid.add_title(part.title)
        for figure in part.figures:
            grid.add_figure(figure)
    return grid


def _unused(finished: FinishedAdapter, theme: Theme) -> QWidget:
    """Return why what is used did not learn everything."""
    words = QLabel(
        tr(
            "You use the proven adapter. Finishing it on all answers made something worse, so it "
            "does not know those that were kept aside:"
        )
    )
    words.setWordWrap(True)
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    column.addWidget(words)
    column.addWidget(_reason_list([each for each in finished.reasons if not each.good], theme))
    return whole


def _heldout_table(heldout: Sequence[HeldOutLoss]) -> QWidget:
    """Return each held-out answer with its losses, the worst proven one first."""
    ends = any(each.finished is not None for each in heldout)
    grid = FigureTable(
        (
            tr("Each answer that was kept aside (loss)"),
            tr("before"),
            tr("proven"),
            tr("finished") if ends else "",
        )
    )
    for each in sorted(heldout, key=lambda each: -each.proven):
        tone = Tone.GOOD if each.proven < each.before else Tone.BAD
        grid.add_row(
            (_shortened(each.question, _QUESTION), "cell"),
            (loss_words(each.before), "cell"),
            (loss_words(each.proven), f"cell-{tone}"),
            ("" if each.finished is None else loss_words(each.finished), "cell-plain"),
        )
    return grid


def _missed(missed: MissedAnswer) -> QWidget:
    asked = (
        tr("Asked in other words: {question}", question=missed.question)
        if missed.reworded
        else tr("Asked: {question}", question=missed.question)
    )
    return _beside(asked, [(tr("Yours"), missed.expected), (tr("It says"), missed.said)])


def _reason_list(reasons: Sequence[Reason], theme: Theme) -> QWidget:
    listed = QWidget()
    column = QVBoxLayout(listed)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    for reason in sorted(reasons, key=lambda each: each.good):
        name, colour = ("check", theme.accent) if reason.good else ("warning", theme.danger)
        mark = QLabel()
        mark.setPixmap(icon(name, colour).pixmap(icon_size()))
        words = QLabel(sentence(reason))
        words.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(words, 1)
        column.addLayout(row)
    return listed


def _comparison(sample: SampleAnswer, *, full: bool) -> QWidget:
    shown = [(tr("Before"), sample.before), (tr("After"), sample.after)]
    if sample.expected and full:
        shown.append((tr("Yours"), sample.expected))
    if not full:
        shown = [(name, _shortened(text, _GLANCE)) for name, text in shown]
    return _beside(tr("Asked: {question}", question=sample.question), shown)


def _beside(question: str, answers: Sequence[tuple[str, str]]) -> QWidget:
    """Return answers to a question beside each other, each with a name."""
    whole = QWidget()
    asked = small(question)
    asked.setTextFormat(Qt.TextFormat.PlainText)
    beside = Columns(_ANSWER)
    for name, text in answers:
        beside.add(_answer(name, text))
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    column.addWidget(asked)
    column.addWidget(beside)
    return whole


def _titled(words: str, parts: Iterable[QWidget]) -> QWidget:
    """Return parts one below the other, under a title."""
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(12)
    column.addWidget(cell(words, "cell-strong", wrapped=True))
    for part in parts:
        column.addWidget(part)
    return whole


def _shortened(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[:characters].rstrip() + "…"


def _answer(name: str, text: str) -> QFrame:
    card = QFrame()
    set_class(card, "inset")
    words = cell(text, "cell", wrapped=True)
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    column = QVBoxLayout(card)
    column.setContentsMargins(14, 10, 14, 12)
    column.setSpacing(4)
    column.addWidget(small(name))
    column.addWidget(words)
    column.addStretch(1)
    return card
