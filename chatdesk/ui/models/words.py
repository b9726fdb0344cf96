"""Models in few words: their names, fit, speed and last use."""

from datetime import datetime

from chatdesk.core.i18n import tr
from chatdesk.core.model_files import Estimate, KeptModel, Presence
from chatdesk.core.models import Fit, ModelRole
from chatdesk.core.quantizing import Quantizing, QuantizingState
from chatdesk.core.units import GIB, memory_words
from chatdesk.library.machine.hardware import Hardware
from chatdesk.ui.widgets.tag import Tone
from chatdesk.ui.words import (
    SLOW_TOKENS_PER_S,
    day_words,
    speed_number,
    step_words,
    token_words,
)

_THOUSAND = 1000


def fit_words(estimate: Estimate, measured: float = 0.0) -> tuple[str, Tone]:
    """Return a model's fit and speed: in tokens/s as `measured`, else as estimated."""
    speed = measured or estimate.tokens_per_s
    slow = is_slow(speed)
    if estimate.fit is Fit.TOO_LARGE:
        words, tone, speed = tr("too large for this computer"), Tone.PLAIN, measured
    elif slow:
        words, tone = tr("fits, but slow"), Tone.WARN
    else:
        partly = estimate.fit is Fit.PARTIAL
        words, tone = tr("fits partly on the GPU") if partly else tr("fits"), Tone.GOOD
    if not speed:
        return words, tone
    n = speed_number(speed)
    shown = tr("{n} tokens/s measured", n=n) if measured else tr("about {n} tokens/s", n=n)
    return f"{words} · {shown}", tone


def is_slow(tokens_per_s: float) -> bool:
    """Return True if an answer would come much slower than people read; unknown is 0."""
    return 0 < tokens_per_s < SLOW_TOKENS_PER_S


def state_words(kept: KeptModel) -> tuple[str, Tone]:
    """Return the words at the end of a model's row: its fit, or that its file cannot be used."""
    if kept.presence is Presence.THERE:
        if kept.role.answers:
            return fit_words(kept.estimate, kept.notes.tokens_per_s)
        return tr("not for chats"), Tone.WARN
    missing = kept.presence is Presence.MISSING
    return tr("file missing") if missing else tr("file changed"), Tone.WARN


def about_words(kept: KeptModel, now: datetime) -> str:
    """A model's second line."""
    header, notes = kept.model.header, kept.notes
    if trouble := trouble_words(kept):
        return trouble
    used = tr("used {when}", when=day_words(notes.last_used, now)) if notes.last_used else ""
    if kept.is_starter:
        parts = [tr("starter model"), tr("always here"), *notes.tags, used]
    else:
        context = context_words(header.context_length)
        role = () if notes.tags and kept.role is ModelRole.CHAT else (role_words(kept.role),)
        parts = [*role, *notes.tags, context, header.license, used]
    return " · ".join(filter(None, parts))


def role_words(role: ModelRole) -> str:
    """What a model is for."""
    return {
        ModelRole.CHAT: tr("chat"),
        ModelRole.BASE: tr("base model: continues a text"),
        ModelRole.EMBEDDER: tr("for embeddings"),
        ModelRole.PROJECTOR: tr("projector: lets another model see or hear"),
        ModelRole.OTHER: tr("for something else"),
        ModelRole.UNSUPPORTED: tr("llama.cpp cannot run it"),
    }[role]


def trouble_words(kept: KeptModel) -> str:
    """Why its file cannot be used, "" if it can."""
    return {
        Presence.THERE: "",
        Presence.MISSING: tr("Its file is not there. If it is on another disk, connect that disk."),
        Presence.CHANGED: tr("Its file has changed since it was added."),
    }[kept.presence]


def shrink_words(progress: Quantizing) -> str:
    """Return the step that making a model smaller is at, and the time that this step takes yet."""
    comparing = progress.state is QuantizingState.COMPARING
    does = (
        tr("comparing it with the original")
        if comparing
        else tr("writing {type}", type=progress.type)
    )
    steps = 2 if progress.comparing else 1
    return step_words(does, 1 + comparing, steps, progress.seconds_left)


def shrink_status_words(progress: Quantizing) -> str:
    """Return how far it is in few words; "" once it has ended."""
    share = int(100 * progress.fraction)
    return tr("making smaller {share} %", share=share) if progress.is_running else ""


def context_words(tokens: int) -> str:
    """A context length; "" for an unknown one."""
    if not tokens:
        return ""
    shown = f"{tokens // 1024}k" if tokens >= 1024 else str(tokens)
    return tr("{n} context", n=shown)


def count_words(parameters: int) -> str:
    """A number of parameters as it stands in the names of models: "8.0B", "135M"."""
    if parameters >= _THOUSAND**3:
        return f"{parameters / _THOUSAND**3:.1f}B"
    return f"{parameters / _THOUSAND**2:.0f}M"


def memory_at_words(size: int, context_window: int) -> str:
    """Return the memory of a model at a context window of that many tokens; "" if unknown."""
    if not size:
        return ""
    tokens = token_words(context_window)
    return tr("{size} at {tokens}", size=memory_words(size), tokens=tokens)


def computer_words(hardware: Hardware) -> str:
    """Return this computer's hardware in words."""
    return tr(
        "This computer: {size} memory, {processor}. Good choices are marked before you download.",
        size=memory_words(round(hardware.total_bytes / GIB) * GIB),  # as it was sold
        processor=hardware.cpu,
    )
