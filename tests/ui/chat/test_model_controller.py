"""Each chat goes on with the model it was held with, until another one is chosen in it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.ui.chat.composer import ComposerState
from tests.ui.driver import Window

CHAT = ModelHeader("Later", "llama", 1000, "F16", 1000, 2048, 2, 10, True)
EMBEDDER = ModelHeader("Nomic", "bert", 1000, "F16", 1000, 512, 2, 10, False)


@pytest.fixture
def other(window: Window) -> ModelFile:
    """Another model than the one of the start, on the chip's menu."""
    return added(window, "other")


def added(window: Window, name: str, monkeypatch: pytest.MonkeyPatch | None = None) -> ModelFile:
    services = window.desktop.services
    assert services
    if monkeypatch:
        monkeypatch.setattr("chatdesk.services.models.intake.read_header", lambda path: CHAT)
    file = window.paths.models / f"{name}.gguf"
    file.write_bytes(bytes(1000))
    model = services.models.add(file)
    window.until(lambda: model.id in offered(window))
    return model


def offered(window: Window) -> list[str]:
    return [each.model.id for each in window.window.parts.models._models]


def in_use(window: Window) -> str:
    services = window.desktop.services
    assert services and services.engine.status.model
    return services.engine.status.model.id


def chosen(window: Window) -> str:
    """The model that is marked in the chip's menu."""
    chat = window.window.parts.chat.current
    model = window.window.parts.models.model_of(chat)
    return model.id if model else in_use(window)


def answered_by(window: Window, text: str) -> str | None:
    answer = window.ask(text).answer
    assert answer
    return answer.model_id


def test_a_chat_keeps_the_model_it_was_held_with(window: Window, other: ModelFile) -> None:
    first = in_use(window)
    assert answered_by(window, "say: one") == first
    old = window.window.parts.chat.current
    assert old
    window.window.new_chat()
    window.window.parts.models.choose(other.id)
    assert answered_by(window, "say: two") == other.id
    newer = window.window.parts.chat.current
    assert newer
    window.window.parts.chat.open(old)
    window.until(lambda: chosen(window) == first)
    assert in_use(window) == other.id  # nothing is loaded for looking
    assert answered_by(window, "say: three") == first
    window.window.new_chat()
    assert chosen(window) == other.id  # the one chosen last
    assert answered_by(window, "say: four") == other.id
    window.window.parts.chat.open(old)
    window.until(lambda: chosen(window) == first)
    window.window.parts.models.choose(other.id)
    assert answered_by(window, "say: five") == other.id
    window.window.parts.chat.open(newer)
    window.window.parts.chat.open(old)
    window.until(lambda: chosen(window) == other.id)


def test_the_words_of_a_chat_are_read_once_to_open_it(window: Window) -> None:
    window.ask("say: one")
    old = window.window.parts.chat.current
    assert old
    window.window.new_chat()
    window.window.parts.models._held.clear()  # as after a start
    read: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "messages.text" in statement:
            read.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        window.window.parts.chat.open(old)
        window.until(lambda: old in window.window.parts.models._held and len(window.messages) == 2)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(read) == 1


def test_what_is_sent_at_once_goes_to_the_chats_model(window: Window, other: ModelFile) -> None:
    first = in_use(window)
    window.ask("say: one")
    old = window.window.parts.chat.current
    assert old
    window.window.new_chat()
    window.window.parts.models.choose(other.id)
    window.ask("say: two")
    window.window.parts.models._held.clear()  # as after a start
    window.window.parts.chat.open(old)
    window.send("say: three")
    window.until(lambda: len(window.messages) == 4 and window.messages[-1].text.strip() == "three")
    answer = window.messages[-1].answer
    assert answer and answer.model_id == first


def test_a_chat_whose_model_is_gone_says_who_answers(window: Window, other: ModelFile) -> None:
    first = in_use(window)
    window.window.parts.models.choose(other.id)
    window.ask("say: one")
    held = window.window.parts.chat.current
    assert held
    window.window.new_chat()
    services = window.desktop.services
    assert services
    window.window.parts.models.choose(first)
    window.until(lambda: in_use(window) == first)
    Path(other.path).unlink()
    window.window.parts.models._held.clear()
    window.window.parts.chat.open(held)
    window.until(lambda: "is not there. Fake F16 answers for now." in window.window.notice.words)
    assert answered_by(window, "say: two") == first


def test_a_model_that_answers_elsewhere_is_not_taken_away(window: Window, other: ModelFile) -> None:
    first = in_use(window)
    window.ask("say: one")
    old = window.window.parts.chat.current
    assert old
    window.window.new_chat()
    window.window.parts.models.choose(other.id)
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    window.window.parts.chat.open(old)
    window.until(lambda: chosen(window) == first)
    window.send("say: three")
    window.until(lambda: "Another model is answering" in window.window.notice.words)
    assert window.editor.toPlainText() == "say: three"
    assert in_use(window) == other.id
    assert window.window.composer.state is ComposerState.READY


def test_what_cannot_answer_is_not_offered(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    first = in_use(window)
    services = window.desktop.services
    assert services
    monkeypatch.setattr("chatdesk.services.models.intake.read_header", lambda path: EMBEDDER)
    file = window.paths.models / "nomic.gguf"
    file.write_bytes(bytes(1000))
    window.window.add_model(file)
    window.until(lambda: "Nomic F16 is for embeddings" in window.window.notice.words)
    embedder = services.models.add(file)
    assert embedder.id in {each.model.id for each in services.models.kept()}
    added(window, "later", monkeypatch)  # the lists are read anew for it
    assert embedder.id not in offered(window)
    others = dict(window.window.chat_view.message_actions.other_models)
    assert embedder.id not in others
    assert answered_by(window, "say: one") == first
