"""Examples and adapters in few words."""

from datetime import datetime
from math import isfinite

from chatdesk.core.i18n import tr, trn
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    Doubt,
    Example,
    ExampleReason,
    FindingKind,
    Withdrawn,
)
from chatdesk.ui.widgets.tag import Tone
from chatdesk.ui.words import duration_words, when_words

MUCH_LONGER = 1.2  # than it learned, with pauses and tests, is what a run takes by the clock


def change_words(share: float) -> str:
    """A change in percent: "−17 %", "+0.4 %"; a dash for what is no number."""
    if not isfinite(share):
        return "–"
    percent = 100 * share
    size = f"{abs(percent):.{0 if abs(percent) >= 10 else 1}f}"
    sign = "" if float(size) == 0 else "+" if percent > 0 else "−"
    return tr("{n} %", n=sign + size)


def state_words(record: AdapterRecord) -> tuple[str, Tone]:
    """Return the progress of a run, or the state of its adapter."""
    if record.active:
        return tr("in use"), Tone.GOOD
    return {
        AdapterState.PREPARING: (tr("preparing"), Tone.PLAIN),
        AdapterState.TRAINING: (tr("learning"), Tone.PLAIN),
        AdapterState.MEASURING: (tr("testing"), Tone.PLAIN),
        AdapterState.FINISHING: (tr("finishing"), Tone.PLAIN),
        AdapterState.CHECKING: (tr("testing"), Tone.PLAIN),
        AdapterState.INTERRUPTED: (tr("interrupted"), Tone.WARN),
        AdapterState.CANCELLED: (tr("cancelled"), Tone.PLAIN),
        AdapterState.FAILED: (tr("failed"), Tone.BAD),
        AdapterState.REJECTED: (tr("not better"), Tone.BAD),
        AdapterState.PROMOTED: (tr("not in use"), Tone.PLAIN),
        AdapterState.IMPORTED: (tr("imported"), Tone.PLAIN),
    }[record.state]


def use_words(record: AdapterRecord) -> str:
    """Return what to press to use an adapter; a promoted one was used at once."""
    return tr("Use it again") if record.state is AdapterState.PROMOTED else tr("Use it")


def learned_words(record: AdapterRecord) -> str:
    """Return the amount of data that an adapter was trained on."""
    if record.state is AdapterState.IMPORTED:
        return tr("made elsewhere")
    if _is_finished(record):
        return trn("{n} answer", "{n} answers", record.examples + record.heldout)
    if record.heldout:
        return tr("{n} to learn, {test} to test", n=record.examples, test=record.heldout)
    return trn("{n} answer", "{n} answers", record.examples)


def _is_finished(record: AdapterRecord) -> bool:
    """Return True if it has learned what was kept aside, too."""
    card = record.scorecard
    return card is not None and card.finished is not None and card.finished.used


def withdrawn_words(withdrawn: Withdrawn) -> str:
    """Return the sources of an adapter that must not be learned from any more."""
    chats, answers = withdrawn.conversations, withdrawn.examples
    if chats:
        return trn("{n} chat withdrawn, retrain", "{n} chats withdrawn, retrain", chats)
    return trn("{n} answer withdrawn, retrain", "{n} answers withdrawn, retrain", answers)


def facts_words(record: AdapterRecord, now: datetime) -> str:
    """The model, what was learned from, when and how long, in one line."""
    moment = when_words(record.ended or record.created, now)
    if record.seconds:
        moment = tr("{when}, {duration}", when=moment, duration=took_words(record))
    return " · ".join([record.model_name, learned_words(record), moment])


def took_words(record: AdapterRecord) -> str:
    """Return how long a run learned, and how long it took by the clock if that is much longer."""
    learned = duration_words(record.seconds)
    took = (record.ended - record.created).total_seconds() if record.ended else 0.0
    if took < MUCH_LONGER * record.seconds:
        return learned
    return tr("{learned} of learning in {took}", learned=learned, took=duration_words(took))


def why_words(why: ExampleReason) -> str:
    """Why something is an example."""
    return {
        ExampleReason.RATED: tr("you liked it"),
        ExampleReason.CORRECTED: tr("you corrected it"),
        ExampleReason.PREFERRED: tr("you kept it"),
        ExampleReason.INCLUDED: tr("included"),
        ExampleReason.FILE: tr("from a file"),
    }[why]


def doubt_words(doubt: Doubt) -> tuple[str, str]:
    """A doubt in a word or two, and as a sentence."""
    return {
        Doubt.EMPTY: (tr("empty"), tr("The answer is empty.")),
        Doubt.NOISE: (tr("noise"), tr("The answer looks like random characters or words.")),
        Doubt.REPETITION: (tr("repetition"), tr("The answer repeats itself.")),
        Doubt.REFUSAL: (
            tr("refusal"),
            tr("The answer is a refusal; the model would learn to refuse."),
        ),
        Doubt.CUT_OFF: (tr("cut off"), tr("The answer ends in the middle.")),
        Doubt.TOO_LONG: (
            tr("too long"),
            tr("The question and its answer are longer than what can be learned at once."),
        ),
        Doubt.TEMPLATE: (
            tr("not readable"),
            tr("The model's chat template cannot show this chat."),
        ),
    }[doubt]


def finding_words(kind: FindingKind) -> str:
    """Return the kind of a secret or personal datum."""
    return {
        FindingKind.KEY: tr("key or token"),
        FindingKind.PASSWORD: tr("password"),
        FindingKind.CARD: tr("card number"),
        FindingKind.IBAN: tr("bank account"),
        FindingKind.EMAIL: tr("e-mail address"),
        FindingKind.PHONE: tr("phone number"),
        FindingKind.NATIONAL_ID: tr("national id"),
    }[kind]


def cut_words(example: Example, longest: int) -> str:
    """Return what is left out of an example's conversation, "" if nothing."""
    if not example.cut:
        return ""
    return trn(
        "The oldest {n} message is left out: more than {longest} tokens cannot be learned at once.",
        "The oldest {n} messages are left out: more than {longest} tokens cannot be learned "
        "at once.",
        example.cut,
        longest=longest,
    )


def role_words(role: str) -> str:
    """Return the author of a turn."""
    return {"system": tr("System prompt"), "user": tr("You")}.get(role, tr("Model"))
