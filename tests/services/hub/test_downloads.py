"""The queue of downloads: what a person does with them, and what survives."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.downloads import DownloadState
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.hub import HubFile, Variant
from chatdesk.library.download.partial_file import locked
from chatdesk.services.hub.facts import DownloadProgressed, DownloadsChanged
from tests.services.downloads_home import CONTENT, FILE, PARTS, REPO, TIMEOUT_S, Home, at_home
from tests.stand_in_hub import Fault, StandInHub

ROOT = Path(__file__).parents[3]


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with StandInHub() as hub:
        hub.add(REPO, {FILE: CONTENT})
        hub.add("owner/big", PARTS)
        yield hub


@pytest.fixture
def home(tmp_path: Path, hub: StandInHub) -> Iterator[Home]:
    with at_home(tmp_path, hub) as home:
        yield home


def test_a_model_is_fetched_and_taken_up(home: Home) -> None:
    download = home.start()
    ended = home.ended(download)
    path = home.paths.models / "owner" / "tiny" / FILE
    assert (ended.state, ended.received, ended.problem) == (DownloadState.DONE, len(CONTENT), "")
    assert (ended.name, ended.path) == ("tiny.Q4_0", str(path))
    assert path.read_bytes() == CONTENT
    assert home.done == [(path, REPO, hashlib.sha256(CONTENT).hexdigest())]
    assert home.service.list() == (ended,)
    facts = list(home.facts.queue)
    assert DownloadsChanged() in facts
    last = [fact for fact in facts if isinstance(fact, DownloadProgressed)][-1]
    assert (last.download_id, last.received) == (download.id, len(CONTENT))
    home.service.clear(download.id)
    assert (home.service.list(), home.files()) == ((), [FILE])


def test_progress_tells_the_speed_and_the_time_left(home: Home) -> None:
    home.choose(limit_bytes=500_000)
    download = home.start()
    assert home.ended(download).state is DownloadState.DONE
    told = [fact for fact in home.facts.queue if isinstance(fact, DownloadProgressed)]
    assert 4 <= len(told) <= 14  # two seconds, four a second, and the first and last
    middle = told[len(told) // 2]
    assert 250_000 < middle.bytes_per_s < 1_000_000
    left = (len(CONTENT) - middle.received) / middle.bytes_per_s
    assert middle.seconds_left == pytest.approx(left)


def test_the_same_model_asked_twice_is_the_same_download(home: Home) -> None:
    home.choose(limit_bytes=200_000)
    first = home.start()
    assert home.start().id == first.id
    home.choose(limit_bytes=0)
    done = home.ended(first)
    assert home.start() == done
    asked = len(home.hub.requests)
    Path(done.path).unlink()
    home.start()
    assert home.ended(first).state is DownloadState.DONE
    assert len(home.hub.requests) > asked
    assert Path(done.path).read_bytes() == CONTENT


def test_pause_and_resume(home: Home) -> None:
    home.choose(limit_bytes=400_000)
    download = home.start()
    home.until_received(download, 200_000)
    home.service.pause(download.id)
    paused = home.ended(download)
    assert paused.state is DownloadState.PAUSED
    assert 200_000 <= paused.received < len(CONTENT)
    home.restart()
    assert home.service.list() == (paused,)
    home.choose(limit_bytes=0)
    home.service.resume(download.id)
    assert home.ended(download).state is DownloadState.DONE
    assert Path(home.ended(download).path).read_bytes() == CONTENT
    assert int(home.hub.requests[-1].headers["range"][6:-1]) >= paused.received


def test_cancel_removes_what_was_fetched(home: Home) -> None:
    home.choose(limit_bytes=400_000)
    download = home.start()
    home.until_received(download, 200_000)
    home.service.cancel(download.id)
    assert home.service.list() == ()
    home.restart()  # waits for what is ending
    assert home.files() == []
    with pytest.raises(NotFound):
        home.service.wait(download.id)


def test_cancel_of_a_paused_one_removes_it_and_of_a_done_one_keeps_the_model(home: Home) -> None:
    home.choose(limit_bytes=400_000)
    download = home.start()
    home.until_received(download, 100_000)
    home.service.pause(download.id)
    home.restart()
    assert home.files() != []
    home.service.cancel(download.id)
    assert home.files() == []
    home.choose(limit_bytes=0)
    again = home.start()
    home.ended(again)
    home.service.cancel(again.id)
    assert (home.service.list(), home.files()) == ((), [FILE])


def test_cancel_of_a_failed_one_removes_what_was_kept(home: Home) -> None:
    home.hub.fault(Fault(status=404), sorted(PARTS)[1])
    failed = home.ended(home.start("owner/big"))
    assert failed.state is DownloadState.FAILED
    assert len(home.files()) > 0
    home.service.clear(failed.id)  # only for those that are done
    assert home.service.list() == (failed,)
    home.service.cancel(failed.id)
    assert (home.service.list(), home.files()) == ((), [])


def test_no_more_at_once_than_the_person_wants(home: Home) -> None:
    home.choose(at_once=1, limit_bytes=300_000)
    for name in ("a", "b"):
        home.hub.add(f"owner/{name}", {f"{name}.gguf": name.encode() * 1000})
    first, *others = (home.start(repo) for repo in (REPO, "owner/a", "owner/b"))
    home.until_received(first, 1)
    states = [each.state for each in home.service.list()]
    assert states == [DownloadState.RUNNING, DownloadState.QUEUED, DownloadState.QUEUED]
    home.service.cancel(others[0].id)  # while it waits
    home.service.pause(others[1].id)
    home.service.resume(others[1].id)
    home.choose(at_once=1)
    assert home.ended(first).state is DownloadState.DONE
    assert home.ended(others[1]).state is DownloadState.DONE
    assert home.files() == ["b.gguf", FILE]


def test_parts_appear_when_all_are_there_and_good_ones_are_kept(home: Home) -> None:
    names = sorted(PARTS)
    home.hub.fault(Fault(status=404), names[2])
    download = home.start("owner/big")
    assert download.name == "big"
    failed = home.ended(download)
    assert (failed.state, failed.received) == (DownloadState.FAILED, 400_000)
    assert (home.done, list(home.paths.models.glob("**/*.gguf"))) == ([], [])
    home.hub.heal()
    sent = {name: home.hub.bytes_sent(name) for name in names}
    home.service.resume(download.id)
    ended = home.ended(download)
    assert (ended.state, ended.received) == (DownloadState.DONE, 600_000)
    folder = home.paths.models / "owner" / "big"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == PARTS
    assert [path for path, *_ in home.done] == [folder / names[0]]
    assert [home.hub.bytes_sent(name) - sent[name] for name in names] == [0, 0, 200_000]


def test_a_model_that_cannot_be_taken_up_says_why(home: Home) -> None:
    def refuse(*_: object) -> None:
        raise EnvironmentProblem("Not a model.")

    home.service.close()
    home.service._tools = replace(home.service._tools, on_done=refuse)
    home.service._closed = False
    ended = home.ended(home.start())
    assert (ended.state, ended.problem) == (DownloadState.FAILED, "Not a model.")


@pytest.mark.parametrize("path", ["../../x.gguf", "/x.gguf", "x.exe", "nul.gguf"])
def test_hostile_names_are_refused_before_anything_is_asked(home: Home, path: str) -> None:
    with pytest.raises(EnvironmentProblem):
        home.service.start(REPO, "main", Variant("Q4_0", (HubFile(path, 1),)))
    with pytest.raises(EnvironmentProblem):
        home.service.start("../..", "main", Variant("Q4_0", (HubFile(FILE, 1),)))
    assert (home.service.list(), home.hub.requests) == ((), [])


def test_a_closed_app_goes_on_where_it_was(home: Home) -> None:
    home.choose(limit_bytes=400_000)
    download = home.start()
    home.until_received(download, 200_000)
    home.service.close()
    assert home.store.get(download.id).state is DownloadState.RUNNING
    home.choose(limit_bytes=0)
    home.restart()
    assert home.ended(download).state is DownloadState.DONE
    assert Path(home.ended(download).path).read_bytes() == CONTENT


# Other processes


def child(home: Path, models: Path, hub: StandInHub) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.fetch_child", str(home), str(models), hub.endpoint, REPO]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def until_received(process: subprocess.Popen[str], count: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= count:
            return


def last_line(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=TIMEOUT_S)[0].splitlines()[-1].strip()


def test_killed_again_and_again_it_fetches_little_twice(tmp_path: Path, hub: StandInHub) -> None:
    content = CONTENT * 10
    hub.change(REPO, FILE, content)
    hub.fault(Fault(bytes_per_s=3_000_000), FILE)
    models = tmp_path / "models"
    for kill in range(3):
        with child(tmp_path, models, hub) as process:
            until_received(process, len(content) * (kill + 1) // 4)
            process.kill()
    hub.heal()
    with child(tmp_path, models, hub) as process:
        assert last_line(process) == "done"
    (file,) = models.rglob("*.gguf")
    assert file.read_bytes() == content
    assert hub.bytes_sent(FILE) <= 1.05 * len(content)


def test_two_apps_fetch_the_same_file_once(tmp_path: Path, hub: StandInHub) -> None:
    models = tmp_path / "models"
    hub.fault(Fault(bytes_per_s=1_000_000), FILE)
    with child(tmp_path / "a", models, hub) as one, child(tmp_path / "b", models, hub) as other:
        assert (last_line(one), last_line(other)) == ("done", "done")
    (file,) = models.rglob("*.gguf")
    assert file.read_bytes() == CONTENT
    assert [each.name for each in file.parent.iterdir()] == [FILE]
    assert hub.bytes_sent(FILE) == len(CONTENT)


def test_two_apps_of_one_person_share_the_list(home: Home, hub: StandInHub, tmp_path: Path) -> None:
    hub.fault(Fault(bytes_per_s=300_000), FILE)
    with child(tmp_path, home.paths.models, hub) as process:
        until_received(process, 1)
        home.service.resume_unfinished()
        (download,) = home.service.list()
        assert home.start().id == download.id
        for call in (home.service.pause, home.service.cancel):
            with pytest.raises(EnvironmentProblem, match="Another running ChatDesk"):
                call(download.id)
        process.kill()
    hub.heal()
    sent = hub.bytes_sent(FILE)
    home.start()  # nobody sees to it any more
    assert home.ended(download).state is DownloadState.DONE
    assert hub.bytes_sent(FILE) - sent < len(CONTENT)


def test_one_that_waits_for_another_app_says_so(home: Home) -> None:
    target = home.paths.models / "owner" / "tiny" / FILE
    target.parent.mkdir(parents=True)
    with locked(target, lambda: None):
        download = home.start()
        while not home.service.list()[0].problem:
            time.sleep(0.01)
        assert "Another program is downloading this file" in home.service.list()[0].problem
    ended = home.ended(download)
    assert (ended.state, ended.problem) == (DownloadState.DONE, "")
