import importlib
import sys
from pathlib import Path

import pytest

from chatdesk.library.models.starter import PACKAGE, find_starter


def test_found_without_importing_the_package(starter_model: Path) -> None:
    assert find_starter() == starter_model
    assert PACKAGE not in sys.modules


def test_none_when_the_package_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    importlib.invalidate_caches()
    assert find_starter() is None


def test_in_a_bundle_it_lies_among_the_assets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr("chatdesk.library.models.starter.assets_dir", lambda: tmp_path)
    assert find_starter() is None
    model = tmp_path / "models" / "starter.gguf"
    model.parent.mkdir()
    model.touch()
    assert find_starter() == model
