"""The settings as a value, and the file writers that are beside it."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.coercion import coerced
from chatdesk.core.loading import LoadOptions
from chatdesk.core.settings import ModelSettings, Settings, write_json


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def test_options_of_one_model_are_what_was_set_by_hand() -> None:
    settings = Settings(models=ModelSettings(context_window=4096))
    chosen = replace(settings.load_options("m"), kv_type="q8_0", devices=("CPU",))
    settings = settings.with_load_options("m", chosen)
    assert settings.models.options == {"m": {"kv_type": "q8_0", "devices": ("CPU",)}}
    settings = settings.edited("models", context_window=2048)
    assert settings.load_options("m") == replace(chosen, context_window=2048)
    assert settings.load_options("other") == LoadOptions(2048)
    general = settings.load_options("other")
    assert settings.with_load_options("m", general) == Settings(
        models=ModelSettings(context_window=2048)
    )


def test_options_that_this_version_does_not_know_stay() -> None:
    settings = Settings(models=ModelSettings(options={"m": {"from_the_future": 1, "threads": 3}}))
    settings = settings.with_load_options("m", LoadOptions(parallel=2))
    assert settings.models.options == {"m": {"from_the_future": 1, "parallel": 2}}


@pytest.mark.parametrize("odd", [[1], None, "x"])
def test_options_that_are_none_are_replaced(odd: object) -> None:
    found = coerced(Settings, {"models": {"options": {"m": odd}}})
    settings = found.with_load_options("m", LoadOptions(parallel=2))
    assert settings.models.options == {"m": {"parallel": 2}}


def test_a_section_or_a_field_that_there_is_not_cannot_be_edited() -> None:
    with pytest.raises(AttributeError):
        Settings().edited("weather", on=True)
    with pytest.raises(TypeError):
        Settings().edited("server", warm=True)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(file: Path) -> None:
    write_json(file, {"old": 1})
    with pytest.raises(TypeError):
        write_json(file, {"new": object()})
    file.unlink()
    file.mkdir()
    with pytest.raises(OSError, match="settings"):
        write_json(file, {"new": 1})
    assert list(file.parent.iterdir()) == [file]


def test_writing_from_many_threads_leaves_one_whole_file(file: Path) -> None:
    values = [{"value": str(n) * 10_000} for n in range(8)]
    threads = [threading.Thread(target=write_json, args=(file, value)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads(file.read_text("utf-8")) in values
    assert list(file.parent.iterdir()) == [file]
