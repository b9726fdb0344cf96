"""What a new conversation begins with: its own, else the model's, else the general settings."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from chatdesk.cli.ask import AskRequest, ask
from chatdesk.core.paths import AppPaths
from chatdesk.core.sampling import PRESETS, SamplingParams
from chatdesk.core.settings import ChatSettings, Settings
from chatdesk.server.serving import ServingService
from chatdesk.services.app import App, build
from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.services.facts import Publish
from tests.helpers import FAKE_ENGINE
from tests.services.conftest import ScriptedApp
from tests.tiny_models import tiny_model

PRECISE = PRESETS["precise"]


def asked(app: ScriptedApp, conversation: str | None = None, **choices: Any) -> dict[str, Any]:
    """What the engine is asked when a message is sent."""
    app.services.chat.send(conversation, "options", **choices)
    return as_asked(app.until(AnswerEnded).message.text)


def as_asked(answer: str) -> dict[str, Any]:
    """The request, which the scripted engine answers with."""
    request: dict[str, Any] = json.loads(answer)
    return request


def build_scripted(paths: AppPaths, publish: Publish, settings: Callable[[], Settings]) -> App:
    """The services over the scripted engine."""
    return build(paths, publish, settings, FAKE_ENGINE)


def json_of(sampling: SamplingParams) -> dict[str, Any]:
    """Sampling as a request has it."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(sampling)))
    return found


def system_of(request: dict[str, Any]) -> str:
    first = request["messages"][0]
    return str(first["content"]) if first["role"] == "system" else ""


def test_the_model_goes_before_the_settings(app: ScriptedApp) -> None:
    app.settings = Settings(chat=ChatSettings("General."))
    app.load()
    general = asked(app)
    assert system_of(general) == "General."
    assert general["sampling"] == json_of(app.settings.chat.sampling)
    app.services.models.notes.set_defaults("fake", "Of-the-model.", PRECISE)
    noted = asked(app)
    assert (system_of(noted), noted["sampling"]) == ("Of-the-model.", json_of(PRECISE))


def test_a_conversation_goes_before_the_model(app: ScriptedApp) -> None:
    app.load()
    app.services.models.notes.set_defaults("fake", "Of-the-model.", PRECISE)
    own = asked(app, system_prompt="Own.", sampling=PRESETS["creative"])
    assert (system_of(own), own["sampling"]) == ("Own.", json_of(PRESETS["creative"]))
    assert system_of(asked(app, system_prompt="")) == ""


def test_the_server_begins_with_what_is_noted_of_the_model(app: ScriptedApp) -> None:
    app.load()
    serving = ServingService(app.services)
    assert serving.sampling == app.settings.chat.sampling
    app.services.models.notes.set_defaults("fake", None, PRECISE)
    assert serving.sampling == PRECISE


@pytest.mark.parametrize("temporary", [True, False])
def test_the_command_line_goes_before_the_model(
    app: ScriptedApp, monkeypatch: pytest.MonkeyPatch, temporary: bool
) -> None:
    file = tiny_model(app.paths.models / "tiny.gguf")
    model = app.services.models.add(file)
    app.services.models.notes.set_defaults(model.id, "Of-the-model.", PRECISE)
    monkeypatch.setattr("chatdesk.cli.services.build", build_scripted)

    def request(**choices: Any) -> dict[str, Any]:
        asking = AskRequest("options", model=model.id, temporary=temporary, **choices)
        return as_asked(ask(app.paths, app.settings, asking, lambda text: None).text)

    noted = request()
    assert (system_of(noted), noted["sampling"]) == ("Of-the-model.", json_of(PRECISE))
    chosen = request(system="Own.", temperature=0.5)
    assert system_of(chosen) == "Own."
    assert chosen["sampling"] == {**json_of(PRECISE), "temperature": 0.5}
    if not temporary:
        assert app.services.models.notes.of(model.id).last_used
