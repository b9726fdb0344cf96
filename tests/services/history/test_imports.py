import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat import AnswerRecord, Conversation, Mark, Rating, Role, StopReason
from chatdesk.core.imported import Arrival
from chatdesk.core.parts import Attachment, Source, Text
from chatdesk.core.paths import AppPaths
from chatdesk.core.prompts import prompt_messages
from chatdesk.exchange.conversations import own
from chatdesk.services.facts import Fact
from chatdesk.services.history.import_values import ImportChoice, ImportProgressed
from chatdesk.services.history.imports import ImportService
from chatdesk.store.attachments import AttachmentFiles
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.imports import ImportStore
from chatdesk.store.projects import ProjectStore
from chatdesk.store.tables import search_queue
from tests.exchange.conversations.reading import PICTURE, written, zipped
from tests.exchange.conversations.test_chatgpt import PLAIN, chat, content, message, node
from tests.small_disk import small_disk


class Home:
    """A database with its attachments, and what was published."""

    def __init__(self, folder: Path) -> None:
        paths = AppPaths.under(folder)
        self.database = Database.open(paths.database)
        self.files = AttachmentFiles(paths.attachments)
        self.chats = ConversationStore(self.database)
        self.projects = ProjectStore(self.database)
        self.store = ImportStore(self.database)
        self.facts: list[Fact] = []
        self.imports = ImportService(self.store, self.projects, self.files, self.facts.append)

    def all(self) -> list[Conversation]:
        return [self.chats.get(each.id) for each in self.chats.list()]

    def only(self) -> Conversation:
        (found,) = self.all()
        return found

    def project_names(self) -> dict[str, int]:
        return {each.project.name: each.conversations for each in self.projects.list()}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    with closing(made.database):
        yield made


def texts(conversation: Conversation) -> list[str]:
    return [message.text for message in conversation.path()]


def test_a_whole_tree_comes_in_and_a_second_import_adds_nothing(home: Home, tmp_path: Path) -> None:
    path = written(tmp_path, [chat(PLAIN, "a"), chat({}, conversation_id="c2", title="Empty")])
    preview = home.imports.look(path)
    assert [(one.title, one.arrival, one.messages, one.branches) for one in preview.chats] == [
        ("Bäume 树", Arrival.NEW, 4, 2),
        ("Empty", Arrival.EMPTY, 0, 0),
    ]
    assert not home.all() and not home.projects.list()
    report = home.imports.run(path)
    assert (report.new, report.grown, report.skipped, report.messages) == (1, 0, 1, 4)
    assert [(one.where, one.reason) for one in report.warnings] == [
        ("“Empty”", "The chat is empty.")
    ]
    found = home.only()
    assert texts(found) == ["Wie? 什么?", "```py\nprint(1)\n```"]
    assert (found.mark, found.title) == (Mark.EXCLUDE, "Bäume 树")
    assert found.created.timestamp() == 1.7e9 and found.updated.timestamp() == 1.7e9 + 60
    answer = next(each for each in found.messages if each.role is Role.ASSISTANT)
    assert answer.answer and answer.answer.model_name == "gpt-5"
    assert home.project_names() == {"Imported from ChatGPT": 1}
    with home.database.reading() as connection:
        assert connection.execute(search_queue.select()).scalars().all() == [found.id]
    again = home.imports.run(path)
    assert (again.new, again.grown, again.skipped) == (0, 0, 1)
    assert home.only() == found and home.imports.look(path).chats[0].arrival is Arrival.SAME


def test_what_grew_is_added_as_new_branches(home: Home, tmp_path: Path) -> None:
    path = written(tmp_path, [chat(PLAIN, "a")])
    home.imports.run(path)
    before = home.only()
    grown = PLAIN | {
        "c": node("q", message("assistant", "Third try", create_time=1.7e9 + 99)),
        "d": node("a", message("user", "Thanks", create_time=1.7e9 + 100)),
    }
    written(tmp_path, [chat(grown, "d")])
    assert [one.new_messages for one in home.imports.look(path).chats] == [2]
    report = home.imports.run(path)
    assert (report.new, report.grown) == (0, 1)
    after = home.only()
    assert after.messages[:4] == before.messages
    assert texts(after)[-1] == "Thanks"
    assert len(after.siblings(after.path()[1].id)) == 3
    assert after.updated.timestamp() == 1.7e9 + 100


def test_a_chat_that_was_gone_on_with_here_shows_what_it_showed(home: Home, tmp_path: Path) -> None:
    path = written(tmp_path, [chat(PLAIN, "a")])
    home.imports.run(path)
    here = home.only()
    home.chats.add_message(here.id, here.active_leaf_id, Role.USER, "Mine")
    written(tmp_path, [chat(PLAIN | {"d": node("b", message("user", "Theirs"))}, "d")])
    assert home.imports.run(path).grown == 1
    assert texts(home.only())[-1] == "Mine"
    assert "Theirs" in [each.text for each in home.only().messages]


