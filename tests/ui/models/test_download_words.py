from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chatdesk.core.downloads import DownloadState
from chatdesk.core.hub import HubFile, HubModel
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.ui.models.download_words import (
    download_words,
    name_and_quantization,
    repository_words,
    status_words,
)
from tests.ui.hub_data import FOUND, NOW, download, entry


@pytest.mark.parametrize(
    ("updated", "words"),
    [
        (NOW, "updated today"),
        (NOW + timedelta(days=2), "updated today"),  # the clock there is another
        (NOW - timedelta(days=1), "updated yesterday"),
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
    assert entry("A").summary_in("zh_CN") == "全能的模型。"
    assert entry("A").summary_in("fr") == "A good all-rounder."
    assert replace(entry("A"), summary={}).summary_in("en") == ""


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
    said = "2.2 of 5.0\u00a0GB · 38\u00a0MB/s · 1\u00a0min 17\u00a0s left · resumes by itself"
    assert download_words(running, progress) == said
    assert download_words(running, None) == "2.1 of 5.0\u00a0GB · resumes by itself"
    waiting = replace(running, problem="The hub is busy.")
    said = "2.2 of 5.0\u00a0GB · The hub is busy. · resumes by itself"
    assert download_words(waiting, progress) == said


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DownloadState.QUEUED, "2.1 of 5.0\u00a0GB · waits for its turn"),
        (DownloadState.CHECKING, "2.1 of 5.0\u00a0GB · checking that every byte is right"),
        (DownloadState.PAUSED, "2.1 of 5.0\u00a0GB · paused"),
        (DownloadState.FAILED, "The disk is full."),
        (DownloadState.DONE, "5\u00a0GB · its checksum is right"),
    ],
)
def test_what_a_download_does(state: DownloadState, words: str) -> None:
    assert download_words(download(state, problem="The disk is full."), None) == words


def test_how_far_all_of_it_is() -> None:
    first = download(DownloadState.RUNNING, 0, id="a")
    second = download(DownloadState.QUEUED, 0, id="b")
    paused = download(DownloadState.PAUSED, id="c")
    done = download(DownloadState.DONE, id="d")
    assert status_words([first, second, paused], {"a": 4_200_000_000}) == "downloading 42\u00a0%"
    assert status_words([paused, done], {}) == "paused"
    assert status_words([replace(paused, state=DownloadState.FAILED), paused], {}) == "failed"
    assert status_words([done], {}) == ""
