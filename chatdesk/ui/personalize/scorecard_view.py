"""The gate's measurements, before and after, with a judgement in words beside each figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import (
    AdapterRecord,
    Figures,
    Reason,
    ReasonCode,
    SampleAnswer,
    Scorecard,
    Verdict,
)
from chatdesk.services.personalize.gate.reason_words import sentence
from chatdesk.ui.icons import ICON_SIZE, icon
from chatdesk.ui.personalize.words import change_words
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import small
from chatdesk.ui.widgets.tag import Tone

_COLUMNS = 4
_NAME = 16  # characters of a name above a column
_GLANCE = 110  # characters of an answer where only one sample is shown


@dataclass(frozen=True, slots=True)
class MeasuredFigure:
    """A figure before and after, and its meaning."""

    name: str
    before: str
    after: str
    judgement: str
    tone: Tone


def before(scorecard: Scorecard) -> Figures:
    """Return the figures to compare with: of what was active, or of the model as it is."""
    return scorecard.active or scorecard.base


def own_judgement(scorecard: Scorecard) -> tuple[str, Tone]:
    """Return the judgement on the loss of the user's own held-out answers."""
    change = change_words(_relative(before(scorecard).heldout_loss, scorecard.adapter.heldout_loss))
    if scorecard.high < 0:
        return change, Tone.GOOD
    if scorecard.low > 0:
        return tr("worse ({change})", change=change), Tone.BAD
    return tr("not sure ({change})", change=change), Tone.BAD


def general_judgement(scorecard: Scorecard, against: Figures) -> tuple[str, Tone]:
    """Return the judgement on the loss of the general set."""
    change = change_words(_relative(against.general_loss, scorecard.adapter.general_loss))
    worse = _speaks_against(scorecard, ReasonCode.GENERAL_WORSE)
    return change, Tone.BAD if worse else Tone.PLAIN


def measured(scorecard: Scorecard, *, full: bool) -> list[MeasuredFigure]:
    """Return the rows of the table; `full` adds those in nats."""
    old, new = before(scorecard), scorecard.adapter
    own, own_tone = own_judgement(scorecard)
    general, general_tone = general_judgement(scorecard, old)
    kept = general_tone is not Tone.BAD
    rows = [
        MeasuredFigure(
            tr("Your own held-out answers (loss, lower is better)"),
            _loss(old.heldout_loss),
            _loss(new.heldout_loss),
            tr("{change} · sure to 95 %", change=own) if own_tone is Tone.GOOD else own,
            own_tone,
        ),
        MeasuredFigure(
            tr("General knowledge (loss)"),
            _loss(old.general_loss),
            _loss(new.general_loss),
            tr("{change} · kept", change=general) if kept else general,
            Tone.GOOD if kept else Tone.BAD,
        ),
    ]
    if full:
        rows.append(_divergence(scorecard))
    for name, code, then, now in (
        (
            tr("Answers that went wrong"),
            ReasonCode.DEGENERATE,
            (old.degenerate, old.answered),
            (new.degenerate, new.answered),
        ),
        (
            tr("Memorized secrets"),
            ReasonCode.RECALLED,
            (old.recalled, old.secrets),
            (new.recalled, new.secrets),
        ),
    ):
        if now[1]:
            rows.append(_count(scorecard, name, code, then, now))
    return rows


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
            if self._full or scorecard.verdict is Verdict.REJECTED:
                column.addWidget(_reason_list(scorecard.reasons, self._theme))
            column.addWidget(_table(record.name, scorecard, full=self._full))
            for sample in scorecard.samples if self._full else scorecard.samples[:1]:
                column.addWidget(_comparison(sample, full=self._full))
        self._layout.addWidget(shown)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        if self._record:
            self.show_record(self._record)


def _relative(old: float, new: float) -> float:
    return new / old - 1 if old else nan


def _speaks_against(scorecard: Scorecard, code: ReasonCode) -> bool:
    return any(each.code is code and not each.good for each in scorecard.reasons)


