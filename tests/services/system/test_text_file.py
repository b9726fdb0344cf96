import os
from pathlib import Path

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import set_language
from chatdesk.core.paths import assets_dir
from chatdesk.services.system.text_file import LIMIT, read_text_file


def test_text_is_read_in_the_encoding_it_has(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    words = "Grüße, 量子 🙂\n\tzwei"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file.write_text(words, encoding)
        assert read_text_file(file) == words, encoding
    file.write_bytes(b"one\r\ntwo\rthree")
    assert read_text_file(file) == "one\ntwo\nthree"
    file.write_bytes("Grüße".encode("cp1252"))
    assert read_text_file(file) == "Grüße"
    file.write_bytes(b"")
    assert read_text_file(file) == ""


def test_an_old_chinese_file_is_read_where_chinese_is_spoken(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes("量子纠缠".encode("gb18030"))
    set_language("zh_CN", assets_dir() / "locale")
    try:
        assert read_text_file(file) == "量子纠缠"
    finally:
        set_language("en", assets_dir() / "locale")


@pytest.mark.parametrize(
    "data",
    [
        b"GGUF\x03\x00\x00",
        b"%PDF-1.7\n\x00\xff",
        b"\x89PNG\r\n\x1a\n",
        b"\x7fELF\x02\x01",
        b"a\x1b[31m",
    ],
)
def test_what_is_no_text_is_not_read(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    assert read_text_file(file) is None
    file.write_bytes(data + b"\xff\x00" * LIMIT)
    assert read_text_file(file) is None


def test_a_text_that_is_too_long_is_refused_with_its_size(tmp_path: Path) -> None:
    file = tmp_path / "book.txt"
    file.write_text("量" * LIMIT)
    with pytest.raises(EnvironmentProblem) as told:
        read_text_file(file)
    assert "book.txt" in told.value.what and "768 kB" in told.value.what
    with file.open("ab") as growing:
        growing.truncate(2**40)  # no disk has so much room: nothing tries to read it all
    with pytest.raises(EnvironmentProblem):
        read_text_file(file)


def test_a_file_that_is_gone_is_a_problem_and_a_folder_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem):
        read_text_file(tmp_path / "gone.txt")
    assert read_text_file(tmp_path) is None


@pytest.mark.posix
def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_text_file(tmp_path / "pipe") is None
