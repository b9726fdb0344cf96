import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chatdesk.cli.documents import conversations as reports
from chatdesk.core.models import ModelFile
from chatdesk.core.paths import session_file
from chatdesk.services.engine.facts import EngineState
from tests.services.conftest import TIMEOUT_S, ScriptedApp

IDENTITY = hashlib.sha256(b"GGUF").hexdigest()


def file_of(app: ScriptedApp, conversation_id: str, identity: str = IDENTITY) -> Path:
    return app.paths.sessions / session_file(conversation_id, identity)


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def load(app: ScriptedApp, *, identified: bool = True) -> ModelFile:
    model = app.file()
    if identified:
        app.services.models.identify(model)
    app.services.load_model(model)
    app.until_engine(EngineState.READY)
    return model


def chat(app: ScriptedApp, text: str = "say: yes") -> str:
    return app.answered(text).message.conversation_id


def test_a_conversation_is_kept_when_the_app_closes(app: ScriptedApp) -> None:
    load(app)
    conversation = chat(app)
    assert not file_of(app, conversation).exists()
    app.services.engine.close()
    assert file_of(app, conversation).exists()


def test_it_is_kept_when_the_model_falls_asleep_and_when_it_comes_back(app: ScriptedApp) -> None:
    app.idle_s = 0.3
    load(app)
    first = chat(app)
    app.until_engine(EngineState.ASLEEP)
    until(file_of(app, first).exists)
    app.idle_s = 0.0
    second = chat(app)
    app.services.engine.close()
    assert file_of(app, second).exists()


def test_who_wakes_it_at_once_still_finds_it_kept(app: ScriptedApp) -> None:
    app.idle_s = 0.3
    model = app.file("lingers.gguf")
    app.services.models.identify(model)
    app.services.load_model(model)
    app.until_engine(EngineState.READY)
    conversation = chat(app)
    app.until_engine(EngineState.ASLEEP)
    app.idle_s = 0.0
    app.services.engine.wait_loaded(TIMEOUT_S)
    assert file_of(app, conversation).exists()


def test_it_is_kept_by_an_engine_that_had_to_be_started_again(app: ScriptedApp) -> None:
    load(app)
    app.answered("die")
    app.until_engine(EngineState.READY)
    conversation = chat(app)
    app.services.engine.close()
    assert file_of(app, conversation).exists()


def test_it_is_kept_when_another_model_is_chosen_under_that_models_name(app: ScriptedApp) -> None:
    load(app)
    conversation = chat(app)
    other = app.file("other.gguf", b"GGUF, but another")
    app.services.models.identify(other)
    app.services.load_model(other)
    app.until_engine(EngineState.READY)
    assert file_of(app, conversation).exists()
    app.answered("say: more", conversation)
    app.services.engine.close()
    identity = hashlib.sha256(b"GGUF, but another").hexdigest()
    assert file_of(app, conversation, identity).exists()


def test_a_model_never_seen_is_identified_once_it_is_loaded(
    app: ScriptedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, told = app.services.engine.keep_sessions, threading.Event()

    def keep_sessions(model: ModelFile, folder: Path | None, identity: str, limit: int) -> None:
        keep(model, folder, identity, limit)
        told.set()

    monkeypatch.setattr(app.services.engine, "keep_sessions", keep_sessions)
    load(app, identified=False)
    assert told.wait(TIMEOUT_S)
    conversation = chat(app)
    app.services.engine.close()
    assert file_of(app, conversation).exists()


def test_a_file_that_changed_since_is_not_taken_for_the_one_it_was(app: ScriptedApp) -> None:
    model = app.file()
    app.services.models.identify(model)
    os.utime(model.path, ns=(0, model.mtime_ns + 1))
    assert app.services.models.identity(model) is None
    assert app.services.models.identify(model) is None
    app.services.load_model(model)
    app.until_engine(EngineState.READY)
    chat(app)
    app.services.engine.close()
    assert not app.paths.sessions.exists()


def test_a_deleted_conversation_is_forgotten_at_once(app: ScriptedApp) -> None:
    load(app)
    deleted, other = chat(app), chat(app)
    for conversation in (deleted, other):
        file_of(app, conversation).parent.mkdir(exist_ok=True)
        file_of(app, conversation).touch()
    file_of(app, deleted, "another model").touch()
    app.services.chat.delete(deleted)
    assert list(app.paths.sessions.iterdir()) == [file_of(app, other)]
    app.services.engine.close()
    assert list(app.paths.sessions.iterdir()) == [file_of(app, other)]


def test_it_is_forgotten_while_no_engine_runs(app: ScriptedApp) -> None:
    conversation = app.services.conversations.create(title="x").id
    app.paths.sessions.mkdir()
    file_of(app, conversation).touch()
    app.services.chat.delete(conversation)
    assert not file_of(app, conversation).exists()


def test_the_command_line_deletes_it_too(app: ScriptedApp) -> None:
    conversation = app.services.conversations.create(title="x").id
    app.paths.sessions.mkdir()
    file_of(app, conversation).touch()
    reports.delete_conversation(app.paths, conversation)
    assert not file_of(app, conversation).exists()


def test_what_is_left_of_conversations_that_are_gone_is_tidied_up(app: ScriptedApp) -> None:
    kept, deleted = (app.services.conversations.create(title="x").id for _ in range(2))
    app.services.conversations.delete(deleted)
    app.paths.sessions.mkdir()
    for conversation in (kept, deleted, "never there"):
        file_of(app, conversation).touch()
    app.services.tidy()
    assert list(app.paths.sessions.iterdir()) == [file_of(app, kept)]
    app.settings = app.settings.edited("sessions", keep=False)
    app.services.tidy()
    assert list(app.paths.sessions.iterdir()) == []


def test_switched_off_nothing_is_kept_and_what_was_is_removed(app: ScriptedApp) -> None:
    load(app)
    conversation = chat(app)
    app.paths.sessions.mkdir()
    file_of(app, conversation).touch()
    app.settings = app.settings.edited("sessions", keep=False)
    app.services.sessions.apply()
    assert not file_of(app, conversation).exists()
    app.services.sessions.restore(conversation)
    app.services.engine.close()
    assert not file_of(app, conversation).exists()


def test_switched_on_again_they_are_kept(app: ScriptedApp) -> None:
    app.settings = app.settings.edited("sessions", keep=False)
    load(app)
    conversation = chat(app)
    app.settings = app.settings.edited("sessions", keep=True)
    app.services.sessions.apply()
    app.services.engine.close()
    assert file_of(app, conversation).exists()


@pytest.mark.parametrize("running", [True, False])
def test_opening_a_conversation_needs_no_engine(app: ScriptedApp, running: bool) -> None:
    if running:
        load(app)
    app.services.sessions.restore("some conversation")
    assert (app.services.engine.process_id is not None) is running
