"""Measurements with the fake engine: what is asked, how far it is, and how it ends."""

import math
import time

import pytest

from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.generation import PromptMessage, ScoreSequence
from chatdesk.core.loading import LoadOptions
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.measure.loading import load_beside
from chatdesk.services.measure.losses import answer_losses, rendered_answers
from chatdesk.services.measure.perplexity import measure_perplexity, measure_speed
from chatdesk.services.measure.probe import Probe, shares, work_of
from tests.services.conftest import TIMEOUT_S, ScriptedApp

SEQUENCES = [ScoreSequence((1,) * 10, (2,) * (1 + n % 3)) for n in range(150)]


class Unwanted(Exception):
    """The person does not want it any more."""


def asked(text: str) -> tuple[PromptMessage, ...]:
    return (PromptMessage("user", text),)


def test_all_sequences_are_scored_in_their_order_and_their_work_is_reported(
    app: ScriptedApp,
) -> None:
    app.load()
    done: list[float] = []
    probe = Probe(app.services.engine, on_work=shares(work_of(SEQUENCES), done.append))
    found = probe.score(SEQUENCES)
    assert [len(each) for each in found] == [len(each.continuation) for each in SEQUENCES]
    assert done == sorted(done)
    assert len(done) > 1
    assert done[-1] == 1.0


def test_losses_are_those_of_the_last_message(app: ScriptedApp) -> None:
    app.load()
    probe = Probe(app.services.engine)
    conversation = (*asked("one two"), PromptMessage("assistant", "three four five"))
    (answer,) = rendered_answers(probe, [conversation])
    (span,) = answer.targets
    assert (span.start, span.end) == (len(answer.tokens) - 3, len(answer.tokens))
    assert answer_losses(probe, [answer]) == (1.0,)


def test_the_perplexity_of_a_text(app: ScriptedApp) -> None:
    app.load()
    shown: list[float] = []
    found = measure_perplexity(app.services.engine, "fake", "word " * 1000, shown.append)
    assert found.perplexity == pytest.approx(math.e)
    assert (found.model, found.tokens, found.scored) == ("fake", 1000, 500)
    assert shown == [1.0]
    with pytest.raises(EnvironmentProblem, match="too short"):
        measure_perplexity(app.services.engine, "fake", "word", shown.append)
    assert measure_speed(app.services.engine) == 100.0


def test_what_is_not_wanted_any_more_is_cancelled(app: ScriptedApp) -> None:
    app.load()
    end = time.monotonic() + 0.5

    def check() -> None:
        if time.monotonic() > end:
            raise Unwanted

    probe = Probe(app.services.engine, check)
    with pytest.raises(Unwanted):
        probe.time(asked("ponder"), SamplingParams())
    assert time.monotonic() < end + TIMEOUT_S
    assert Probe(app.services.engine).time(asked("say: one two"), SamplingParams())


def test_a_problem_names_the_model(app: ScriptedApp) -> None:
    app.load()
    probe = Probe(app.services.engine)
    with pytest.raises(EnvironmentProblem, match="memory for Fake"):
        probe.time(asked("fail: out_of_memory"), SamplingParams())
    with pytest.raises(EngineProblem):
        probe.time(asked("die"), SamplingParams())


def test_a_model_without_room_is_not_loaded(
    app: ScriptedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.services.models.service.available_memory", lambda: 1000)
    services, model = app.services, app.model()
    with pytest.raises(EnvironmentProblem, match="no room in memory"):
        load_beside(services.engine, services.models, model, LoadOptions(2048))
    assert services.engine.status.model is None
