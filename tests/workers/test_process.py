import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import get_args

import pytest

from chatdesk.cli.main import KEY_VARIABLE
from chatdesk.core.generation import (
    CountTokens,
    EngineEvent,
    Generate,
    PromptMessage,
    TextDelta,
    TokensCounted,
)
from chatdesk.core.loading import EngineReady, LoadModel
from chatdesk.core.protocol import Shutdown
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.hub.token import VARIABLE
from chatdesk.workers.codec import Codec
from chatdesk.workers.process import ChildProcess, Outcome, child_environment

TIMEOUT_S = 20.0


class Child:
    """A child with its events and its outcome in queues."""

    def __init__(self, *command: str) -> None:
        self.events: queue.Queue[EngineEvent] = queue.Queue()
        self.outcomes: queue.Queue[Outcome] = queue.Queue()
        self.process: ChildProcess[EngineEvent] = ChildProcess(
            [sys.executable, *command],
            Codec(get_args(EngineEvent)),
            name="test",
            on_event=self.events.put,
            on_exit=self.outcomes.put,
        )

    def outcome(self) -> Outcome:
        return self.outcomes.get(timeout=TIMEOUT_S)


@pytest.fixture
def fake() -> Iterator[Child]:
    child = Child("-m", "tests.fake_engine")
    assert isinstance(child.events.get(timeout=TIMEOUT_S), EngineReady)
    yield child
    child.process.stop(0.2)


def test_it_talks(fake: Child) -> None:
    fake.process.send(CountTokens("1", (PromptMessage("user", "one two three"),)))
    assert fake.events.get(timeout=TIMEOUT_S) == TokensCounted("1", 3, 2048)


def test_stopping_is_no_crash(fake: Child) -> None:
    fake.process.stop(5.0)
    outcome = fake.outcome()
    assert outcome.was_successful()
    assert outcome.exit_code == 0
    assert fake.outcomes.empty()
    fake.process.send(CountTokens("1", ()))  # must not raise


def test_a_child_that_gets_a_farewell_ends_by_itself() -> None:
    script = "import sys, time; sys.stdin.readline(); time.sleep(0.5); sys.exit(0)"
    child = Child("-c", script)
    child.process.stop(0.1, farewell=Shutdown(), farewell_s=TIMEOUT_S)
    outcome = child.outcome()
    assert outcome.exit_code == 0
    assert not outcome.was_killed_from_outside()


def test_a_goodbye_that_is_not_heard() -> None:
    child = Child("-c", "import threading; threading.Event().wait()")
    # More than a pipe holds, so that the next writer waits as well.
    message = CountTokens("1", (PromptMessage("user", "x" * 1_000_000),))
    child.process.send(message)
    child.process.stop(0.2, farewell=Shutdown(), farewell_s=0.2)
    assert child.outcome().asked_to_stop


@pytest.mark.posix
def test_a_killed_child_is_reported_as_such(fake: Child) -> None:
    os.kill(fake.process.pid, signal.SIGKILL)
    outcome = fake.outcome()
    assert not outcome.was_successful()
    assert outcome.state_str() == "killed by SIGKILL"
    assert outcome.was_killed_from_outside()


def test_garbage_on_stdout_does_not_end_the_reading(fake: Child) -> None:
    fake.process.send(LoadModel("1", "model.gguf"))
    fake.process.send(Generate("2", (PromptMessage("user", "garbage"),), SamplingParams()))
    texts: list[str] = []
    while "".join(texts) != "still here ":
        event = fake.events.get(timeout=TIMEOUT_S)
        if isinstance(event, TextDelta):
            texts.append(event.text)


def test_the_last_lines_of_stderr_are_kept() -> None:
    script = "import sys; [print(f'line {n}', file=sys.stderr) for n in range(100)]; sys.exit(3)"
    child = Child("-c", script)
    outcome = child.outcome()
    assert outcome.exit_code == 3
    assert outcome.last_stderr[-1] == "line 99"
    assert outcome.last_stderr[0] == "line 80"


def test_a_child_that_does_not_listen_is_killed() -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('up', flush=True); time.sleep(600)"
    )
    child = Child("-c", script)
    child.process.stop(0.3)
    assert child.outcome().asked_to_stop


def test_a_listener_with_a_bug_does_not_stop_the_events() -> None:
    seen: queue.Queue[EngineEvent] = queue.Queue()

    def stumble(event: EngineEvent) -> None:
        seen.put(event)
        raise RuntimeError("a bug")

    process: ChildProcess[EngineEvent] = ChildProcess(
        [sys.executable, "-m", "tests.fake_engine"],
        Codec(get_args(EngineEvent)),
        name="test",
        on_event=stumble,
        on_exit=lambda outcome: None,
    )
    seen.get(timeout=TIMEOUT_S)
    process.send(CountTokens("1", ()))
    assert isinstance(seen.get(timeout=TIMEOUT_S), TokensCounted)
    process.stop(1.0)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(OSError):
        ChildProcess(
            ["/nowhere/at/all"],
            Codec(get_args(EngineEvent)),
            name="test",
            on_event=lambda event: None,
            on_exit=lambda outcome: None,
        )


def test_a_child_that_never_reads_can_be_stopped_under_a_long_message() -> None:
    child = Child("-c", "import threading; threading.Event().wait()")
    message = CountTokens("1", (PromptMessage("user", "x" * 1_000_000),))  # too much for any pipe
    for _ in range(3):
        child.process.send(message)  # must not wait
    stopping = threading.Thread(target=child.process.stop, args=(0.2,), daemon=True)
    stopping.start()
    assert child.outcome().asked_to_stop
    stopping.join(TIMEOUT_S)
    assert not stopping.is_alive()


def test_no_child_is_given_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = (KEY_VARIABLE, VARIABLE, "AWS_SECRET_ACCESS_KEY", "db_password", "GitHub_Token")
    needed = ("TOKENIZERS_PARALLELISM", "CUDA_VISIBLE_DEVICES", "PATH", "KEYBOARD", "MONKEY")
    for name in (*secrets, *needed):
        monkeypatch.setenv(name, os.environ.get(name, "1"))
    found = child_environment()
    assert not found.keys() & set(secrets)
    assert found.keys() >= set(needed)
    child = Child("-c", f"import os, sys; sys.exit({KEY_VARIABLE!r} in os.environ)")
    assert child.outcome().exit_code == 0
