import json
import os
import queue
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatdesk.core.errors import EngineProblem, ModelProblem
from chatdesk.core.generation import (
    Adapter,
    Cancelled,
    Finished,
    PromptMessage,
    TextDelta,
)
from chatdesk.core.loading import EngineReady, LoadOptions
from chatdesk.core.models import ModelFile
from chatdesk.core.sampling import SamplingParams
from chatdesk.library.models.header import read_header
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.facts import EngineChanged, EngineState
from chatdesk.services.engine.process import EngineLost, Reply
from chatdesk.services.facts import Fact
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec
from tests.services.conftest import TIMEOUT_S, ScriptedApp
from tests.tiny_models import tiny_model


def _ask(app: ScriptedApp, text: str) -> tuple[str, "queue.Queue[Reply]"]:
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


def test_it_loads_and_answers(app: ScriptedApp) -> None:
    app.load()
    _, replies = _ask(app, "say: one two")
    texts = []
    while not isinstance(reply := replies.get(timeout=TIMEOUT_S), Finished):
        if isinstance(reply, TextDelta):
            texts.append(reply.text)
    assert "".join(texts) == "one two "


def test_a_model_that_cannot_be_loaded_is_told(app: ScriptedApp) -> None:
    app.services.engine.load(app.model("unknown.gguf"), LoadOptions(2048))
    status = app.until_engine(EngineState.FAILED).status
    assert isinstance(status.problem, ModelProblem)
    assert "mystery" in status.problem.what
    with pytest.raises(ModelProblem):
        app.services.engine.wait_loaded()


def test_a_crash_while_loading_is_told_and_not_tried_forever(app: ScriptedApp) -> None:
    app.services.engine.load(app.model("crash.gguf"), LoadOptions(2048))
    status = app.until_engine(EngineState.FAILED).status
    assert isinstance(status.problem, EngineProblem)
    app.load("fine.gguf")


@pytest.mark.posix
def test_a_file_that_ends_the_engine_is_not_loaded_again_until_it_changes(tmp_path: Path) -> None:
    twice = ("<unk>", "<s>", "</s>", "<same>", "<same>", "<mark>")  # llama.cpp aborts over it
    path = tiny_model(tmp_path / "twice.gguf", special=twice)

    def model() -> ModelFile:
        header, changed = read_header(path), path.stat().st_mtime_ns
        return ModelFile("twice", str(path), header, changed, None, datetime.now(UTC))

    told: queue.Queue[Fact] = queue.Queue()
    engine = Engine(told.put)
    for process_runs in (True, False):
        engine.load(model(), LoadOptions(512))
        assert (engine.process_id is not None) == process_runs
        with pytest.raises(EngineProblem, match="may be damaged"):
            engine.wait_loaded(TIMEOUT_S)
    tiny_model(path, answer=b"abc")
    engine.load(model(), LoadOptions(512))
    assert engine.wait_loaded(TIMEOUT_S).context_window == 512
    engine.close()


@pytest.mark.posix
def test_after_a_kill_it_comes_back_by_itself(app: ScriptedApp) -> None:
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


def test_an_engine_that_keeps_crashing_is_given_up(app: ScriptedApp) -> None:
    app.load()
    for _ in range(3):
        app.services.engine.wait_loaded(TIMEOUT_S)
        _, replies = _ask(app, "die")
        assert isinstance(_last(replies), EngineLost)
    app.until_engine(EngineState.FAILED)
    app.services.engine.reload()
    app.until_engine(EngineState.READY)


def test_who_was_killed_is_offered_a_smaller_setting(app: ScriptedApp) -> None:
    app.load()
    _, replies = _ask(app, "die")
    lost = _last(replies)
    assert isinstance(lost, EngineLost)
    assert "memory" in lost.problem.what
    assert lost.problem.smaller == LoadOptions(kv_type="q4_0", context_window=2048)
    assert app.until_engine(EngineState.LOADING).status.problem is lost.problem
    assert app.until_engine(EngineState.READY).status.problem is None


def test_killed_while_loading_it_offers_a_smaller_setting(app: ScriptedApp) -> None:
    app.services.engine.load(app.model("crash.gguf"), LoadOptions(32768))
    problem = app.until_engine(EngineState.FAILED).status.problem
    assert isinstance(problem, EngineProblem)
    assert problem.smaller == LoadOptions(16384)


