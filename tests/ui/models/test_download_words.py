from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chatdesk.core.library import DownloadState, HubFile, HubModel
from chatdesk.core.models import Fit
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.ui.models.download_words import (
    download_words,
    fit_words,
    left_words,
    name_and_quantization,
    part_words,
    repository_words,
    status_words,
    summary_of,
)
from chatdesk.ui.widgets.tag import Tone
from tests.ui.hub_data import FITS, FOUND, NOW, SLOW, TOO_LARGE, download, entry


def test_a_part_is_said_in_the_unit_of_the_whole() -> None:
    assert part_words(100_000_000, 5_000_000_000) == "0.1 of 5.0 GB"
    assert part_words(0, 400) == "0 of 1 MB"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s left"),
        (77, "1 min 17 s left"),
        (1234, "21 min left"),
        (7300, "2 h 2 min left"),
    ],
)
def test_time_left(seconds: float, words: str) -> None:
    assert left_words(seconds) == words


def test_fit_and_speed() -> None:
    assert fit_words(FITS) == ("fits · about 41 tokens/s", Tone.GOOD)
    assert fit_words(SLOW) == ("fits, but slow · about 2.3 tokens/s", Tone.WARN)
    partly = replace(FITS, fit=Fit.PARTIAL, tokens_per_s=0.0)
    assert fit_words(partly) == ("fits partly on the GPU", Tone.GOOD)
    assert fit_words(TOO_LARGE) == ("too large for this computer", Tone.PLAIN)


@pytest.mark.parametrize(
    ("updated", "words"),
    [
        (NOW - timedelta(hours=3), "updated today"),
        (NOW + timedelta(days=2), "updated today"),  # the clock there is another
        (NOW - timedelta(days=1), "updated 1 day ago"),
        (NOW - timedelta(days=59), "updated 2026-01-01"),
        (NOW.replace(tzinfo=None), "updated today"),
    ],
)
def test_what_is_known_of_a_repository(updated: datetime, words: str) -> None:
    model = replace(FOUND, updated=updated)
    expected = f"1,234,567 downloads · 890 likes · {words} · apache-2.0"
    assert repository_words(model, NOW) == expected


def test_a_repository_nothing_is_known_of() -> None:
    assert repository_words(HubModel("a/b", 1), NOW) == "1 download · 0 likes"


def test_a_sentence_in_the_language_there_is() -> None:
    assert summary_of(entry("A"), "zh_CN") == "全能的模型。"
    assert summary_of(entry("A"), "fr") == "A good all-rounder."
    assert summary_of(replace(entry("A"), summary={}), "en") == ""


@pytest.mark.parametrize(
    ("stem", "shown"),
    [
        ("Qwen3-8B-Q4_K_M", ("Qwen3 8B", "Q4_K_M")),
        ("big.f16-00001-of-00003", ("big", "F16")),
        ("Good-Q4_K_M-imat", ("Good Q4_K_M imat", "")),
        ("Q8_0", ("Q8_0", "")),
    ],
)
def test_the_name_of_a_download(stem: str, shown: tuple[str, str]) -> None:
    files = (HubFile(f"{stem}.gguf", 1),)
    one = replace(download(DownloadState.RUNNING), name=stem, files=files)
    assert name_and_quantization(one) == shown


def test_how_far_a_download_is() -> None:
    progress = DownloadProgressed("d", 2_200_000_000, 38e6, 77)
    running = download(DownloadState.RUNNING)
    said = "2.2 of 5.0 GB · 38 MB/s · 1 min 17 s left · resumes by itself"
    assert download_words(running, progress) == said
    assert download_words(running, None) == "2.1 of 5.0 GB · resumes by itself"
    waiting = replace(running, problem="The hub is busy.")
    said = "2.2 of 5.0 GB · The hub is busy. · resumes by itself"
    assert download_words(waiting, progress) == said


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DownloadState.QUEUED, "2.1 of 5.0 GB · waits for its turn"),
        (DownloadState.CHECKING, "2.1 of 5.0 GB · checking that every byte is right"),
        (DownloadState.PAUSED, "2.1 of 5.0 GB · paused"),
        (DownloadState.FAILED, "The disk is full."),
        (DownloadState.DONE, "5 GB · its checksum is right"),
    ],
)
def test_what_a_download_does(state: DownloadState, words: str) -> None:
    assert download_words(download(state, problem="The disk is full."), None) == words


def test_how_far_all_of_it_is() -> None:
    first = download(DownloadState.RUNNING, 0, id="a")
    second = download(DownloadState.QUEUED, 0, id="b")
    paused = download(DownloadState.PAUSED, id="c")
    done = download(DownloadState.DONE, id="d")
    assert status_words([first, second, paused], {"a": 4_200_000_000}) == "downloading 42 %"
    assert status_words([paused, done], {}) == "paused"
    assert status_words([replace(paused, state=DownloadState.FAILED), paused], {}) == "failed"
    assert status_words([done], {}) == ""
