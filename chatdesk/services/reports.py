"""The command line's documents on models and conversations, with the names of its contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chatdesk.core.chat import Message, MessageState, with_thinking_apart
from chatdesk.core.errors import EngineProblem
from chatdesk.core.loading import Device
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.services.engine import Engine
from chatdesk.services.forgetting import forget_learned
from chatdesk.services.models import ModelInfo, ModelService
from chatdesk.services.sessions import forget_session
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore

Document = dict[str, Any]


def list_models(paths: AppPaths, settings: Settings) -> list[Document]:
    """Every model with how it fits this machine."""
    with _models(paths) as models:
        known = models.refresh()
        devices = _devices()
        return [_model(models.info(model, settings.context_window, devices)) for model in known]


def model_info(paths: AppPaths, settings: Settings, id_or_path: str) -> Document:
    """One model, at more length. Raises `NotFound` or `ModelProblem`."""
    with _models(paths) as models:
        models.refresh()
        model = models.get(id_or_path)
        info = models.info(model, settings.context_window, _devices())
    return _model(info) | {
        "layers": model.header.layers,
        "memory_bytes": info.memory_bytes,
        "chat_template": model.header.has_chat_template,
        "sha256": model.sha256,
        "present": info.present,
    }


def add_model(paths: AppPaths, settings: Settings, path: Path) -> Document:
    """Take up a GGUF file. Raises `ModelProblem`."""
    with _models(paths) as models:
        model = models.add(path)
        return _model(models.info(model, settings.context_window, _devices()))


def list_conversations(paths: AppPaths) -> list[Document]:
    """The chats that are not in the trash, the newest first."""
    with _conversations(paths) as store:
        return [
            {
                "id": summary.id,
                "title": summary.title,
                "created": summary.created.isoformat(),
                "updated": summary.updated.isoformat(),
                "messages": summary.messages,
            }
            for summary in store.list()
        ]


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
    with _database(paths) as database:
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
def _database(paths: AppPaths) -> Iterator[Database]:
    database = Database.open(paths.database)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _conversations(paths: AppPaths) -> Iterator[ConversationStore]:
    with _database(paths) as database:
        yield ConversationStore(database)


@contextmanager
def _models(paths: AppPaths) -> Iterator[ModelService]:
    with _database(paths) as database:
        yield ModelService(ModelStore(database), paths.models)


def _devices() -> tuple[Device, ...]:
    """The engine's devices; none when it cannot start, which `doctor` tells about."""
    engine = Engine(lambda fact: None)
    try:
        return engine.ready().devices
    except EngineProblem:
        return ()
    finally:
        engine.close()


def _model(info: ModelInfo) -> Document:
    header = info.model.header
    return {
        "id": info.model.id,
        "path": info.model.path,
        "name": header.name,
        "architecture": header.architecture,
        "parameters": header.parameters,
        "quantization": header.quantization,
        "bytes": header.bytes,
        "context_length": header.context_length,
        "fit": info.fit.value,
    }


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
        "state": message.state.value,
        "created": message.created.isoformat(),
    }
    if message.answer:
        document["answer"] = asdict(message.answer)
        document["thinking"] = document["answer"].pop("thinking")
    return document