def _divergence(scorecard: Scorecard) -> MeasuredFigure:
    far = _speaks_against(scorecard, ReasonCode.DIVERGED)
    return MeasuredFigure(
        tr("Distance from the untrained model (nats)"),
        _loss(before(scorecard).divergence),
        _loss(scorecard.adapter.divergence),
        tr("too far") if far else tr("near"),
        Tone.BAD if far else Tone.GOOD,
    )


def _count(
    scorecard: Scorecard, name: str, code: ReasonCode, old: tuple[int, int], new: tuple[int, int]
) -> MeasuredFigure:
    """Return a row of unwanted events: how many, and of how many."""
    bad = _speaks_against(scorecard, code)
    fine = tr("no more than before") if new[0] else tr("none")
    tone = Tone.BAD if bad else Tone.GOOD
    return MeasuredFigure(name, _of(*old), _of(*new), tr("too many") if bad else fine, tone)


def _loss(nats: float) -> str:
    return f"{nats:.2f}" if isfinite(nats) else "–"


def _of(count: int, whole: int) -> str:
    return tr("{n} of {whole}", n=count, whole=whole) if whole else "–"


def _table(name: str, scorecard: Scorecard, *, full: bool) -> QWidget:
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(7)
    grid.setColumnStretch(0, 1)
    heads = (
        tr("Measured on the model as you use it"),
        _shortened(scorecard.active_name or tr("before"), _NAME),
        _shortened(name, _NAME),
        "",
    )
    for column, words in enumerate(heads):
        grid.addWidget(_cell(words, "cell-strong", wrapped=column == 0), 0, column)
    for number, row in enumerate(rows := measured(scorecard, full=full)):
        line = QFrame()
        set_class(line, "line")
        grid.addWidget(line, 2 * number + 1, 0, 1, _COLUMNS)
        for column, (words, look) in enumerate(
            (
                (row.name, "cell"),
                (row.before, "cell"),
                (row.after, "cell-strong"),
                (row.judgement, f"cell-{row.tone}"),
            )
        ):
            grid.addWidget(_cell(words, look, wrapped=column == 0), 2 * number + 2, column)
    table.setAccessibleName(heads[0])
    table.setAccessibleDescription(
        "\n".join(f"{row.name}: {row.before}, {row.after}, {row.judgement}" for row in rows)
    )
    return table


def _cell(words: str, look: str, *, wrapped: bool) -> QLabel:
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrapped)
    set_class(label, look)
    return label


def _reason_list(reasons: Sequence[Reason], theme: Theme) -> QWidget:
    listed = QWidget()
    column = QVBoxLayout(listed)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    for reason in sorted(reasons, key=lambda each: each.good):
        name, colour = ("check", theme.accent) if reason.good else ("warning", theme.danger)
        mark = QLabel()
        mark.setPixmap(icon(name, colour).pixmap(ICON_SIZE))
        words = QLabel(sentence(reason))
        words.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(words, 1)
        column.addLayout(row)
    return listed


def _comparison(sample: SampleAnswer, *, full: bool) -> QWidget:
    whole = QWidget()
    question = small(tr("Asked: {question}", question=sample.question))
    question.setTextFormat(Qt.TextFormat.PlainText)
    answers = QHBoxLayout()
    answers.setSpacing(12)
    shown = [(tr("Before"), sample.before), (tr("After"), sample.after)]
    if sample.expected and full:
        shown.append((tr("Yours"), sample.expected))
    for name, text in shown:
        answers.addWidget(_answer(name, text if full else _shortened(text, _GLANCE)), 1)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    column.addWidget(question)
    column.addLayout(answers)
    return whole


def _shortened(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[:characters].rstrip() + "…"


def _answer(name: str, text: str) -> QFrame:
    card = QFrame()
    set_class(card, "inset")
    words = _cell(text, "cell", wrapped=True)
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    column = QVBoxLayout(card)
    column.setContentsMargins(14, 10, 14, 12)
    column.setSpacing(4)
    column.addWidget(small(name))
    column.addWidget(words)
    column.addStretch(1)
    return card
