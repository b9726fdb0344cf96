import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from chatdesk.core.files import PUBLIC, whole_file, write_json, write_whole

DIES = """
import os, sys
from pathlib import Path
from chatdesk.core.files import whole_file
path = Path(sys.argv[1])
partial = Path(sys.argv[2]) if sys.argv[2:] else None
with whole_file(path, durable=True, partial=partial) as unfinished:
    unfinished.write_bytes(b"half")
    os._exit(9)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "kept.json"


def die_writing(*paths: Path) -> None:
    command = [sys.executable, "-c", DIES, *map(str, paths)]
    assert subprocess.run(command, check=False).returncode == 9


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_and_its_folders_are_made(file: Path, durable: bool) -> None:
    write_whole(file, b"new", durable=durable)
    assert file.read_bytes() == b"new"
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_that_is_gone_is_a_problem_where_it_must_be_there(file: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(file):
        pass
    assert not file.parent.exists()


def test_the_old_file_is_replaced(file: Path) -> None:
    write_whole(file, b"an old and longer one")
    write_whole(file, b"new")
    assert file.read_bytes() == b"new"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(file: Path) -> None:
    write_json(file, {"old": 1})
    with pytest.raises(TypeError):
        write_json(file, {"new": object()})
    file.unlink()
    file.mkdir()
    with pytest.raises(OSError, match="kept"):
        write_json(file, {"new": 1})
    assert list(file.parent.iterdir()) == [file]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(file: Path) -> None:
    write_whole(file, b"old")
    with pytest.raises(ZeroDivisionError), whole_file(file) as unfinished:
        unfinished.write_bytes(b"half")
        unfinished.write_bytes(bytes(1 // 0))
    assert file.read_bytes() == b"old"
    assert list(file.parent.iterdir()) == [file]


def test_a_crash_before_the_end_leaves_the_old_file(file: Path) -> None:
    write_whole(file, b"old")
    die_writing(file)
    assert file.read_bytes() == b"old"


def test_the_next_writer_replaces_a_fixed_partial_file(file: Path) -> None:
    partial = file.with_suffix(".part")
    write_whole(file, b"old")
    die_writing(file, partial)
    assert partial.read_bytes() == b"half"
    with whole_file(file, partial=partial) as unfinished:
        assert unfinished == partial
        assert unfinished.read_bytes() == b""
        unfinished.write_bytes(b"new")
    assert file.read_bytes() == b"new"
    assert list(file.parent.iterdir()) == [file]


def test_a_durable_file_is_on_the_disk_before_it_has_its_name(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(file, b"old")
    synced: list[tuple[bool, bytes]] = []

    def sync(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), file.read_bytes()))

    monkeypatch.setattr(os, "fsync", sync)
    write_whole(file, b"a cache")
    assert synced == []
    write_whole(file, b"new", durable=True)
    assert synced[0] == (False, b"a cache")
    assert synced[1:] == ([(True, b"new")] if os.name == "posix" else [])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_what_is_written_is_private_unless_it_is_meant_for_others(file: Path) -> None:
    before = os.umask(0o022)
    try:
        write_json(file, "mine")
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with whole_file(file, mode=PUBLIC) as unfinished:
            assert stat.S_IMODE(unfinished.stat().st_mode) == 0o644
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
    finally:
        os.umask(before)


def test_writing_from_many_threads_leaves_one_whole_file(file: Path) -> None:
    values = [{"value": str(n) * 10_000} for n in range(8)]
    threads = [threading.Thread(target=write_json, args=(file, value)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads(file.read_text("utf-8")) in values
    assert list(file.parent.iterdir()) == [file]
