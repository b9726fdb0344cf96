"""The figures of a scorecard in words: before and after, each with a judgement.

They are of two adapters: the one that was proven, and what became of it when it was finished.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, nan

from chatdesk.core.i18n import tr, trn
from chatdesk.core.personalization import FactsTold, Figures, ReasonCode, Scorecard
from chatdesk.ui.personalize.words import change_words
from chatdesk.ui.widgets.tag import Tone


@dataclass(frozen=True, slots=True)
class MeasuredFigure:
    """A figure before and after, and its meaning."""

    name: str
    before: str
    after: str
    judgement: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class MeasuredPart:
    """Figures of one adapter; `title` says of which, "" where there is only one."""

    title: str
    figures: tuple[MeasuredFigure, ...]


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


def told_judgement(facts: FactsTold) -> tuple[str, Tone]:
    """Return the judgement on how many facts are told, asked word for word."""
    if facts.told == facts.asked:
        return tr("all of them"), Tone.GOOD
    words = trn("{n} is not told", "{n} are not told", facts.asked - facts.told)
    return words, Tone.BAD if facts.told <= facts.before else Tone.WARN


def measured(scorecard: Scorecard, *, full: bool) -> list[MeasuredPart]:
    """Return the parts of the table; `full` adds the figures in nats."""
    own, harm = _own(scorecard), _harm(scorecard, full=full)
    finished = scorecard.finished
    if finished is None:
        return [MeasuredPart("", (own, *harm))]
    facts = _told(finished.facts, full=full) if finished.facts else ()
    proof = trn(
        "The proof: with {n} answer kept aside that it had not learned",
        "The proof: with {n} answers kept aside that it had not learned",
        len(scorecard.heldout),
    )
    if not finished.used:
        return [MeasuredPart(proof, (own, *harm, *facts))]
    title = trn(
        "What you use: finished on all {n} answer, those kept aside too",
        "What you use: finished on all {n} answers, those kept aside too",
        finished.examples,
    )
    return [MeasuredPart(proof, (own,)), MeasuredPart(title, (*facts, *harm))]


def _own(scorecard: Scorecard) -> MeasuredFigure:
    judgement, tone = own_judgement(scorecard)
    return MeasuredFigure(
        tr("Your own held-out answers (loss, lower is better)"),
        loss_words(before(scorecard).heldout_loss),
        loss_words(scorecard.adapter.heldout_loss),
        tr("{change} · sure to 95 %", change=judgement) if tone is Tone.GOOD else judgement,
        tone,
    )


def _told(facts: FactsTold, *, full: bool) -> Iterator[MeasuredFigure]:
    judgement, tone = told_judgement(facts)
    yield MeasuredFigure(
        tr("Facts told, asked word for word"),
        _of(facts.before, facts.asked),
        _of(facts.told, facts.asked),
        judgement,
        tone,
    )
    if full and facts.reworded:
        yield MeasuredFigure(
            tr("Facts told, asked in other words of the model"),
            "–",
            _of(facts.reworded_told, facts.reworded),
            "",
            Tone.PLAIN,
        )


def _harm(scorecard: Scorecard, *, full: bool) -> Iterator[MeasuredFigure]:
    old, new = before(scorecard), scorecard.adapter
    general, general_tone = general_judgement(scorecard, old)
    kept = general_tone is not Tone.BAD
    yield MeasuredFigure(
        tr("General knowledge (loss)"),
        loss_words(old.general_loss),
        loss_words(new.general_loss),
        tr("{change} · kept", change=general) if kept else general,
        Tone.GOOD if kept else Tone.BAD,
    )
    if full:
        yield _divergence(scorecard)
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
            yield _count(scorecard, name, code, then, now)


def _relative(old: float, new: float) -> float:
    return new / old - 1 if old else nan


def _speaks_against(scorecard: Scorecard, code: ReasonCode) -> bool:
    return any(each.code is code and not each.good for each in scorecard.reasons)


def _divergence(scorecard: Scorecard) -> MeasuredFigure:
    far = _speaks_against(scorecard, ReasonCode.DIVERGED)
    return MeasuredFigure(
        tr("Distance from the untrained model (nats)"),
        loss_words(before(scorecard).divergence),
        loss_words(scorecard.adapter.divergence),
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


def loss_words(nats: float) -> str:
    """Return a loss, or a dash for what is no number."""
    return f"{nats:.2f}" if isfinite(nats) else "–"


def _of(count: int, whole: int) -> str:
    return tr("{n} of {whole}", n=count, whole=whole) if whole else "–"
