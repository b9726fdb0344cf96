"""Backups: whole, checked, restored in steps that a crash cannot spoil."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chatdesk.core.chat import Role, now
from chatdesk.core.errors import EnvironmentProblem, NotFound, StoreProblem
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import BackupSettings, Settings
from chatdesk.services.facts import Fact
from chatdesk.services.history import backup_file, backups, restoring
from chatdesk.services.history.backup_file import (
    BackupCancelled,
    BackupProblem,
    read_contents,
    unpack,
    write_backup,
)
from chatdesk.services.history.backups import BackupService, id_of
from chatdesk.services.history.facts import BackupEnded
from chatdesk.services.history.restoring import finish, stage
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from tests.clock import jumping_clock

Replace = Callable[[Path, Path], None]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    paths = AppPaths.under(tmp_path / "home")
    paths.make()
    adapter = paths.adapters / "a000000000000001"
    adapter.mkdir(parents=True)
    (adapter / "adapter.gguf").write_bytes(os.urandom(100_000))
    paths.settings.write_text('{"general": {"theme": "dark"}}')
    add(paths, "Figs", "Tea 茶")
    return paths


def add(paths: AppPaths, *titles: str) -> None:
    with closing(Database.open(paths.database)) as database:
        store = ConversationStore(database)
        for title in titles:
            made = store.create(title=title)
            store.add_message(made.id, None, Role.USER, f"What are {title}?")


def titles(paths: AppPaths) -> list[str]:
    with closing(Database.open(paths.database)) as database:
        return sorted(each.title for each in ConversationStore(database).list())


def service(paths: AppPaths, heard: list[Fact] | None = None, **settings: object) -> BackupService:
    chosen = replace(Settings(), backup=BackupSettings(**settings))  # type: ignore[arg-type]
    listen = (heard if heard is not None else []).append
    return BackupService(paths, lambda: chosen, listen)


def test_everything_comes_back(paths: AppPaths, tmp_path: Path) -> None:
    made = write_backup(paths, tmp_path / "kept.zip")
    assert (made.conversations, made.messages, made.adapters) == (2, 2, 1)
    assert made.bytes == (tmp_path / "kept.zip").stat().st_size
    assert (tmp_path / "kept.zip").stat().st_mode & 0o077 == 0
    other = AppPaths.under(tmp_path / "other")
    other.make()
    stage(other, tmp_path / "kept.zip")
    assert not other.database.exists()  # not before the next start
    assert finish(other)
    assert titles(other) == ["Figs", "Tea 茶"]
    for file in (paths.adapters / "a000000000000001" / "adapter.gguf", paths.settings):
        base = paths.config.parent
        there = other.config.parent / file.relative_to(base)
        assert there.read_bytes() == file.read_bytes()
    assert not finish(other)
    assert [each.name for each in other.data.iterdir() if each.name.startswith(".")] == []


def test_what_is_written_at_the_same_time_is_whole(paths: AppPaths, tmp_path: Path) -> None:
    with closing(Database.open(paths.database)) as database:
        store = ConversationStore(database)
        store.create(title="Only in the journal")
        made = write_backup(paths, tmp_path / "kept.zip")
    assert made.conversations == 3


def test_restoring_keeps_what_was_there(paths: AppPaths, tmp_path: Path) -> None:
    mine = service(paths)
    first = mine.create()
    add(paths, "Newer")
    mine.stage(mine.find(id_of(first.path)))
    assert finish(paths)
    assert titles(paths) == ["Figs", "Tea 茶"]
    (kept,) = (each for each in mine.list() if "before-restore" in each.path.name)
    mine.stage(kept.path)  # also within the same second: no backup takes the place of another
    assert finish(paths)
    assert titles(paths) == ["Figs", "Newer", "Tea 茶"]


def test_a_restoring_goes_on_after_a_crash_at_any_step(
    paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = write_backup(paths, tmp_path / "kept.zip").path
    replace_one = restoring._replace
    for step in range(3):
        add(paths, f"Newer {step}")
        stage(paths, kept)
        left = iter([replace_one] * step)

        def crash(staged: Path, target: Path, left: Iterator[Replace] = left) -> None:
            next(left, _crash)(staged, target)

        with monkeypatch.context() as crashing, pytest.raises(KeyboardInterrupt):
            crashing.setattr(restoring, "_replace", crash)
            finish(paths)
        assert finish(paths)  # at the next start
        assert titles(paths) == ["Figs", "Tea 茶"]


def _crash(_staged: Path, _target: Path) -> None:
    raise KeyboardInterrupt


def test_nothing_is_restored_while_the_window_is_open(paths: AppPaths, tmp_path: Path) -> None:
    kept = write_backup(paths, tmp_path / "kept.zip").path
    stage(paths, kept)
    with closing(Database.open(paths.database)) as database:
        ConversationStore(database).create(title="Newer")
        with pytest.raises(StoreProblem, match="ChatDesk is open"):
            finish(paths)
    assert finish(paths)


BAD_NAMES = (
    "../evil.json",
    "adapters/../../evil",
    "/etc/evil.json",
    "adapters/a\\..\\..\\evil",
    "C:evil.json",
    "data/chatdesk.db",
    ".hidden.json",
    "adapters/.ssh/key",
)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leads_elsewhere_is_no_backup(
    paths: AppPaths, tmp_path: Path, name: str
) -> None:
    entry = {"name": name, "bytes": 1, "sha256": ""}
    file = forged(paths, tmp_path, lambda files: files.append(entry))
    with pytest.raises(BackupProblem, match="is not a backup"):
        stage(paths, file)
    assert titles(paths) == ["Figs", "Tea 茶"]


def forged(
    paths: AppPaths, folder: Path, change: Callable[[list[dict[str, object]]], object]
) -> Path:
    """A backup with another manifest."""
    real = write_backup(paths, folder / "real.zip").path
    with zipfile.ZipFile(real) as source, zipfile.ZipFile(folder / "forged.zip", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "manifest.json":
                manifest = json.loads(content)
                change(manifest["files"])
                content = json.dumps(manifest).encode()
            target.writestr(name, content)
    return folder / "forged.zip"


def test_what_is_larger_or_other_than_it_says_is_damaged(paths: AppPaths, tmp_path: Path) -> None:
    def smaller(files: list[dict[str, object]]) -> None:
        files[0]["bytes"] = 4096  # a bomb says so, too

    def other(files: list[dict[str, object]]) -> None:
        files[0]["sha256"] = "0" * 64

    def missing(files: list[dict[str, object]]) -> None:
        files.append({"name": "adapters/b/adapter.gguf", "bytes": 1, "sha256": "0"})

    for number, change in enumerate((smaller, other, missing)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(BackupProblem, match="is damaged"):
            stage(paths, forged(paths, folder, change))
    assert not list(paths.data.glob(".restoring-*"))


@pytest.mark.parametrize("kept", [0, 10, 1000, -100, -1])
def test_a_file_that_is_cut_off_is_none(paths: AppPaths, tmp_path: Path, kept: int) -> None:
    file = write_backup(paths, tmp_path / "kept.zip").path
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(BackupProblem):
        stage(paths, file)
    with pytest.raises(BackupProblem):
        read_contents(tmp_path)  # a folder
    assert titles(paths) == ["Figs", "Tea 茶"]


def test_a_full_disk_and_a_cancel_leave_the_old_file(
    paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_backup(paths, tmp_path / "kept.zip").path
    before = file.read_bytes()

    def enough(_done: int, _total: int) -> None:
        raise BackupCancelled

    with pytest.raises(BackupCancelled):
        write_backup(paths, file, enough)
    monkeypatch.setattr(backup_file, "_ROOM", 2**62)
    with pytest.raises(BackupProblem, match="no room"):
        write_backup(paths, file)
    assert file.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["home", "kept.zip"]


def test_a_backup_of_a_newer_version_is_left_alone(
    paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_backup(paths, tmp_path / "kept.zip").path
    monkeypatch.setattr("chatdesk.store.schema.REVISION", "0001")
    with pytest.raises(EnvironmentProblem, match="newer version"):
        unpack(file, tmp_path / "inside")


def test_an_unknown_backup_is_named(paths: AppPaths) -> None:
    with pytest.raises(NotFound, match="no backup 2020"):
        service(paths).find("2020")


def test_the_backup_of_the_day_is_made_once_and_the_oldest_go(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Fact] = []
    mine = service(paths, heard, kept=2)
    by_hand = mine.create()
    moment = now()
    for day in range(4):
        for module in (backups, backup_file):
            monkeypatch.setattr(
                module, "now", lambda day=day: moment + timedelta(days=day, hours=1)
            )
        if day:
            later = moment.timestamp() + 86_400 * day
            os.utime(paths.database, (later, later))
        assert mine._is_due()
        mine._make_daily()
        assert not mine._is_due()
    assert [type(each) for each in heard] == [BackupEnded] * 4
    kept = [each.path for each in mine.list()]
    assert (len(kept), by_hand.path in kept) == (3, True)
    monkeypatch.setattr(backups, "now", lambda: moment + timedelta(days=9))
    assert not mine._is_due()  # nothing changed since


def test_a_clock_that_jumps_neither_drops_the_backup_of_now_nor_makes_one_all_the_time(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock, mine = jumping_clock(monkeypatch), service(paths, kept=2)
    for years in (10, 0, -10):
        set_clock(timedelta(days=365 * years))
        assert mine._is_due()
        mine._make_daily()
        assert not mine._is_due()
        (made,) = [each for each in mine.list() if abs(each.made - now()) < timedelta(hours=1)]
        assert made.path.exists()
    assert len(mine.list()) == 2


def test_a_daily_backup_that_cannot_be_made_is_told(paths: AppPaths, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    heard: list[Fact] = []
    service(paths, heard, folder=str(tmp_path / "file" / "below"))._make_daily()
    (ended,) = heard
    assert isinstance(ended, BackupEnded)
    assert "cannot be written" in str(ended.problem)


def test_what_is_killed_while_it_is_made_leaves_the_last_one(
    paths: AppPaths, tmp_path: Path
) -> None:
    file = write_backup(paths, tmp_path / "kept.zip").path
    (paths.adapters / "a000000000000001" / "large.gguf").write_bytes(os.urandom(40_000_000))
    code = (
        "import sys; from pathlib import Path; from chatdesk.core.paths import AppPaths;"
        "from chatdesk.services.history.backup_file import write_backup;"
        "print('begun', flush=True);"
        "write_backup(AppPaths.under(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    for wait_s in (0.0, 0.05, 0.2):
        command = [sys.executable, "-c", code, str(paths.data.parent), str(file)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as killed:
            assert killed.stdout
            killed.stdout.readline()
            time.sleep(wait_s)
            killed.send_signal(signal.SIGKILL)
        unpack(file, tmp_path / f"inside {wait_s}")
    write_backup(paths, file)
    assert list(tmp_path.glob(".*")) == []  # what they left is gone
