import importlib.util
import os
from pathlib import Path

import pytest

from chatdesk.services.system import installation
from chatdesk.services.system.installation import (
    learning_is_being_installed,
    learning_missing,
    learning_problem,
)

AN_HOUR_S = 3600


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where dev.py shows that it installs. The packages can be found, be they whole or not."""
    path = tmp_path / "chatdesk-learning"
    monkeypatch.setattr(installation, "IN_PROGRESS", path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: importlib.util)
    return path


def test_the_way_to_get_it_depends_on_how_chatdesk_was_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "torch, peft" in learning_missing(["torch", "peft"]).what
    monkeypatch.setattr("sys.frozen", True, raising=False)
    problem = learning_missing(["torch", "peft"])
    assert "torch" not in str(problem)
    assert "ChatDesk-Full" in problem.todo


def test_while_it_is_being_installed_and_after(marker: Path) -> None:
    marker.touch()
    assert learning_is_being_installed()
    assert "is being installed" in str(learning_problem())
    marker.unlink()
    assert not learning_is_being_installed()
    assert learning_problem() is None


@pytest.mark.parametrize("ago_s", [AN_HOUR_S, -AN_HOUR_S], ids=["", "the clock went back"])
def test_an_installation_that_was_interrupted(marker: Path, ago_s: int) -> None:
    marker.touch()
    long_ago = marker.stat().st_mtime - ago_s
    os.utime(marker, (long_ago, long_ago))
    assert not learning_is_being_installed()
    assert "interrupted" in str(learning_problem())


def test_what_is_absent_is_named(marker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "torch, transformers, peft" in str(learning_problem())
