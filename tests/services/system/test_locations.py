import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.paths import AppPaths
from chatdesk.services.system.locations import (
    HOME_VARIABLE,
    LOG_BYTES,
    LOG_FILES,
    find_paths,
    start_logging,
)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppPaths:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return find_paths()


@pytest.fixture
def logging_as_before() -> Iterator[logging.Logger]:
    root = logging.getLogger("chatdesk")
    before = root.level, root.propagate, logging.raiseExceptions, threading.excepthook
    known = list(root.handlers)
    yield root
    for handler in [handler for handler in root.handlers if handler not in known]:
        root.removeHandler(handler)
        handler.close()
    root.level, root.propagate, logging.raiseExceptions, threading.excepthook = before


def test_a_home_of_ones_own(paths: AppPaths, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert paths == AppPaths.under(home)
    folders = {paths.data, paths.config, paths.cache, paths.logs, paths.models}
    assert set(home.iterdir()) == folders
    assert find_paths() == paths  # again, with everything there


def test_folders_are_for_the_user_only(paths: AppPaths) -> None:
    assert paths.data.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name != "posix", reason="rights are a matter of POSIX")
def test_folders_that_were_there_become_private_but_models_may_be_shared(paths: AppPaths) -> None:
    for folder in (paths.data, paths.config, paths.models):
        folder.chmod(0o755)
    find_paths()
    rights = [each.stat().st_mode & 0o777 for each in (paths.data, paths.config, paths.models)]
    assert rights == [0o700, 0o700, 0o755]


@pytest.mark.skipif(os.name != "posix", reason="rights are a matter of POSIX")
def test_logs_are_for_the_user_only_also_when_they_are_rotated(
    paths: AppPaths, logging_as_before: logging.Logger
) -> None:
    (paths.logs / "test.log").touch(0o644)
    file = start_logging(paths, "test")
    for _ in range(3):
        logging_as_before.info("x" * LOG_BYTES)
    logs = list(paths.logs.glob("test.log*"))
    assert file in logs and len(logs) > 1
    assert all(each.stat().st_mode & 0o077 == 0 for each in logs)


def test_a_home_relative_to_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME_VARIABLE, "here")
    assert find_paths().data == tmp_path / "here" / "data"


def test_a_home_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(EnvironmentProblem, match="file"):
        find_paths()


def test_without_one_the_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    for variable in ("DATA", "CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(tmp_path / variable))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    found = find_paths()
    assert found.data.is_relative_to(tmp_path)
    assert found.data.name == "ChatDesk" or "ChatDesk" in found.data.parts


def test_bugs_are_logged_with_their_traceback_also_those_of_threads(
    paths: AppPaths, logging_as_before: logging.Logger
) -> None:
    file = start_logging(paths, "commands")

    def bug() -> None:
        raise ZeroDivisionError("in a thread")

    # As Python does it for a thread; pytest puts a hook of its own into real ones.
    try:
        bug()
    except ZeroDivisionError as problem:
        details = (type(problem), problem, problem.__traceback__, None)
        threading.excepthook(threading.ExceptHookArgs(details))
    text = file.read_text("utf-8")
    assert "a bug in a thread" in text
    assert "Traceback" in text


def test_the_log_does_not_grow_forever(
    paths: AppPaths, logging_as_before: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.services.system.locations.LOG_BYTES", 1000)
    start_logging(paths, "commands")
    for _ in range(100):
        logging.getLogger("chatdesk.test").info("x" * 200)
    files = list(paths.logs.iterdir())
    assert len(files) == 1 + LOG_FILES
    assert all(file.stat().st_size <= 1000 for file in files)


def test_a_log_that_cannot_be_written_stops_nothing(
    paths: AppPaths, logging_as_before: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    (paths.logs / "commands.log").mkdir()
    start_logging(paths, "commands")
    logging.getLogger("chatdesk.test").error("lost")
    assert capsys.readouterr().err == ""
