"""One answer by another model than the one in use."""

import pytest

from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.services.chat.facts import AnswerEnded, GuestLeft, TextArrived
from chatdesk.services.engine.facts import EngineState
from tests.services.conftest import ScriptedApp


def test_a_guest_answers_once_beside_the_old_answer(app: ScriptedApp) -> None:
    host = app.file("host.gguf", b"GGUF host")
    app.services.load_model(host)
    app.until_engine(EngineState.READY)
    guest = app.file("guest.gguf")
    old = app.answered("say: one").message
    app.services.guest.answer_again(old.id, guest.id)
    ended = app.until(AnswerEnded).message
    assert ended.parent_id == old.parent_id and ended.id != old.id
    assert ended.answer and old.answer
    assert ended.answer.model_id == guest.id != old.answer.model_id
    left = app.until(GuestLeft)
    assert (left.guest.id, left.host.id) == (guest.id, host.id)
    app.until_engine(EngineState.READY)
    after = app.answered("say: two", old.conversation_id).message
    assert after.answer and after.answer.model_id == old.answer.model_id


def test_a_model_that_was_chosen_meanwhile_stays(app: ScriptedApp) -> None:
    app.load()
    guest, chosen = app.file("guest.gguf"), app.file("chosen.gguf")
    app.services.chat.send(None, "slow")
    app.services.chat.stop(app.until(TextArrived).conversation_id)
    old = app.until(AnswerEnded).message
    app.services.guest.answer_again(old.id, guest.id)
    app.until(TextArrived)
    app.services.load_model(chosen)
    app.until_engine(EngineState.READY)
    model = app.services.engine.status.model
    assert model and model.id == chosen.id


def test_an_answer_in_progress_is_not_ended_for_a_guest(app: ScriptedApp) -> None:
    app.load()
    old = app.answered("say: one").message
    app.services.chat.send(None, "slow")
    app.until(TextArrived)
    with pytest.raises(EngineProblem, match="must end first"):
        app.services.guest.answer_again(old.id, app.file("guest.gguf").id)
    app.services.chat.close()


def test_a_guest_that_cannot_begin_leaves_at_once(
    app: ScriptedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.load()
    old = app.answered("say: one").message
    guest = app.file("guest.gguf")

    def refuse(_message_id: str) -> str:
        raise EnvironmentProblem("It is too long.")

    monkeypatch.setattr(app.services.chat, "regenerate", refuse)
    with pytest.raises(EnvironmentProblem, match="too long"):
        app.services.guest.answer_again(old.id, guest.id)
    model = app.services.engine.status.model
    assert model and old.answer and model.id == old.answer.model_id
