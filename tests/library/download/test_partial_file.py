"""The parts of an unfinished file that survive, by event."""

import hashlib
import threading
from pathlib import Path

import psutil
import pytest

from chatdesk.library.download import partial_file
from chatdesk.library.download.partial_file import PartialFile, locked, partial_path

CONTENT = bytes(range(256)) * 40


def never() -> None:
    pass


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "tiny.gguf"


def begin(target: Path, length: int) -> None:
    with PartialFile(target, "a") as partial:
        partial.begin_anew("mark")
        partial.write(CONTENT[:length])


def note_of(target: Path) -> Path:
    return partial_path(target, "a").with_suffix(".note")


def test_it_goes_on_where_it_was_left_and_is_no_model_before_it_is_whole(target: Path) -> None:
    begin(target, 4000)
    assert list(target.parent.glob("**/*.gguf")) == []
    with PartialFile(target, "a") as partial:
        assert (partial.size, partial.mark, partial.verified) == (4000, "mark", False)
        partial.write(CONTENT[4000:])
        assert partial.sha256(never) == hashlib.sha256(CONTENT).hexdigest()
        partial.verify()
    with PartialFile(target, "a") as partial:
        assert partial.verified
        partial.finish()
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_after_a_new_start_of_the_machine_only_what_was_synced_is_trusted(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_file, "SYNC_BYTES", 3000)
    partial = PartialFile(target, "a")
    partial.begin_anew("mark")
    for start in range(0, 5000, 1000):
        partial.write(CONTENT[start : start + 1000])
    partial._file.close()  # as a power cut would: nothing is synced at the end
    monkeypatch.setattr(psutil, "boot_time", lambda: 1e9)
    with PartialFile(target, "a") as after:
        assert (after.size, after.mark) == (3000, "mark")
        after.write(CONTENT[3000:])
        assert after.sha256(never) == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"mark":"m","boot":0,"synced":-1}', None])
def test_without_a_note_nothing_is_trusted(target: Path, note: bytes | None) -> None:
    begin(target, 100)
    note_of(target).unlink() if note is None else note_of(target).write_bytes(note)
    with PartialFile(target, "a") as partial:
        assert (partial.size, partial.mark) == (0, "")


def test_other_content_has_another_partial_file(target: Path) -> None:
    begin(target, 100)
    with PartialFile(target, "b") as partial:
        assert partial.size == 0
        partial.remove()
    with PartialFile(target, "a") as partial:
        assert partial.size == 100


def test_hashing_can_be_stopped(target: Path) -> None:
    begin(target, 100)

    def stop() -> None:
        raise InterruptedError

    with PartialFile(target, "a") as partial:
        with pytest.raises(InterruptedError):
            partial.sha256(stop)


def test_one_at_a_time(target: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with locked(target, waiting.set):
            order.append("second")

    with locked(target, never):
        other = threading.Thread(target=second)
        other.start()
        assert waiting.wait(10)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]
    assert list(target.parent.iterdir()) == []
