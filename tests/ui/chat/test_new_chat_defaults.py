"""What new chats begin with follows the model in use."""

from dataclasses import replace

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.sampling import SamplingParams
from tests.ui.driver import Window

OWN = SamplingParams(temperature=0.3)


def test_a_models_own_sampling_is_shown_and_changed(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, main = window.desktop.services, window.window
    assert services and services.engine.status.model
    models, model_id = services.models, services.engine.status.model.id
    general = window.desktop.settings.now.chat.sampling
    heard: list[object] = []
    main.parts.defaults.sampling_changed.connect(heard.append)
    main.parts.defaults.system_prompt_changed.connect(heard.append)
    models.notes.set_defaults(model_id, "Be brief.", OWN)
    window.until(lambda: heard == ["Be brief.", OWN])

    warmer = replace(OWN, temperature=0.9)
    main.parts.defaults.set_sampling(warmer)
    window.until(lambda: models.notes.of(model_id).sampling == warmer)
    assert models.notes.of(model_id).system_prompt == "Be brief."
    assert window.desktop.settings.now.chat.sampling == general
    window.until(lambda: heard[-1] == warmer)

    def refuse(*_: object) -> None:
        raise EnvironmentProblem("The disk is full.", "Make room.")

    monkeypatch.setattr(models.notes, "set_defaults", refuse)
    main.parts.defaults.set_sampling(OWN)
    window.until(lambda: "The disk is full." in main.notice.words)


def test_without_its_own_the_settings_are_changed(window: Window) -> None:
    main = window.window
    main.parts.defaults.set_sampling(OWN)
    assert window.desktop.settings.now.chat.sampling == OWN
