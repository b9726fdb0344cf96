import os
import queue
import signal
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from chatdesk.core.errors import EngineProblem, ModelProblem
from chatdesk.core.generation import (
    Cancelled,
    Failed,
    FailureCode,
    Finished,
    LoadProgress,
    ModelLoaded,
    PromptMessage,
    SamplingParams,
    TextDelta,
)
from chatdesk.services.engine import Engine, EngineLost, Reply
from chatdesk.services.facts import EngineState
from tests.services.conftest import TIMEOUT_S, App


def _ask(app: App, text: str) -> tuple[str, "queue.Queue[Reply]"]:
    replies: queue.Queue[Reply] = queue.Queue()
    request_id = app.services.engine.generate(
        (PromptMessage("user", text),), SamplingParams(), replies.put
    )
    return request_id, replies


def _last(replies: "queue.Queue[Reply]") -> Reply:
    while True:
        reply = replies.get(timeout=TIMEOUT_S)
        if isinstance(reply, Finished | Cancelled | EngineLost):
            return reply


def test_it_loads_and_answers(app: App) -> None:
    app.load()
    _, replies = _ask(app, "say: one two")
    texts = []
    while not isinstance(reply := replies.get(timeout=TIMEOUT_S), Finished):
        if isinstance(reply, TextDelta):
            texts.append(reply.text)
    assert "".join(texts) == "one two "


def test_a_model_that_cannot_be_loaded_is_told(app: App) -> None:
    app.services.engine.load(app.model("unknown.gguf"), 2048)
    status = app.until_engine(EngineState.FAILED).status
    assert isinstance(status.problem, ModelProblem)
    assert "mystery" in status.problem.what
    with pytest.raises(ModelProblem):
        app.services.engine.wait_loaded()


def test_a_crash_while_loading_is_told_and_not_tried_forever(app: App) -> None:
    app.services.engine.load(app.model("crash.gguf"), 2048)
    status = app.until_engine(EngineState.FAILED).status
    assert isinstance(status.problem, EngineProblem)
    app.load("fine.gguf")


def test_after_a_kill_it_comes_back_by_itself(app: App) -> None:
    app.load()
    _, replies = _ask(app, "slow")
    replies.get(timeout=TIMEOUT_S)
    pid = app.services.engine.process_id
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert isinstance(_last(replies), EngineLost)
    app.services.engine.wait_loaded(TIMEOUT_S)
    assert app.services.engine.process_id not in (None, pid)
    assert isinstance(_last(_ask(app, "say: again")[1]), Finished)


def test_an_engine_that_keeps_crashing_is_given_up(app: App) -> None:
    app.load()
    for _ in range(3):
        app.services.engine.wait_loaded(TIMEOUT_S)
        _, replies = _ask(app, "die")
        assert isinstance(_last(replies), EngineLost)
    app.until_engine(EngineState.FAILED)
    app.services.engine.reload()
    app.until_engine(EngineState.READY)


def test_a_cancel_is_heard(app: App) -> None:
    app.load()
    request_id, replies = _ask(app, "slow")
    replies.get(timeout=TIMEOUT_S)
    app.services.engine.cancel(request_id)
    assert isinstance(_last(replies), Cancelled)


def test_an_engine_that_does_not_hear_a_cancel_is_ended(app: App) -> None:
    app.load()
    request_id, replies = _ask(app, "deaf")
    replies.get(timeout=TIMEOUT_S)
    begun = time.monotonic()
    app.services.engine.cancel(request_id)
    assert isinstance(_last(replies), EngineLost)
    assert time.monotonic() - begun < TIMEOUT_S
    app.services.engine.wait_loaded(TIMEOUT_S)


def test_counting(app: App) -> None:
    app.load()
    counted = app.services.engine.count((PromptMessage("user", "one two three"),))
    assert (counted.tokens, counted.context_window) == (3, 2048)


def test_without_a_model(app: App) -> None:
    with pytest.raises(EngineProblem):
        app.services.engine.wait_loaded()


def test_a_program_that_ends_at_once() -> None:
    engine = Engine(lambda fact: None, [sys.executable, "-c", "raise SystemExit(5)"])
    with pytest.raises(EngineProblem):
        engine.ready(TIMEOUT_S)
    engine.close()


def test_a_program_that_is_not_there() -> None:
    engine = Engine(lambda fact: None, ["/nowhere/at/all"])
    with pytest.raises(EngineProblem):
        engine.ready(TIMEOUT_S)
    engine.close()


def test_who_waits_for_a_model_is_told_when_another_is_chosen(app: App) -> None:
    app.services.engine.load(app.model("stuck.gguf"), 2048)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(app.services.engine.wait_loaded)
        with pytest.raises(TimeoutError):
            waiting.result(0.1)
        app.load("fine.gguf")
        with pytest.raises(EngineProblem):
            waiting.result(TIMEOUT_S)
    assert app.services.engine.status.model == app.model("fine.gguf")


def test_who_waits_for_a_model_is_told_when_the_app_closes(app: App) -> None:
    app.services.engine.load(app.model("stuck.gguf"), 2048)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(app.services.engine.wait_loaded)
        with pytest.raises(TimeoutError):
            waiting.result(0.1)
        app.services.engine.close()
        with pytest.raises(EngineProblem):
            waiting.result(TIMEOUT_S)


def test_a_late_reply_about_a_model_no_longer_wanted_changes_nothing(app: App) -> None:
    engine = app.services.engine
    app.services.engine.load(app.model("stuck.gguf"), 2048)
    stale: Future[ModelLoaded] = engine._loaded
    app.load("fine.gguf")
    status = engine.status
    engine._on_load_reply(stale, LoadProgress("1", 0.5))
    engine._on_load_reply(stale, Failed("1", FailureCode.LOAD_FAILED, "late"))
    assert engine.status is status
