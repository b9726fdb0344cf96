"""The short form of what `chatdesk bench faults` reads from the disk."""

from pathlib import Path

from tests.faults.databases import try_cut_journals, try_databases
from tests.faults.files import try_adapters, try_headers, try_templates
from tests.faults.tried import Tried


def assert_well(tried: Tried) -> None:
    assert tried.faults == []
    assert 0 < tried.usable < tried.count


def test_damaged_model_files(tmp_path: Path) -> None:
    assert_well(try_headers(tmp_path, 200))


def test_damaged_adapters(tmp_path: Path, starter_model: Path) -> None:
    assert_well(try_adapters(tmp_path, starter_model, 120))


def test_damaged_templates() -> None:
    assert_well(try_templates(40))


def test_damaged_databases(tmp_path: Path) -> None:
    assert_well(try_databases(tmp_path, 30))


def test_a_journal_that_is_cut_off(tmp_path: Path) -> None:
    tried = try_cut_journals(tmp_path, every=60)
    assert tried.faults == []
    assert tried.usable == tried.count > 10
