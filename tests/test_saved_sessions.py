"""Conversations taken up again with the real engine: what was read before is not read anew."""

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatdesk.cli.ask import AskRequest, AskResult, ask
from chatdesk.core.chat import Message, MessageState
from chatdesk.core.generation import RestoreSession, SessionRestored
from chatdesk.core.paths import AppPaths
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.settings import ChatSettings, Settings
from chatdesk.services.app import App
from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.facts import EngineChanged, EngineState
from chatdesk.services.engine.process import Reply
from chatdesk.services.engine.thread_counts import MeasuredThreads
from chatdesk.services.facts import Fact
from chatdesk.store.adapters import AdapterStore
from tests.services.shelf import make_adapter

TIMEOUT_S = 60.0
MUCH = "Here is my diary. " + " ".join(
    f"On day {day} I walked {day * 7 % 12} miles and saw {day * 5 % 9} birds." for day in range(14)
)
MORE = "How many birds did I see on day 3?"
FEW = 40  # tokens of the new question and of the template around it


class RealApp:
    """The app's services over the real engine; `close` is quitting the app."""

    def __init__(self, home: Path, idle_s: float = 0.0) -> None:
        self.paths = AppPaths.under(home)
        self.paths.make()
        self.settings = Settings(
            chat=ChatSettings(sampling=SamplingParams(temperature=0.0, max_tokens=6))
        )
        self.facts: queue.Queue[Fact] = queue.Queue()
        self.idle_s = idle_s
        threads = MeasuredThreads(self.paths.threads)
        engine = Engine(self.facts.put, idle_s=lambda: self.idle_s, threads=threads)
        self.services = App(self.paths, engine, self.facts.put, lambda: self.settings)
        self.services.tidy()
        model = self.services.models.default(None)
        assert model
        self.services.models.identify(model)
        self.services.load_model(model)

    def asked(self, text: str, conversation: str | None = None) -> Message:
        """Ask, and wait for the answer."""
        self.services.chat.send(conversation, text)
        while not isinstance(fact := self.facts.get(timeout=TIMEOUT_S), AnswerEnded):
            pass
        assert fact.message.state is MessageState.COMPLETE, fact.message.answer
        return fact.message

    def until(self, state: EngineState) -> None:
        """Wait for the engine to get there."""
        while not (
            isinstance(fact := self.facts.get(timeout=TIMEOUT_S), EngineChanged)
            and fact.status.state is state
        ):
            pass

    def titled(self) -> None:
        """Wait for the title, which was asked for before the answer's end was told."""
        while self.services.engine.busy:
            time.sleep(0.01)

    def restored(self, conversation: str) -> int:
        """Open a conversation; how many of its tokens are there then."""
        replies: queue.Queue[Reply] = queue.Queue()
        engine, adapters = self.services.engine, self.services.adapters
        model = engine.status.model
        assert model
        adapted = adapters.for_session(model, conversation)
        engine.submit(RestoreSession(engine.new_id(), conversation, adapted), replies.put)
        reply = replies.get(timeout=TIMEOUT_S)
        assert isinstance(reply, SessionRestored)
        return reply.tokens

    def files(self) -> list[Path]:
        """What is kept."""
        return list(self.paths.sessions.glob("*"))

    def close(self) -> None:
        self.services.close()


Start = Callable[..., RealApp]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    apps: list[RealApp] = []

    def begin(idle_s: float = 0.0) -> RealApp:
        apps.append(RealApp(tmp_path, idle_s))
        return apps[-1]

    yield begin
    for app in apps:
        app.close()


def tokens(message: Message) -> tuple[int, int]:
    """Of the prompt, and those of them that were not read."""
    record = message.answer
    assert record and record.prompt_tokens is not None and record.cached_tokens is not None
    return record.prompt_tokens, record.cached_tokens


