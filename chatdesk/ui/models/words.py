"""How models are said in few words: what they are, whether they fit, how fast, when last used."""

from dataclasses import replace
from datetime import datetime, timedelta

from chatdesk.core.i18n import tr
from chatdesk.core.library import Estimate, KeptModel, Presence
from chatdesk.core.models import Fit
from chatdesk.library.hardware import Hardware
from chatdesk.ui.models import download_words as hub_words
from chatdesk.ui.widgets.fields import GIB, memory_words
from chatdesk.ui.widgets.tag import Tone
from chatdesk.ui.words import speed_number

_THOUSAND = 1000


def fit_words(estimate: Estimate, measured: float = 0.0) -> tuple[str, Tone]:
    """Whether a model fits and how fast it is: in tokens/s as `measured`, else as estimated."""
    if not measured:
        return hub_words.fit_words(estimate)
    real = replace(estimate, tokens_per_s=measured)
    if hub_words.is_slow(real) and estimate.fit is not Fit.TOO_LARGE:
        words, tone = tr("fits, but slow"), Tone.WARN
    else:
        words, tone = hub_words.fit_words(replace(estimate, tokens_per_s=0.0))
    return " · ".join((words, tr("{n} tokens/s measured", n=speed_number(measured)))), tone


def state_words(kept: KeptModel) -> tuple[str, Tone]:
    """What stands at the end of a model's row: its fit, or that its file cannot be used."""
    if kept.presence is Presence.THERE:
        return fit_words(kept.estimate, kept.notes.tokens_per_s)
    missing = kept.presence is Presence.MISSING
    return tr("file missing") if missing else tr("file changed"), Tone.WARN


def about_words(kept: KeptModel, now: datetime) -> str:
    """A model's second line."""
    header, notes = kept.model.header, kept.notes
    if trouble := trouble_words(kept):
        return trouble
    used = used_words(notes.last_used, now)
    if kept.is_starter:
        parts = [tr("starter model"), tr("always here"), *notes.tags, used]
    else:
        chat = tr("chat") if header.has_chat_template else tr("no chat template")
        context = context_words(header.context_length)
        parts = [*(notes.tags or (chat,)), context, header.license, used]
    return " · ".join(filter(None, parts))


def trouble_words(kept: KeptModel) -> str:
    """Why its file cannot be used, "" if it can."""
    return {
        Presence.THERE: "",
        Presence.MISSING: tr("Its file is not there. If it is on another disk, connect that disk."),
        Presence.CHANGED: tr("Its file is not the one it was when it was added."),
    }[kept.presence]


def context_words(tokens: int) -> str:
    """A context length; "" for an unknown one."""
    if not tokens:
        return ""
    shown = f"{tokens // 1024}k" if tokens >= 1024 else str(tokens)
    return tr("{n} context", n=shown)


def used_words(at: datetime | None, now: datetime) -> str:
    """When it was used last, by the local calendar; "" for never."""
    if at is None:
        return ""
    day, today = at.astimezone().date(), now.astimezone().date()
    if day == today:
        return tr("used today")
    if day == today - timedelta(days=1):
        return tr("used yesterday")
    return tr("used on {date}", date=f"{day:%Y-%m-%d}")


def count_words(parameters: int) -> str:
    """A number of parameters as it stands in the names of models: "8.0B", "135M"."""
    if parameters >= _THOUSAND**3:
        return f"{parameters / _THOUSAND**3:.1f}B"
    return f"{parameters / _THOUSAND**2:.0f}M"


def memory_at_words(size: int, context_window: int) -> str:
    """What a model takes at a context window of that many tokens; "" for nothing known."""
    if not size:
        return ""
    tokens = f"{context_window:,}"
    return tr("{size} at {tokens} tokens", size=memory_words(size), tokens=tokens)


def computer_words(hardware: Hardware) -> str:
    """What this computer has, beside what the page does about it."""
    return tr(
        "This computer: {n} GB memory, {processor}. Good choices are marked before you download.",
        n=round(hardware.total_bytes / GIB),
        processor=hardware.cpu,
    )
