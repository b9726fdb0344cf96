"""Who wrote a message, in words."""

from chatdesk.core.chat import Message, Role
from chatdesk.core.i18n import tr


def author(message: Message) -> str:
    """Return the person, or the name of the model."""
    if message.role is Role.USER or message.corrects:
        return tr("You")
    return (message.answer.model_name if message.answer else "") or tr("Model")
