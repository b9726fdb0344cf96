import json
import logging
from pathlib import Path

import pytest

from chatdesk.library.machine import bandwidth
from chatdesk.library.machine.bandwidth import Bandwidth, measure_bandwidth, read_bandwidth


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "bandwidth.json"


def test_measured_once_and_kept(file: Path) -> None:
    assert read_bandwidth(file).bytes_per_s == 0
    measured = measure_bandwidth(file, quiet=False)
    assert 5e8 < measured.bytes_per_s < 5e12  # the slowest memory and the fastest there are
    assert read_bandwidth(file) == measured


def test_that_of_another_computer_does_not_count(file: Path) -> None:
    measure_bandwidth(file, quiet=False)
    kept = json.loads(file.read_text("utf-8"))
    kept["computer"][0] += 1
    file.write_text(json.dumps(kept), "utf-8")
    assert read_bandwidth(file).bytes_per_s == 0


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-1", "0", '"fast"', "null", "[]", "9" * 400]
)
def test_a_number_that_makes_no_sense(file: Path, number: str) -> None:
    measure_bandwidth(file, quiet=False)
    kept = json.loads(file.read_text("utf-8"))
    good = json.dumps(kept["bytes_per_s"])
    file.write_text(file.read_text("utf-8").replace(good, number), "utf-8")
    assert read_bandwidth(file).bytes_per_s == 0


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"7", b"\xff\xfe", b'{"bytes_per_s": 1'])
def test_a_damaged_file(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    assert read_bandwidth(file).bytes_per_s == 0


def test_a_place_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache").touch()
    with caplog.at_level(logging.WARNING):
        assert measure_bandwidth(tmp_path / "cache" / "bandwidth.json", quiet=True).bytes_per_s > 0
    assert "bandwidth.json" in caplog.text


def test_a_busy_moment_does_not_replace_a_better_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bandwidth.json"
    for found, quiet in ((9e9, False), (22e9, True), (7e9, True)):
        monkeypatch.setattr(bandwidth, "_measure", lambda threads, found=found: found)
        measure_bandwidth(file, quiet=quiet)
    assert read_bandwidth(file) == Bandwidth(22e9, 2)
