"""What is found for a question goes into its prompt, and stays with it."""

from collections.abc import Sequence

import pytest

from chatdesk.core.chat import Conversation, Message, MessageState, Role
from chatdesk.core.errors import RequestProblem
from chatdesk.core.generation import PromptMessage
from chatdesk.core.parts import Image, Part, Source, Text
from chatdesk.core.prompts import prompt_messages
from chatdesk.services.chat.facts import AnswerEnded
from tests.services.chat.test_backend import chat_of
from tests.services.conftest import ScriptedApp

TEA = Source(1, "tea.pdf", "Tea is a leaf. 茶", page=3)
PICTURE = Image("ab" * 32, "image/png", 10, 10)


class Library:
    """Finds the passage about tea for a question that names it."""

    def __init__(self, *found: Part) -> None:
        self.asked: list[tuple[str, str]] = []
        self._found = found

    def __call__(self, conversation: Conversation, question: Message) -> Sequence[Part]:
        self.asked.append((conversation.id, question.text))
        return self._found if "tea" in question.text else ()


def test_what_is_found_stands_before_the_question_and_stays(app: ScriptedApp) -> None:
    library = Library(TEA)
    chat = chat_of(app, library, lambda conversation, question: ())
    conversation_id = chat.send(None, "What is tea?")
    shown = "[1] tea.pdf\nTea is a leaf. 茶\n\nWhat is tea?"
    assert app.until(AnswerEnded).message.text == shown
    question, answer = chat.conversation(conversation_id).path()
    assert (question.parts, question.text) == ((TEA, Text("What is tea?")), "What is tea?")
    assert library.asked == [(conversation_id, "What is tea?")]
    chat.regenerate(answer.id)
    assert app.until(AnswerEnded).message.text == shown
    chat.edit(question.id, "And coffee?")
    assert app.until(AnswerEnded).message.text == "And coffee?"
    chat.edit(question.id, "Green tea?")
    assert app.until(AnswerEnded).message.text.endswith("茶\n\nGreen tea?")
    assert chat.conversation(conversation_id).path()[0].parts == (TEA, Text("Green tea?"))


def test_without_providers_the_prompt_is_the_words_alone(app: ScriptedApp) -> None:
    chat = chat_of(app)
    conversation_id = chat.send(None, "One?", system_prompt="Be brief.")
    app.until(AnswerEnded)
    chat.send(conversation_id, "Two?")
    app.until(AnswerEnded)
    path = chat.conversation(conversation_id).path()
    assert prompt_messages("Be brief.", path[:-1]) == (
        PromptMessage("system", "Be brief."),
        PromptMessage("user", "One?"),
        PromptMessage("assistant", "One?"),
        PromptMessage("user", "Two?"),
    )
    assert prompt_messages("Be brief.", path[:-1]) == prompt_messages(
        "Be brief.", path[:-2], "Two?"
    )


def test_what_no_model_can_be_shown_is_refused_before_anything_is_stored(app: ScriptedApp) -> None:
    chat = chat_of(app, Library(PICTURE))
    with pytest.raises(RequestProblem, match="picture"):
        chat.send(None, "What is tea?")
    assert app.services.conversations.list() == ()


def test_a_picture_in_the_path_is_refused(app: ScriptedApp) -> None:
    store = app.services.conversations
    made = store.create()
    shown = store.add_message(made.id, None, Role.USER, [PICTURE, Text("What is this?")])
    store.add_message(made.id, shown.id, Role.ASSISTANT, "A cup.", state=MessageState.COMPLETE)
    chat = chat_of(app)
    for ask in (
        lambda: chat.send(made.id, "And that?"),
        lambda: chat.edit(shown.id, "What is that?"),
        lambda: chat.count_tokens(made.id, "And"),
    ):
        with pytest.raises(RequestProblem, match="picture"):
            ask()
    assert len(store.get(made.id).messages) == 2
