"""What a model is given to read of a conversation."""

from collections.abc import Sequence

from chatdesk.core.chat import Message, Role, with_thinking_apart
from chatdesk.core.generation import PromptMessage


def prompt_messages(
    system: str, path: Sequence[Message], text: str | None = None
) -> tuple[PromptMessage, ...]:
    """What the model reads: the system prompt, the path, then `text` as the user's next words.

    Without `text`, an answer at the end of the path is to be continued.
    """
    head = (PromptMessage("system", system),) if system else ()
    turns = tuple(
        PromptMessage(message.role, message.text, message.thinking, message.pinned)
        for message in readable(path, continued=text is None)
    )
    last = (PromptMessage("user", text),) if text is not None else ()
    return head + turns + last


def readable(path: Sequence[Message], *, continued: bool) -> list[Message]:
    """The messages of a path that the model reads, thinking apart.

    Answers that came out empty are left out; many templates refuse an empty turn. One that is
    `continued` may have come no further than its thinking.
    """
    apart = [with_thinking_apart(message) for message in path]
    last = apart[-1:] if continued else []
    return [
        message
        for message in apart
        if message.text or message.role is Role.USER or (message.thinking and message in last)
    ]


def sound_text(text: str) -> str:
    """`text` as valid Unicode: lone surrogates (from a paste, or a terminal) become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
