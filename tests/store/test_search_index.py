"""The index after any changes is the one that is made anew of what is stored."""

import random
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chatdesk.core.chat import AnswerRecord, Message, MessageState, Role, TitleSource, now
from chatdesk.core.folding import folded, index_words, places, tokens
from chatdesk.core.parts import Attachment, Text, plain
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.search import SearchStore
from tests.store.conftest import stored

WORDS = ("winter", "bud", "Straße", "秋天的雨", "C++", "a/b.py", "🙂", "don't", "```code```", "é")


def postings(path: Path) -> Counter[tuple[str, str, object]]:
    """Return how often each word of each column stands in which row, named by what it is of."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
        connection.execute(
            "CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, search_index, instance)"
        )
        rows = connection.execute(
            "SELECT v.term, v.col, COALESCE(r.message_id, r.conversation_id, v.doc) "
            "FROM temp.v LEFT JOIN search_rows r ON r.number = v.doc"
        )
        return Counter(rows.fetchall())


def indexed_anew(path: Path, folder: Path) -> Counter[tuple[str, str, object]]:
    """Return the postings of an index that is made of what is stored."""
    copy = folder / "anew.db"
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(copy)) as other:
        connection.backup(other)
        other.executescript(
            "INSERT INTO search_index (search_index) VALUES ('delete-all'); "
            "DELETE FROM search_rows; DELETE FROM search_queue; "
            "INSERT INTO search_queue SELECT id FROM conversations;"
        )
    database = Database.open(copy)
    search = SearchStore(database)
    while search.index_next():
        pass
    database.close()
    return postings(copy)


class Anything:
    """Does anything that a store can do, at random."""

    def __init__(self, database: Database, seed: int) -> None:
        self.store = ConversationStore(database)
        self.random = random.Random(seed)
        self.chats: list[str] = [self.store.create(title="First").id]
        self.open: list[Message] = []
        self.done: list[Message] = []

    def words(self) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randrange(4)))

    def add(self) -> None:
        file = Attachment("ab" * 32, "text/plain", f"{self.words()}.txt", 3)
        parts = (*plain(self.words()), *((file,) if self.random.random() < 0.3 else ()))
        chat = self.random.choice(self.chats)
        self.done.append(self.store.add_message(chat, None, Role.USER, parts))

    def begin(self) -> None:
        chat = self.random.choice(self.chats)
        self.open.append(
            self.store.add_message(
                chat,
                None,
                Role.ASSISTANT,
                self.words(),
                state=MessageState.STREAMING,
                answer=AnswerRecord(model_name=self.words()),
            )
        )

    def write(self) -> None:
        if self.open:
            message = self.random.choice(self.open)
            self.store.write_text(message.id, self.words(), thinking=self.words())

    def stop(self) -> None:
        if self.open:
            message = self.open.pop()
            self.store.write_text(message.id, self.words(), MessageState.STOPPED)
            self.done.append(message)

    def finish(self) -> None:
        if self.open:
            message = self.open.pop().with_words(text=self.words(), thinking=self.words())
            self.done.append(self.store.finish(replace(message, state=MessageState.COMPLETE)))

    def reopen(self) -> None:
        answers = [each for each in self.done if each.role is Role.ASSISTANT]
        if answers:
            message = self.random.choice(answers)
            self.done.remove(message)
            self.open.append(self.store.reopen(message.id))

    def create(self) -> None:
        self.chats.append(self.store.create(title=self.words(), system_prompt="x").id)

    def rename(self) -> None:
        self.store.rename(self.random.choice(self.chats), self.words(), TitleSource.USER)

    def hide_and_empty(self) -> None:
        if self.done:
            message = self.done.pop(self.random.randrange(len(self.done)))
            self.store.hide([message.id], message.conversation_id, None)
            if self.random.random() < 0.5:
                self._forget(self.store.purge(now() + timedelta(days=1)))

    def delete(self) -> None:
        if len(self.chats) > 2:
            chat = self.chats.pop()
            self.store.delete(chat)
            self.store.delete_for_good([chat])
            self._forget((chat,))

    def _forget(self, gone: tuple[str, ...]) -> None:
        self.open = [each for each in self.open if each.conversation_id not in gone]
        self.done = [each for each in self.done if each.conversation_id not in gone]

    def anything(self) -> None:
        steps = (self.add, self.begin, self.write, self.stop, self.finish, self.reopen)
        self.random.choice((*steps, self.create, self.rename, self.hide_and_empty, self.delete))()


@pytest.mark.parametrize("seed", range(4))
def test_after_any_changes_the_index_is_as_made_anew(
    database: Database, path: Path, tmp_path: Path, seed: int
) -> None:
    everything = Anything(database, seed)
    for _ in range(80):
        everything.anything()
    assert postings(path) == indexed_anew(path, tmp_path)


def test_an_older_database_is_indexed_one_chat_at_a_time(path: Path, tmp_path: Path) -> None:
    stored(path, "0008")
    database = Database.open(path)
    search = SearchStore(database)
    assert search.waiting() == 2
    ConversationStore(database).add_message("c000000000000001", None, Role.USER, "new words")
    assert search.index_next()
    assert search.waiting() == 1
    while search.index_next():
        pass
    database.close()
    found = postings(path)
    assert found == indexed_anew(path, tmp_path)
    assert {"tea", "new", "thrown"} <= {word for word, _, _ in found}


def test_what_was_deleted_for_good_is_not_in_the_file(
    database: Database, store: ConversationStore, path: Path
) -> None:
    search = SearchStore(database)
    kept = store.create(title="Kept")
    for at in range(30):
        store.add_message(kept.id, None, Role.USER, f"word{at} of the garden")
    gone = store.create(title="Xylophonesecret")
    store.add_message(gone.id, None, Role.USER, "zanzibarsecret 机密")
    for at in range(30):
        store.add_message(kept.id, None, Role.USER, f"another{at} of the garden")
    assert not search.merge_some(first=True)  # nothing was deleted
    store.delete(gone.id)
    store.delete_for_good([gone.id])
    is_first = True
    while search.merge_some(first=is_first):
        is_first = False
    database.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    assert b"ylophonesecret" not in content
    assert b"anzibarsecret" not in content
    assert "机密".encode() not in content
    assert b"garden" in content


def test_many_messages_of_one_moment_are_indexed_quickly(
    database: Database, store: ConversationStore, path: Path
) -> None:
    chat = store.create()
    moment = now()
    store.add(
        *(
            Message(
                f"{at:016x}",
                chat.id,
                None,
                Role.USER,
                (Text(f"w{at}"),),
                MessageState.COMPLETE,
                moment,
            )
            for at in range(300)
        )
    )
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT number, message_id FROM search_rows ORDER BY number")
        numbers, ids = zip(*rows, strict=True)
    assert list(ids) == sorted(ids)
    assert numbers[-1] - numbers[0] == 299


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("STRASSE", "Straße"),
        ("cafe\u0301", "Café"),
        ("İstanbul", "istanbul"),
        ("שָׁלוֹם", "שלום"),
        ("don’t", "DON'T"),
        ("ＡＢＣ１", "abc1"),
        ("か\u3099", "が"),
        ("👩\u200d💻", "👩💻"),
        ("Ёлка", "елка"),
    ],
)
def test_what_is_written_otherwise_folds_to_the_same(text: str, same: str) -> None:
    assert folded(text) == folded(same)


def test_words_signs_and_pairs() -> None:
    assert tokens(folded("运行build-X7后 C++ a/b.py 50% 🙂!")) == [
        *("运行", "build", "x7", "后", "c", "+", "+", "a", "b", "py", "50", "%", "🙂")
    ]
    words, pairs = index_words("秋天的雨 rain")
    assert (words.split(), pairs.split()) == (["rain"], ["秋天", "天的", "的雨", "雨"])


def test_places_of_folded_letters_are_those_of_the_text() -> None:
    text = "Straße 🙂 שָׁלוֹם ﬁne"
    where = places(text)
    assert where is not None
    assert len(where) == len(text) + 1
    assert where[-1] == len(folded(text))
    assert places("plain") is None
