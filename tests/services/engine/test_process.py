"""The process alone; `test_engine.py` tests it under the model in use."""

import os
import queue
import sys
import threading
from collections.abc import Iterator

import pytest

from chatdesk.core.errors import EngineProblem
from chatdesk.core.generation import (
    CountTokens,
    Generate,
    PromptMessage,
    TextDelta,
    TokensCounted,
)
from chatdesk.core.loading import EngineReady, LoadModel, ModelLoaded
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.process import EngineLost, EngineProcess, Reply
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec
from chatdesk.workers.process import Outcome
from tests.helpers import FAKE_ENGINE

TIMEOUT_S = 20.0
CLOSED = EngineProblem("It was closed.")


class Owner:
    """What `Engine` is to a process: notes what it is told, in that order."""

    def __init__(self, command: tuple[str, ...] = FAKE_ENGINE) -> None:
        self.told: queue.Queue[object] = queue.Queue()
        self.uses = 0
        self.process = EngineProcess(command, on_use=self._on_use, on_crash=self._on_crash)

    def ready(self) -> EngineReady:
        return self.process.ready.result(TIMEOUT_S)

    def count(self, text: str) -> None:
        self.process.submit(CountTokens("count", (PromptMessage("user", text),)), self.told.put)

    def load(self, name: str) -> None:
        self.process.submit(LoadModel("load", name), self.told.put)

    def next(self) -> object:
        return self.told.get(timeout=TIMEOUT_S)

    def end(self, keeping_s: float = 0.0) -> None:
        self.process.end(CLOSED, keeping_s)
        self.process.wait()

    def _on_use(self) -> None:
        self.uses += 1

    def _on_crash(self, process: EngineProcess, outcome: Outcome) -> EngineProblem:
        assert process is self.process
        self.told.put(outcome)
        return EngineProblem("It crashed.")


@pytest.fixture
def owner() -> Iterator[Owner]:
    owner = Owner()
    yield owner
    owner.end()


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_and_is_used(owner: Owner) -> None:
    assert owner.ready().llama_cpp == "fake"
    assert owner.uses == 0
    owner.count("one two three")
    assert owner.next() == TokensCounted("count", 3, 2048)
    assert owner.uses == 1
    assert not owner.process.busy


def test_the_owner_hears_of_a_crash_before_the_loss_is_told(owner: Owner) -> None:
    owner.ready()
    owner.load("crash.gguf")
    assert isinstance(owner.next(), Outcome)
    lost = owner.next()
    assert isinstance(lost, EngineLost)
    assert (lost.request_id, lost.problem.what) == ("load", "It crashed.")
    assert not owner.process.busy


def test_a_slow_listener_holds_nobody_up(owner: Owner) -> None:
    owner.ready()
    go_on, free = threading.Event(), threading.Event()

    def ask() -> None:
        owner.count("one")
        free.set()

    def ask_from_elsewhere(reply: Reply) -> None:
        threading.Thread(target=ask).start()
        go_on.wait(TIMEOUT_S)

    owner.process.submit(LoadModel("load", "fine.gguf"), ask_from_elsewhere)
    assert free.wait(TIMEOUT_S / 2)
    go_on.set()
    assert isinstance(owner.next(), TokensCounted)


def test_a_child_that_was_told_to_end_is_heard_no_more(owner: Owner) -> None:
    owner.load("lingers.gguf")
    assert isinstance(owner.next(), ModelLoaded)
    request = Generate("slow", (PromptMessage("user", "slow"),), SamplingParams())
    owner.process.submit(request, owner.told.put)
    while not isinstance(owner.next(), TextDelta):
        continue
    owner.end(keeping_s=TIMEOUT_S)  # it goes on writing until it is gone
    told = [owner.next()]
    while not isinstance(told[-1], EngineLost):
        told.append(owner.next())
    assert told[-1] == EngineLost("slow", CLOSED)
    assert len(told) < 20
    assert owner.told.empty()


def test_a_child_at_its_farewell_is_waited_for(owner: Owner) -> None:
    owner.load("lingers.gguf")
    owner.next()
    owner.process.end(CLOSED, TIMEOUT_S)
    assert is_there(owner.process.pid)
    waiting = threading.Thread(target=owner.process.wait)
    waiting.start()
    owner.process.wait()
    assert not is_there(owner.process.pid)
    waiting.join(TIMEOUT_S)
    assert not waiting.is_alive()


def test_who_waits_for_a_child_that_ends_is_told() -> None:
    owner = Owner((sys.executable, "-c", "input()"))
    owner.end()
    with pytest.raises(EngineProblem, match="closed"):
        owner.ready()


def test_a_child_of_another_version_is_refused() -> None:
    hello = Codec.encode(EngineReady(PROTOCOL_VERSION + 1, "other", False, ())).decode().strip()
    owner = Owner((sys.executable, "-c", f"print({hello!r}, flush=True); input()"))
    with pytest.raises(EngineProblem, match="different versions"):
        owner.ready()
    owner.end()


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(EngineProblem, match="could not be started"):
        Owner(("/nowhere/at/all",))
