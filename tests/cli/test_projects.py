"""`chatdesk projects`, as a script uses it."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.cli.main import main
from chatdesk.services.system.locations import find_paths
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATDESK_HOME", str(tmp_path))


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> object:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_project_is_made_shown_renamed_and_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    made = printed(capsys, "projects", "create", "  Garden   book ", "--colour", "green")
    assert isinstance(made, dict)
    assert made | {"id": ""} == {
        "id": "",
        "name": "Garden book",
        "colour": "green",
        "conversations": 0,
        "documents": 0,
    }
    with closing(Database.open(find_paths().database)) as database:
        store = ConversationStore(database)
        chat = store.create(title="Figs")
        store.set_project([chat.id], made["id"])
    shown = printed(capsys, "projects", "show", "Garden book")
    assert isinstance(shown, dict)
    assert (shown["conversations"], [each["title"] for each in shown["chats"]]) == (1, ["Figs"])
    renamed = printed(capsys, "projects", "set", made["id"][:8], "--name", "花园")
    assert isinstance(renamed, dict)
    assert (renamed["name"], renamed["colour"]) == ("花园", "green")
    assert printed(capsys, "projects", "list") == [renamed]
    assert printed(capsys, "projects", "delete", "花园") == {
        "id": made["id"],
        "deleted": True,
        "conversations": 1,
    }
    listed = printed(capsys, "conversations", "list")
    assert isinstance(listed, list)
    (line,) = listed
    assert (line["title"], line["project"]) == ("Figs", None)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("create", "  "), "A project needs a name."),
        (("show", "nowhere"), "There is no project nowhere."),
        (("set", "nowhere", "--name", "x"), "There is no project nowhere."),
        (("set", "nowhere"), "Nothing is to be changed."),
        (("delete", "a"), "too short"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    assert main(["projects", *words]) == 1
    said = capsys.readouterr()
    assert (says in said.err, said.err.count("\n"), said.out) == (True, 1, "")


def test_of_two_projects_with_one_name_the_id_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = printed(capsys, "projects", "create", "Notes")
    printed(capsys, "projects", "create", "Notes")
    assert main(["projects", "delete", "Notes"]) == 1
    assert "Several projects are called Notes. Give the id" in capsys.readouterr().err
    assert isinstance(first, dict)
    printed(capsys, "projects", "delete", first["id"])
