"""Sentences are stored as parts, and read in the current language."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatdesk.core.chat import AnswerRecord, MessageState, Role
from chatdesk.core.downloads import DownloadState
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import Sentence, set_language, tr, trn
from chatdesk.core.paths import assets_dir
from chatdesk.core.personalization import AdapterState
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore
from tests.store.conftest import stored

LOCALE = assets_dir() / "locale"
OLD = "The disk is full. “Make room” in 'C:\\茶', then {resume}."
DOWNLOAD, ADAPTER = "d000000000000001", "a000000000000002"


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    set_language("en", LOCALE)


def disk_full(folder: Path = Path("茶")) -> EnvironmentProblem:
    todo = tr("Make room in {folder}, then resume.", folder=folder)
    return EnvironmentProblem(tr("The disk is full."), todo)


def answer_error(store: ConversationStore, error: str) -> str:
    """Return the id of a conversation with an answer that failed."""
    conversation = store.create()
    question = store.add_message(conversation.id, None, Role.USER, "?")
    store.add_message(
        conversation.id,
        question.id,
        Role.ASSISTANT,
        "",
        state=MessageState.FAILED,
        answer=AnswerRecord(error=error),
    )
    return conversation.id


def read_error(store: ConversationStore, conversation_id: str) -> str | None:
    answer = store.get(conversation_id).messages[-1].answer
    assert answer
    return answer.error


def test_what_was_written_in_english_is_read_in_chinese(path: Path) -> None:
    stored(path, "0005")
    english = disk_full().sentence
    assert english == "The disk is full. Make room in 茶, then resume."
    database = Database.open(path)
    conversation_id = answer_error(ConversationStore(database), english)
    AdapterStore(database).finish(ADAPTER, AdapterState.FAILED, error=english)
    DownloadStore(database).change(DOWNLOAD, state=DownloadState.FAILED, problem=english)
    assert read_error(ConversationStore(database), conversation_id) == english
    database.close()
    set_language("zh_CN", LOCALE)
    chinese = disk_full().sentence
    assert chinese != english
    database = Database.open(path)
    assert read_error(ConversationStore(database), conversation_id) == chinese
    assert AdapterStore(database).get(ADAPTER).error == chinese
    assert DownloadStore(database).get(DOWNLOAD).problem == chinese
    database.close()


@pytest.mark.parametrize("n", [1, 3])
def test_a_count_is_read_in_the_other_language(store: ConversationStore, n: int) -> None:
    def words() -> str:
        return trn("Try again in {n} second.", "Try again in {n} seconds.", n)

    conversation_id = answer_error(store, words())
    set_language("zh_CN", LOCALE)
    assert read_error(store, conversation_id) == words()


def test_a_sentence_that_a_later_version_no_longer_has_is_read_in_english(
    store: ConversationStore,
) -> None:
    gone = Sentence.of("It took {seconds:.1f} s for {n:,} tokens.", {"seconds": 1.25, "n": 1000})
    conversation_id = answer_error(store, gone)
    set_language("zh_CN", LOCALE)
    assert read_error(store, conversation_id) == "It took 1.2 s for 1,000 tokens."


@pytest.mark.parametrize(
    "words",
    [
        "",
        OLD,
        Sentence.of("At {when:%H:%M}.", {"when": datetime(2026, 11, 30, 9, 5, tzinfo=UTC)}),
    ],
)
def test_other_words_stay_as_they_are(store: ConversationStore, words: str) -> None:
    conversation_id = answer_error(store, words)
    set_language("zh_CN", LOCALE)
    assert read_error(store, conversation_id) == words


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005"])
def test_sentences_of_older_versions_are_shown_as_they_are(path: Path, revision: str) -> None:
    stored(path, revision)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE answers SET error = ?", (OLD,))
        if revision >= "0003":
            connection.execute("UPDATE adapters SET error = ? WHERE id = ?", (OLD, ADAPTER))
        if revision >= "0004":
            connection.execute("UPDATE downloads SET problem = ? WHERE id = ?", (OLD, DOWNLOAD))
        connection.commit()
    database = Database.open(path)
    answers = [m.answer for m in ConversationStore(database).get("c000000000000001").messages]
    assert {answer.error for answer in answers if answer} == {OLD}
    if revision >= "0003":
        errors = [record.error for record in AdapterStore(database).list()]
        assert errors == [OLD, ""]
    if revision >= "0004":
        problems = [download.problem for download in DownloadStore(database).list()]
        assert problems == [OLD, ""]
    database.close()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_database_of_the_sixth_version_is_read(path: Path, language: str) -> None:
    stored(path, "0006")
    set_language(language, LOCALE)
    database = Database.open(path)
    closed = ConversationStore(database).get("c000000000000001").by_id["5000000000000003"]
    adapter = AdapterStore(database).get(ADAPTER)
    waiting, failed = DownloadStore(database).list()
    database.close()
    assert closed.answer
    assert closed.answer.error == tr("The app was closed.")
    assert adapter.error == "The disk is full, said version 0.4. 茶"
    assert waiting.problem.endswith(trn("Try again in {n} second.", "Try again in {n} seconds.", 3))
    assert failed.problem == disk_full(Path("/models/茶")).sentence
