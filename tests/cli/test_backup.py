"""`chatdesk backup`, as a script uses it."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.cli.main import main
from chatdesk.services.history.restoring import stage
from chatdesk.services.system.locations import find_paths
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHATDESK_HOME", str(tmp_path / "home"))
    return tmp_path


def document(capsys: pytest.CaptureFixture[str], *words: str) -> object:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def begin(title: str) -> None:
    with closing(Database.open(find_paths().database)) as database:
        ConversationStore(database).create(title=title)


def titles(capsys: pytest.CaptureFixture[str]) -> list[str]:
    listed = document(capsys, "conversations", "list")
    assert isinstance(listed, list)
    return sorted(each["title"] for each in listed)


def test_a_backup_is_made_listed_and_restored(capsys: pytest.CaptureFixture[str]) -> None:
    begin("Figs")
    made = document(capsys, "backup", "create")
    assert isinstance(made, dict)
    assert set(made) == {
        "id", "path", "made", "bytes", "conversations", "messages", "adapters",
    }  # fmt: skip
    assert (made["conversations"], Path(made["path"]).stat().st_size) == (1, made["bytes"])
    begin("Newer")
    assert document(capsys, "backup", "list") == [made]
    assert document(capsys, "backup", "show", made["path"]) == made
    assert document(capsys, "backup", "restore", made["id"]) == made
    assert titles(capsys) == ["Figs"]
    listed = document(capsys, "backup", "list")
    assert isinstance(listed, list)
    assert [each["conversations"] for each in listed] == [2, 1]  # what was there is kept


def test_what_the_window_began_to_restore_is_finished_by_the_next_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin("Figs")
    made = document(capsys, "backup", "create")
    assert isinstance(made, dict)
    begin("Newer")
    stage(find_paths(), Path(made["path"]))
    assert titles(capsys) == ["Figs"]


def test_what_cannot_be_is_one_sentence(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    begin("Figs")
    (home / "text.zip").write_text("no zip")
    with closing(Database.open(find_paths().database)) as database:
        ConversationStore(database).list()
        made = document(capsys, "backup", "create")  # also while it is open
        assert isinstance(made, dict)
        for words, says in (
            (("show", "2020"), "There is no backup 2020."),
            (("restore", str(home / "text.zip")), "is not a backup of ChatDesk"),
            (("restore", made["id"]), "ChatDesk is open"),
            (("create", str(home / "text.zip" / "below.zip")), "cannot be written"),
        ):
            assert main(["backup", *words]) == 1
            said = capsys.readouterr()
            assert (says in said.err, said.err.count("\n"), said.out) == (True, 1, "")
    assert titles(capsys) == ["Figs"]
