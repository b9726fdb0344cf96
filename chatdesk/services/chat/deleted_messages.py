"""Which messages go when one is deleted, and what is shown then."""

from dataclasses import dataclass

from chatdesk.core.chat import Conversation, Message, Role


@dataclass(frozen=True, slots=True)
class DeletedMessages:
    """Messages of a conversation that were deleted together.

    `leaf` was the one at the end, `new_leaf` is the one since, if it is another.
    """

    conversation_id: str
    message_ids: tuple[str, ...]
    leaf: str | None
    new_leaf: str | None = None


def with_its_answers(conversation: Conversation, message: Message) -> DeletedMessages:
    """A message, and with a question its answers; what was said after them stays.

    Where nothing was said after them, another version of the message is shown, if there is one.
    """
    found = [message]
    if message.role is Role.USER:
        found += conversation.children(message.id)
    ids = tuple(each.id for each in found)
    goes_on = any(child.id not in ids for each in found for child in conversation.children(each.id))
    versions = [each for each in conversation.siblings(message.id) if each is not message]
    new_leaf = None
    if versions and not goes_on:
        new_leaf = conversation.leaf_below(versions[-1].id).id
    return DeletedMessages(conversation.id, ids, conversation.active_leaf_id, new_leaf)