def test_a_chat_in_the_trash_stays_there_and_is_reported(home: Home, tmp_path: Path) -> None:
    path = written(tmp_path, [chat(PLAIN)])
    home.imports.run(path)
    home.chats.delete(home.only().id)
    written(tmp_path, [chat(PLAIN | {"d": node("b", message("user", "More"))})])
    report = home.imports.run(path)
    assert (report.new, report.grown, report.skipped) == (0, 0, 1)
    assert "trash" in report.warnings[0].reason
    assert not home.all() and len(home.chats.list(deleted=True)) == 1


def test_two_chats_with_one_id_lose_nothing(home: Home, tmp_path: Path) -> None:
    other = {"x": node(None, message("user", "Another"))}
    export = [chat(PLAIN), chat(other), chat(PLAIN), chat({})]
    report = home.imports.run(written(tmp_path, export))
    assert (report.new, report.grown, report.skipped) == (1, 1, 1)
    assert {each.text for each in home.only().messages} >= {"Another", "Second try"}


def test_only_what_was_chosen_comes_in_and_may_be_learned_from(home: Home, tmp_path: Path) -> None:
    path = written(tmp_path, [chat(PLAIN), chat(PLAIN, conversation_id="c2", title="Two")])
    choice = ImportChoice(project="Mine", chosen=frozenset({"c2"}), learned=True)
    home.projects.create("Mine")
    home.imports.run(path, choice)
    assert (home.only().title, home.only().mark) == ("Two", None)
    assert home.project_names() == {"Mine": 1}


def test_folders_become_projects(home: Home, tmp_path: Path) -> None:
    one = {"name": "A", "messages": [{"versions": [{"role": "user", "content": [{"text": "Hi"}]}]}]}
    written(tmp_path / "conversations" / "Work", one, "1.conversation.json")
    written(tmp_path / "conversations", one, "2.conversation.json")
    home.imports.run(tmp_path / "conversations")
    assert home.project_names() == {"Work": 1, "Imported from LM Studio": 1}


def test_files_are_kept_once_and_missing_ones_are_named(home: Home, tmp_path: Path) -> None:
    pointers = [
        {"content_type": "image_asset_pointer", "asset_pointer": f"sediment://file_{name}"}
        for name in ("01", "02", "03")
    ]
    asked = content("multimodal_text", "user", parts=["See", *pointers, "there"])
    archive = zipped(
        tmp_path / "e.zip",
        {
            "conversations.json": [chat({"q": node(None, asked)})],
            "file_01.png": PICTURE,
            "file_02.png": PICTURE,
        },
    )
    assert home.imports.look(archive).report.attachments == 2
    report = home.imports.run(archive)
    assert report.attachments == 2
    assert report.reasons == [("A picture is not in the export.", 1)]
    (question,) = home.only().messages
    assert question.text == (
        "See\n\n[Picture: file_01.png]\n\n[Picture: file_02.png]\n\n"
        "[file_03: not in the export]\n\nthere"
    )
    kept = [part for part in question.parts if isinstance(part, Attachment)]
    assert [home.files.read(part.sha256) for part in kept] == [PICTURE, PICTURE]
    assert home.store.named_files() == {kept[0].sha256}
    assert prompt_messages("", home.only().path(), "Go on")[0].content == question.text


def test_a_chat_of_any_depth_and_with_odd_letters_comes_in(home: Home, tmp_path: Path) -> None:
    names = [str(number) for number in range(3000)]
    deep = {
        name: node(names[place - 1] if place else None, message("user", f"{name} \ud800\0"))
        for place, name in enumerate(names)
    }
    path = tmp_path / "e.json"
    path.write_text(json.dumps([chat(deep)]))
    home.imports.run(path)
    assert len(home.only().path()) == 3000
    assert home.only().path()[7].text == "7 \ufffd"


def test_an_import_can_be_stopped_and_goes_on_the_next_time(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, [chat(PLAIN, conversation_id=f"c{n}") for n in range(700)])
    seen: list[Fact] = []

    def stop_soon(fact: Fact) -> None:
        seen.append(fact)
        stopping.stop()

    stopping = ImportService(home.store, home.projects, home.files, stop_soon)
    monkeypatch.setattr("chatdesk.services.history.imports._TOLD_S", 0.0)
    report = stopping.run(path)
    assert isinstance(seen[0], ImportProgressed)
    assert report.is_stopped and report.new < 700
    assert home.imports.run(path).new + report.new == 700
    assert len(home.chats.list()) == 700


