"""How models that can be fetched, and those being fetched, are said in few words."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from chatdesk.core.i18n import tr, trn
from chatdesk.core.library import CatalogEntry, Download, DownloadState, Estimate, HubModel
from chatdesk.core.models import Fit
from chatdesk.core.units import GB, MB, size_words
from chatdesk.library.variants import quantization_of
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.ui.widgets.fields import memory_words
from chatdesk.ui.widgets.tag import Tone
from chatdesk.ui.words import SLOW_TOKENS_PER_S, speed_number

FileKey = tuple[str, str]  # a repository, and the name of a file in it
_PART = re.compile(r"-\d{5}-of-\d{5}$")  # of a split model
MINUTE, HOUR = 60, 3600
LITTLE_BYTES = 50 * 1000**2  # what is fetched again in seconds
_MOVING = (DownloadState.QUEUED, DownloadState.RUNNING, DownloadState.CHECKING)


def file_key(repo: str, path: str) -> FileKey:
    """What a file is known by before and after it was fetched: not by its folder."""
    return repo, path.rpartition("/")[2]


def part_words(done: int, total: int) -> str:
    """How much of a file is there, both in the unit of the whole."""
    if total >= GB:
        return tr("{done} of {total} GB", done=f"{done / GB:.1f}", total=f"{total / GB:.1f}")
    return tr("{done} of {total} MB", done=round(done / MB), total=max(1, round(total / MB)))


def left_words(seconds: float) -> str:
    """How long it still takes, as exact as one can know."""
    if seconds < MINUTE:
        return tr("{n} s left", n=max(1, round(seconds)))
    if seconds < 10 * MINUTE:
        minutes, rest = divmod(round(seconds), MINUTE)
        return tr("{minutes} min {seconds} s left", minutes=minutes, seconds=rest)
    if seconds < HOUR:
        return tr("{n} min left", n=round(seconds / MINUTE))
    hours, minutes = divmod(round(seconds / MINUTE), 60)
    return tr("{hours} h {minutes} min left", hours=hours, minutes=minutes)


def fit_words(estimate: Estimate) -> tuple[str, Tone]:
    """Whether a model fits here, and how fast it would be."""
    if estimate.fit is Fit.TOO_LARGE:
        return tr("too large for this computer"), Tone.PLAIN
    slow, speed = is_slow(estimate), estimate.tokens_per_s
    if slow:
        words = tr("fits, but slow")
    else:
        words = tr("fits partly on the GPU") if estimate.fit is Fit.PARTIAL else tr("fits")
    if speed:
        words += " · " + tr("about {n} tokens/s", n=speed_number(speed))
    return words, Tone.WARN if slow else Tone.GOOD


def is_slow(estimate: Estimate) -> bool:
    """Whether an answer would come much slower than one reads."""
    return 0 < estimate.tokens_per_s < SLOW_TOKENS_PER_S


def need_words(estimate: Estimate) -> str:
    """The memory it takes."""
    return tr("needs {size} of memory", size=memory_words(estimate.memory_bytes))


def why_words(estimate: Estimate) -> str:
    """Why a model is too large."""
    return tr(
        "With a context of {tokens} tokens it would take about {size} of memory: its weights, what "
        "it keeps of the conversation, and room to compute. This computer has less to give. A "
        "smaller quantization or a smaller model may fit.",
        tokens=f"{estimate.context_window:,}",
        size=memory_words(estimate.memory_bytes),
    )


def repository_words(model: HubModel, now: datetime | None = None) -> str:
    """How much a repository is used, how old it is, and its licence."""
    parts = [
        trn("{count} download", "{count} downloads", model.downloads, count=f"{model.downloads:,}"),
        trn("{count} like", "{count} likes", model.likes, count=f"{model.likes:,}"),
    ]
    if model.updated:
        parts.append(updated_words(model.updated, now or datetime.now(UTC)))
    if model.license:
        parts.append(model.license)
    return " · ".join(parts)


def updated_words(at: datetime, now: datetime) -> str:
    """When a repository was changed last."""
    days = (now - (at if at.tzinfo else at.replace(tzinfo=UTC))) // timedelta(days=1)
    if days < 1:
        return tr("updated today")
    if days < 31:
        return trn("updated {n} day ago", "updated {n} days ago", days)
    return tr("updated {date}", date=f"{at:%Y-%m-%d}")


def purpose_words(purpose: str) -> str:
    """What a recommended model is good for; one that is unknown as it is."""
    return {
        "chat": tr("chat"),
        "code": tr("code"),
        "chinese": tr("Chinese"),
        "small": tr("small"),
    }.get(purpose, purpose)


def summary_of(entry: CatalogEntry, language: str) -> str:
    """The sentence about a recommended model, in English where there is no other."""
    return entry.summary.get(language) or entry.summary.get("en", "")


def name_and_quantization(download: Download) -> tuple[str, str]:
    """What is being fetched, by the name of its file: "Qwen3 8B" and "Q4_K_M"."""
    quantization = quantization_of(download.files[0].path)
    name = _PART.sub("", download.name)
    if name.upper().endswith(quantization) and name.upper() != quantization:
        return name[: -len(quantization)].rstrip("-._").replace("-", " "), quantization
    return name.replace("-", " "), ""


def download_words(download: Download, progress: DownloadProgressed | None) -> str:
    """How far a download is, or what keeps it; `progress` while it is running."""
    received = progress.received if progress else download.received
    part = part_words(received, download.bytes)
    if download.state is DownloadState.DONE:
        return tr("{size} · its checksum is right", size=size_words(download.bytes))
    if download.state is DownloadState.FAILED:
        return download.problem
    if download.state is DownloadState.CHECKING:
        return tr("{part} · checking that every byte is right", part=part)
    if download.state is DownloadState.PAUSED:
        return tr("{part} · paused", part=part)
    if download.state is DownloadState.QUEUED:
        return tr("{part} · waits for its turn", part=part)
    parts = [part]
    if download.problem:  # it tries again by itself
        parts.append(download.problem)
    elif progress and progress.bytes_per_s:
        parts.append(tr("{size}/s", size=size_words(progress.bytes_per_s)))
        if progress.seconds_left:
            parts.append(left_words(progress.seconds_left))
    return " · ".join([*parts, tr("resumes by itself")])


def status_words(downloads: Iterable[Download], received: Mapping[str, int]) -> str:
    """How far everything that is being fetched is; "" while nothing is.

    `received` is what is there of each, by its id.
    """
    there = list(downloads)
    if moving := [each for each in there if each.state in _MOVING]:
        total = sum(each.bytes for each in moving)
        done = sum(received.get(each.id, each.received) for each in moving)
        return tr("downloading {share} %", share=int(100 * done / max(1, total)))
    states = {each.state for each in there}
    if DownloadState.FAILED in states:
        return tr("failed")
    return tr("paused") if DownloadState.PAUSED in states else ""
