import json
import os
from pathlib import Path

import pytest

from chatdesk.services.engine.thread_counts import MeasuredThreads


def test_they_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "threads.json"
    threads = MeasuredThreads(file)
    assert threads.get("a") is None
    threads.put("a", 1)
    threads.put("b", 1)
    assert MeasuredThreads(file).get("a") == MeasuredThreads(file).get("b") == 1
    assert MeasuredThreads(file).get("c") is None


def test_they_do_not_hold_for_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = MeasuredThreads(tmp_path / "threads.json")
    threads.put("a", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 96)
    assert threads.get("a") is None
    threads.put("a", 64)
    assert threads.get("a") == 64


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2", None, 10**6])
def test_what_is_no_count(tmp_path: Path, count: object) -> None:
    file = tmp_path / "threads.json"
    file.write_text(json.dumps({"cores": os.cpu_count(), "threads": {"a": count}}))
    assert MeasuredThreads(file).get("a") is None


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"threads": 3}', b"[" * 100_000])
def test_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "threads.json"
    file.write_bytes(content)
    threads = MeasuredThreads(file)
    assert threads.get("a") is None
    threads.put("a", 1)
    assert threads.get("a") == 1


def test_where_nothing_can_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache").touch()
    MeasuredThreads(tmp_path / "cache" / "threads.json").put("a", 1)
    assert "not remembered" in caplog.text


def test_without_a_file() -> None:
    threads = MeasuredThreads(None)
    threads.put("a", 1)
    assert threads.get("a") is None
