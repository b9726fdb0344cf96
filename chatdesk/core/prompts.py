"""The part of a conversation that a model reads, as prompt messages."""

from collections.abc import Sequence

from chatdesk.core.chat import Message, Role, with_thinking_apart
from chatdesk.core.errors import RequestProblem
from chatdesk.core.generation import PromptMessage
from chatdesk.core.i18n import tr
from chatdesk.core.parts import Attachment, Source, Text, Thinking


def prompt_messages(
    system: str, path: Sequence[Message], text: str | None = None
) -> tuple[PromptMessage, ...]:
    """Return the prompt: the system prompt, the path, then `text` as the user's next words.

    Without `text`, an answer at the end of the path will be continued. Raises `RequestProblem` for
    parts that no model can be shown yet.
    """
    if not all(map(is_words, path)):
        raise RequestProblem(
            tr("This chat has a picture, sound, file or tool call that no model can be shown yet."),
            tr("Go on from an older message, or start a new chat."),
        )
    head = (PromptMessage("system", system),) if system else ()
    turns = tuple(
        PromptMessage(message.role, _content(message), message.thinking, message.pinned)
        for message in readable(path, continued=text is None)
    )
    last = (PromptMessage("user", text),) if text is not None else ()
    return head + turns + last


def _content(message: Message) -> str:
    """The text of a message; a question comes after the passages that were found for it."""
    if message.role is not Role.USER:
        return message.text
    sources = [part for part in message.parts if isinstance(part, Source)]
    passages = [f"[{each.number}] {each.document}\n{each.text}" for each in sources]
    return "\n\n".join((*passages, message.text))


def is_words(message: Message) -> bool:
    """Return True if a prompt can show all of a message; of attachments, its text has the names."""
    return all(isinstance(part, Text | Thinking | Source | Attachment) for part in message.parts)


def readable(path: Sequence[Message], *, continued: bool) -> list[Message]:
    """Return the messages of a path that the model reads, with thinking separated.

    Empty answers are left out; many templates refuse an empty turn. One that is `continued` may
    have no more than its thinking.
    """
    apart = [with_thinking_apart(message) for message in path]
    last = apart[-1:] if continued else []
    return [
        message
        for message in apart
        if message.text or message.role is Role.USER or (message.thinking and message in last)
    ]