@pytest.mark.posix
def test_an_idle_model_is_unloaded_and_comes_back_by_itself(app: ScriptedApp) -> None:
    app.idle_s = 0.3
    app.load()
    engine = app.services.engine
    pid = engine.process_id
    assert pid
    status = app.until_engine(EngineState.ASLEEP).status
    assert status.model == app.model()
    assert engine.process_id is None
    app.idle_s = 0.0
    _, replies = _ask(app, "say: good morning")
    assert isinstance(_last(replies), Finished)
    app.until_engine(EngineState.READY)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_whatever_is_asked_wakes_it(app: ScriptedApp) -> None:
    app.idle_s = 0.1
    app.load()
    engine = app.services.engine
    for wake in (
        lambda: engine.count((PromptMessage("user", "one two"),)),
        lambda: engine.wait_loaded(TIMEOUT_S),
        lambda: engine.load(app.model(), LoadOptions(2048)),
    ):
        app.until_engine(EngineState.ASLEEP)
        wake()
        app.until_engine(EngineState.READY)


@pytest.mark.posix
def test_two_of_them_are_never_in_memory(app: ScriptedApp) -> None:
    app.idle_s = 0.1
    app.load("lingers.gguf")
    engine = app.services.engine
    pid = engine.process_id
    assert pid
    app.until_engine(EngineState.ASLEEP)
    app.idle_s = 0.0
    os.kill(pid, 0)  # it is still at its farewell
    engine.wait_loaded(TIMEOUT_S)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_who_only_looks_wakes_nobody(app: ScriptedApp) -> None:
    app.idle_s = 0.1
    app.load()
    app.until_engine(EngineState.ASLEEP)
    engine = app.services.engine
    engine.restore("some conversation")
    engine.forget("some conversation")
    engine.reload()
    assert engine.status.state is EngineState.ASLEEP
    assert engine.process_id is None


def test_it_does_not_fall_asleep_over_its_work(app: ScriptedApp) -> None:
    app.idle_s = 0.2
    app.load()
    request_id, replies = _ask(app, "slow")
    for _ in range(60):  # one comes every 10 ms
        replies.get(timeout=TIMEOUT_S)
    assert app.services.engine.status.state is EngineState.READY
    app.services.engine.cancel(request_id)
    assert isinstance(_last(replies), Cancelled)
    app.until_engine(EngineState.ASLEEP)


def test_it_does_not_fall_asleep_under_a_request(app: ScriptedApp) -> None:
    app.idle_s = 0.4
    app.load()
    asleep = threading.Event()

    def look() -> None:
        app.until_engine(EngineState.ASLEEP)
        asleep.set()

    def hold_up(answering: bool) -> None:
        """Keep a request that is not sent yet for longer than the engine may be idle."""
        if answering:
            asleep.wait(1.0)

    looking = threading.Thread(target=look)
    looking.start()
    app.services.engine.answering.listen(hold_up)
    _, replies = _ask(app, "say: awake")
    assert not isinstance(_last(replies), EngineLost)
    looking.join(TIMEOUT_S)


def test_closing_while_asleep(app: ScriptedApp) -> None:
    app.idle_s = 0.1
    app.load()
    app.until_engine(EngineState.ASLEEP)
    app.services.engine.close()
    with pytest.raises(EngineProblem):
        app.services.engine.count((PromptMessage("user", "one"),))
    _, replies = _ask(app, "say: nobody is there")
    assert isinstance(_last(replies), EngineLost)


def test_threads_are_measured_once(app: ScriptedApp) -> None:
    measured = app.model("measured.gguf")
    engine = app.services.engine
    for first in (True, False):
        engine.load(measured, LoadOptions(2048), anew=True)
        assert engine.wait_loaded(TIMEOUT_S).threads_measured is first
    engine.load(measured, LoadOptions(2048, threads=7), anew=True)
    assert engine.wait_loaded(TIMEOUT_S).threads == 7


def test_the_same_model_is_not_loaded_twice(app: ScriptedApp) -> None:
    engine = app.services.engine
    engine.load(app.model("measured.gguf"), LoadOptions(2048))
    engine.wait_loaded(TIMEOUT_S)
    pid = engine.process_id
    identified = replace(app.model("measured.gguf"), sha256="known by now")
    engine.load(identified, LoadOptions(2048))
    assert engine.process_id == pid
    engine.load(app.model("measured.gguf"), LoadOptions(1024))
    engine.wait_loaded(TIMEOUT_S)
    assert engine.process_id != pid


def test_what_goes_with_an_answer(app: ScriptedApp) -> None:
    app.load()
    replies: queue.Queue[Reply] = queue.Queue()
    adapter = Adapter("some.gguf", 0.5)
    app.services.engine.generate(
        (PromptMessage("user", "options"),),
        SamplingParams(),
        replies.put,
        adapters=[adapter],
        session="a chat",
    )
    texts = []
    while not isinstance(reply := replies.get(timeout=TIMEOUT_S), Finished):
        if isinstance(reply, TextDelta):
            texts.append(reply.text)
    request = json.loads("".join(texts))
    assert request["adapters"] == [{"path": "some.gguf", "scale": 0.5}]
    assert (request["session"], request["background"]) == ("a chat", False)


