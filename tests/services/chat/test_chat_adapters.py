"""Which adapter answers in a chat, as the engine is asked and as the answer remembers it."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat import Message, MessageState
from chatdesk.core.generation import Adapter
from chatdesk.core.personalization import AdapterRecord
from chatdesk.services.adapters.facts import AdapterLeftOut
from chatdesk.services.chat.facts import AnswerEnded, TextArrived
from chatdesk.store.adapters import AdapterStore
from tests.services.conftest import ScriptedApp
from tests.services.shelf import make_adapter


@pytest.fixture
def ida(app: ScriptedApp) -> AdapterRecord:
    app.load()
    return learn(app, "Ida")


def learn(app: ScriptedApp, name: str) -> AdapterRecord:
    model = app.services.engine.status.model
    assert model
    return make_adapter(AdapterStore(app.services._database), app.paths, model, name)


def asked(message: Message) -> list[str]:
    """The ids of the adapters that came with the request, out of an answer to `options`."""
    options: dict[str, Any] = json.loads(message.text)
    return [Path(adapter["path"]).parent.name for adapter in options["adapters"]]


def test_without_a_choice_the_active_one_answers(app: ScriptedApp, ida: AdapterRecord) -> None:
    before = app.answered("options").message
    assert asked(before) == []
    assert before.answer
    assert before.answer.adapter_id is None
    app.services.adapters.activate(ida.id)
    after = app.answered("options", before.conversation_id).message
    assert asked(after) == [ida.id]
    assert after.answer
    assert (after.answer.adapter_id, after.answer.adapter_scale) == (ida.id, ida.scale)
    assert app.services.conversations.get(after.conversation_id).path()[-1] == after
    app.services.adapters.roll_back(ida.model_id)
    assert asked(app.answered("options", before.conversation_id).message) == []


def test_a_conversation_keeps_to_its_own_choice(app: ScriptedApp, ida: AdapterRecord) -> None:
    adapters, other = app.services.adapters, learn(app, "Other")
    adapters.activate(other.id)
    first = app.answered("options").message
    adapters.choose(first.conversation_id, ida.id)
    chosen = app.answered("options", first.conversation_id).message
    assert (asked(first), asked(chosen)) == ([other.id], [ida.id])
    adapters.choose(first.conversation_id, "")
    app.services.chat.regenerate(first.id)
    assert asked(app.until(AnswerEnded).message) == []
    assert first.parent_id
    adapters.choose(first.conversation_id, None)
    app.services.chat.edit(first.parent_id, "options again")
    assert asked(app.until(AnswerEnded).message) == [other.id]


def test_an_answer_goes_on_with_the_adapter_that_began_it(
    app: ScriptedApp, ida: AdapterRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.services.adapters.activate(ida.id)
    conversation_id = app.services.chat.send(None, "slow")
    app.until(TextArrived, lambda fact: fact.start > 10)
    app.services.chat.stop(conversation_id)
    stopped = app.until(AnswerEnded).message
    app.services.adapters.roll_back(ida.model_id)
    engine = app.services.engine
    seen: list[tuple[Adapter, ...]] = []
    ask = engine.generate

    def generate(*arguments: Any, **options: Any) -> str:
        seen.append(tuple(options.get("adapters", ())))
        return ask(*arguments, **options)

    monkeypatch.setattr(engine, "generate", generate)
    app.services.chat.continue_answer(stopped.id)
    went_on = app.until(AnswerEnded).message
    assert went_on.state is MessageState.COMPLETE
    assert [each.path for each in seen[0]] == [str(app.services.adapters.file(ida))]
    assert went_on.answer
    assert went_on.answer.adapter_id == ida.id


def test_a_missing_file_costs_the_adapter_and_not_the_answer(
    app: ScriptedApp, ida: AdapterRecord
) -> None:
    app.services.adapters.activate(ida.id)
    app.services.adapters.file(ida).unlink()
    conversation_id = app.services.chat.send(None, "options")
    told = app.until(AdapterLeftOut)
    assert told.conversation_id == conversation_id
    assert "Ida" in told.problem.what
    ended = app.until(AnswerEnded).message
    assert (ended.state, asked(ended)) == (MessageState.COMPLETE, [])
    assert ended.answer
    assert ended.answer.adapter_id is None


def test_a_title_is_asked_of_the_model_as_it_is(
    app: ScriptedApp, ida: AdapterRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.services.adapters.activate(ida.id)
    engine, seen = app.services.engine, []
    ask = engine.generate

    def generate(*arguments: Any, **options: Any) -> str:
        seen.append((options.get("background", False), len(options.get("adapters", ()))))
        return ask(*arguments, **options)

    monkeypatch.setattr(engine, "generate", generate)
    app.answered("say: hello")
    assert seen == [(False, 1), (True, 0)]
