"""Downloadable models and downloads, in few words."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.hub import HubModel
from chatdesk.core.i18n import tr, trn
from chatdesk.core.model_files import Estimate
from chatdesk.core.units import MB, memory_words, part_words, size_words
from chatdesk.library.hub.variants import quantization_of
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.ui.words import day_words, left_words

FileKey = tuple[str, str]  # a repository, and the name of a file in it
_PART = re.compile(r"-\d{5}-of-\d{5}$")  # of a split model
LITTLE_BYTES = 50 * MB  # what is fetched again in seconds
HELD = (DownloadState.PAUSED, DownloadState.FAILED)
_MOVING = (DownloadState.QUEUED, DownloadState.RUNNING, DownloadState.CHECKING)


def file_key(repo: str, path: str) -> FileKey:
    """Return the identity of a file before and after its download, without its folder."""
    return repo, path.rpartition("/")[2]


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
    """Return a repository's usage, age and licence."""
    parts = [
        trn("{count} download", "{count} downloads", model.downloads, count=f"{model.downloads:,}"),
        trn("{count} like", "{count} likes", model.likes, count=f"{model.likes:,}"),
    ]
    if model.updated:
        when = day_words(model.updated, now or datetime.now(UTC))
        parts.append(tr("updated {when}", when=when))
    if model.license:
        parts.append(model.license)
    return " · ".join(parts)


def purpose_words(purpose: str) -> str:
    """Return the purpose of a recommended model; an unknown one as it is."""
    return {
        "chat": tr("chat"),
        "code": tr("code"),
        "chinese": tr("Chinese"),
        "small": tr("small"),
    }.get(purpose, purpose)


def name_and_quantization(download: Download) -> tuple[str, str]:
    """Return the name and quantization of a download: "Qwen3 8B" and "Q4_K_M"."""
    quantization = quantization_of(download.files[0].path)
    name = _PART.sub("", download.name)
    if name.upper().endswith(quantization) and name.upper() != quantization:
        return name[: -len(quantization)].rstrip("-._").replace("-", " "), quantization
    return name.replace("-", " "), ""


def download_words(download: Download, progress: DownloadProgressed | None) -> str:
    """Return the progress or the problem of a download; `progress` while it is running."""
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
    """Return the progress of all downloads; "" without any.

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
