import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from chatdesk.core.chat import MessageState
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.services.app import App
from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.facts import EngineChanged, EngineState
from chatdesk.services.engine.thread_counts import MeasuredThreads
from chatdesk.services.facts import Fact
from chatdesk.store.models import ModelStore
from tests.helpers import FAKE_ENGINE

TIMEOUT_S = 20.0
_F = TypeVar("_F", bound=Fact)


class ScriptedApp:
    """The services over a fake engine in a real process, with their facts in a queue."""

    def __init__(self, home: Path) -> None:
        self.paths = AppPaths.under(home)
        self.paths.make()
        self.settings = Settings()
        self.facts: queue.Queue[Fact] = queue.Queue()
        self.idle_s = 0.0
        engine = Engine(
            self.facts.put,
            FAKE_ENGINE,
            idle_s=lambda: self.idle_s,
            threads=MeasuredThreads(self.paths.threads),
        )
        self.services = App(self.paths, engine, self.facts.put, lambda: self.settings)
        self.models = ModelStore(self.services._database)

    def model(self, name: str = "fake.gguf") -> ModelFile:
        header = ModelHeader("Fake", "llama", 1000, "F16", 1000, 2048, 2, 10, True)
        return self.models.add(self.paths.models / name, header, 0)

    def file(self, name: str = "real.gguf", content: bytes = b"GGUF") -> ModelFile:
        """A model whose file there is, so that it can be identified."""
        path = self.paths.models / name
        path.write_bytes(content)
        header = ModelHeader("Real", "llama", 1000, "F16", len(content), 2048, 2, 10, True)
        return self.models.add(path, header, path.stat().st_mtime_ns)

    def load(self, name: str = "fake.gguf") -> None:
        self.services.engine.load(self.model(name), LoadOptions(2048))
        self.until_engine(EngineState.READY)

    def until(self, kind: type[_F], when: Callable[[_F], bool] = lambda fact: True) -> _F:
        """The next fact of a kind for which `when` holds; the others are dropped."""
        end = time.monotonic() + TIMEOUT_S
        while True:
            fact = self.facts.get(timeout=max(0.01, end - time.monotonic()))
            if isinstance(fact, kind) and when(fact):
                return fact

    def until_engine(self, state: EngineState) -> EngineChanged:
        return self.until(EngineChanged, lambda fact: fact.status.state is state)

    def answered(self, text: str, conversation_id: str | None = None) -> AnswerEnded:
        """Send, and wait for the end of the answer."""
        self.services.chat.send(conversation_id, text)
        return self.until(AnswerEnded)

    def state_of(self, message_id: str) -> MessageState:
        store = self.services.conversations
        return store.get(store.conversation_of(message_id)).by_id[message_id].state


@pytest.fixture
def app(tmp_path: Path) -> Iterator[ScriptedApp]:
    app = ScriptedApp(tmp_path)
    yield app
    app.services.close()
