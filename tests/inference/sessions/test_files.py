import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chatdesk.inference.sessions.files import PARTIAL_KEPT_NS, SessionFiles

IDENTITY, VARIANT = "a" * 64, "f16, no adapter, 0.3"
TOKENS = [1, 7, 2**31 - 1, -5]
STATE = bytes(range(256)) * 4
LIMIT = 1_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "sessions"


@pytest.fixture
def files(folder: Path) -> SessionFiles:
    return SessionFiles(folder, IDENTITY, LIMIT)


@pytest.fixture
def saved(files: SessionFiles, folder: Path) -> Path:
    """The only file, of the conversation "one"."""
    assert files.save("one", VARIANT, TOKENS, STATE)
    (path,) = folder.iterdir()
    return path


def loaded(files: SessionFiles, session: str, variant: str) -> tuple[list[int], bytes] | None:
    found = files.load(session, variant)
    return found and (found[0], bytes(found[1]))


def test_a_round_trip(files: SessionFiles) -> None:
    assert files.peek("one", VARIANT) is None
    assert files.load("one", VARIANT) is None
    assert files.save("one", VARIANT, TOKENS, memoryview(STATE))
    assert files.peek("one", VARIANT) == tuple(TOKENS)
    assert loaded(files, "one", VARIANT) == (TOKENS, STATE)
    assert files.load("two", VARIANT) is None


def test_a_newer_state_takes_the_place_of_the_older(files: SessionFiles, saved: Path) -> None:
    assert files.save("one", VARIANT, [1, 2], b"newer")
    assert loaded(files, "one", VARIANT) == ([1, 2], b"newer")
    assert list(saved.parent.iterdir()) == [saved]


def test_a_state_without_tokens_or_bytes(files: SessionFiles) -> None:
    assert files.save("one", VARIANT, [], b"")
    assert loaded(files, "one", VARIANT) == ([], b"")


def test_another_model_has_files_of_its_own(files: SessionFiles, folder: Path) -> None:
    other = SessionFiles(folder, "b" * 64, LIMIT)
    assert files.save("one", VARIANT, TOKENS, STATE)
    assert other.peek("one", VARIANT) is None
    assert other.load("one", VARIANT) is None
    assert other.save("one", VARIANT, [3], b"other")
    assert loaded(files, "one", VARIANT) == (TOKENS, STATE)
    assert loaded(other, "one", VARIANT) == ([3], b"other")
    assert (files.usage()[0], other.usage()[0]) == (1, 1)


def test_another_variant_is_of_no_use_and_no_damage(files: SessionFiles, saved: Path) -> None:
    assert files.peek("one", "q8_0") is None
    assert files.load("one", "q8_0") is None
    assert loaded(files, "one", VARIANT) == (TOKENS, STATE)
    assert files.save("one", "q8_0", [9], b"q8")
    assert files.load("one", VARIANT) is None
    assert list(saved.parent.iterdir()) == [saved]


def test_a_file_under_another_conversations_name(files: SessionFiles, saved: Path) -> None:
    files.save("two", VARIANT, [2], b"two")
    (other,) = set(saved.parent.iterdir()) - {saved}
    saved.replace(other)
    assert files.peek("two", VARIANT) is None
    assert files.load("two", VARIANT) is None


def test_every_truncated_file_is_refused_and_removed(files: SessionFiles, saved: Path) -> None:
    whole = saved.read_bytes()
    for length in range(len(whole)):
        saved.write_bytes(whole[:length])
        assert files.load("one", VARIANT) is None
        assert not saved.exists()


def test_every_flipped_bit_is_noticed(files: SessionFiles, saved: Path) -> None:
    whole = saved.read_bytes()
    before_state = len(whole) - len(STATE)
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << random.randrange(8)
        saved.write_bytes(damaged)
        peeked = files.peek("one", VARIANT)
        assert (peeked is None) == (place < before_state)
        assert files.load("one", VARIANT) is None


@pytest.mark.parametrize("tail", [b"\0", STATE])
def test_a_file_that_is_too_long(files: SessionFiles, saved: Path, tail: bytes) -> None:
    saved.write_bytes(saved.read_bytes() + tail)
    assert files.peek("one", VARIANT) is None
    assert files.load("one", VARIANT) is None


@pytest.mark.parametrize("length", [1, 63, 64, 65, 5000])
def test_garbage(files: SessionFiles, saved: Path, length: int) -> None:
    for content in (random.randbytes(length), b"\xff" * length, saved.read_bytes()[:12] * length):
        saved.write_bytes(content)
        assert files.peek("one", VARIANT) is None
        assert files.load("one", VARIANT) is None
        assert not saved.exists()
        assert files.save("one", VARIANT, TOKENS, STATE)


