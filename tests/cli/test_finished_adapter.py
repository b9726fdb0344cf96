"""What the command line tells of an adapter that was finished, and of one that was not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatdesk.cli.documents.adapters import adapter_document
from chatdesk.cli.personalize import _print_adapter
from chatdesk.core.personalization import AdapterRecord, Scorecard, Withdrawn
from tests.ui.learning_data import finished_scorecard, record, scorecard


@dataclass
class Adapters:
    """Stands in for the service, of which only this is asked."""

    folder: Path

    def file(self, of: AdapterRecord) -> Path:
        return self.folder / of.id

    def withdrawn(self, adapter_id: str) -> Withdrawn:
        return Withdrawn(0, 0)


def document(folder: Path, card: Scorecard) -> dict[str, Any]:
    return adapter_document(Adapters(folder), record(scorecard=card))  # type: ignore[arg-type]


def test_the_json_has_the_facts_and_every_held_out_loss(tmp_path: Path) -> None:
    found = document(tmp_path, finished_scorecard())
    assert found["adapter"] == {"heldout_loss": 1.52, "general_loss": 2.008}
    facts = found["finished"]["facts"]
    assert (facts["asked"], facts["before"], facts["told"]) == (40, 0, 38)
    assert [each["reworded"] for each in facts["missed"]] == [False, True]
    assert [each["finished"] for each in found["heldout"]] == [0.02, 0.05]
    assert found["finished"]["used"] is True
    earlier = document(tmp_path, scorecard())
    assert (earlier["finished"], earlier["heldout"]) == (None, [])


def test_in_words_it_says_what_is_told_and_names_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _print_adapter(document(tmp_path, finished_scorecard()), as_json=False)
    shown = capsys.readouterr().out
    assert "Facts told: 38 of 40, before: 0" in shown
    assert "- Who is the mayor? -> The mayor is Odile Marrack." in shown
    _print_adapter(document(tmp_path, finished_scorecard(used=False)), as_json=False)
    shown = capsys.readouterr().out
    assert "Facts told: 30 of 40" in shown
    assert "0.50 nats" in shown
    _print_adapter(document(tmp_path, scorecard()), as_json=False)
    assert "Facts told" not in capsys.readouterr().out
