"""Commands where nothing can be written: what only reads works."""

from pathlib import Path

from tests.cli.test_main import Cli
from tests.small_disk import fill, read_only, small_disk

QUESTION = "What grows in the shade?"


def test_what_only_reads_works_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        cli = Cli(disk / "home")
        asked = cli.json("ask", QUESTION, "--max-tokens", "3")
        ballast = fill(disk)
        (listed,) = cli.json("conversations", "list")
        assert listed["title"] == QUESTION
        shown = cli.json("conversations", "show", listed["id"])
        assert [each["text"] for each in shown["messages"]] == [QUESTION, asked["text"]]
        assert [each["name"] for each in cli.json("models", "list")]
        assert cli.json("ask", QUESTION, "--temporary", "--max-tokens", "3")["text"]
        assert "full" in cli.problem("ask", QUESTION, "--max-tokens", "3")
        ballast.unlink()
        assert cli.json("ask", QUESTION, "--max-tokens", "3")["text"]


def test_what_only_reads_works_on_a_read_only_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        cli = Cli(disk / "home")
        asked = cli.json("ask", QUESTION, "--max-tokens", "3")
        with read_only(disk):
            (listed,) = cli.json("conversations", "list")
            shown = cli.json("conversations", "show", listed["id"])
            assert [each["text"] for each in shown["messages"]] == [QUESTION, asked["text"]]
            assert "read-only" in cli.problem("ask", QUESTION, "--max-tokens", "3")
        assert cli.json("ask", QUESTION, "--max-tokens", "3")["text"]
