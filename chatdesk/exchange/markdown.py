"""A chat as Markdown: to paste elsewhere, and for people to read."""

from chatdesk.core.chat import Conversation, Message, Role
from chatdesk.core.i18n import tr


def as_markdown(conversation: Conversation) -> str:
    """Return the branch that is shown, without the thinking before answers."""
    parts = [f"# {conversation.title}"] if conversation.title else []
    for message in conversation.path():
        if message.text.strip():
            parts += [f"**{_author(message)}**", message.text.strip()]
    return "\n\n".join(parts) + "\n"


def _author(message: Message) -> str:
    if message.role is Role.USER or message.corrects:
        return tr("You")
    return (message.answer.model_name if message.answer else "") or tr("Model")
