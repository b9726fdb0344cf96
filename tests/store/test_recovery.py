"""The remains of an answer when the process that wrote it is gone."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from chatdesk.core.chat import MessageState, Role
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.writers import is_alive, this_writer
from tests.store.conftest import child, go_on, printed


def test_a_killed_app_loses_no_text_that_was_saved(path: Path) -> None:
    with child("stream", path) as process:
        conversation_id = printed(process)
        saved = [int(printed(process)) for _ in range(4)][-1]
        process.kill()
    database = Database.open(path)
    store = ConversationStore(database)
    assert store.recover() == 1
    assert store.recover() == 0
    question, answer = store.get(conversation_id).path()
    assert (question.text, question.state) == ("Count.", MessageState.COMPLETE)
    assert answer.state is MessageState.INTERRUPTED
    assert len(answer.text) >= saved
    assert answer.text == "one more word " * (len(answer.text) // 14)
    database.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_answers_of_living_processes_go_on(path: Path, store: ConversationStore) -> None:
    mine = store.create()
    streaming = MessageState.STREAMING
    message = store.add_message(mine.id, None, Role.ASSISTANT, "", state=streaming)
    with child("hold", path) as process:
        theirs = printed(process)
        assert store.recover() == 0
        assert store.get(theirs).messages[0].state is streaming
        go_on(process)
    assert store.recover() == 1
    left = store.get(theirs).messages[0]
    assert (left.state, left.text) == (MessageState.INTERRUPTED, "so far")
    assert store.get(mine.id).messages == (message,)


def test_an_interrupted_answer_can_be_continued(path: Path, store: ConversationStore) -> None:
    with child("hold", path) as process:
        conversation_id = printed(process)
        process.kill()
    (message,) = store.get(conversation_id).messages
    assert store.reopen(message.id).state is MessageState.STREAMING  # its writer is gone
    assert store.recover() == 0
    store.write_text(message.id, "so far, so good", MessageState.STOPPED)
    assert store.recover() == 0
    assert store.get(conversation_id).messages[0].state is MessageState.STOPPED


def test_a_writer_is_this_very_process_not_just_its_number() -> None:
    assert is_alive(this_writer())
    assert not is_alive(None)
    start = this_writer().partition("@")[2]
    assert not is_alive(f"{os.getpid()}@1{start}")  # the number was used before
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    assert not is_alive(f"{ended.pid}@{start}")
