"""Exports in real files: JSON comes back equal, nothing is overwritten in a folder."""

import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.core.chat import AnswerRecord, Mark, MessageState, Rating, Role
from chatdesk.core.parts import Image, Text
from chatdesk.services.history.exports import (
    ExportFormat,
    ExportProblem,
    ExportService,
)
from chatdesk.services.history.imports import ImportService
from chatdesk.store.attachments import AttachmentFiles
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.imports import ImportStore
from chatdesk.store.projects import ProjectStore

TABLES = ("conversations", "messages", "answers", "message_parts", "hidden_messages", "projects")


class Home:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "chatdesk.db"
        self.database = Database.open(self.path)
        self.store = ConversationStore(self.database)
        self.projects = ProjectStore(self.database)
        self.imports = ImportStore(self.database)
        self.files = AttachmentFiles(folder / "attachments")
        self.exports = ExportService(self.store, self.projects, self.imports, self.files)

    def rows(self, table: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return sorted(connection.execute(f"SELECT * FROM {table}"), key=str)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.database.close()


def fill(home: Home) -> list[str]:
    project = home.projects.create("Garden 茶", "green")
    sha256, size = home.files.add(io.BytesIO(b"a picture"))
    ids = []
    for title in ("Figs", "Figs", "a/b"):
        chat = home.store.create(title=title, system_prompt="Be kind.")
        picture = Image(sha256, "image/png", 3, size, "cat.png")
        question = home.store.add_message(
            chat.id, None, Role.USER, (picture, Text("What is it? 茶\u2028"))
        )
        for text in ("A cat.", "```py\nopen"):
            answer = home.store.add_message(
                chat.id,
                question.id,
                Role.ASSISTANT,
                text,
                state=MessageState.STOPPED,
                answer=AnswerRecord(model_name="Qwen", tokens_per_s=2.5),
            )
        home.store.set_rating(answer.id, Rating.UP)
        other = home.store.add_message(chat.id, answer.id, Role.USER, "Hidden")
        home.store.hide([other.id], chat.id, answer.id)
        ids.append(chat.id)
    home.store.set_project(ids[:1], project.id)
    home.store.set_on_top(ids[:1], pinned=True)
    home.store.set_archived(ids[1:2], archived=True)
    home.store.set_conversation_mark(ids[2], Mark.EXCLUDE)
    return ids


def test_json_comes_back_as_an_equal_database(home: Home, tmp_path: Path) -> None:
    fill(home)
    done = home.exports.export(tmp_path / "out" / "all.json", ExportFormat.JSON)
    assert (done.conversations, done.messages) == (3, 12)
    other = Home(tmp_path / "other")
    service = ImportService(other.imports, other.projects, other.files, lambda _fact: None)
    service.run(done.path)
    for table in TABLES:
        mine, theirs = home.rows(table), other.rows(table)
        if table == "projects":  # it is made again, with another id
            mine, theirs = ([row[1:3] for row in each] for each in (mine, theirs))
        if table == "conversations":
            mine, theirs = ([row[:10] + row[11:] for row in each] for each in (mine, theirs))
        assert theirs == mine, table
    (file,) = (tmp_path / "other" / "attachments").rglob("*/*")
    assert file.read_bytes() == b"a picture"
    other.database.close()


@pytest.mark.parametrize("kind", [ExportFormat.MARKDOWN, ExportFormat.HTML])
def test_several_chats_are_a_folder_without_overwriting(
    home: Home, tmp_path: Path, kind: ExportFormat
) -> None:
    ids = fill(home)
    ending = {"markdown": ".md", "html": ".html"}[kind]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f"FIGS{ending}").write_text("mine")
    done = home.exports.export(tmp_path / "out", kind)
    names = sorted(each.name for each in done.path.iterdir())
    assert names == sorted(f"{each}{ending}" for each in ("FIGS", "Figs (2)", "Figs (3)", "a b"))
    assert (tmp_path / "out" / f"FIGS{ending}").read_text() == "mine"
    one = home.exports.export(tmp_path / f"one{ending}", kind, ids[:1])
    assert (one.conversations, one.messages, one.path.is_file()) == (1, 2, True)


def test_lines_for_trainers(home: Home, tmp_path: Path) -> None:
    fill(home)
    done = home.exports.export(tmp_path / "all.jsonl", ExportFormat.SHAREGPT)
    lines = done.path.read_text("utf-8").removesuffix("\n").split("\n")
    assert [len(json.loads(line)["conversations"]) for line in lines] == [3, 3, 3]


def test_what_cannot_be_written_is_told_and_leaves_the_old_file(home: Home, tmp_path: Path) -> None:
    fill(home)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExportProblem, match="cannot be written"):
        home.exports.export(tmp_path / "file" / "below.json", ExportFormat.JSON)
    with pytest.raises(ExportProblem, match="cannot be written"):
        home.exports.export(tmp_path / "file", ExportFormat.MARKDOWN)
    assert (tmp_path / "file").read_text() == "mine"
