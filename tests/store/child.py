"""Other processes that use the database: `python -m tests.store.child TASK DATABASE ...`."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from chatdesk.core.chat import MessageState, Role, now
from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.errors import StoreProblem
from chatdesk.core.hub import HubFile
from chatdesk.core.personalization import AdapterRecord, AdapterState
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore


def say(*words: object) -> None:
    print(*words, flush=True)


def stream(path: Path) -> None:
    """Stream into an answer for ever, printing how much is saved; to be killed."""
    store = ConversationStore(Database.open(path))
    conversation = store.create()
    question = store.add_message(conversation.id, None, Role.USER, "Count.")
    answer = store.add_message(
        conversation.id, question.id, Role.ASSISTANT, "", state=MessageState.STREAMING
    )
    say(conversation.id)
    text = ""
    while True:
        text += "one more word " * 50
        store.write_text(answer.id, text)
        say(len(text))
        time.sleep(0.25)


def hold(path: Path) -> None:
    """Begin an answer, and finish in good order on request, leaving it unfinished."""
    database = Database.open(path)
    store = ConversationStore(database)
    conversation = store.create()
    store.add_message(conversation.id, None, Role.ASSISTANT, "so far", state=MessageState.STREAMING)
    say(conversation.id)
    sys.stdin.readline()
    database.close()


def train(path: Path, model_id: str) -> None:
    """Begin a run, and finish in good order on request, leaving it unfinished."""
    database = Database.open(path)
    run = AdapterRecord("a" * 16, "Tea", model_id, "Tiny", None, AdapterState.TRAINING, now())
    say(AdapterStore(database).add(run).id)
    sys.stdin.readline()
    database.close()


def fetch(path: Path) -> None:
    """Begin a download, and finish in good order on request, leaving it unfinished."""
    database = Database.open(path)
    files = (HubFile("tiny.gguf", 10),)
    running = Download("d" * 16, "owner/tiny", "main", "tiny", files, DownloadState.RUNNING, now())
    say(DownloadStore(database).add(running).id)
    sys.stdin.readline()
    database.close()


def write(path: Path, messages: str) -> None:
    """Wait for a line, then open the database, and add a thread of messages."""
    say("ready")
    sys.stdin.readline()
    database = Database.open(path)
    store = ConversationStore(database)
    conversation = store.create()
    parent = None
    for number in range(int(messages)):
        parent = store.add_message(conversation.id, parent, Role.USER, f"{number}").id
    database.close()
    say(conversation.id)


def migrate(path: Path) -> None:
    """Bring the database up to date; to be killed."""
    say("ready")
    Database.open(path).close()
    say("done")


def stranger(path: Path, conversation_id: str) -> None:
    """Use the database as a user who may only read it."""
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        database = Database.open(path)
        store = ConversationStore(database)
        say(len(store.get(conversation_id).messages))
        store.add_message(conversation_id, None, Role.USER, "more")
    except StoreProblem as problem:
        say(problem.what)
    else:
        say("written")


TASKS: dict[str, Callable[..., None]] = {
    "stream": stream,
    "hold": hold,
    "train": train,
    "fetch": fetch,
    "write": write,
    "migrate": migrate,
    "stranger": stranger,
}

if __name__ == "__main__":
    task, database_path, *arguments = sys.argv[1:]
    TASKS[task](Path(database_path), *arguments)