def test_after_a_restart_only_the_new_question_is_read(start: Start) -> None:
    app = start()
    first = app.asked(MUCH)
    assert tokens(first)[1] < FEW
    app.close()
    (file,) = app.files()
    app = start()
    assert app.restored(first.conversation_id) >= tokens(first)[0]
    second = app.asked(MORE, first.conversation_id)
    prompt, cached = tokens(second)
    assert prompt > tokens(first)[0]
    assert cached > prompt - FEW
    app.close()
    assert app.files() == [file]


def test_so_it_is_with_an_adapter_though_the_title_is_made_without_one(start: Start) -> None:
    app = start()
    plain = app.asked(MUCH)
    model = app.services.engine.status.model
    assert model
    record = make_adapter(AdapterStore(app.services._database), app.paths, model, strength=60)
    app.services.adapters.activate(record.id)
    first = app.asked(MUCH)
    assert first.text != plain.text
    assert tokens(first)[1] == 0  # what the model read without it is of no use
    app.titled()
    prompt, cached = tokens(app.asked(MORE, first.conversation_id))
    assert cached > prompt - FEW
    app.close()
    app = start()
    assert app.restored(first.conversation_id) > cached
    prompt, cached = tokens(app.asked("And on day 5?", first.conversation_id))
    assert cached > prompt - FEW
    app.services.adapters.choose(first.conversation_id, "")
    assert tokens(app.asked("And on day 6?", first.conversation_id))[1] < FEW


@pytest.mark.parametrize("restored_first", [True, False])
def test_a_damaged_file_is_read_over(start: Start, restored_first: bool) -> None:
    app = start()
    first = app.asked(MUCH)
    app.close()
    (file,) = app.files()
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)
    app = start()
    if restored_first:
        assert app.restored(first.conversation_id) == 0
    second = app.asked(MORE, first.conversation_id)
    assert second.text
    assert tokens(second)[1] < FEW
    app.close()
    assert app.files() == [file]
    assert file.read_bytes() != bytes(damaged)


def test_an_idle_model_keeps_what_it_had_read(start: Start) -> None:
    app = start(idle_s=1.0)
    first = app.asked(MUCH)
    app.until(EngineState.ASLEEP)
    app.idle_s = 0.0
    prompt, cached = tokens(app.asked(MORE, first.conversation_id))
    assert cached > prompt - FEW


def test_nothing_stays_of_a_deleted_conversation(start: Start) -> None:
    app = start()
    kept, deleted = app.asked(MUCH), app.asked("Again: " + MUCH)
    app.close()
    assert len(app.files()) == 2
    app = start()
    app.asked(MORE, deleted.conversation_id)
    app.services.chat.delete(deleted.conversation_id)
    assert len(app.files()) == 1
    app.close()
    assert len(app.files()) == 1
    app = start()
    prompt, cached = tokens(app.asked(MORE, kept.conversation_id))
    assert cached > prompt - FEW


def test_switched_off_nothing_is_kept(start: Start) -> None:
    app = start()
    app.settings = app.settings.edited("sessions", keep=False)
    app.services.sessions.apply()
    app.asked(MUCH)
    app.close()
    assert app.files() == []


def asked(home: Path, prompt: str, **options: object) -> AskResult:
    paths = AppPaths.under(home)
    paths.make()
    request = AskRequest(prompt, max_tokens=6, temperature=0.0, **options)  # type: ignore[arg-type]
    return ask(paths, Settings(), request, lambda text: None)


def test_the_command_line_takes_a_conversation_up_where_it_left_it(tmp_path: Path) -> None:
    first = asked(tmp_path, MUCH)
    assert list(AppPaths.under(tmp_path).sessions.iterdir())
    second = asked(tmp_path, MORE, conversation=first.conversation)
    assert second.prompt_tokens and second.cached_tokens
    assert second.cached_tokens > second.prompt_tokens - FEW


def test_nothing_is_kept_of_a_temporary_chat(tmp_path: Path) -> None:
    asked(tmp_path, "Hi.")  # the model is identified by now
    for file in AppPaths.under(tmp_path).sessions.glob("*"):
        file.unlink()
    assert asked(tmp_path, MUCH, temporary=True).text
    assert list(AppPaths.under(tmp_path).sessions.glob("*")) == []
