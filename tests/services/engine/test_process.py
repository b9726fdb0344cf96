"""The process alone; `test_engine.py` tests it under the model in use."""

import os
import queue
import sys
import threading
from collections.abc import Iterator

import pytest

from chatdesk.core.errors import EngineProblem
from chatdesk.core.generation import CountTokens, PromptMessage, TokensCounted
from chatdesk.core.loading import EngineReady, LoadModel
from chatdesk.services.engine.process import EngineLost, EngineProcess, Reply
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec
from chatdesk.workers.process import Outcome
from tests.helpers import FAKE_ENGINE

TIMEOUT_S = 20.0


class Owner:
    """What `Engine` is to the process: notes what it is told, in the order of it."""

    def __init__(self, command: tuple[str, ...] = FAKE_ENGINE) -> None:
        self.told: queue.Queue[object] = queue.Queue()
        self.uses = 0
        self.starts_again = False
        self.process = EngineProcess(
            command, on_use=self._on_use, on_misfit=self.told.put, on_crash=self._on_crash
        )

    def ready(self) -> EngineReady:
        return self.process.start().result(TIMEOUT_S)

    def ask(self, text: str = "one two") -> str:
        request = CountTokens(self.process.new_id(), (PromptMessage("user", text),))
        self.process.enter(request, self.told.put)()
        return request.request_id

    def load(self, name: str) -> str:
        request = LoadModel(self.process.new_id(), name)
        self.process.enter(request, self.told.put)()
        return request.request_id

    def next(self) -> object:
        return self.told.get(timeout=TIMEOUT_S)

    def _on_use(self) -> None:
        self.uses += 1

    def _on_crash(self, outcome: Outcome) -> EngineProblem:
        self.told.put(outcome)
        if self.starts_again:
            self.process.start()
        return EngineProblem("It crashed.")


@pytest.fixture
def owner() -> Iterator[Owner]:
    owner = Owner()
    yield owner
    owner.process.release(0)()


def test_it_answers_and_is_used(owner: Owner) -> None:
    assert owner.ready().llama_cpp == "fake"
    assert owner.uses == 0
    request_id = owner.ask("one two three")
    assert owner.next() == TokensCounted(request_id, 3, 2048)
    assert owner.uses == 2
    assert not owner.process.busy


def test_without_a_child_a_request_is_lost_at_once(owner: Owner) -> None:
    request_id = owner.ask()
    lost = owner.told.get_nowait()
    assert isinstance(lost, EngineLost)
    assert lost.request_id == request_id
    assert not owner.process.busy


def test_the_next_child_is_there_before_a_loss_is_told(owner: Owner) -> None:
    owner.starts_again = True
    owner.ready()
    pid, seen = owner.process.pid, []

    def on_reply(reply: Reply) -> None:
        seen.append(owner.process.pid)
        owner.told.put(reply)

    owner.process.enter(LoadModel(owner.process.new_id(), "crash.gguf"), on_reply)()
    assert isinstance(owner.next(), Outcome)
    lost = owner.next()
    assert isinstance(lost, EngineLost)
    assert lost.problem.what == "It crashed."
    assert seen[0] not in (None, pid)
    owner.ready()


def test_a_loss_is_told_without_the_lock(owner: Owner) -> None:
    owner.ready()
    free = threading.Event()

    def look_from_elsewhere(reply: Reply) -> None:
        def look() -> None:
            with owner.process.lock:
                free.set()

        looking = threading.Thread(target=look)
        looking.start()
        looking.join(TIMEOUT_S)

    owner.process.enter(LoadModel(owner.process.new_id(), "crash.gguf"), look_from_elsewhere)()
    assert free.wait(TIMEOUT_S / 2)


def test_a_child_that_was_released_is_heard_no_more(owner: Owner) -> None:
    owner.ready()
    generation = owner.process._generation
    request_id = owner.load("stuck.gguf")
    owner.process.release(0)()
    owner.process._on_event(generation, TokensCounted(request_id, 1, 1))
    owner.process._on_exit(generation, Outcome(-9, False, ()))
    assert owner.told.empty()
    owner.process.lose_all(EngineProblem("Another was chosen."))
    assert isinstance(owner.next(), EngineLost)


@pytest.mark.posix
def test_who_starts_the_next_waits_for_the_one_before(owner: Owner) -> None:
    owner.ready()
    owner.load("lingers.gguf")
    owner.next()
    pid = owner.process.pid
    assert pid
    end = owner.process.release(TIMEOUT_S)
    ending = threading.Thread(target=end)
    ending.start()
    assert owner.process.pid is None
    os.kill(pid, 0)  # it is still at its farewell
    owner.ready()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    ending.join()


@pytest.mark.posix
def test_who_ends_it_twice_waits_for_the_first(owner: Owner) -> None:
    owner.ready()
    owner.load("lingers.gguf")
    owner.next()
    pid = owner.process.pid
    assert pid
    first = threading.Thread(target=owner.process.release(TIMEOUT_S))
    first.start()
    owner.process.release(0)()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    first.join()


def test_a_child_of_another_version_is_refused() -> None:
    hello = Codec.encode(EngineReady(PROTOCOL_VERSION + 1, "other", False, ())).decode().strip()
    owner = Owner((sys.executable, "-c", f"print({hello!r}, flush=True); input()"))
    with pytest.raises(EngineProblem, match="another version"):
        owner.ready()
    assert isinstance(owner.next(), EngineProblem)
    owner.process.release(0)()
