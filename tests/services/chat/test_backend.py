"""Chatting with a backend that is no engine: nothing but the protocol is asked of it."""

import threading
from collections.abc import Sequence

from chatdesk.core.chat import MessageState, StopReason
from chatdesk.core.errors import EngineProblem
from chatdesk.core.generation import (
    Adapter,
    Cancelled,
    Finished,
    GenerationStats,
    PromptMessage,
    TextDelta,
    TokensCounted,
)
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.chat.facts import AnswerEnded, TextArrived
from chatdesk.services.chat.service import ChatService, ContextProvider
from chatdesk.services.engine.facts import EngineState, EngineStatus
from chatdesk.services.engine.process import EngineLost, OnReply
from tests.services.conftest import ScriptedApp

STATS = GenerationStats(3, 0, 2, 0.1, 10.0, 0.2, seed=1)


class Echo:
    """Answers with the last message's words; "wait" until it is cancelled, "lose" not at all."""

    def __init__(self) -> None:
        self.status = EngineStatus(EngineState.READY)
        self._waiting: dict[str, OnReply] = {}
        self._number = 0

    def count(self, messages: Sequence[PromptMessage]) -> TokensCounted:
        return TokensCounted("", sum(len(each.content.split()) for each in messages), 100)

    def generate(
        self,
        messages: Sequence[PromptMessage],
        sampling: SamplingParams,
        on_reply: OnReply,
        *,
        background: bool = False,
        adapters: Sequence[Adapter] = (),
        session: str | None = None,
    ) -> str:
        self._number += 1
        request_id = str(self._number)
        text = messages[-1].content

        def answer() -> None:
            on_reply(TextDelta(request_id, text))
            if text == "lose":
                on_reply(EngineLost(request_id, EngineProblem("The line is dead.")))
            elif text != "wait":
                on_reply(Finished(request_id, StopReason.END, STATS))

        self._waiting[request_id] = on_reply
        threading.Thread(target=answer).start()
        return request_id

    def cancel(self, request_id: str) -> None:
        self._waiting[request_id](Cancelled(request_id, STATS))


def chat_of(app: ScriptedApp, *context: ContextProvider) -> ChatService:
    services = app.services
    return ChatService(
        services.conversations,
        Echo(),
        app.facts.put,
        services.models.notes,
        services.adapters,
        services.forgetting,
        context,
    )


def test_it_answers(app: ScriptedApp) -> None:
    chat_of(app).send(None, "good morning")
    message = app.until(AnswerEnded).message
    assert (message.text, message.state) == ("good morning", MessageState.COMPLETE)
    assert app.services.engine.process_id is None


def test_it_is_stopped(app: ScriptedApp) -> None:
    chat = chat_of(app)
    conversation = chat.send(None, "wait")
    app.until(TextArrived)
    chat.stop(conversation)
    message = app.until(AnswerEnded).message
    assert (message.text, message.state) == ("wait", MessageState.STOPPED)


def test_it_is_lost(app: ScriptedApp) -> None:
    chat_of(app).send(None, "lose")
    message = app.until(AnswerEnded).message
    assert (message.text, message.state) == ("lose", MessageState.INTERRUPTED)
