"""A chat as Markdown: to paste elsewhere, and for people to read."""

from chatdesk.core.chat import Conversation
from chatdesk.exchange.export.authors import author
from chatdesk.exchange.export.markdown_file import closed


def as_markdown(conversation: Conversation) -> str:
    """Return the branch that is shown, without the thinking before answers."""
    parts = [f"# {conversation.title}"] if conversation.title else []
    for message in conversation.path():
        if message.text.strip():
            parts += [f"**{author(message)}**", closed(message.text.strip())]
    return "\n\n".join(parts) + "\n"