def test_a_full_disk_is_told_and_what_came_in_stays(tmp_path: Path) -> None:
    long = {"q": node(None, message("user", "wide " * 20_000))}
    path = written(tmp_path, [chat(long, conversation_id=f"c{n}") for n in range(200)])
    with small_disk(tmp_path / "disk", 16) as disk:
        home = Home(disk / "home")
        with closing(home.database):
            report = home.imports.run(path)
            assert report.problem and "full" in report.problem.what
            assert 0 < report.new < 200
            assert len(home.all()) == report.new
            home.database.check()


KILLED = """
import sys
from pathlib import Path
from tests.services.history.test_imports import Home
Home(Path(sys.argv[1])).imports.run(Path(sys.argv[2]))
"""


@pytest.mark.posix
def test_killed_at_any_moment_every_chat_is_whole_or_not_there(tmp_path: Path) -> None:
    path = written(tmp_path, [chat(PLAIN, conversation_id=f"c{n}") for n in range(1200)])
    random.seed(5)
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "home"), str(path)])
        database = AppPaths.under(tmp_path / "home").database
        give_up = time.monotonic() + 30
        while not (database.exists() and database.stat().st_size) and time.monotonic() < give_up:
            time.sleep(0.01)
        time.sleep(random.uniform(0.0, 0.5))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        home = Home(tmp_path / "home")
        with closing(home.database):
            home.database.check()
            assert {each.messages for each in home.chats.list()} <= {4}
    home = Home(tmp_path / "home")
    with closing(home.database):
        home.imports.run(path)
        assert len(home.chats.list()) == 1200


@dataclass
class Rows:
    tables: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Home) -> "Rows":
        names = ("projects", "conversations", "messages", "answers", "message_parts", "origins",
                 "message_origins", "hidden_messages")  # fmt: skip
        with home.database.reading() as connection:
            return cls({
                name: sorted(map(repr, connection.exec_driver_sql(f"SELECT * FROM {name}")))
                for name in names
            })  # fmt: skip


def exported(home: Home, path: Path) -> None:
    names = {each.project.id: each.project for each in home.projects.list()}
    with path.open("wb") as stream:
        chats = (
            home.store.exported(
                each.id, project.name if project else "", project.colour if project else ""
            )
            for each in home.all()
            for project in [names.get(each.project_id or "")]
        )
        own.write(stream, chats)
    for sha256 in home.store.named_files():
        beside = path.parent / own.ATTACHMENTS / sha256
        beside.parent.mkdir(exist_ok=True)
        beside.write_bytes(home.files.read(sha256))


def test_our_own_export_comes_back_as_an_equal_database(home: Home, tmp_path: Path) -> None:
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_01"}
    asked = content("multimodal_text", "user", parts=["See", picture])
    mapping = PLAIN | {"p": node("b", asked)}
    home.imports.run(
        zipped(tmp_path / "e.zip", {"conversations.json": [chat(mapping)], "file_01.png": PICTURE})
    )
    made = home.chats.create(title="Native 本", system_prompt="Be brief.\r\n")
    question = home.chats.add_message(
        made.id, None, Role.USER, (Source(1, "doc", "text", page=2), Text(" # ## User\n```` ``` "))
    )
    record = AnswerRecord(model_name="tiny", prompt_tokens=3, stop_reason=StopReason.END)
    answer = home.chats.add_message(made.id, question.id, Role.ASSISTANT, "A\u2028B", answer=record)
    home.chats.set_rating(answer.id, Rating.DOWN)
    home.chats.add_correction(answer.id, "Better")
    home.chats.set_pinned(question.id, pinned=True)
    home.chats.hide([answer.id], made.id, None)
    home.projects.create("Unused")
    (own_project, *_others) = [each.project for each in home.projects.list() if each.conversations]
    home.projects.change(own_project.id, colour="green")
    exported(home, tmp_path / "chats.json")
    other = Home(tmp_path / "other")
    with closing(other.database):
        report = other.imports.run(tmp_path / "chats.json")
        assert (report.format, report.new, report.warnings) == ("chatdesk", 2, [])
        before, after = Rows.of(home).tables, Rows.of(other).tables
        assert len(after["projects"]) == 1 and "green" in after["projects"][0]
        ids = {each.project.name: each.project.id for each in other.projects.list()}
        new_id = ids["Imported from ChatGPT"]
        before["conversations"] = [
            row.replace(own_project.id, new_id) for row in before["conversations"]
        ]
        for name in before.keys() - {"projects"}:
            assert after[name] == before[name], name
        assert other.files.read(next(iter(other.store.named_files()))) == PICTURE
        again = other.imports.run(tmp_path / "chats.json")
        assert (again.new, again.grown) == (0, 0)
        source = written(tmp_path, [chat(mapping)])  # the app's own export knows it too
        assert other.imports.run(source).new == 0