def test_a_file_of_another_version(
    files: SessionFiles, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.inference.sessions.files.VERSION", 2)
    assert files.peek("one", VARIANT) is None
    assert files.load("one", VARIANT) is None
    assert not saved.exists()


def test_a_folder_in_the_files_place(files: SessionFiles, saved: Path) -> None:
    saved.unlink()
    (saved / "inside").mkdir(parents=True)
    assert files.peek("one", VARIANT) is None
    assert files.load("one", VARIANT) is None
    assert not files.save("one", VARIANT, TOKENS, STATE)
    files.forget("one")
    assert list(saved.parent.iterdir()) == [saved]


def test_a_file_in_the_folders_place(files: SessionFiles, folder: Path) -> None:
    folder.parent.mkdir()
    folder.touch()
    assert not files.save("one", VARIANT, TOKENS, STATE)
    assert files.load("one", VARIANT) is None
    files.forget("one")
    assert files.usage() == (0, 0)


@pytest.mark.parametrize("session", ["", "../../escape", "/etc/passwd", "a\0b", "x" * 999, "*"])
def test_no_name_leads_out_of_the_folder(files: SessionFiles, folder: Path, session: str) -> None:
    files.save("bystander", VARIANT, TOKENS, STATE)
    assert files.save(session, VARIANT, TOKENS, STATE)
    assert loaded(files, session, VARIANT) == (TOKENS, STATE)
    assert len(list(folder.iterdir())) == len(list(folder.parent.rglob("*.kv"))) == 2
    files.forget(session)
    assert files.load(session, VARIANT) is None
    assert files.load("bystander", VARIANT)


def _age(files: SessionFiles, folder: Path, *sessions: str) -> None:
    """Save these, each a minute after the one before it, up to now."""
    known = set(folder.glob("*"))
    now = time.time_ns()
    for number, session in enumerate(sessions):
        files.save(session, VARIANT, TOKENS, STATE)
        (path,) = set(folder.iterdir()) - known
        known.add(path)
        used = now - (len(sessions) - number) * PARTIAL_KEPT_NS
        os.utime(path, ns=(used, used))


def test_what_was_not_used_for_longest_goes_first(folder: Path, saved: Path) -> None:
    size = saved.stat().st_size
    saved.unlink()
    ours = SessionFiles(folder, IDENTITY, 3 * size)
    others = SessionFiles(folder, "b" * 64, 3 * size)
    _age(others, folder, "another model's")
    _age(ours, folder, "first", "second")
    assert ours.load("first", VARIANT)  # a use, now
    assert ours.save("third", VARIANT, TOKENS, STATE)
    assert others.load("another model's", VARIANT) is None
    assert ours.save("fourth", VARIANT, TOKENS, STATE)
    assert ours.peek("second", VARIANT) is None
    assert all(ours.load(session, VARIANT) for session in ("first", "third", "fourth"))
    assert ours.usage() == (3, 3 * size)


def test_a_state_larger_than_the_limit_costs_nobody_his_place(folder: Path, saved: Path) -> None:
    size = saved.stat().st_size
    files = SessionFiles(folder, IDENTITY, size)
    assert not files.save("two", VARIANT, TOKENS, STATE + b"\0")
    assert files.load("one", VARIANT)
    assert files.save("two", VARIANT, TOKENS, STATE)
    assert files.load("one", VARIANT) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps other users out of the profile itself")
def test_others_cannot_read_them(files: SessionFiles, folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    before = os.umask(0)
    try:
        files.save("one", VARIANT, TOKENS, STATE)
    finally:
        os.umask(before)
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


SAVING = """
import sys
from pathlib import Path
from chatdesk.inference.sessions.files import SessionFiles
files = SessionFiles(Path(sys.argv[1]), sys.argv[2], 10**9)
number = 0
while True:
    number += 1
    files.save("one", sys.argv[3], [number] * 1000, bytes([number % 256]) * 20_000_000)
    print(number, flush=True)
"""


def test_killed_while_saving_it_leaves_whole_files_only(files: SessionFiles, folder: Path) -> None:
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", SAVING, str(folder), IDENTITY, VARIANT], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout
            assert child.stdout.readline()
            time.sleep(random.random() / 20)
            child.send_signal(signal.SIGKILL)
        found = files.load("one", VARIANT)
        assert found
        tokens, state = found
        assert set(tokens) == {tokens[0]}
        assert state == bytes([tokens[0] % 256]) * 20_000_000


def test_a_partial_file_is_removed_once_its_writer_must_be_gone(
    files: SessionFiles, saved: Path
) -> None:
    fresh = saved.with_name("fresh.part")
    fresh.write_bytes(b"half")
    for name, away in (("old", -2), ("before the clock went back", 2)):
        partial = saved.with_name(f"{name}.part")
        partial.write_bytes(b"half")
        moment = time.time_ns() + away * PARTIAL_KEPT_NS
        os.utime(partial, ns=(moment, moment))
    files.save("one", VARIANT, TOKENS, STATE)
    assert set(saved.parent.iterdir()) == {saved, fresh}


FULL = """
import resource, sys
from pathlib import Path
from chatdesk.inference.sessions.files import SessionFiles
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
files = SessionFiles(Path(sys.argv[1]), sys.argv[2], 10**9)
print(files.save("one", sys.argv[3], [8], bytes(1_000_000)))
"""


@pytest.mark.skipif(os.name == "nt", reason="no file size limit to stand for a full disk")
def test_a_full_disk_leaves_the_older_state(files: SessionFiles, saved: Path) -> None:
    command = [sys.executable, "-c", FULL, str(saved.parent), IDENTITY, VARIANT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"
    assert "not kept" in done.stderr
    assert loaded(files, "one", VARIANT) == (TOKENS, STATE)
    assert list(saved.parent.iterdir()) == [saved]
