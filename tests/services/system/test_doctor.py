"""What the report says of the installation; the whole of it is run in `tests/test_cli.py`."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import keyring
import pytest
from huggingface_hub import constants
from keyring.backends.null import Keyring as NoKeyring

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import DownloadSettings, Settings
from chatdesk.library.models.header import read_header
from chatdesk.services.system import doctor
from chatdesk.services.system.doctor import Check, examine
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore
from tests.gguf_files import raw


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppPaths:
    """A home; the engine, which the others start, is left out."""
    monkeypatch.setattr(doctor, "_engine", lambda: "")
    paths = AppPaths.under(tmp_path / "alice")
    paths.make()
    return paths


def report(paths: AppPaths, settings: Settings | None = None) -> dict[str, Check]:
    return {check.name: check for check in examine(paths, settings or Settings())}


@pytest.mark.engine
def test_a_checkout_and_a_bundle(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    assert report(paths)["installed"].detail == "Python files, full flavour"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert report(paths)["installed"].detail == "bundle, chat flavour"


def test_the_folder_of_models(paths: AppPaths, tmp_path: Path) -> None:
    assert report(paths)["models folder"].detail.endswith(" GB free")
    assert not list(paths.models.iterdir())
    gone = report(
        paths, Settings(downloads=DownloadSettings(folder=str(tmp_path / "alice" / "gone")))
    )["models folder"]
    assert not gone.ok
    assert "alice" not in gone.detail


def test_what_the_models_are_for_without_their_names(paths: AppPaths, tmp_path: Path) -> None:
    assert report(paths)["models"].detail == "none listed yet"
    database = Database.open(paths.database)
    for name, architecture in (("a", "bert"), ("b", "gptj"), ("c", "bert")):
        (tmp_path / f"secret-{name}.gguf").write_bytes(raw({"general.architecture": architecture}))
        file = tmp_path / f"secret-{name}.gguf"
        ModelStore(database).add(file, read_header(file), 0)
    database.close()
    assert report(paths)["models"].detail == "2 embedder, 1 unsupported"


def test_the_hub_without_what_is_secret(paths: AppPaths) -> None:
    assert report(paths)["hub"].detail == urlsplit(constants.ENDPOINT).hostname
    mirror = Settings(downloads=DownloadSettings("https://alice:secret@mirror.example/alice"))
    assert report(paths, mirror)["hub"].detail == "mirror.example"
    wrong = report(paths, Settings(downloads=DownloadSettings("alice:secret@mirror.example")))[
        "hub"
    ]
    assert not wrong.ok
    assert "secret" not in wrong.detail


def test_a_keyring_or_none(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_keyring", NoKeyring)
    missing = report(paths)["keyring"]
    assert (missing.ok, missing.detail[:4]) == (True, "none")
