"""`chatdesk conversations search`, with a real database."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.cli.main import main
from chatdesk.core.chat import AnswerRecord, Role
from chatdesk.core.paths import AppPaths
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.projects import ProjectStore


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppPaths:
    monkeypatch.setenv("CHATDESK_HOME", str(tmp_path))
    return AppPaths.under(tmp_path)


def test_search(paths: AppPaths, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Database.open(paths.database)) as database:
        store = ConversationStore(database)
        garden = ProjectStore(database).create("Garden book")
        chat = store.create(title="A winter bud").id
        store.set_project([chat], garden.id)
        asked = store.add_message(chat, None, Role.USER, "Is the winter bud dead?")
        record = AnswerRecord(model_name="SmolLM2")
        store.add_message(chat, asked.id, Role.ASSISTANT, "Winter it is.", answer=record)

    def found(*words: str) -> list[dict[str, str | None]]:
        assert main(["conversations", "search", "--json", *words]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        rows: list[dict[str, str | None]] = json.loads(out)
        return rows

    title, message = found("winter", "bud")
    assert set(title) == {"conversation", "title", "message", "role", "created", "snippet"}
    assert (title["message"], title["snippet"]) == (None, "A \2winter\3 \2bud\3")
    assert message["snippet"] == "Is the \2winter\3 \2bud\3 dead?"
    assert (message["role"], message["message"]) == ("user", asked.id)
    assert message["conversation"] == chat
    assert len(found("winter", "--role", "assistant")) == 1
    assert len(found("winter", "--model", "smol")) == 1
    assert len(found("winter", "--project", garden.id[:6])) == 3
    assert len(found("winter", "--project", "Garden")) == 3
    assert len(found("winter", "--limit", "1")) == 1
    assert found("winter", "--before", "2024-05") == []
    assert len(found("winter", "--after", "2024-05-17")) == 3
    assert found("--", "winter", "-bud")[0]["role"] == "assistant"

    assert main(["conversations", "search", "dead"]) == 0
    assert capsys.readouterr().out.endswith("A winter bud\n    Is the winter bud dead?\n")
    assert main(["conversations", "search", "dead", "--project", "kitchen"]) == 1
    assert "There is no project kitchen." in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["conversations", "search", "dead", "--before", "yesterday"])
    assert "yesterday" in capsys.readouterr().err
