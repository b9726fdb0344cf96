"""The command line's documents on conversations, with the names of its contract."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict

from chatdesk.cli.parts import Document
from chatdesk.core.chat import ConversationSummary, Message, MessageState, with_thinking_apart
from chatdesk.core.paths import AppPaths
from chatdesk.services.adapters.forgetting import forget_learned
from chatdesk.services.chat.saved_sessions import forget_session
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database


def list_conversations(paths: AppPaths) -> list[Document]:
    """The chats that are not in the trash, the newest first."""
    with _conversations(paths) as store:
        return [line_of(summary) for summary in store.list()]


def line_of(summary: ConversationSummary) -> Document:
    """A chat in a list of chats."""
    return {
        "id": summary.id,
        "title": summary.title,
        "created": summary.created.isoformat(),
        "updated": summary.updated.isoformat(),
        "messages": summary.messages,
        "project": summary.project_id,
        "pinned": summary.pinned,
        "archived": summary.archived,
    }


def show_conversation(paths: AppPaths, id_or_prefix: str) -> Document:
    """A chat with every branch; `active` marks the one being read. Raises `NotFound`."""
    with _conversations(paths) as store:
        conversation = store.get(store.resolve(id_or_prefix))
        if any(message.state is MessageState.STREAMING for message in conversation.messages):
            store.recover()  # its writer may have been killed
            conversation = store.get(conversation.id)
    active = {message.id for message in conversation.path()}
    return {
        "id": conversation.id,
        "title": conversation.title,
        "messages": [_message(message, message.id in active) for message in conversation.messages],
    }


def delete_conversation(paths: AppPaths, id_or_prefix: str) -> Document:
    """Move a chat to the trash. Raises `NotFound`."""
    with closing(Database.open(paths.database)) as database:
        store = ConversationStore(database)
        conversation_id = store.resolve(id_or_prefix)
        store.delete(conversation_id)
        forget_session(paths.sessions, conversation_id)
        forget_learned(AdapterStore(database), paths.adapters, conversation_id)
        return {"id": conversation_id, "deleted": True}


def restore_conversation(paths: AppPaths, id_or_prefix: str) -> Document:
    """Take a chat out of the trash. Raises `NotFound`."""
    with _conversations(paths) as store:
        conversation_id = store.resolve(id_or_prefix)
        store.restore(conversation_id)
        return {"id": conversation_id, "deleted": False}


@contextmanager
def _conversations(paths: AppPaths) -> Iterator[ConversationStore]:
    with closing(Database.open(paths.database)) as database:
        yield ConversationStore(database)


def _message(message: Message, active: bool) -> Document:
    message = with_thinking_apart(message)
    document: Document = {
        "id": message.id,
        "parent": message.parent_id,
        "role": message.role.value,
        "text": message.text,
        "pinned": message.pinned,
        "rating": message.rating and message.rating.value,
        "mark": message.mark and message.mark.value,
        "corrects": message.corrects,
        "active": active,
        "deleted": message.hidden,
        "state": message.state.value,
        "created": message.created.isoformat(),
    }
    if message.answer:
        document["answer"] = asdict(message.answer)
        document["thinking"] = message.thinking
    return document