def test_a_cancel_is_heard(app: ScriptedApp) -> None:
    app.load()
    request_id, replies = _ask(app, "slow")
    replies.get(timeout=TIMEOUT_S)
    app.services.engine.cancel(request_id)
    assert isinstance(_last(replies), Cancelled)


def test_an_engine_that_does_not_hear_a_cancel_is_ended(app: ScriptedApp) -> None:
    app.load()
    request_id, replies = _ask(app, "deaf")
    replies.get(timeout=TIMEOUT_S)
    begun = time.monotonic()
    app.services.engine.cancel(request_id)
    assert isinstance(_last(replies), EngineLost)
    assert time.monotonic() - begun < TIMEOUT_S
    app.services.engine.wait_loaded(TIMEOUT_S)


def test_counting(app: ScriptedApp) -> None:
    app.load()
    counted = app.services.engine.count((PromptMessage("user", "one two three"),))
    assert (counted.tokens, counted.context_window) == (3, 2048)


def test_without_a_model(app: ScriptedApp) -> None:
    with pytest.raises(EngineProblem):
        app.services.engine.wait_loaded()


def test_a_program_that_ends_at_once() -> None:
    engine = Engine(lambda fact: None, [sys.executable, "-c", "raise SystemExit(5)"])
    with pytest.raises(EngineProblem):
        engine.ready(TIMEOUT_S)
    engine.close()


def test_without_a_process_a_request_is_lost_at_once(app: ScriptedApp) -> None:
    _, replies = _ask(app, "say: nobody is there")
    assert isinstance(replies.get_nowait(), EngineLost)
    assert not app.services.engine.busy
    assert not app.services.engine.answering


def test_the_next_process_is_there_before_a_loss_is_told(app: ScriptedApp) -> None:
    app.load()
    engine = app.services.engine
    pid = engine.process_id
    pids: queue.Queue[int | None] = queue.Queue()

    def on_reply(reply: Reply) -> None:
        if isinstance(reply, EngineLost):
            pids.put(engine.process_id)

    engine.generate((PromptMessage("user", "die"),), SamplingParams(), on_reply)
    assert pids.get(timeout=TIMEOUT_S) not in (None, pid)


def test_an_engine_of_another_version_is_told() -> None:
    hello = Codec.encode(EngineReady(PROTOCOL_VERSION + 1, "other", False, ())).decode().strip()
    facts: queue.Queue[Fact] = queue.Queue()
    engine = Engine(facts.put, [sys.executable, "-c", f"print({hello!r}, flush=True); input()"])
    with pytest.raises(EngineProblem, match="different versions"):
        engine.ready(TIMEOUT_S)
    fact = facts.get(timeout=TIMEOUT_S)
    assert isinstance(fact, EngineChanged)
    assert fact.status.state is EngineState.FAILED
    engine.close()


def test_a_program_that_is_not_there() -> None:
    engine = Engine(lambda fact: None, ["/nowhere/at/all"])
    with pytest.raises(EngineProblem):
        engine.ready(TIMEOUT_S)
    engine.close()


def test_who_waits_for_a_model_is_told_when_another_is_chosen(app: ScriptedApp) -> None:
    app.services.engine.load(app.model("stuck.gguf"), LoadOptions(2048))
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(app.services.engine.wait_loaded)
        with pytest.raises(TimeoutError):
            waiting.result(0.1)
        app.load("fine.gguf")
        with pytest.raises(EngineProblem):
            waiting.result(TIMEOUT_S)
    assert app.services.engine.status.model == app.model("fine.gguf")


def test_who_waits_for_a_model_is_told_when_the_app_closes(app: ScriptedApp) -> None:
    app.services.engine.load(app.model("stuck.gguf"), LoadOptions(2048))
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(app.services.engine.wait_loaded)
        with pytest.raises(TimeoutError):
            waiting.result(0.1)
        app.services.engine.close()
        with pytest.raises(EngineProblem):
            waiting.result(TIMEOUT_S)


def test_a_late_reply_about_a_model_no_longer_wanted_changes_nothing(app: ScriptedApp) -> None:
    engine = app.services.engine
    engine.load(app.model("late.gguf"), LoadOptions(2048))
    app.until(EngineChanged, lambda fact: fact.status.fraction > 0)
    fine = app.model("fine.gguf")
    engine.load(fine, LoadOptions(2048))
    statuses = [app.until(EngineChanged, lambda fact: fact.status.model == fine).status]
    while statuses[-1].state is not EngineState.READY:
        statuses.append(app.until(EngineChanged).status)
    assert all(status.model == fine and status.fraction in (0.0, 1.0) for status in statuses)
