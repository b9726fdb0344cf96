"""What a model really took is noted with the first answer after each load."""

import queue
from pathlib import Path

import pytest

from chatdesk.core.generation import GenerationStats
from chatdesk.core.model_files import ModelNotes
from chatdesk.core.paths import AppPaths
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.settings import ChatSettings, ModelSettings, Settings
from chatdesk.services.app import build
from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.services.engine.facts import EngineState
from chatdesk.services.facts import Fact
from chatdesk.services.models.facts import ModelsChanged
from tests.services.conftest import TIMEOUT_S, ScriptedApp


def notes(app: ScriptedApp) -> ModelNotes:
    return app.services.models.notes.of("fake")


def test_an_answer_notes_what_the_load_took(app: ScriptedApp) -> None:
    app.load()
    assert notes(app) == ModelNotes()
    app.services.chat.send(None, "say: hello there")
    app.until(ModelsChanged)
    ended = app.until(AnswerEnded).message
    noted = notes(app)
    assert noted.last_used
    assert noted.last_used >= ended.created
    assert (noted.used_context, noted.tokens_per_s) == (2048, 0.0)
    assert noted.used_bytes > 1_000_000  # a Python process
    assert noted.estimated_bytes > 0


def test_only_long_answers_tell_the_speed(app: ScriptedApp) -> None:
    app.load()
    text = "say: " + "word " * 40
    ended = app.answered(text).message
    assert ended.answer
    assert ended.answer.tokens_per_s
    assert notes(app).tokens_per_s == ended.answer.tokens_per_s


def test_one_answer_beside_a_busy_program_does_not_make_a_model_slow(app: ScriptedApp) -> None:
    app.load()
    model_id, usage = "fake", app.services.usage

    def answered(tokens_per_s: float) -> float:
        usage.note(model_id, GenerationStats(1, 0, 100, 0.1, tokens_per_s, 10.0, 1))
        return notes(app).tokens_per_s

    assert answered(10.0) == 10.0
    assert answered(1.0) > 9.0
    assert answered(12.0) == 12.0
    for _ in range(50):  # it is loaded otherwise now
        slow = answered(2.0)
    assert slow == pytest.approx(2.0, rel=0.05)


def test_the_memory_is_noted_once_a_load(app: ScriptedApp) -> None:
    app.load()
    app.answered("say: one")
    app.services.models.notes.note("fake", lambda noted: ModelNotes())
    app.answered("say: two")
    assert notes(app).last_used
    assert notes(app).used_bytes == 0
    model = app.services.engine.status.model
    assert model
    app.services.load_model(model, anew=True)
    app.until_engine(EngineState.READY)
    app.answered("say: three")
    assert notes(app).used_bytes > 0


def test_a_failed_answer_notes_nothing(app: ScriptedApp) -> None:
    app.load()
    app.answered("fail")
    assert notes(app) == ModelNotes()


@pytest.mark.engine
def test_the_real_engine(tmp_path: Path, starter_model: Path) -> None:
    paths = AppPaths.under(tmp_path)
    paths.make()
    settings = Settings(
        models=ModelSettings(context_window=2048),
        chat=ChatSettings(sampling=SamplingParams(temperature=0, max_tokens=40)),
    )
    facts: queue.Queue[Fact] = queue.Queue()
    services = build(paths, facts.put, lambda: settings)
    try:
        model = services.load_default_model()
        assert model
        services.chat.send(None, "Write a long story about a lighthouse.")
        while not isinstance(facts.get(timeout=6 * TIMEOUT_S), AnswerEnded):
            pass
        noted = services.models.notes.of(model.id)
    finally:
        services.close()
    assert noted.used_context == 2048
    assert noted.tokens_per_s > 0
    assert abs(noted.estimated_bytes / noted.used_bytes - 1) < 0.25
