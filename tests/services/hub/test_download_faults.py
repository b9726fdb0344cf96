"""What goes wrong on the way: told plainly, nothing half taken for whole, nothing thrown away."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatdesk.core.downloads import DownloadState
from chatdesk.library.download import disk_problems, fetch
from tests.services.downloads_home import CONTENT, FILE, REPO, Home, at_home
from tests.stand_in_hub import STRANGER, TOKEN, Fault, StandInHub


def unreachable(home: Home) -> None:
    home.endpoint = "http://127.0.0.1:9"  # discard: nobody listens


def silent(home: Home) -> None:
    home.answer_s = 0.05
    home.hub.fault(Fault(delay_s=1), FILE)


def wrong_token(home: Home) -> None:
    home.token = "hf_nobody"


def not_agreed(home: Home) -> None:
    home.hub.add(REPO, {FILE: CONTENT}, gated=True)
    home.token = STRANGER


def grown(home: Home) -> None:
    home.hub.change(REPO, FILE, CONTENT + b"more")


def other_content(home: Home) -> None:
    home.hub.change(REPO, FILE, CONTENT[::-1])


def folder_in_the_way(home: Home) -> None:
    (home.paths.models / "owner" / "tiny" / FILE).mkdir()


def no_room(home: Home) -> None:
    disk_problems.SPARE_BYTES = 1 << 60


def always(fault: Fault) -> Callable[[Home], None]:
    return lambda home: home.hub.fault(fault, FILE)


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, and what the person reads; "" where it gets through by itself."""

    name: str
    happen: Callable[[Home], None]
    told: str = ""


def reachable(home: Home) -> None:
    home.endpoint, home.token, home.answer_s = home.hub.endpoint, TOKEN, 10.0
    disk_problems.SPARE_BYTES = 0
    home.hub.heal()
    if home.hub.repository(REPO).files[FILE].content != CONTENT:  # type: ignore[union-attr]
        home.hub.change(REPO, FILE, CONTENT)
    place = home.paths.models / "owner" / "tiny" / FILE
    if place.is_dir():
        place.rmdir()


TROUBLES = [
    Trouble("unreachable", unreachable, "The hub cannot be reached."),
    Trouble("slow", silent, "The hub did not answer in time."),
    Trouble("401", wrong_token, "The hub does not accept your token."),
    Trouble("gated", not_agreed, "is only for people who agreed to its terms."),
    Trouble("403", always(Fault(status=403)), "The hub does not let you have"),
    Trouble("404", always(Fault(status=404)), "There is no “tiny.Q4_0.gguf” on the hub."),
    Trouble("429", always(Fault(status=429, retry_after="9999")), "asked too often."),
    Trouble("429 for a while", always(Fault(status=429, times=2, retry_after="0"))),
    Trouble("500", always(Fault(status=500)), "The hub has a problem (error 500)."),
    Trouble("500 for a while", always(Fault(status=500, times=2))),
    Trouble("cut at every tenth", always(Fault(cut_every=len(CONTENT) // 10))),
    Trouble("no ranges", always(Fault(no_ranges=True))),
    Trouble("another host", always(Fault(redirect=True))),
    Trouble("grown", grown, "“tiny.Q4_0.gguf” was changed on the hub."),
    Trouble("other content", other_content, "“tiny.Q4_0.gguf” was changed on the hub."),
    Trouble("a full disk", no_room, "There is not enough room on the disk"),
    Trouble("a folder in the way", folder_in_the_way, "There is a folder where the file is to go"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setattr(fetch, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(fetch, "LONGEST_PAUSE_S", 0.02)
    monkeypatch.setattr(disk_problems, "SPARE_BYTES", 0)  # put back at the end
    with StandInHub() as hub:
        hub.add(REPO, {FILE: CONTENT})
        with at_home(tmp_path, hub) as home:
            yield home


@pytest.mark.parametrize("trouble", TROUBLES, ids=[each.name for each in TROUBLES])
def test_trouble_in_the_middle_of_a_download(home: Home, trouble: Trouble) -> None:
    home.choose(limit_bytes=3_000_000)
    download = home.start()
    home.until_received(download, 300_000)
    home.service.pause(download.id)
    home.restart()
    (begun,) = home.service.list()
    assert list(home.paths.models.glob("**/*.gguf")) == []
    trouble.happen(home)
    home.choose(limit_bytes=0)
    home.service.resume(download.id)
    ended = home.ended(download)
    if trouble.told:
        assert trouble.told in ended.problem
        assert (ended.state, ended.path, home.done) == (DownloadState.FAILED, "", [])
        assert ended.received >= begun.received  # nothing is thrown away
        assert not [file for file in home.paths.models.glob("**/*.gguf") if file.is_file()]
        reachable(home)
        home.hub.requests.clear()
        home.service.resume(download.id)
        ended = home.ended(download)
        assert int(home.hub.requests[0].headers["range"][6:-1]) >= begun.received
    assert (ended.state, ended.problem) == (DownloadState.DONE, "")
    assert Path(ended.path).read_bytes() == CONTENT
    assert home.files() == [FILE]
    assert len(home.done) == 1


def test_a_wrong_hash_is_never_taken_up(home: Home) -> None:
    home.hub.fault(Fault(wrong_hash=True), FILE)
    failed = home.ended(home.start())
    assert failed.state is DownloadState.FAILED
    assert "its hash is wrong" in failed.problem
    assert (home.files(), home.done) == ([], [])


def test_why_it_waits_is_told_and_then_forgotten(home: Home) -> None:
    home.hub.fault(Fault(status=503, times=3, retry_after="1"), FILE)
    download = home.start()
    problems = set()
    while home.service.wait(download.id, 0.02).state is not DownloadState.DONE:
        problems.add(home.service.list()[0].problem)
    assert any("has a problem" in problem for problem in problems)
    assert home.service.list()[0].problem == ""
