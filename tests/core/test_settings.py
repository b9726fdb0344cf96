from dataclasses import replace

import pytest

from chatdesk.core.coercion import coerced
from chatdesk.core.loading import LoadOptions
from chatdesk.core.settings import ModelSettings, Settings


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
