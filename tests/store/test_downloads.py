"""Downloads in a real database: their records, and their owners."""

from dataclasses import replace

import pytest

from chatdesk.core.chat import new_id, now
from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.errors import NotFound
from chatdesk.core.hub import HubFile
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore
from tests.store.conftest import child, go_on, printed

FILES = (HubFile("tiny-00001-of-00002.gguf", 10, "ab" * 32), HubFile("tiny-2.gguf", 5))


def download(state: DownloadState = DownloadState.QUEUED, revision: str = "main") -> Download:
    return Download(
        new_id(), "owner/tiny", revision, "tiny", FILES, state, now(), folder="/m/owner/tiny"
    )


@pytest.fixture
def downloads(database: Database) -> DownloadStore:
    return DownloadStore(database)


def test_a_download_is_kept_with_its_parts(downloads: DownloadStore) -> None:
    added = downloads.add(download())
    assert downloads.get(added.id) == added
    assert added.bytes == 15
    changed = downloads.change(
        added.id, state=DownloadState.FAILED, received=7, problem="The disk is full."
    )
    assert changed == replace(
        added, state=DownloadState.FAILED, received=7, problem="The disk is full."
    )
    other = downloads.add(download(revision="other"))
    assert downloads.list() == (changed, other)
    downloads.remove(added.id)
    assert downloads.list() == (other,)


def test_the_same_files_are_the_same_download(downloads: DownloadStore) -> None:
    added = downloads.add(download())
    assert downloads.add(download()) == added
    assert len(downloads.list()) == 1


def test_what_a_dead_process_left_is_taken_over(
    downloads: DownloadStore, database: Database
) -> None:
    for state in (DownloadState.PAUSED, DownloadState.FAILED, DownloadState.DONE):
        downloads.add(download(state, revision=state))
    with child("fetch", database.path) as process:
        download_id = printed(process)
        assert downloads.is_elsewhere(download_id)
        assert downloads.take_over() == ()
        process.kill()
    assert not downloads.is_elsewhere(download_id)
    (left,) = downloads.take_over()
    assert (left.id, left.state) == (download_id, DownloadState.QUEUED)
    assert downloads.take_over() == ()  # ours, and we live


def test_what_is_released_is_for_whoever_comes_next(downloads: DownloadStore) -> None:
    added = downloads.add(download(DownloadState.RUNNING))
    assert downloads.take_over() == ()
    downloads.release()
    assert downloads.take_over() == (replace(added, state=DownloadState.QUEUED),)


def test_what_a_process_finished_is_nobodys(downloads: DownloadStore, database: Database) -> None:
    with child("fetch", database.path) as process:
        download_id = printed(process)
        go_on(process)
    (left,) = downloads.take_over()
    downloads.change(left.id, state=DownloadState.DONE)
    assert not downloads.is_elsewhere(download_id)
    assert downloads.take_over() == ()


def test_an_unknown_download_is_not_found(downloads: DownloadStore) -> None:
    for call in (
        lambda: downloads.get("none"),
        lambda: downloads.change("none", received=1),
        lambda: downloads.remove("none"),
        lambda: downloads.is_elsewhere("none"),
    ):
        with pytest.raises(NotFound):
            call()
