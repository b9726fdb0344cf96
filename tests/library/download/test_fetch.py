"""One file, fetched to the byte from a stand-in hub that behaves like real ones."""

import errno
import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.hub import HubFile
from chatdesk.library.download import fetch
from chatdesk.library.download.disk_problems import SPARE_BYTES, DiskProblem
from chatdesk.library.download.fetch import Fetching, fetched_bytes, remove_partial
from chatdesk.library.download.partial_file import PartialFile, locked
from chatdesk.library.download.speed_limit import SpeedLimit
from chatdesk.library.hub.client import Hub
from chatdesk.library.hub.problems import HubProblem
from tests.stand_in_hub import TOKEN, Fault, StandInHub

REPO, FILE = "owner/tiny", "tiny.gguf"
CONTENT = random.Random(5).randbytes(1_000_000)
STATED = HubFile(FILE, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class GivenUp(Exception):
    pass


class Watching:
    """A watcher that records its calls; it gives up once more than `most` bytes came."""

    def __init__(self, most: int = 1 << 60) -> None:
        self.most = most
        self.received: list[int] = []
        self.slept: list[float] = []
        self.waited: list[str] = []
        self.checks = 0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.received and self.received[-1] >= self.most:
            raise GivenUp

    def on_received(self, size: int) -> None:
        self.received.append(size)

    def on_waiting(self, problem: EnvironmentProblem) -> None:
        self.waited.append(str(problem))

    def on_checking(self) -> None:
        self.checks += 1


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with StandInHub() as hub:
        hub.add(REPO, {FILE: CONTENT})
        yield hub


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "owner" / "tiny" / FILE


def fetching(
    hub: StandInHub, target: Path, watching: Watching, file: HubFile = STATED, answer_s: float = 10
) -> Fetching:
    asked = Hub(hub.endpoint, TOKEN, answer_s)
    return Fetching(asked, REPO, "main", file, target, SpeedLimit(lambda: 0), watching)


def begin(hub: StandInHub, target: Path) -> int:
    """Fetch a part of the file; return its size."""
    watching = Watching(most=300_000)
    with pytest.raises(GivenUp):
        fetching(hub, target, watching).fetch()
    assert not target.exists()
    return fetched_bytes(target, STATED, "main")


def complete(hub: StandInHub, target: Path, file: HubFile = STATED) -> Watching:
    watching = Watching()
    whole = fetching(hub, target, watching, file)
    whole.fetch()
    whole.place()
    return watching


def ranges(hub: StandInHub) -> list[str]:
    return [each.headers.get("range", "") for each in hub.requests]


def test_a_file_arrives_whole(hub: StandInHub, target: Path) -> None:
    watching = complete(hub, target)
    assert target.read_bytes() == CONTENT
    assert sorted(target.parent.iterdir()) == [target]
    assert watching.received == sorted(watching.received)
    assert watching.received[-1] == len(CONTENT)
    assert watching.waited == []


def test_it_resumes_to_the_byte(hub: StandInHub, target: Path) -> None:
    there = begin(hub, target)
    assert 300_000 <= there < len(CONTENT)
    complete(hub, target)
    assert target.read_bytes() == CONTENT
    assert ranges(hub) == ["bytes=0-", f"bytes={there}-"]


def test_a_connection_that_is_cut_again_and_again_gets_through(
    hub: StandInHub, target: Path
) -> None:
    hub.fault(Fault(cut_every=50_000), FILE)
    watching = complete(hub, target)
    assert target.read_bytes() == CONTENT
    assert hub.bytes_sent(FILE) == len(CONTENT)
    assert len(hub.requests) == 20
    assert watching.waited == []  # it continues, so nobody is bothered


def test_a_server_without_ranges_begins_anew(hub: StandInHub, target: Path) -> None:
    begin(hub, target)
    hub.fault(Fault(no_ranges=True), FILE)
    complete(hub, target)
    assert target.read_bytes() == CONTENT


def test_the_token_never_reaches_another_host(hub: StandInHub, target: Path) -> None:
    hub.fault(Fault(redirect=True, cut_every=400_000), FILE)
    complete(hub, target)
    assert target.read_bytes() == CONTENT
    assert [each.headers["authorization"] for each in hub.requests] == [f"Bearer {TOKEN}"] * 3
    assert len(hub.elsewhere) == 3
    assert not [each for each in hub.elsewhere if TOKEN in str(each)]


def test_other_content_of_the_same_size_begins_anew(hub: StandInHub, target: Path) -> None:
    begin(hub, target)
    other = CONTENT[::-1]
    hub.change(REPO, FILE, other)
    unstated = HubFile(FILE, len(CONTENT))
    with PartialFile(target, "revision main") as partial:
        partial.begin_anew("another mark")
        partial.write(CONTENT[:1000])
    complete(hub, target, unstated)
    assert target.read_bytes() == other


@pytest.mark.parametrize(
    "other", [CONTENT + b"more", CONTENT[:-1], b"", CONTENT[:100], CONTENT[::-1]]
)
def test_a_file_that_changed_is_reported_and_never_mixed(
    hub: StandInHub, target: Path, other: bytes
) -> None:
    there = begin(hub, target)
    hub.change(REPO, FILE, other)
    with pytest.raises(HubProblem, match="was changed on the hub"):
        complete(hub, target)
    assert fetched_bytes(target, STATED, "main") == there
    hub.change(REPO, FILE, CONTENT)
    complete(hub, target)
    assert target.read_bytes() == CONTENT
    assert ranges(hub)[-1] == f"bytes={there}-"


def test_a_wrong_hash_is_reported_and_leaves_nothing(hub: StandInHub, target: Path) -> None:
    hub.fault(Fault(wrong_hash=True), FILE)
    (variant,) = Hub(hub.endpoint, None).repository(REPO).variants
    with pytest.raises(EnvironmentProblem, match="its hash is wrong"):
        complete(hub, target, variant.files[0])
    assert list(target.parent.iterdir()) == []


def test_a_file_that_is_there_is_taken_or_left(hub: StandInHub, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    watching = complete(hub, target)
    assert (hub.requests, watching.checks > 0) == ([], True)
    for other in (b"mine", CONTENT[::-1]):
        target.write_bytes(other)
        with pytest.raises(DiskProblem, match="There is another file"):
            complete(hub, target)
        assert target.read_bytes() == other
    target.unlink()
    target.mkdir()
    with pytest.raises(DiskProblem, match="There is a folder"):
        complete(hub, target)
    assert hub.requests == []


def test_a_file_that_appears_meanwhile_is_not_replaced(hub: StandInHub, target: Path) -> None:
    whole = fetching(hub, target, Watching())
    whole.fetch()
    target.write_bytes(b"mine")
    with pytest.raises(DiskProblem, match="There is another file"):
        whole.place()
    target.unlink()
    whole.place()
    assert target.read_bytes() == CONTENT


def test_what_was_verified_is_not_fetched_again(hub: StandInHub, target: Path) -> None:
    fetching(hub, target, Watching()).fetch()
    hub.requests.clear()
    again = fetching(hub, target, Watching())
    again.fetch()
    assert hub.requests == []
    remove_partial(target, STATED, "main")
    with pytest.raises(EnvironmentProblem, match="Another program removed"):
        again.place()
    assert not target.exists()


def test_tries_end_and_everything_is_kept(
    hub: StandInHub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = begin(hub, target)
    hub.fault(Fault(status=500), FILE)
    watching = Watching()
    with pytest.raises(HubProblem, match="has a problem"):
        fetching(hub, target, watching).fetch()
    assert [each for each in watching.slept if each] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert len(watching.waited) == fetch.TRIES - 1
    assert fetched_bytes(target, STATED, "main") == there


def test_a_server_is_left_alone_as_long_as_it_asks(hub: StandInHub, target: Path) -> None:
    hub.fault(Fault(status=429, times=1, retry_after="7"), FILE)
    watching = complete(hub, target)
    assert [each for each in watching.slept if each] == [7]
    hub.fault(Fault(status=429, retry_after="3600"), FILE)
    target.unlink()
    with pytest.raises(HubProblem, match="3600 seconds"):
        complete(hub, target)


def test_a_server_that_says_nothing_is_given_up(hub: StandInHub, target: Path) -> None:
    hub.fault(Fault(delay_s=1), FILE)
    with pytest.raises(HubProblem, match="did not answer in time"):
        fetching(hub, target, Watching(), answer_s=0.02).fetch()


def test_nothing_is_begun_without_room(
    hub: StandInHub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    free = SPARE_BYTES + 300_000
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(free))
    with pytest.raises(DiskProblem, match=r"not enough room on the disk: \d+ kB are missing"):
        complete(hub, target)
    assert hub.requests == []


def test_a_disk_that_fills_meanwhile_stops_it_in_time(
    hub: StandInHub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    free = iter([SPARE_BYTES + len(CONTENT)])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(next(free, SPARE_BYTES)))
    monkeypatch.setattr(fetch, "SYNC_BYTES", 200_000)
    with pytest.raises(DiskProblem, match="not enough room"):
        complete(hub, target)
    monkeypatch.undo()
    there = fetched_bytes(target, STATED, "main")
    assert there >= 200_000
    complete(hub, target)
    assert ranges(hub)[-1] == f"bytes={there}-"


def test_a_disk_that_is_full_keeps_what_there_was_room_for(
    hub: StandInHub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = PartialFile.write

    def full(partial: PartialFile, data: bytes) -> None:
        if partial.size + len(data) > 500_000:
            write(partial, data[: 500_000 - partial.size])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(partial, data)

    monkeypatch.setattr(PartialFile, "write", full)
    with pytest.raises(DiskProblem, match="The disk is full"):
        complete(hub, target)
    monkeypatch.undo()
    assert fetched_bytes(target, STATED, "main") == 500_000
    complete(hub, target)
    assert target.read_bytes() == CONTENT
    assert hub.requests[-1].headers["range"] == "bytes=500000-"


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="limits and users are of POSIX")
IN_A_CHILD = """
import os, sys
from pathlib import Path
from tests.library.download import test_fetch

hub = type("Hub", (), {{"endpoint": sys.argv[1]}})
{limit}
test_fetch.complete(hub, Path(sys.argv[2]))
"""


def output_of_a_child(hub: StandInHub, target: Path, limit: str) -> str:
    code = IN_A_CHILD.format(limit=limit)
    words = [sys.executable, "-c", code, hub.endpoint, str(target)]
    return subprocess.run(words, check=False, capture_output=True, text=True).stderr


@POSIX
def test_a_file_the_system_does_not_let_grow_is_reported(hub: StandInHub, target: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))"
    output = output_of_a_child(hub, target, limit)
    assert "The disk takes no files as large as tiny.gguf." in output
    assert fetched_bytes(target, STATED, "main") == 500_000
    complete(hub, target)
    assert target.read_bytes() == CONTENT


@POSIX
def test_a_folder_that_is_closed_is_reported(hub: StandInHub, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.parent.chmod(0o500)
    output = output_of_a_child(hub, target, "os.geteuid() or os.setuid(65534)")
    assert "ChatDesk may not write in" in output
    assert list(target.parent.iterdir()) == []


def test_a_file_where_a_folder_must_be_is_reported(hub: StandInHub, target: Path) -> None:
    target.parent.parent.write_text("a file")
    with pytest.raises(DiskProblem, match="cannot be written"):
        complete(hub, target)


def test_what_another_app_fetches_is_not_removed(hub: StandInHub, target: Path) -> None:
    there = begin(hub, target)
    with locked(target, lambda: None):
        remove_partial(target, STATED, "main")
        assert fetched_bytes(target, STATED, "main") == there
    remove_partial(target, STATED, "main")
    assert list(target.parent.iterdir()) == []
    remove_partial(target.parent / "gone" / FILE, STATED, "main")
