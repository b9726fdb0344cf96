"""`chatdesk conversations import`, in this process and as a script meets it."""

from pathlib import Path

import pytest

from chatdesk.cli.documents.conversations import list_conversations
from chatdesk.cli.documents.imports import import_conversations
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.paths import AppPaths
from chatdesk.store.database import Database
from chatdesk.store.projects import ProjectStore
from tests.cli.test_main import Cli
from tests.exchange.conversations.reading import written
from tests.exchange.conversations.test_chatgpt import PLAIN, chat

KEYS = {
    "format", "conversations", "messages", "new", "grown", "skipped", "attachments", "warnings",
}  # fmt: skip


def test_the_document_of_several_files_and_of_a_dry_run(tmp_path: Path) -> None:
    paths = AppPaths.under(tmp_path / "home")
    files = [
        written(tmp_path, [chat(PLAIN), chat({}, id="e", title="Nothing")], "a.json"),
        written(tmp_path, '{"messages": [{"role": "user", "content": "Hi"}]}', "b.jsonl"),
    ]
    for dry_run in (True, False):
        document, problem = import_conversations(paths, files, "Mine", dry_run=dry_run)
        assert document.keys() == KEYS and problem is None
        assert (document["format"], document["new"], document["messages"]) == (
            "chatgpt, chat-jsonl",
            2,
            5,
        )
        assert document["skipped"] == 1
        assert document["warnings"] == [{"where": "“Nothing”", "reason": "The chat is empty."}]
        assert len(list_conversations(paths)) == (0 if dry_run else 2)
    database = Database.open(paths.database)
    (project,) = ProjectStore(database).list()
    database.close()
    assert (project.project.name, project.conversations) == ("Mine", 2)
    document, _ = import_conversations(paths, files, project.project.id[:6], dry_run=False)
    assert (document["new"], document["grown"]) == (0, 0)


def test_a_file_that_nobody_knows_is_a_sentence(tmp_path: Path) -> None:
    paths = AppPaths.under(tmp_path / "home")
    with pytest.raises(EnvironmentProblem, match=r"x\.json holds no chats"):
        import_conversations(paths, [written(tmp_path, "{}", "x.json")], None, dry_run=False)


def test_a_script_imports(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home")
    path = written(tmp_path, [chat(PLAIN)])
    assert cli.json("conversations", "import", str(path), "--dry-run")["new"] == 1
    assert cli.json("conversations", "import", str(path))["new"] == 1
    assert cli.json("conversations", "import", str(path))["new"] == 0
    (listed,) = cli.json("conversations", "list")
    assert (listed["title"], listed["messages"]) == ("Bäume 树", 4)
    assert "cannot be read" in cli.problem("conversations", "import", str(tmp_path / "gone.zip"))
